"""What must hold between the leads on their way through a sequence and its messages.

Queries like those in `verify.py`, which runs both; a campaign has no such rows.
"""

from collections.abc import Callable

from sqlalchemy import Select, and_, exists, func, or_, select
from sqlmodel import Session, col

from campaigns.sequences import EnrolmentState
from campaigns.states import SETTLED, State
from campaigns.tables import Enrolment, Message, Run
from leads import Event, Lead

_ENDED = (EnrolmentState.DONE, EnrolmentState.EXITED)


def _enrolments(*broken: object) -> Callable[[int], Select[int | None]]:
    return lambda run_id: (
        select(col(Enrolment.id))
        .outerjoin(Message, col(Message.id) == col(Enrolment.message_id))
        .where(
            col(Enrolment.run_id) == run_id,
            *broken,  # type: ignore[arg-type]
        )
    )


def _two_at_a_time(run_id: int) -> Select[int | None]:
    """Second active ways of a lead; the database's own index should make them impossible."""
    other = Enrolment.__table__.alias("other")  # type: ignore[attr-defined]
    return select(col(Enrolment.id)).where(
        col(Enrolment.run_id) == run_id,
        col(Enrolment.state) == EnrolmentState.ACTIVE,
        exists().where(
            other.c.sequence == col(Enrolment.sequence),
            other.c.lead_id == col(Enrolment.lead_id),
            other.c.state == EnrolmentState.ACTIVE,
            other.c.id < col(Enrolment.id),
        ),
    )


def _strays(run_id: int) -> Select[int | None]:
    return (
        select(col(Message.id))
        .join(Run, col(Run.id) == col(Message.run_id))
        .where(
            col(Message.run_id) == run_id,
            col(Run.occurrence).like("sequence:%"),
            ~exists().where(
                # By name as well: that is how the index begins.
                col(Enrolment.sequence) == col(Run.campaign),
                col(Enrolment.run_id) == col(Message.run_id),
                col(Enrolment.lead_id) == col(Message.lead_id),
                col(Enrolment.pass_) == col(Message.pass_),
            ),
        )
    )


def _ahead(run_id: int) -> Select[int | None]:
    """Open messages that are not the latest of their way: only the next one may exist."""
    return (
        select(col(Message.id))
        .join(Run, col(Run.id) == col(Message.run_id))
        .join(
            Enrolment,
            and_(
                col(Enrolment.sequence) == col(Run.campaign),
                col(Enrolment.run_id) == col(Message.run_id),
                col(Enrolment.lead_id) == col(Message.lead_id),
                col(Enrolment.pass_) == col(Message.pass_),
            ),
        )
        .where(
            col(Message.run_id) == run_id,
            col(Message.state).not_in(sorted(SETTLED)),
            func.coalesce(col(Enrolment.message_id), 0) != col(Message.id),
        )
    )


def _ending_told(run_id: int) -> Select[int | None]:
    told = (
        select(func.count())
        .where(
            col(Event.lead_id) == col(Enrolment.lead_id),
            col(Event.campaign) == col(Enrolment.sequence),
            # coalesce keeps SQLite at the lead's own few events.
            func.coalesce(col(Event.kind), "").in_(["sequence_done", "sequence_exited"]),
        )
        .scalar_subquery()
    )
    ended = Enrolment.__table__.alias("ended")  # type: ignore[attr-defined]
    ways = (
        select(func.count())
        .select_from(ended)
        .where(
            ended.c.lead_id == col(Enrolment.lead_id),
            ended.c.sequence == col(Enrolment.sequence),
            ended.c.state.in_(_ENDED),
        )
        .scalar_subquery()
    )
    # Merging moves the timeline to the lead that is kept, erasing empties it.
    moved = or_(
        exists().where(
            col(Lead.id) == col(Enrolment.lead_id),
            or_(col(Lead.merged_into).is_not(None), col(Lead.erased_at).is_not(None)),
        ),
        exists().where(
            col(Event.lead_id) == col(Enrolment.lead_id),
            func.coalesce(col(Event.kind), "") == "merged",
        ),
    )
    # Said once a lead, at its newest way.
    later = Enrolment.__table__.alias("later")  # type: ignore[attr-defined]
    return select(col(Enrolment.id)).where(
        col(Enrolment.run_id) == run_id,
        ~exists().where(
            later.c.lead_id == col(Enrolment.lead_id),
            later.c.sequence == col(Enrolment.sequence),
            later.c.id > col(Enrolment.id),
        ),
        ~moved,
        told != ways,
    )


#: id -> (what should be true, query for the ids of rows that break it)
SEQUENCE_INVARIANTS: dict[str, tuple[str, Callable[[int], Select[int | None]]]] = {
    "one-way-at-a-time": (
        "no lead is on two ways through one sequence at once",
        _two_at_a_time,
    ),
    "way-s-message": (
        "a way's latest message is a message of that run, lead and pass",
        _enrolments(
            col(Enrolment.message_id).is_not(None),
            or_(
                col(Message.id).is_(None),
                col(Message.run_id) != col(Enrolment.run_id),
                col(Message.lead_id) != col(Enrolment.lead_id),
                col(Message.pass_) != col(Enrolment.pass_),
            ),
        ),
    ),
    "way-s-end": (
        "a way has an end exactly when nobody is on it, and one that was left says why",
        _enrolments(
            or_(
                and_(
                    col(Enrolment.state) == EnrolmentState.ACTIVE,
                    col(Enrolment.ended_at).is_not(None),
                ),
                and_(col(Enrolment.state).in_(_ENDED), col(Enrolment.ended_at).is_(None)),
                and_(col(Enrolment.state) == EnrolmentState.EXITED, col(Enrolment.reason) == ""),
                col(Enrolment.state).not_in([str(state) for state in EnrolmentState]),
            )
        ),
    ),
    "done-accepted": (
        "a way that was walked to the end ended with an accepted message",
        _enrolments(
            col(Enrolment.state) == EnrolmentState.DONE,
            func.coalesce(col(Message.state), "") != State.ACCEPTED,
        ),
    ),
    "nothing-waits-after-the-end": (
        "no message that was never tried waits for a lead whose way has ended",
        _enrolments(
            col(Enrolment.state).in_(_ENDED),
            col(Message.state) == State.PLANNED,
            col(Message.attempts) == 0,
        ),
    ),
    "message-of-a-way": ("every message of a sequence belongs to somebody's way", _strays),
    "only-the-next": ("only a way's latest message may still be open", _ahead),
    "end-on-the-timeline": ("each end is on the lead's timeline exactly once", _ending_told),
}


def sequence_invariants(
    session: Session, run_id: int
) -> dict[str, tuple[str, Callable[[int], Select[int | None]]]]:
    """The invariants to ask of this run: none when it is a campaign's."""
    occurrence = session.scalar(select(col(Run.occurrence)).where(col(Run.id) == run_id)) or ""
    return SEQUENCE_INVARIANTS if occurrence.startswith("sequence:") else {}
