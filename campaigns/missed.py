"""Which start of a campaign is due, and what its late policy makes of it. Pure."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from campaigns.schedule import last_start
from campaigns.when import Late, When

#: What was due longer ago than this is not news any more: it is neither sent nor asked about.
FORGOTTEN_AFTER = timedelta(days=31)


class Decision(StrEnum):
    """What to do about a start that is due."""

    START = "start"
    SKIP = "skip"
    ASK = "ask"


_LATE = {Late.SEND: Decision.START, Late.SKIP: Decision.SKIP, Late.ASK: Decision.ASK}


def occurrence_of(moment: datetime) -> str:
    """A start's name in `run.occurrence`: its instant in UTC (RFC 3339)."""
    return moment.astimezone(UTC).isoformat()


def missed(
    when: When, *, applied_at: datetime, ran: Collection[str], now: datetime, zone: ZoneInfo
) -> list[tuple[datetime, Decision]]:
    """The start that is due at `now`, if it is not among `ran` (occurrences); on time or late.

    Only starts after `applied_at` count. Of several missed ones only the newest does: nobody wants
    four newsletters because the machine was away for four weeks.
    """
    newest = last_start(when, zone, after=max(applied_at, now - FORGOTTEN_AFTER), until=now)
    if newest is None or occurrence_of(newest) in ran:
        return []
    on_time = now - newest <= when.late_after
    return [(newest, Decision.START if on_time else _LATE[when.late])]
