"""How a run stands, counted from its rows: every number here is a query that can be repeated."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session, col

from campaigns.states import State
from campaigns.tables import Message, Run
from leads import Event

#: Events that happened to messages of a run, under the names people know.
COUNTED = ("replied", "bounced", "complained", "opted_out", "autoreplied")


@dataclass(frozen=True, kw_only=True, slots=True)
class Status:
    """One run in numbers. `planned` is the sum of `waiting` ... `skipped`; `check` says so."""

    run_id: int
    campaign: str
    occurrence: str
    state: str
    reason: str
    started_at: datetime
    finished_at: datetime | None
    planned: int
    waiting: int
    #: Kept back until the better of the variants is known.
    reserved: int
    #: Of the waiting ones: those a server asked us to bring again later.
    deferred: int
    sending: int
    accepted: int
    rejected: int
    in_doubt: int
    cancelled: int
    expired: int
    skipped: dict[str, int] = field(default_factory=dict)
    rejected_for: dict[str, int] = field(default_factory=dict)
    events: dict[str, int] = field(default_factory=dict)

    def check(self) -> bool:
        """Whether the parts add up to the whole."""
        parts = (
            self.waiting
            + self.reserved
            + self.sending
            + self.accepted
            + self.rejected
            + self.in_doubt
            + self.cancelled
            + self.expired
            + sum(self.skipped.values())
        )
        return parts == self.planned

    def document(self) -> dict[str, Any]:
        """The JSON that scripts may rely on."""
        return {
            "run": {
                "id": self.run_id,
                "campaign": self.campaign,
                "occurrence": self.occurrence,
                "started_at": self.started_at,
                "finished_at": self.finished_at,
            },
            "state": self.state,
            "reason": self.reason,
            "planned": self.planned,
            "waiting": self.waiting,
            "reserved": self.reserved,
            "deferred": self.deferred,
            "sending": self.sending,
            "accepted": self.accepted,
            "rejected": self.rejected,
            "rejected_for": self.rejected_for,
            "in_doubt": self.in_doubt,
            "cancelled": self.cancelled,
            "expired": self.expired,
            "skipped": self.skipped,
            "events": self.events,
        }


def status_of(session: Session, run: Run) -> Status:
    """The numbers of one run: one pass over its rows in an index, one over its events."""
    assert run.id is not None  # noqa: S101 - it came from the database
    rows = session.execute(
        select(col(Message.state), col(Message.reason), func.count())
        .where(col(Message.run_id) == run.id)
        .group_by(col(Message.state), col(Message.reason))
    ).all()
    by_state: dict[str, int] = {}
    reasons: dict[str, dict[str, int]] = {State.SKIPPED: {}, State.REJECTED: {}}
    for state, reason, count in rows:
        by_state[state] = by_state.get(state, 0) + count
        if state in reasons:
            reasons[state][reason] = reasons[state].get(reason, 0) + count
    total = session.scalar(
        select(func.count()).select_from(Message).where(col(Message.run_id) == run.id)
    )
    deferred = session.scalar(
        select(func.count())
        .select_from(Message)
        .where(
            col(Message.run_id) == run.id,
            col(Message.state) == State.PLANNED,
            col(Message.deferrals) > 0,
        )
    )
    events = session.execute(
        select(col(Event.kind), func.count(col(Event.message_id).distinct()))
        .join(Message, col(Message.id) == col(Event.message_id))
        .where(
            col(Event.kind).in_(COUNTED),
            col(Event.campaign) == run.campaign,
            col(Message.run_id) == run.id,
        )
        .group_by(col(Event.kind))
    ).all()
    return Status(
        run_id=run.id,
        campaign=run.campaign,
        occurrence=run.occurrence,
        state=run.state,
        reason=run.reason,
        started_at=run.started_at,
        finished_at=run.finished_at,
        planned=total or 0,
        waiting=by_state.get(State.PLANNED, 0),
        reserved=by_state.get(State.RESERVED, 0),
        deferred=deferred or 0,
        sending=by_state.get(State.SENDING, 0),
        accepted=by_state.get(State.ACCEPTED, 0),
        rejected=by_state.get(State.REJECTED, 0),
        in_doubt=by_state.get(State.IN_DOUBT, 0),
        cancelled=by_state.get(State.CANCELLED, 0),
        expired=by_state.get(State.EXPIRED, 0),
        skipped=reasons[State.SKIPPED],
        rejected_for=reasons[State.REJECTED],
        events=dict.fromkeys(COUNTED, 0) | dict(events),
    )
