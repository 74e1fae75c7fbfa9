"""The few things SQLite and PostgreSQL say differently: folding, and in `dialects_json.py`, JSON.

No other file here does.
"""

from typing import Any

from sqlalchemy import Boolean, Select, SQLColumnExpression, String
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from segments.folding import BARE_FROM, BARE_FUNCTION, BARE_PAIRS, BARE_TO, MARKS


class Truth(FunctionElement[bool]):
    """An expression that stands in a where-clause as it is.

    SQLAlchemy writes `= 1` behind a Boolean on SQLite, and SQLite then works out both sides of
    every AND inside: 200,000 attributes took twice the time.
    """

    type = Boolean()
    inherit_cache = True

    def self_group(self, against: Any = None) -> Any:
        return self

    def _negate(self) -> Any:
        return opposite(self)


class opposite(Truth):  # noqa: N801
    """NOT of one."""

    inherit_cache = True


@compiles(opposite)
def _(element: opposite, compiler: SQLCompiler, **kw: Any) -> str:
    return f"(NOT {compiler.process(element.clauses, **kw)})"


class surely(Truth):  # noqa: N801
    """NULL is false: nothing is known, so nothing fits."""

    inherit_cache = True


@compiles(surely)
def _(element: surely, compiler: SQLCompiler, **kw: Any) -> str:
    # Unlike coalesce() this lets SQLite stop at the first part of an AND that is false.
    return f"(({compiler.process(element.clauses, **kw)}) IS TRUE)"


class bared(FunctionElement[str]):  # noqa: N801
    """A text without capitals and marks on letters: `folding.bare`, which SQLite calls by name."""

    type = String()
    inherit_cache = True


@compiles(bared, "sqlite")
def _(element: bared, compiler: SQLCompiler, **kw: Any) -> str:
    text = compiler.process(element.clauses, **kw)
    # Most texts are ASCII and need no call into Python: as many bytes as characters.
    return (
        f"(CASE WHEN length({text}) = length(CAST({text} AS BLOB)) THEN lower({text}) "
        f"ELSE {BARE_FUNCTION}({text}) END)"
    )


@compiles(bared, "postgresql")
def _(element: bared, compiler: SQLCompiler, **kw: Any) -> str:
    text = f"({compiler.process(element.clauses, **kw)})"
    marks = "-".join(f"\\u{ord(mark):04x}" for mark in MARKS)
    taken = f"regexp_replace(normalize({text}, NFKD), '[{marks}]', '', 'g')"
    taken = f"translate({taken}, '{BARE_FROM}', '{BARE_TO}')"
    for letter, pair in BARE_PAIRS:
        taken = f"replace({taken}, '{letter}', '{pair}')"
    return (
        f"(CASE WHEN octet_length({text}) = char_length({text}) "
        f'THEN lower({text} COLLATE "C") ELSE lower({taken} COLLATE "C") END)'
    )


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


def from_index(statement: Select[Any], table: Any, index: str) -> Select[Any]:
    """The statement, which reads `table` from this index on SQLite; PostgreSQL chooses well.

    https://www.sqlite.org/lang_indexedby.html; written where `SqliteWithHints` writes statements.
    """
    return statement.with_hint(table, f"INDEXED BY {index}", "sqlite")


class SqliteWithHints(SQLiteCompiler):
    """SQLAlchemy's own for SQLite, which leaves hints out."""

    def get_from_hint_text(self, table: Any, text: str | None) -> str | None:
        return text


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
