"""How Alembic writes and compares our column types."""

from typing import Any, Literal

from sqlalchemy import String
from sqlalchemy.types import TypeEngine
from sqlmodel import AutoString

from leads import Instant


def render_item(kind: str, item: Any, _autogen: Any) -> str | Literal[False]:
    """Migrations name plain SQL types: an old one must run when our Python types have changed."""
    if kind == "type" and isinstance(item, Instant):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, (String, AutoString)):
        return "sa.String()"
    return False


def same_type(
    _context: Any, _inspected: Any, _column: Any, found: TypeEngine[Any], wanted: TypeEngine[Any]
) -> bool | None:
    """Instant is a timestamp on PostgreSQL and text that looks like one on SQLite."""
    return False if isinstance(wanted, Instant) and "TIME" in str(found).upper() else None
