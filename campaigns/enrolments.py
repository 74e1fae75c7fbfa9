"""Who is on the way through a sequence: entering by an event, leaving by an event or a person.

Both read `event` behind the run's cursor (`run.planned_to`) and may read the same event again: an
enrolment keeps the event that began it and the one that ended it, so nothing happens twice. The
cursor stays two minutes behind, because on a database with several writers an event with a lower
number can be committed after one with a higher number.
"""

from collections.abc import Sequence as Many
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Subquery, and_, exists, func, insert, or_, select, update
from sqlmodel import Session, col

from campaigns.runs import Terms
from campaigns.sequence_definition import Place, sequence_of
from campaigns.sequence_runs import in_force
from campaigns.sequences import EnrolmentState, Wait, first
from campaigns.states import State
from campaigns.tables import Enrolment, Message, Run
from leads import Event, Lead, record
from segments import rule_of, where

#: Leads moved in one write: short enough for a sender beside it.
BATCH = 500
#: How far behind the newest event the cursor stays.
OVERLAP = timedelta(minutes=2)


@dataclass(frozen=True, kw_only=True, slots=True)
class Ending:
    """One enrolment that ends, and why."""

    enrolment_id: int
    state: EnrolmentState = EnrolmentState.EXITED
    reason: str = ""
    #: The event that ended it, when one did.
    event_id: int | None = None


def enrol_and_leave(session: Session, run: Run, *, now: datetime, zone: ZoneInfo) -> int:
    """Reads what happened since the last look: leads leave, enter, and leave again.

    Returns how many moved. Call again while it is not 0.
    """
    terms = Terms.of_body(run.terms)
    newest = session.scalar(select(func.max(col(Event.id)))) or 0
    if newest <= run.planned_to:
        # Lower when somebody was erased with their events: the next event takes a number again.
        if newest < run.planned_to:
            _look_behind(session, run, newest)
        return 0
    # In this order a lead that left and came back in between is met twice, as it should be.
    left = _leave(session, run, terms.exits, now=now)
    entered = _enter(session, run, now=now, zone=zone)
    left += _leave(session, run, terms.exits, now=now)
    if left + entered == 0:
        fresh = session.scalar(
            select(func.min(col(Event.id))).where(
                col(Event.id) > run.planned_to, col(Event.at) > now - OVERLAP
            )
        )
        cursor = newest if fresh is None else fresh - 1
        if cursor > run.planned_to:
            _look_behind(session, run, cursor)
    return left + entered


def _look_behind(session: Session, run: Run, event_id: int) -> None:
    session.execute(
        update(Run)
        .where(col(Run.id) == run.id)
        .values(planned_to=event_id)
        .execution_options(synchronize_session=False)
    )


def _went_to(places: Many[Place]) -> ColumnElement[bool]:
    """The event (joined with its lead) moved the lead to one of these places."""
    to, pipeline = (col(Event.data)[key].as_string() for key in ("to", "to_pipeline"))
    return and_(
        col(Event.kind) == "stage",
        or_(
            *(
                and_(to == stage, func.coalesce(pipeline, col(Lead.pipeline)) == name)
                for name, stage in places
            )
        ),
    )


def _enter(session: Session, run: Run, *, now: datetime, zone: ZoneInfo) -> int:
    version = in_force(session, run)
    if version is None:
        return 0
    definition = sequence_of(version.name, version.body or {})
    entered = (
        select(col(Event.lead_id).label("lead_id"), func.max(col(Event.id)).label("event_id"))
        .join(Lead, col(Lead.id) == col(Event.lead_id))
        .where(col(Event.id) > run.planned_to, _went_to([definition.trigger]))
        .group_by(col(Event.lead_id))
        .subquery("entered")
    )
    begun = (
        col(Enrolment.sequence) == run.campaign,
        col(Enrolment.lead_id) == col(Lead.id),
    )
    may_enter = [_is_new(entered, run)]
    if definition.entry is not None:
        may_enter.append(where(rule_of(definition.entry), now=now, zone=zone))
    rows = session.execute(
        select(
            col(Lead.id),
            col(Event.id),
            col(Event.at),
            select(func.coalesce(func.max(col(Enrolment.pass_)), 0))
            .where(*begun)
            .scalar_subquery(),
        )
        .select_from(entered)
        .join(Event, col(Event.id) == entered.c.event_id)
        .join(Lead, col(Lead.id) == col(Event.lead_id))
        .where(*may_enter)
        .order_by(col(Event.id))
        .limit(BATCH)
    ).all()
    new = []
    for lead_id, event_id, at, passes in rows:
        move = first(definition.steps, at)
        new.append(
            {
                "sequence": run.campaign,
                "sequence_id": version.id,
                "run_id": run.id,
                "lead_id": lead_id,
                "pass_": passes + 1,
                "event_id": event_id,
                "step": move.step,
                "due_at": move.until if isinstance(move, Wait) else move.due_at,
                "state": EnrolmentState.ACTIVE,
                "reason": "",
                "enrolled_at": at,
            }
        )
    if new:
        session.execute(insert(Enrolment), new)
    for row in new:
        record(
            session,
            row["lead_id"],
            "enrolled",
            at=now,
            campaign=run.campaign,
            data={"pass": row["pass_"], "step": row["step"]},
        )
    return len(new)


def _is_new(entered: Subquery, run: Run) -> ColumnElement[bool]:
    """The lead is not on the way, and was not when it entered the stage."""
    return ~exists().where(
        col(Enrolment.sequence) == run.campaign,
        col(Enrolment.lead_id) == entered.c.lead_id,
        or_(
            col(Enrolment.state) == EnrolmentState.ACTIVE,
            col(Enrolment.event_id) >= entered.c.event_id,
            col(Enrolment.end_event_id) >= entered.c.event_id,
            and_(col(Enrolment.end_event_id).is_(None), col(Enrolment.ended_at) >= col(Event.at)),
        ),
    )


def _leave(session: Session, run: Run, exits: Many[Place], *, now: datetime) -> int:
    """Ends the enrolments of leads who answered or went where the sequence has nothing to say."""
    left = _went_to(exits) if exits else None
    what = (
        or_(col(Event.kind) == "replied", left)
        if left is not None
        else (col(Event.kind) == "replied")
    )
    # The limit keeps the few recent events in front of the many enrolments in SQLite's plan.
    recent = (
        select(col(Event.id).label("id"), col(Event.lead_id).label("lead_id"))
        .join(Lead, col(Lead.id) == col(Event.lead_id))
        .where(col(Event.id) > run.planned_to, what)
        .limit(1_000_000)
        .subquery("recent")
    )
    rows = session.execute(
        select(col(Enrolment.id), func.min(recent.c.id))
        .join(recent, recent.c.lead_id == col(Enrolment.lead_id))
        .where(
            col(Enrolment.sequence) == run.campaign,
            col(Enrolment.run_id) == run.id,
            col(Enrolment.state) == EnrolmentState.ACTIVE,
            recent.c.id > col(Enrolment.event_id),
        )
        .group_by(col(Enrolment.id))
        .limit(BATCH)
    ).all()
    if not rows:
        return 0
    kinds = dict(
        session.execute(
            select(col(Event.id), col(Event.kind)).where(
                col(Event.id).in_([event_id for _, event_id in rows])
            )
        ).all()
    )
    return end(
        session,
        [
            Ending(
                enrolment_id=enrolment_id,
                reason="replied" if kinds[event_id] == "replied" else "left_stage",
                event_id=event_id,
            )
            for enrolment_id, event_id in rows
        ],
        now=now,
    )


def end(session: Session, endings: Many[Ending], *, now: datetime, by: str = "") -> int:
    """Ends enrolments that are still on the way, skips their waiting message, tells the timeline.

    Returns how many ended; one that has ended before is left alone.
    """
    wanted = {ending.enrolment_id: ending for ending in endings}
    rows = session.execute(
        select(
            col(Enrolment.id),
            col(Enrolment.lead_id),
            col(Enrolment.sequence),
            col(Enrolment.message_id),
        )
        .where(col(Enrolment.id).in_(wanted), col(Enrolment.state) == EnrolmentState.ACTIVE)
        .order_by(col(Enrolment.id))
        .with_for_update()
    ).all()
    for enrolment_id, lead_id, sequence, message_id in rows:
        ending = wanted[enrolment_id]
        session.execute(
            update(Enrolment)
            .where(col(Enrolment.id) == enrolment_id)
            .values(
                state=ending.state,
                reason=ending.reason,
                ended_at=now,
                end_event_id=ending.event_id,
            )
            .execution_options(synchronize_session=False)
        )
        if message_id is not None and ending.state is EnrolmentState.EXITED:
            session.execute(
                update(Message)
                .where(col(Message.id) == message_id, col(Message.state) == State.PLANNED)
                .values(state=State.SKIPPED, reason=ending.reason, settled_at=now)
                .execution_options(synchronize_session=False)
            )
        done = ending.state is EnrolmentState.DONE
        record(
            session,
            lead_id,
            "sequence_done" if done else "sequence_exited",
            at=now,
            campaign=sequence,
            by=by,
            data={} if done else {"reason": ending.reason},
        )
    return len(rows)


def end_run(session: Session, run_id: int, *, reason: str, now: datetime) -> int:
    """Ends everybody who is on the way in a run that was cancelled; returns how many."""
    total = 0
    while ids := session.scalars(
        select(col(Enrolment.id))
        .where(col(Enrolment.run_id) == run_id, col(Enrolment.state) == EnrolmentState.ACTIVE)
        .limit(BATCH)
    ).all():
        total += end(
            session,
            [Ending(enrolment_id=number, reason=reason) for number in ids if number is not None],
            now=now,
        )
    return total
