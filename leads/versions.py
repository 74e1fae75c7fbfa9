"""Applied versions: what a workspace file said when it was applied, kept for ever.

Segments, templates, campaigns and sequences each keep a table of this shape. A version is closed:
its body holds all it needs, so a run that started with it never changes.
"""

import hashlib
import json
from datetime import datetime
from typing import TypeVar

from sqlalchemy import func, select
from sqlmodel import Field, Session, col

from leads.row import BigKey, Instant, Json, JsonObject, Row


class Version(Row):
    """The columns every table of versions has. The newest row of a name counts."""

    id: int | None = Field(default=None, primary_key=True, sa_type=BigKey)
    name: str
    #: `content_hash` of the body.
    hash: str
    #: The closed definition; null in the row that records the file's removal.
    body: JsonObject | None = Field(default=None, sa_type=Json)
    applied_at: datetime = Field(sa_type=Instant)


V = TypeVar("V", bound=Version)


def content_hash(body: JsonObject | None) -> str:
    """sha256 (hex) of the body in canonical JSON: the same definition gives the same hash."""
    text = json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def current_version(session: Session, table: type[V], name: str) -> V | None:
    """The version in force under `name`; None when never applied or removed."""
    row = session.scalars(
        select(table).where(col(table.name) == name).order_by(col(table.id).desc()).limit(1)
    ).first()
    return row if row is not None and row.body is not None else None


def current_versions(session: Session, table: type[V]) -> list[V]:
    """Every version in force, by name."""
    newest = select(func.max(col(table.id))).group_by(col(table.name))
    rows = session.scalars(select(table).where(col(table.id).in_(newest)).order_by(col(table.name)))
    return [row for row in rows if row.body is not None]


def freeze(
    session: Session, table: type[V], name: str, body: JsonObject | None, *, now: datetime
) -> V | None:
    """Makes `body` the version in force under `name` and returns its row.

    A body equal to the present one writes nothing, so applying twice is applying once. `None`
    records a removal and returns None.
    """
    before = current_version(session, table, name)
    if body is None and before is None:
        return None
    digest = content_hash(body)
    if before is not None and before.hash == digest:
        return before
    row = table(name=name, hash=digest, body=body, applied_at=now)
    session.add(row)
    session.flush()
    return row if body is not None else None
