"""What SQLite and PostgreSQL say differently about JSON: attributes, properties, lists.

Each is an expression that is NULL when there is no such value; `sql.py` turns NULL into false.
"""

import json
import re
from typing import Any, Self

from sqlalchemy import (
    Boolean,
    ColumnElement,
    SQLColumnExpression,
    String,
    literal,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from segments.dialects import Truth

#: Texts that JSON writes as they are, so that they can be looked for in its text.
_PLAIN = re.compile("[a-z0-9 ._@-]+")


def may_hold(column: SQLColumnExpression[Any], sign: str, wanted: str) -> ColumnElement[bool]:
    """False only where no text in the JSON is `wanted`, folded; true wherever that is unsure.

    1,000,000 tags or attributes on SQLite: JSON is parsed only where the text is in it at all.
    """
    ends = {"=": ('"', '"'), "starts with": ('"', ""), "ends with": ("", '"'), "contains": ("", "")}
    if sign not in ends or not _PLAIN.fullmatch(wanted):
        return true()
    before, after = ends[sign]
    return _holds(column, literal(f"{before}{wanted}{after}", String()))


class _holds(Truth):  # noqa: N801
    inherit_cache = True


@compiles(_holds, "sqlite")
def _(element: _holds, compiler: SQLCompiler, **kw: Any) -> str:
    column, wanted = (compiler.process(each, **kw) for each in element.clauses)
    return f"(instr(lower({column}), {wanted}) > 0)"


@compiles(_holds, "postgresql")
def _(element: _holds, compiler: SQLCompiler, **kw: Any) -> str:
    # Its binary JSON is not parsed again, and reading it as text would cost more.
    _column, wanted = (compiler.process(each, **kw) for each in element.clauses)
    return f"({wanted} IS NOT NULL)"


class words(Truth):  # noqa: N801
    """The same asked in each database's own way."""

    inherit_cache = True

    def __init__(self, *, sqlite: ColumnElement[bool], postgresql: ColumnElement[bool]) -> None:
        super().__init__(sqlite, postgresql)


@compiles(words, "sqlite")
def _(element: words, compiler: SQLCompiler, **kw: Any) -> str:
    asked, _ = element.clauses
    return f"({compiler.process(asked, **kw)})"


@compiles(words, "postgresql")
def _(element: words, compiler: SQLCompiler, **kw: Any) -> str:
    _, asked = element.clauses
    return f"({compiler.process(asked, **kw)})"


class members(FunctionElement[Any]):  # noqa: N801
    """The members of an attribute that is a list, as rows of `value` and `type`; else no rows."""

    name = "members"
    inherit_cache = True

    def __init__(self, column: SQLColumnExpression[Any], name: str, inside: str = "") -> None:
        super().__init__(*_place(column, name, inside))


@compiles(members, "sqlite")
def _(element: members, compiler: SQLCompiler, **kw: Any) -> str:
    column, _, path = (compiler.process(each, **kw) for each in element.clauses)
    return f"json_each({column}, {path})"


@compiles(members, "postgresql")
def _(element: members, compiler: SQLCompiler, **kw: Any) -> str:
    column, key, _ = (compiler.process(each, **kw) for each in element.clauses)
    found = f"{column} -> {key}"
    # Asked of something else PostgreSQL gives an error, whatever stands before it in the clause.
    return (
        f"jsonb_array_elements(CASE jsonb_typeof({found}) WHEN 'array' THEN {found} "
        "ELSE '[]'::jsonb END)"
    )


def _place(column: SQLColumnExpression[Any], name: str, inside: str) -> tuple[Any, Any, Any]:
    """Column, key and path of one entry; `inside` names the object in the column that holds it."""
    # Keys are stored escaped to ASCII, and SQLite before 3.45 compares them as stored.
    path = f"$.{inside}.{json.dumps(name)}" if inside else f"$.{json.dumps(name)}"
    column = _Inside(column, inside) if inside else column
    return column, literal(name, String()), literal(path, String())


class _Inside(FunctionElement[Any]):
    """The object under a key. SQLite reads it by the path instead."""

    inherit_cache = True

    def __init__(self, column: SQLColumnExpression[Any], key: str) -> None:
        super().__init__(column, literal(key, String()))


@compiles(_Inside, "sqlite")
def _(element: _Inside, compiler: SQLCompiler, **kw: Any) -> str:
    column, _ = element.clauses
    return compiler.process(column, **kw)


@compiles(_Inside, "postgresql")
def _(element: _Inside, compiler: SQLCompiler, **kw: Any) -> str:
    column, key = (compiler.process(each, **kw) for each in element.clauses)
    return f"({column} -> {key})"


class JsonValue(FunctionElement[Any]):
    """An entry of a JSON column, or one member of `members`, read as something."""

    inherit_cache = True
    #: How each database says it: {type} is its word for the JSON type, {value} the value as text.
    sqlite: str
    postgresql: str
    #: For PostgreSQL before 16, where that differs.
    older_postgresql: str | None = None

    @classmethod
    def of(cls, column: SQLColumnExpression[Any], name: str, inside: str = "") -> Self:
        """The entry called `name`."""
        return cls(*_place(column, name, inside))

    @classmethod
    def of_member(cls, rows: Any) -> Self:
        """One row of `members`."""
        return cls(rows.c.value, rows.c.type)


@compiles(JsonValue, "sqlite")
def _(element: JsonValue, compiler: SQLCompiler, **kw: Any) -> str:
    column, *rest = (compiler.process(each, **kw) for each in element.clauses)
    if len(rest) == 1:
        return element.sqlite.format(type=rest[0], value=column, source=column)
    path = rest[1]
    return element.sqlite.format(
        type=f"json_type({column}, {path})",
        value=f"json_extract({column}, {path})",
        source=column,
    )


@compiles(JsonValue, "postgresql")
def _(element: JsonValue, compiler: SQLCompiler, **kw: Any) -> str:
    column, *rest = (compiler.process(each, **kw) for each in element.clauses)
    # Compiled without a connection there is no version.
    version = getattr(compiler.dialect, "server_version_info", None) or (16,)
    said = element.postgresql
    if version < (16,) and element.older_postgresql is not None:
        said = element.older_postgresql
    if len(rest) == 1:
        return said.format(type=f"jsonb_typeof({column})", value=f"({column} #>> '{{}}')")
    key = rest[0]
    return said.format(type=f"jsonb_typeof({column} -> {key})", value=f"({column} ->> {key})")


class JsonTruth(JsonValue, Truth):
    """What is asked of the entry."""

    inherit_cache = True
    type = Boolean()


class attribute_is_list(JsonTruth):  # noqa: N801
    """Whether it is a list."""

    inherit_cache = True
    # A text without a bracket holds none, which is seen sooner than its parts are.
    sqlite = "({source} LIKE '%[%' AND {type} = 'array')"
    # PostgreSQL takes an entry out as text sooner than as JSON: ascii() is that of a bracket.
    postgresql = "(ascii({value}) = 91 AND {type} = 'array')"


class attribute_bare_text(JsonValue):  # noqa: N801
    """The value's text as it is; only for values that `attribute_is_text`."""

    type = String()
    inherit_cache = True
    sqlite = "{value}"
    postgresql = "{value}"


class attribute_text(JsonValue):  # noqa: N801
    """The value's text, folded; only for values that `attribute_is_text`."""

    type = String()
    inherit_cache = True
    sqlite = "lower({value})"
    postgresql = 'lower({value} COLLATE "C")'


class attribute_is_text(JsonTruth):  # noqa: N801
    """Asked after the comparison, so that only values that passed it are looked at twice."""

    inherit_cache = True
    sqlite = "({type} = 'text')"
    postgresql = "({type} = 'string')"


class attribute_list(JsonValue):  # noqa: N801
    """A list with its texts folded, as PostgreSQL can look things up in it; NULL for others."""

    type = JSONB()
    inherit_cache = True
    sqlite = "NULL"
    # All capitals in the text of a JSON list belong to its members.
    postgresql = (
        "(CASE WHEN ascii({value}) = 91 AND {type} = 'array' "
        'THEN lower({value} COLLATE "C")::jsonb END)'
    )


class attribute_day(JsonValue):  # noqa: N801
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


class attribute_yes(JsonValue):  # noqa: N801
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


class attribute_known(JsonTruth):  # noqa: N801
    """True when there is a value of any kind that is not an empty text."""

    inherit_cache = True
    sqlite = "({type} <> 'null' AND {value} <> '')"
    postgresql = "({type} <> 'null' AND {value} <> '')"
