"""Why a lead's messages wait, or why it got none: asked of the rows, as a claim would ask."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlmodel import Session, col

from campaigns.holds import Hold
from campaigns.runs import Terms
from campaigns.states import WAITING, WRITTEN, RunState, State
from campaigns.tables import Message, Run
from campaigns.window import zone_of
from deliverability import Lane
from leads import WEEK, FrequencyCap, Instant, Lead, Wish, why_left_out

#: Settled messages shown beside those that wait.
SETTLED_SHOWN = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiting:
    """One message of a lead, and what keeps it."""

    message_id: int
    campaign: str
    #: `anna/google`.
    lane: str
    state: str
    reason: str
    due_at: datetime
    holds: tuple[Hold, ...] = ()


def waiting_of(
    session: Session, lead: Lead, *, now: datetime, zone: ZoneInfo, cap: FrequencyCap | None
) -> list[Waiting]:
    """The lead's messages that are not settled, with what keeps each, and the newest that are."""
    query = (
        select(Message, Run, Lane)
        .join(Run, col(Run.id) == col(Message.run_id))
        .join(Lane, col(Lane.id) == col(Message.lane_id))
        .where(col(Message.lead_id) == lead.id)
        .order_by(col(Message.id).desc())
    )
    open_ = (*WAITING, State.SENDING, State.IN_DOUBT)
    waiting = session.execute(query.where(col(Message.state).in_(open_))).all()
    settled = session.execute(
        query.where(col(Message.state).not_in(open_)).limit(SETTLED_SHOWN)
    ).all()
    return [
        Waiting(
            message_id=message.id or 0,
            campaign=run.campaign,
            lane=f"{lane.identity}/{lane.provider}",
            state=message.state,
            reason=message.reason or (message.reply if message.state in SETTLED_BY_ANSWER else ""),
            due_at=message.due_at,
            holds=tuple(_holds(session, lead, message, run, now, zone, cap)),
        )
        for message, run, lane in (*waiting, *settled)
    ]


#: States whose words are the server's.
SETTLED_BY_ANSWER = frozenset({State.REJECTED, State.IN_DOUBT})


def _holds(
    session: Session,
    lead: Lead,
    message: Message,
    run: Run,
    now: datetime,
    zone: ZoneInfo,
    cap: FrequencyCap | None,
) -> Iterator[Hold]:
    if message.state == State.RESERVED:
        yield Hold(
            kind="message",
            what="kept back until it is known which variant is the better one",
            do=f"potok campaigns results {run.campaign}",
        )
        return
    if message.state != State.PLANNED:
        return
    if run.state != RunState.RUNNING:
        yield Hold(
            kind="run",
            what=f"{run.campaign} is {run.state}" + (f": {run.reason}" if run.reason else ""),
            do=f"potok campaigns resume {run.campaign}" if run.state == RunState.PAUSED else "",
        )
    if run.released_to is not None and (message.id or 0) > run.released_to:
        yield Hold(
            kind="run",
            what="only the first messages of this start may leave until somebody has looked",
            do=f"potok campaigns resume {run.campaign}",
        )
    terms = Terms.of_body(run.terms)
    against = session.scalar(
        select(why_left_out(terms.permission)).select_from(Lead).where(col(Lead.id) == lead.id)
    )
    if against:
        yield Hold(kind="message", what=f"it will not leave: {against}")
    yield from _limits(session, lead, now, cap)
    if terms.window is not None:
        opening = terms.window.next_opening(now, zone_of(lead.timezone, zone), lead.country)
        if opening > now:
            yield Hold(
                kind="due",
                what="outside the hours of the campaign where the lead is",
                until=opening,
            )
    if message.due_at > now:
        why = (
            f"a server asked for it later ({message.deferrals} times): {message.reply}"
            if message.deferrals
            else "it is not due yet"
        )
        yield Hold(kind="due", what=why, until=message.due_at)


def _limits(
    session: Session, lead: Lead, now: datetime, cap: FrequencyCap | None
) -> Iterator[Hold]:
    wish = session.get(Wish, lead.id)
    if wish is not None and wish.paused_until is not None and wish.paused_until > now:
        yield Hold(kind="message", what="the lead paused its mail", until=wish.paused_until)
    limits = []
    if wish is not None and wish.per_week is not None:
        limits.append((wish.per_week, WEEK, "the lead wants"))
    if cap is not None:
        limits.append((cap.messages, cap.days, "[delivery.frequency] allows"))
    for messages, days, who in limits:
        when = func.coalesce(col(Message.settled_at), col(Message.claimed_at), type_=Instant)
        count, first = session.execute(
            select(func.count(), func.min(when, type_=Instant)).where(
                col(Message.lead_id) == lead.id,
                col(Message.state).in_(sorted(WRITTEN)),
                when > now - timedelta(days=days),
            )
        ).one()
        if count >= messages:
            yield Hold(
                kind="message",
                what=f"{who} at most {messages} in {days} days, and {count} were written",
                until=first + timedelta(days=days),
            )
