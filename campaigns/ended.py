"""What a worker leaves behind when it ends: what waits, until when, and what is in doubt."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlmodel import Session, col

from campaigns.advancing import next_step
from campaigns.doubt import doubt_count
from campaigns.due_lanes import lanes_with_work
from campaigns.sequences import EnrolmentState
from campaigns.starting import NextStart
from campaigns.states import RunState, State
from campaigns.tables import Enrolment, Message, Run


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """Why the worker ended."""

    #: Messages still waiting in running runs.
    waiting: int
    #: When the next of them, or the next step of a sequence, is due; None when nothing is.
    next_due: datetime | None
    #: What holds lanes back, one sentence each.
    held: tuple[str, ...] = ()
    in_doubt: int = 0
    #: Leads kept back in running runs until the better of the variants is known.
    reserved: int = 0
    #: Leads on their way through running sequences.
    enrolled: int = 0
    #: What starts next by itself.
    next_start: NextStart | None = None


def how_it_ended(
    session: Session, *, held: tuple[str, ...], coming: Sequence[NextStart], now: datetime
) -> Ended:
    """The state of the queue as a worker ends."""
    running = select(col(Run.id)).where(col(Run.state) == RunState.RUNNING)
    waiting = session.scalar(
        select(func.count())
        .select_from(Message)
        .where(col(Message.run_id).in_(running), col(Message.state) == State.PLANNED)
    )
    kept_back = session.scalar(
        select(func.count())
        .select_from(Message)
        .where(col(Message.run_id).in_(running), col(Message.state) == State.RESERVED)
    )
    enrolled = session.scalar(
        select(func.count())
        .select_from(Enrolment)
        .where(col(Enrolment.run_id).in_(running), col(Enrolment.state) == EnrolmentState.ACTIVE)
    )
    moments = [*lanes_with_work(session, now=now).values(), next_step(session, now=now)]
    return Ended(
        waiting=waiting or 0,
        next_due=min((moment for moment in moments if moment is not None), default=None),
        held=held,
        in_doubt=doubt_count(session),
        reserved=kept_back or 0,
        enrolled=enrolled or 0,
        next_start=next(iter(coming), None),
    )
