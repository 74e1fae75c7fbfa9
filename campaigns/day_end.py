"""The end of an identity's day: was it good, and how much may be sent tomorrow.

The one place that moves a warm-up by itself. Days are judged when somebody looks, each by its own
rows: a laptop that slept for a week judges the week in order.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlmodel import Session, col

from campaigns.runs import Terms
from campaigns.samples import ANSWERED, Suspect, of_identity
from campaigns.tables import Message, Run
from deliverability import (
    Breaker,
    DayFacts,
    IdentityDay,
    Limits,
    Schedule,
    Scope,
    begin_warm_up,
    next_step,
    set_step,
    used_today,
)
from leads import Event


def turn_days(
    session: Session, identities: Mapping[str, Limits], *, now: datetime, zone: ZoneInfo
) -> list[str]:
    """Judges every local day that is over and was not judged yet; one sentence for each identity
    whose step changed. Warm-ups that have not begun begin today."""
    today = now.astimezone(zone).date()
    said = []
    for name, limits in identities.items():
        if limits.warm_up is None:
            continue
        found = begin_warm_up(session, name, limits.warm_up, today=today, now=now)
        step, why = found.step, found.why
        yesterday = today - timedelta(days=1)
        if found.judged >= yesterday:
            continue
        for day in _days_used(session, name, found.judged, today):
            decision = next_step(limits.warm_up, step, facts_of(session, name, day, zone))
            step, why = decision.step, f"{day:%Y-%m-%d}: {decision.why}"
        set_step(session, name, step=step, why=why, judged=yesterday, now=now)
        if step != found.step:
            said.append(f"{name} may write {told(limits.warm_up, step)} a day now. {why}")
    return said


def told(schedule: Schedule, step: int) -> str:
    """How much a step allows, in words."""
    allowed = schedule.allowance(step)
    return f"{allowed:,}" if allowed is not None else "as much as per_day says"


def facts_of(session: Session, identity: str, day: date, zone: ZoneInfo) -> DayFacts:
    """What happened on one of an identity's days, counted from the rows."""
    start, end = _bounds(day, zone)
    suspect = of_identity(session, identity, start)
    mine = [*suspect.its(start), col(Message.settled_at) < end]
    answered = session.scalar(select(func.count()).select_from(Message).where(*mine, ANSWERED))
    return DayFacts(
        used=used_today(session, identity, day),
        answered=answered or 0,
        bounced=_bounced(session, suspect, start, end),
        complaints=_complaints(session, suspect, start, end),
        trips=_trips(session, identity, start, end),
    )


def _bounced(session: Session, suspect: Suspect, start: datetime, end: datetime) -> int:
    """Messages answered that day that bounced for good, then or since."""
    hard = col(Event.data)["hard"].as_boolean().is_(True)
    return (
        session.scalar(
            select(func.count(col(Message.id).distinct()))
            .select_from(Event)
            .join(Message, col(Message.id) == col(Event.message_id))
            .where(
                col(Event.kind) == "bounced",
                col(Event.at) >= start,
                hard,
                *suspect.its(start),
                col(Message.settled_at) < end,
            )
        )
        or 0
    )


def _complaints(session: Session, suspect: Suspect, start: datetime, end: datetime) -> int:
    """Messages, whenever they left, that were called spam that day."""
    return (
        session.scalar(
            select(func.count(col(Message.id).distinct()))
            .select_from(Event)
            .join(Message, col(Message.id) == col(Event.message_id))
            .where(
                col(Event.kind) == "complained",
                col(Event.at) >= start,
                col(Event.at) < end,
                col(Message.lane_id).in_(suspect.lanes),
            )
        )
        or 0
    )


def _trips(session: Session, identity: str, start: datetime, end: datetime) -> int:
    """How often a breaker stopped the identity that day, or a run that it writes."""
    rows = session.execute(
        select(col(Breaker.scope), col(Breaker.key)).where(
            col(Breaker.tripped_at) >= start, col(Breaker.tripped_at) < end
        )
    ).all()
    count = 0
    for scope, key in rows:
        if scope == Scope.IDENTITY:
            count += key == identity
        elif scope == Scope.RUN and (run := session.get(Run, int(key))) is not None:
            count += identity in Terms.of_body(run.terms).senders(run.identity)
    return count


def _days_used(session: Session, identity: str, after: date, before: date) -> list[date]:
    """The days to judge: those on which it sent, and the last one there was, used or not."""
    used = session.scalars(
        select(col(IdentityDay.day))
        .where(
            col(IdentityDay.identity) == identity,
            col(IdentityDay.day) > after,
            col(IdentityDay.day) < before,
        )
        .order_by(col(IdentityDay.day))
    )
    return sorted({*used, before - timedelta(days=1)})


def _bounds(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """When a local day begins and when the next one does, in UTC: 23 to 25 hours apart."""
    midnights = (
        datetime.combine(each, time(), tzinfo=zone).astimezone(UTC)
        for each in (day, day + timedelta(days=1))
    )
    start, end = midnights
    return start, end
