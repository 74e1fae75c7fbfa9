"""One mail that came back, written down: its row, and when it was written."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from sqlalchemy import insert, select
from sqlmodel import Session, col

from campaigns.matching import Match
from deliverability import Arrived, Inbound, Reading
from leads import Lead

#: A Date field further back than this is not believed.
_OLDEST = timedelta(days=30)


def moment_of(date: str, arrived: datetime, found: Match | None, *, now: datetime) -> datetime:
    """When it was written: its Date (RFC 5322 3.6.1) if that can be believed, else its arrival."""
    at = min(arrived, now)
    try:
        said = parsedate_to_datetime(date)
        said = said.replace(tzinfo=UTC) if said.tzinfo is None else said.astimezone(UTC)
        if now - _OLDEST < said <= now:
            at = said
    except (TypeError, ValueError, OverflowError, IndexError):
        pass
    # Nobody answers before the mail has left; clocks differ.
    return max(at, found.claimed_at) if found is not None and found.claimed_at else at


def is_known(session: Session, arrived: Arrived, *, identity: str) -> bool:
    """Whether the mail was written down before, under whatever name it stood in the mailbox."""
    return (
        session.scalar(
            select(col(Inbound.id)).where(
                col(Inbound.identity) == identity, col(Inbound.sha256) == arrived.sha256
            )
        )
        is not None
    )


def write_down(
    session: Session,
    arrived: Arrived,
    reading: Reading,
    found: Match | None,
    lead: Lead | None,
    *,
    at: datetime,
    now: datetime,
    identity: str,
    matched_by: str = "",
    content: bool = True,
) -> None:
    """The `inbound` row, whose hash makes reading the mail again harmless.

    Without `content` nothing of the mail itself is kept.
    """
    session.execute(
        insert(Inbound).values(
            identity=identity,
            sha256=arrived.sha256,
            read_at=now,
            sent_at=at,
            kind=str(reading.kind),
            from_address=reading.from_address[:320] if content else "",
            subject=reading.subject if content else "",
            message_id=found.message_id if found is not None else None,
            lead_id=lead.id if lead is not None else None,
            matched_by=matched_by or (found.by if found is not None else ""),
            raw=arrived.raw if content else b"",
        )
    )
