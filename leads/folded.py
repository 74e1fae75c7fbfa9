"""Texts folded in SQL, for indexes: A to Z in lower case, every other letter untouched."""

from typing import Any

from sqlalchemy import String
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class folded(FunctionElement[str]):  # noqa: N801 - reads like the SQL function it is
    """Spelt as rules spell it, or their comparisons would not find the index."""

    type = String()
    inherit_cache = True


@compiles(folded, "sqlite")
def _(element: folded, compiler: SQLCompiler, **kw: Any) -> str:
    # SQLite's lower() knows ASCII only.
    return f"lower({compiler.process(element.clauses, **kw)})"


@compiles(folded, "postgresql")
def _(element: folded, compiler: SQLCompiler, **kw: Any) -> str:
    # Under the collation "C" PostgreSQL's lower() knows ASCII only, too.
    # Without parentheses inside: so the server tells it back, and schemas are compared as texts.
    return f'lower({compiler.process(element.clauses, **kw)} COLLATE "C")'
