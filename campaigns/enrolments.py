"""Who is on the way through a sequence: entering by an event (into a segment also by time alone),
leaving by an event or a person.

Both read `event` behind the run's cursor (`run.planned_to`) and may read the same event again: an
enrolment keeps the event that began it and the one that ended it, so nothing happens twice. The
cursor stays two minutes behind, because on a database with several writers an event with a lower
number can be committed after one with a higher number.
"""

from collections.abc import Sequence as Many
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, insert, or_, select, update
from sqlmodel import Session, col

from campaigns.runs import Terms
from campaigns.segment_entries import Look, look_on
from campaigns.sequence_definition import Place, SequenceDefinition, sequence_of
from campaigns.sequence_runs import in_force
from campaigns.sequences import EnrolmentState, Newcomer, Wait, first
from campaigns.stage_entries import went_to, who_moved_in
from campaigns.states import State
from campaigns.tables import Enrolment, Message, Run, Sequence
from leads import Event, Lead, record
from segments import rule_of

#: Leads moved in one write: short enough for a sender beside it.
BATCH = 500
#: How far behind the newest event the cursor stays.
OVERLAP = timedelta(minutes=2)
#: A look that found nothing to keep is kept itself this long after the one before.
LOOKED = timedelta(minutes=1)


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

    Returns how many moved, one more while a look at a segment goes on. Call again until it is 0.
    """
    terms = Terms.of_body(run.terms)
    newest = session.scalar(select(func.max(col(Event.id)))) or 0
    version = in_force(session, run)
    look = Look.of_terms(run.terms) if version is not None else None
    if newest < run.planned_to:
        # Somebody was erased with their events: the next event takes a number again.
        _keep(session, run, planned_to=newest)
        return 0
    if newest == run.planned_to and look is None:
        return 0
    # In this order a lead that left and came back in between is met twice, as it should be.
    left = _leave(session, run, terms.exits, now=now)
    entered: list[Newcomer] = []
    if version is not None:
        definition = sequence_of(version.name, version.body or {})
        if definition.trigger is not None:
            entered = who_moved_in(session, run, definition, now=now, zone=zone)
        elif look is not None:
            rule = rule_of(definition.entry or {})
            entered, look = look_on(session, run, rule, look, newest=newest, now=now, zone=zone)
        _enrol(session, run, version, definition, entered, now=now)
    left += _leave(session, run, terms.exits, now=now)
    if look is None:
        if left + len(entered) == 0:
            _go_on(session, run, newest, now)
        return left + len(entered)
    if look.lead:
        _keep_look(session, run, look)
        return left + len(entered) + 1
    began = look.began or now
    # Who left may be one of more than a batch: then the same events are read again.
    ahead = left == 0 and _go_on(session, run, look.newest or newest, began)
    if ahead or began - look.looked_at >= LOOKED or run.terms["look"]["began"]:
        _keep_look(session, run, Look(looked_at=began))
    return left + len(entered)


def _go_on(session: Session, run: Run, newest: int, now: datetime) -> bool:
    """Moves the cursor over what was read and is old enough; whether it moved."""
    read = col(Event.id) > run.planned_to, col(Event.id) <= newest
    fresh = select(func.min(col(Event.id))).where(*read, col(Event.at) > now - OVERLAP)
    # The last one that is there: a number below the fresh one may still be on its way.
    cursor = session.scalar(
        select(func.max(col(Event.id))).where(
            *read, col(Event.id) < func.coalesce(fresh.scalar_subquery(), newest + 1)
        )
    )
    if cursor is None:
        return False
    _keep(session, run, planned_to=cursor)
    return True


def _keep_look(session: Session, run: Run, look: Look) -> None:
    terms = session.scalar(select(col(Run.terms)).where(col(Run.id) == run.id).with_for_update())
    # Another version may have been applied beside us: its terms stay.
    if terms and terms["sequence_id"] == run.terms["sequence_id"]:
        _keep(session, run, terms={**terms, "look": look.body()})


def _keep(session: Session, run: Run, **values: object) -> None:
    session.execute(
        update(Run)
        .where(col(Run.id) == run.id)
        .values(**values)
        .execution_options(synchronize_session=False)
    )


def _enrol(
    session: Session,
    run: Run,
    version: Sequence,
    definition: SequenceDefinition,
    newcomers: Many[Newcomer],
    *,
    now: datetime,
) -> None:
    new: list[dict[str, Any]] = []
    for newcomer in newcomers:
        move = first(definition.steps, newcomer.at)
        new.append(
            {
                "sequence": run.campaign,
                "sequence_id": version.id,
                "run_id": run.id,
                "lead_id": newcomer.lead_id,
                "pass_": newcomer.passes + 1,
                "event_id": newcomer.event_id,
                "step": move.step,
                "due_at": move.until if isinstance(move, Wait) else move.due_at,
                "state": EnrolmentState.ACTIVE,
                "reason": "",
                "enrolled_at": newcomer.at,
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


def _leave(session: Session, run: Run, exits: Many[Place], *, now: datetime) -> int:
    """Ends the enrolments of leads who answered or went where the sequence has nothing to say."""
    left = went_to(exits) if exits else None
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
