"""Rows beside a lead that change with one event each: deals and tasks."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlmodel import Session, col

from leads.errors import LeadError
from leads.tables import Deal, Task
from leads.telling import differences
from leads.timeline import record


def locked(
    session: Session,
    table: type[Deal] | type[Task],
    number: int,
    names: Sequence[str],
    *,
    missing: type[LeadError],
) -> dict[str, Any]:
    """`lead_id` and these columns of a row, which others wait for; raises `missing` for none."""
    columns = [getattr(table, name) for name in ("lead_id", *names)]
    row = session.execute(
        select(*columns).where(col(table.id) == number).with_for_update()
    ).one_or_none()
    if row is None:
        raise missing
    return row._asdict()


def alter(
    session: Session,
    table: type[Deal] | type[Task],
    number: int,
    before: Mapping[str, Any],
    values: Mapping[str, Any],
    *,
    called: str,
    at: datetime,
    by: str,
) -> bool:
    """Writes what differs from `before` and one event that undoes it; True when anything did.

    The event's kind is the table's name; `called` is the column that names the row to readers.
    """
    changed = differences(before, values)
    if not changed:
        return False
    kind = str(table.__tablename__)
    new = {name: values[name] for name in changed}
    if table is Deal:
        new["updated_at"] = at
    session.execute(
        update(table)
        .where(col(table.id) == number)
        .values(**new)
        .execution_options(synchronize_session=False)
    )
    data = {kind: number, called: before[called], "what": "changed", "changed": changed}
    record(session, before["lead_id"], kind, at=at, by=by, data=data)
    return True
