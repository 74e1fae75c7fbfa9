"""Leads walk on through their sequences: what is due moves, at most a batch in one transaction.

The message of a send step is written in the transaction that moves the enrolment, so that neither
exists without the other whatever dies in between.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Row, and_, bindparam, func, insert, or_, select, update
from sqlmodel import Session, col

from campaigns.enrolments import BATCH, Ending, end, enrol_and_leave
from campaigns.rfc_message_id import MessageName
from campaigns.runs import Terms
from campaigns.sequence_definition import Step, sequence_of
from campaigns.sequence_runs import running_sequences
from campaigns.sequences import Done, EnrolmentState, Exit, Last, Send, Wait, advance
from campaigns.states import SETTLED, RunState, State
from campaigns.tables import Enrolment, Message, Run, Sequence
from campaigns.window import zone_of
from deliverability import OTHER, Domain, lanes
from leads import Lead, current_version
from templates import TemplateVersion


@dataclass(frozen=True, kw_only=True, slots=True)
class _Writing:
    """What writing messages of one run needs besides the leads."""

    run: Run
    terms: Terms
    zone: ZoneInfo
    #: Provider -> lane of the run's identity.
    lanes: Mapping[str, int]
    #: Template -> its version in force; None when it was removed.
    templates: Mapping[str, int | None]


def follow(session: Session, *, now: datetime, zone: ZoneInfo) -> int:
    """Everything that is to be done in running sequences now, a batch of each.

    Returns how many leads moved; there may be more while it is not 0.
    """
    moved = 0
    for run in running_sequences(session):
        moved += enrol_and_leave(session, run, now=now, zone=zone)
        moved += _advance_due(session, run, now=now, zone=zone)
    return moved


def next_step(session: Session, *, now: datetime) -> datetime | None:
    """When the next lead moves on by itself in a running sequence; `now` when one can already."""
    running = (
        col(Enrolment.run_id).in_(select(col(Run.id)).where(col(Run.state) == RunState.RUNNING)),
        col(Enrolment.state) == EnrolmentState.ACTIVE,
    )
    due = session.scalar(
        select(col(Enrolment.id))
        .outerjoin(Message, col(Message.id) == col(Enrolment.message_id))
        .where(*running, col(Enrolment.due_at) <= now, _movable())
        .limit(1)
    )
    if due is not None:
        return now
    return session.scalar(
        select(func.min(col(Enrolment.due_at))).where(*running, col(Enrolment.due_at) > now)
    )


def _movable() -> ColumnElement[bool]:
    """It waits for no message: none was written for its step, or that one is settled."""
    return or_(
        col(Message.id).is_(None),
        col(Message.step) != col(Enrolment.step),
        col(Message.state).in_(sorted(SETTLED)),
    )


def _due(session: Session, run: Run, now: datetime) -> list[Row[Any]]:
    return list(
        session.execute(
            select(
                col(Enrolment.id),
                col(Enrolment.lead_id),
                col(Enrolment.pass_).label("times"),
                col(Enrolment.sequence_id),
                col(Enrolment.step),
                col(Enrolment.due_at),
                col(Message.step).label("last_step"),
                col(Message.state).label("last_state"),
                col(Message.reason).label("last_reason"),
                col(Message.settled_at),
                col(Lead.token),
                col(Lead.timezone),
                col(Lead.country),
                func.coalesce(col(Domain.provider), OTHER).label("provider"),
            )
            .join(Lead, col(Lead.id) == col(Enrolment.lead_id))
            .outerjoin(Domain, col(Domain.name) == col(Lead.domain))
            .outerjoin(Message, col(Message.id) == col(Enrolment.message_id))
            .where(
                col(Enrolment.run_id) == run.id,
                col(Enrolment.state) == EnrolmentState.ACTIVE,
                col(Enrolment.due_at) <= now,
                _movable(),
            )
            .order_by(col(Enrolment.due_at), col(Enrolment.id))
            .limit(BATCH)
            # SQLite has one writer and ignores this.
            .with_for_update(of=Enrolment, skip_locked=True)
        )
    )


def _advance_due(session: Session, run: Run, *, now: datetime, zone: ZoneInfo) -> int:
    rows = _due(session, run, now)
    if not rows:
        return 0
    graphs = _graphs(session, {row.sequence_id for row in rows})
    wanted = {step.send for steps in graphs.values() for step in steps if step.send}
    versions = {name: current_version(session, TemplateVersion, name) for name in wanted}
    writing = _Writing(
        run=run,
        terms=Terms.of_body(run.terms),
        zone=zone,
        lanes=lanes(session, run.identity),
        templates={name: each.id if each else None for name, each in versions.items()},
    )
    messages: list[dict[str, Any]] = []
    places: list[dict[str, Any]] = []
    endings: list[Ending] = []
    for row in rows:
        last = row.last_step and Last(
            step=row.last_step,
            state=row.last_state,
            reason=row.last_reason,
            settled_at=row.settled_at,
        )
        move = advance(graphs[row.sequence_id], row.step, row.due_at, last, now=now)
        if isinstance(move, Send):
            message = _message(row, move, writing)
            if message is None:
                endings.append(Ending(enrolment_id=row.id, reason="template_removed"))
                continue
            messages.append(message)
            places.append({"key": row.id, "at_step": move.step, "due": message["due_at"]})
        elif isinstance(move, Wait):
            places.append({"key": row.id, "at_step": move.step, "due": move.until})
        elif isinstance(move, Done):
            endings.append(Ending(enrolment_id=row.id, state=EnrolmentState.DONE))
        elif isinstance(move, Exit):
            endings.append(Ending(enrolment_id=row.id, reason=move.reason))
    _write(session, run, messages, places)
    end(session, endings, now=now)
    return len(places) + len(endings)


def _graphs(session: Session, ids: set[int]) -> dict[int, tuple[Step, ...]]:
    """The steps each lead started with, by version."""
    return {
        version.id: sequence_of(version.name, version.body or {}).steps
        for version in session.scalars(select(Sequence).where(col(Sequence.id).in_(ids)))
        if version.id is not None
    }


def _message(row: Row[Any], move: Send, writing: _Writing) -> dict[str, Any] | None:
    """The row of a send step's message; None when its template is not there any more."""
    template_version_id = writing.templates[move.template]
    if template_version_id is None:
        return None
    run, terms = writing.run, writing.terms
    due_at = move.due_at
    if terms.window is not None:
        due_at = terms.window.next_opening(due_at, zone_of(row.timezone, writing.zone), row.country)
    name = MessageName(
        run_token=run.token,
        step=move.step,
        pass_=row.times,
        lead_token=row.token,
        domain=terms.domain,
    )
    return {
        "run_id": run.id,
        "lead_id": row.lead_id,
        "pass_": row.times,
        "step": move.step,
        "lane_id": writing.lanes.get(row.provider, writing.lanes[OTHER]),
        "template_version_id": template_version_id,
        "state": State.PLANNED,
        "reason": "",
        "due_at": due_at,
        # Counted from when it was due: who sleeps through it does not send it late.
        "expires_at": due_at + terms.expires_after,
        "rfc_message_id": str(name),
        "attempts": 0,
        "deferrals": 0,
        "reply": "",
    }


def _write(
    session: Session, run: Run, messages: list[dict[str, Any]], places: list[dict[str, Any]]
) -> None:
    if messages:
        session.execute(insert(Message), messages)
    if not places:
        return
    session.connection().execute(
        update(Enrolment.__table__)  # type: ignore[attr-defined]
        .where(col(Enrolment.id) == bindparam("key"))
        .values(step=bindparam("at_step"), due_at=bindparam("due")),
        places,
    )
    if not messages:
        return
    mine = (
        select(col(Message.id))
        .where(
            and_(
                col(Message.run_id) == col(Enrolment.run_id),
                col(Message.lead_id) == col(Enrolment.lead_id),
                col(Message.pass_) == col(Enrolment.pass_),
                col(Message.step) == col(Enrolment.step),
            )
        )
        .correlate(Enrolment)
        .scalar_subquery()
    )
    session.execute(
        update(Enrolment)
        .where(
            col(Enrolment.run_id) == run.id,
            col(Enrolment.id).in_([place["key"] for place in places]),
            mine.is_not(None),
        )
        .values(message_id=mine)
        .execution_options(synchronize_session=False)
    )
