"""The rest of what SQLite and PostgreSQL say differently: JSON unfolded into rows, read as seen.

`dialects.py` asks about one known attribute; these say which there are and what they hold.
"""

import json
from typing import Any

from sqlalchemy import Numeric, SQLColumnExpression, String, TableValuedAlias, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from segments.folding import NUMBER_LENGTH


class entries(FunctionElement[Any]):  # noqa: N801 - reads like the SQL function it is
    """What a JSON object holds as rows: `key`, `value` and, for SQLite, `type`.

    `inside` names the object within the column; without it, it is the column itself.
    """

    name = "entries"
    inherit_cache = True

    def __init__(self, column: SQLColumnExpression[Any], inside: str = "") -> None:
        path = f"$.{json.dumps(inside)}" if inside else "$"
        super().__init__(column, literal(inside, String()), literal(path, String()))

    def rows(self) -> TableValuedAlias:
        """To select from, beside the table of the column."""
        return self.table_valued("key", "value", "type", joins_implicitly=True)


@compiles(entries, "sqlite")
def _(element: entries, compiler: SQLCompiler, **kw: Any) -> str:
    column, _, path = (compiler.process(each, **kw) for each in element.clauses)
    return f"json_each({column}, {path})"


@compiles(entries, "postgresql")
def _(element: entries, compiler: SQLCompiler, **kw: Any) -> str:
    column, key, _ = (compiler.process(each, **kw) for each in element.clauses)
    # An empty key stands for the column itself; no name in JSON is compared with it.
    found = f"(CASE {key} WHEN '' THEN {column} ELSE {column} -> {key} END)"
    return (
        f"jsonb_each(CASE jsonb_typeof({found}) WHEN 'object' THEN {found} ELSE '{{}}'::jsonb END)"
    )


class each_value(FunctionElement[Any]):  # noqa: N801
    """What stands under one name, as rows of `value` and `type`: each member of a list, else the
    value itself. `inside` is as in `entries`."""

    name = "each_value"
    inherit_cache = True

    def __init__(self, column: SQLColumnExpression[Any], name: str, inside: str = "") -> None:
        path = f"$.{inside}.{json.dumps(name)}" if inside else f"$.{json.dumps(name)}"
        keys = [literal(each, String()) for each in (inside, name, path)]
        super().__init__(column, *keys)

    def rows(self) -> TableValuedAlias:
        """To select from, beside the table of the column."""
        return self.table_valued("value", "type", joins_implicitly=True)


@compiles(each_value, "sqlite")
def _(element: each_value, compiler: SQLCompiler, **kw: Any) -> str:
    column, _, _, path = (compiler.process(each, **kw) for each in element.clauses)
    return f"json_each({column}, {path})"


@compiles(each_value, "postgresql")
def _(element: each_value, compiler: SQLCompiler, **kw: Any) -> str:
    column, inside, key, _ = (compiler.process(each, **kw) for each in element.clauses)
    found = f"((CASE {inside} WHEN '' THEN {column} ELSE {column} -> {inside} END) -> {key})"
    return (
        f"jsonb_array_elements(CASE jsonb_typeof({found}) WHEN 'array' THEN {found} "
        f"WHEN 'null' THEN '[]'::jsonb ELSE "
        f"CASE WHEN {found} IS NULL THEN '[]'::jsonb ELSE jsonb_build_array({found}) END END)"
    )


class _Seen(FunctionElement[Any]):
    """A value out of the rows above; the arguments are its columns `value` and `type`."""

    inherit_cache = True
    sqlite: str
    postgresql: str


@compiles(_Seen, "sqlite")
def _(element: _Seen, compiler: SQLCompiler, **kw: Any) -> str:
    value, kind = (compiler.process(each, **kw) for each in element.clauses)
    return element.sqlite.format(value=value, type=kind)


@compiles(_Seen, "postgresql")
def _(element: _Seen, compiler: SQLCompiler, **kw: Any) -> str:
    value, _ = (compiler.process(each, **kw) for each in element.clauses)
    return element.postgresql.format(value=f"({value} #>> '{{}}')", type=f"jsonb_typeof({value})")


class seen_text(_Seen):  # noqa: N801
    """The value as people read it; NULL for none, an empty text, and what is no single value."""

    type = String()
    inherit_cache = True
    sqlite = (
        "(CASE {type} WHEN 'true' THEN 'yes' WHEN 'false' THEN 'no' WHEN 'null' THEN NULL "
        "WHEN 'array' THEN NULL WHEN 'object' THEN NULL "
        "ELSE nullif(CAST({value} AS TEXT), '') END)"
    )
    postgresql = (
        "(CASE {type} WHEN 'boolean' THEN CASE {value} WHEN 'true' THEN 'yes' ELSE 'no' END "
        "WHEN 'string' THEN nullif({value}, '') WHEN 'number' THEN {value} END)"
    )


_SQLITE_NUMBER = (
    f"length({{value}}) BETWEEN 1 AND {NUMBER_LENGTH} "
    "AND {value} NOT GLOB '*[^0-9.-]*' AND substr({value}, 2) NOT GLOB '*-*' "
    "AND {value} NOT GLOB '*.*.*' AND ltrim({value}, '-') GLOB '[0-9]*' AND {value} GLOB '*[0-9]'"
)
_POSTGRESQL_NUMBER = (
    f"length({{value}}) <= {NUMBER_LENGTH} AND {{value}} ~ '^-?[0-9]+([.][0-9]+)?$'"
)


class seen_kind(_Seen):  # noqa: N801
    """What the value can be compared as: text, number, date, yes or no, list. NULL for none."""

    type = String()
    inherit_cache = True
    sqlite = (
        "(CASE {type} WHEN 'true' THEN 'yes or no' WHEN 'false' THEN 'yes or no' "
        "WHEN 'integer' THEN 'number' WHEN 'real' THEN 'number' WHEN 'array' THEN 'list' "
        "WHEN 'text' THEN CASE WHEN {value} = '' THEN NULL "
        f"WHEN {_SQLITE_NUMBER} THEN 'number' "
        "WHEN {value} GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*' THEN 'date' "
        "WHEN lower({value}) IN ('yes', 'no', 'true', 'false') THEN 'yes or no' "
        "ELSE 'text' END END)"
    )
    postgresql = (
        "(CASE {type} WHEN 'boolean' THEN 'yes or no' WHEN 'number' THEN 'number' "
        "WHEN 'array' THEN 'list' WHEN 'string' THEN CASE WHEN {value} = '' THEN NULL "
        f"WHEN {_POSTGRESQL_NUMBER} THEN 'number' "
        "WHEN {value} ~ '^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}' THEN 'date' "
        "WHEN lower({value}) IN ('yes', 'no', 'true', 'false') THEN 'yes or no' "
        "ELSE 'text' END END)"
    )


class text_number(FunctionElement[float]):  # noqa: N801
    """The number a text looks like (`folding.NUMBER`), NULL for any other text."""

    type = Numeric(asdecimal=False)
    inherit_cache = True


@compiles(text_number, "sqlite")
def _(element: text_number, compiler: SQLCompiler, **kw: Any) -> str:
    text = compiler.process(element.clauses, **kw)
    test = _SQLITE_NUMBER.format(value=text)
    return f"(CASE WHEN {test} THEN CAST({text} AS REAL) END)"


@compiles(text_number, "postgresql")
def _(element: text_number, compiler: SQLCompiler, **kw: Any) -> str:
    text = compiler.process(element.clauses, **kw)
    test = _POSTGRESQL_NUMBER.format(value=text)
    return f"(CASE WHEN {test} THEN ({text})::numeric END)"
