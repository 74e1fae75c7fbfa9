"""Texts folded in SQL: one spelling for rules and for the indexes that serve them."""

from typing import Any

from sqlalchemy import ColumnClause, String
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


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
    text = compiler.process(element.clauses, **kw)
    # A column stands bare: so the server tells an index back, and schemas are compared as texts.
    # Anything else needs parentheses, because COLLATE binds before an operator does.
    (inner,) = element.clauses
    text = text if isinstance(inner, ColumnClause) else f"({text})"
    # Under the collation "C" PostgreSQL's lower() knows ASCII only, too.
    return f'lower({text} COLLATE "C")'
