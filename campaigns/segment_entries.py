"""Who has come to fit the segment that starts a sequence: a look at what changed, page by page.

A look judges the leads that an event or time has touched since the one before it, by number, a page
in one transaction. It is over when a page is not full; only then does the next one start later.
What was seen before is seen again (the run's cursor stays behind): who was enrolled for it already
is known by the event, or by the moment when time alone did it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, select
from sqlmodel import Session, col

from campaigns.sequences import EnrolmentState, Newcomer
from campaigns.tables import Enrolment, Run
from segments import Entry, Rule, entered, touched

#: Leads judged in one transaction: short enough for a sender beside it.
PAGE = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """How far a sequence has looked; kept in its run's terms."""

    #: The beginning of the last look that was finished.
    looked_at: datetime
    #: Of a look that is not finished: when it began, the newest event then, the last lead seen.
    began: datetime | None = None
    newest: int = 0
    lead: int = 0

    def body(self) -> dict[str, Any]:
        """For JSON; instants in RFC 3339, UTC."""
        return {
            "looked_at": _text(self.looked_at),
            "began": _text(self.began) if self.began else None,
            "newest": self.newest,
            "lead": self.lead,
        }

    @staticmethod
    def of_terms(terms: Mapping[str, Any]) -> "Look | None":
        """Out of a run's terms; None when no segment starts it."""
        kept = terms.get("look")
        if kept is None:
            return None
        return Look(
            looked_at=datetime.fromisoformat(kept["looked_at"]),
            began=datetime.fromisoformat(kept["began"]) if kept["began"] else None,
            newest=kept["newest"],
            lead=kept["lead"],
        )


def look_on(
    session: Session,
    run: Run,
    rule: Rule,
    look: Look,
    *,
    newest: int,
    now: datetime,
    zone: ZoneInfo,
) -> tuple[list[Newcomer], Look]:
    """The next page of a look, and the look after it; it is over when `lead` is 0 again.

    `newest` is the greatest number of an event now.
    """
    wanted = touched(rule, after_event=run.planned_to, since=look.looked_at, now=now, zone=zone)
    number = wanted.selected_columns[0]
    ids = session.scalars(wanted.where(number > look.lead).order_by(number).limit(PAGE)).all()
    if look.began is None:
        look = replace(look, began=now, newest=newest)
    entries = entered(
        session,
        rule,
        ids,
        since=look.looked_at,
        now=now,
        zone=zone,
        after_event=run.planned_to,
    )
    found = _not_yet(session, run.campaign, list(entries)) if ids else []
    return found, replace(look, lead=ids[-1] if len(ids) == PAGE else 0)


def _not_yet(session: Session, sequence: str, entries: Sequence[Entry]) -> list[Newcomer]:
    ways: dict[int, list[Row[Any]]] = defaultdict(list)
    for way in session.execute(
        select(
            col(Enrolment.lead_id),
            col(Enrolment.state),
            col(Enrolment.pass_).label("times"),
            col(Enrolment.event_id),
            col(Enrolment.end_event_id),
            col(Enrolment.ended_at),
        ).where(
            col(Enrolment.sequence) == sequence,
            col(Enrolment.lead_id).in_([entry.lead_id for entry in entries]),
        )
    ):
        ways[way.lead_id].append(way)
    return [
        Newcomer(
            lead_id=entry.lead_id,
            event_id=entry.event_id,
            at=entry.at,
            passes=max((way.times for way in ways[entry.lead_id]), default=0),
        )
        for entry in entries
        if not _was_on_the_way(entry, ways[entry.lead_id])
    ]


def _was_on_the_way(entry: Entry, ways: Iterable[Row[Any]]) -> bool:
    """The lead is on the way, or was when it came to fit, or began this way by it."""
    event = entry.event
    return any(
        way.state == EnrolmentState.ACTIVE
        or (
            way.ended_at >= entry.at
            if event is None
            else max(way.event_id, way.end_event_id or 0) >= event.id
            or (way.end_event_id is None and way.ended_at >= event.at)
        )
        for way in ways
    )


def _text(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat()
