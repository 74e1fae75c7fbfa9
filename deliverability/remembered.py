"""A preflight remembered for a while, so that looking at a plan twice does not ask DNS twice."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlmodel import Session

from deliverability.preflight import PreflightRow
from deliverability.tables import Preflight

#: How long rows are good for; shorter where somebody could not be asked.
GOOD_FOR, UNKNOWN_FOR = timedelta(hours=1), timedelta(minutes=5)


def remembered(
    session: Session, identity: str, facts: str, *, now: datetime
) -> tuple[PreflightRow, ...] | None:
    """The rows of an identity while they are fresh; None when it must be looked at.

    `facts` is a hash of everything they were made from: an edited identity is a new one.
    """
    row = session.get(Preflight, identity)
    if row is None or row.facts != facts:
        return None
    rows = tuple(PreflightRow.of_document(each) for each in row.rows["rows"])
    unknown = any(each.level in ("unknown", "error") for each in rows)
    # What is wrong is being put right: nobody shall wait an hour to see that it is.
    age = now - row.asked_at
    fresh = timedelta(0) <= age < (UNKNOWN_FOR if unknown else GOOD_FOR)
    return rows if fresh else None


def remember(
    session: Session, identity: str, facts: str, rows: Sequence[PreflightRow], *, now: datetime
) -> None:
    """Keeps the rows; the newest replace the ones before."""
    body = {"rows": [row.document() for row in rows]}
    session.merge(Preflight(identity=identity, facts=facts, asked_at=now, rows=body))
