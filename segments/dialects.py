"""The few things SQLite and PostgreSQL say differently: folding, JSON. No other file here does.

Each is an expression that is NULL when there is no such value; `sql.py` turns NULL into false.
"""

import json
from typing import Any

from sqlalchemy import Boolean, Numeric, SQLColumnExpression, String, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from segments.folding import NUMBER_LENGTH


class folded(FunctionElement[str]):  # noqa: N801 - reads like the SQL function it is
    """A text with A to Z in lower case and every other letter untouched."""

    type = String()
    inherit_cache = True


@compiles(folded, "sqlite")
def _(element: folded, compiler: SQLCompiler, **kw: Any) -> str:
    # SQLite's lower() knows ASCII only.
    return f"lower({compiler.process(element.clauses, **kw)})"


@compiles(folded, "postgresql")
def _(element: folded, compiler: SQLCompiler, **kw: Any) -> str:
    # Under the collation "C" PostgreSQL's lower() knows ASCII only, too.
    return f'lower(({compiler.process(element.clauses, **kw)}) COLLATE "C")'


class unindexed(FunctionElement[Any]):  # noqa: N801
    """A column that SQLite shall not start a search from.

    Without statistics SQLite prefers the index with the most equal columns: asked per lead for
    `kind` and `campaign` it read every such event once per lead (20,000 leads: over a minute,
    instead of 0.1 s from the lead's own events). PostgreSQL keeps statistics and chooses well.
    """

    inherit_cache = True

    def __init__(self, column: SQLColumnExpression[Any]) -> None:
        super().__init__(column)
        self.type = column.type  # type: ignore[attr-defined]


@compiles(unindexed, "sqlite")
def _(element: unindexed, compiler: SQLCompiler, **kw: Any) -> str:
    # https://www.sqlite.org/optoverview.html section 6: a unary + disqualifies the term.
    return f"+{compiler.process(element.clauses, **kw)}"


@compiles(unindexed, "postgresql")
def _(element: unindexed, compiler: SQLCompiler, **kw: Any) -> str:
    return compiler.process(element.clauses, **kw)


class elements(FunctionElement[str]):  # noqa: N801
    """The texts of a JSON array as rows with one column, `value`."""

    name = "elements"
    type = String()
    inherit_cache = True


@compiles(elements, "sqlite")
def _(element: elements, compiler: SQLCompiler, **kw: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **kw)})"


@compiles(elements, "postgresql")
def _(element: elements, compiler: SQLCompiler, **kw: Any) -> str:
    return f"jsonb_array_elements_text({compiler.process(element.clauses, **kw)})"


class _Attribute(FunctionElement[Any]):
    """An attribute of a JSON column, read as something; the arguments are column, key and path."""

    inherit_cache = True
    #: How each database says it: {type} is its word for the JSON type, {value} the value as text.
    sqlite: str
    postgresql: str

    def __init__(self, column: SQLColumnExpression[Any], name: str) -> None:
        # Keys are stored escaped to ASCII, and SQLite before 3.45 compares them as stored.
        path = f"$.{json.dumps(name)}"
        super().__init__(column, literal(name, String()), literal(path, String()))


@compiles(_Attribute, "sqlite")
def _(element: _Attribute, compiler: SQLCompiler, **kw: Any) -> str:
    column, _, path = (compiler.process(each, **kw) for each in element.clauses)
    return element.sqlite.format(
        type=f"json_type({column}, {path})", value=f"json_extract({column}, {path})"
    )


@compiles(_Attribute, "postgresql")
def _(element: _Attribute, compiler: SQLCompiler, **kw: Any) -> str:
    column, key, _ = (compiler.process(each, **kw) for each in element.clauses)
    return element.postgresql.format(
        type=f"jsonb_typeof({column} -> {key})", value=f"({column} ->> {key})"
    )


class attribute_text(_Attribute):  # noqa: N801
    """The value's text, folded; only for values that `attribute_is_text`."""

    type = String()
    inherit_cache = True
    sqlite = "lower({value})"
    postgresql = 'lower({value} COLLATE "C")'


class attribute_is_text(_Attribute):  # noqa: N801
    """Asked after the comparison, so that only values that passed it are looked at twice."""

    type = Boolean()
    inherit_cache = True
    sqlite = "({type} = 'text')"
    postgresql = "({type} = 'string')"


class attribute_number(_Attribute):  # noqa: N801
    """The number, or the one a text looks like (`folding.NUMBER`).

    Plain digits are told first: 200,000 leads in SQLite take 190 ms, 510 ms without that branch.
    """

    type = Numeric(asdecimal=False)
    inherit_cache = True
    sqlite = (
        "(CASE {type} WHEN 'text' THEN "
        "CASE WHEN {value} NOT GLOB '*[^0-9]*' THEN "
        f"CASE WHEN length({{value}}) BETWEEN 1 AND {NUMBER_LENGTH} "
        "THEN CAST({value} AS REAL) END "
        f"WHEN length({{value}}) <= {NUMBER_LENGTH} "
        "AND {value} NOT GLOB '*[^0-9.-]*' AND substr({value}, 2) NOT GLOB '*-*' "
        "AND {value} NOT GLOB '*.*.*' AND ltrim({value}, '-') GLOB '[0-9]*' "
        "AND {value} GLOB '*[0-9]' THEN CAST({value} AS REAL) END "
        "WHEN 'integer' THEN {value} WHEN 'real' THEN {value} END)"
    )
    postgresql = (
        "(CASE {type} WHEN 'number' THEN {value}::numeric WHEN 'string' THEN "
        f"CASE WHEN length({{value}}) <= {NUMBER_LENGTH} "
        "AND {value} ~ '^-?[0-9]+([.][0-9]+)?$' THEN {value}::numeric END END)"
    )


class attribute_day(_Attribute):  # noqa: N801
    """The first ten letters of a text that begins like 2026-05-01 (`folding.DAY`)."""

    type = String()
    inherit_cache = True
    sqlite = (
        "(CASE WHEN {type} = 'text' AND {value} GLOB "
        "'[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*' THEN substr({value}, 1, 10) END)"
    )
    postgresql = (
        "(CASE WHEN {type} = 'string' AND {value} ~ '^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}' "
        'THEN substr({value}, 1, 10) COLLATE "C" END)'
    )


class attribute_yes(_Attribute):  # noqa: N801
    """`yes` or `no`: a JSON true or false, or a text that says so (`fitting.YES`, `NO`)."""

    type = String()
    inherit_cache = True
    sqlite = (
        "(CASE {type} WHEN 'true' THEN 'yes' WHEN 'false' THEN 'no' WHEN 'text' THEN "
        "CASE WHEN lower({value}) IN ('yes', 'true') THEN 'yes' "
        "WHEN lower({value}) IN ('no', 'false') THEN 'no' END END)"
    )
    postgresql = (
        "(CASE WHEN {type} IN ('boolean', 'string') THEN "
        "CASE WHEN lower({value} COLLATE \"C\") IN ('yes', 'true') THEN 'yes' "
        "WHEN lower({value} COLLATE \"C\") IN ('no', 'false') THEN 'no' END END)"
    )


class attribute_known(_Attribute):  # noqa: N801
    """True when there is a value of any kind that is not an empty text."""

    type = Boolean()
    inherit_cache = True
    sqlite = "({type} <> 'null' AND {value} <> '')"
    postgresql = "({type} <> 'null' AND {value} <> '')"
