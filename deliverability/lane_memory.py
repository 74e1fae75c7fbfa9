"""What a lane has learnt, kept in its row so that a restart goes on at the same pace."""

from datetime import datetime

from sqlalchemy import CursorResult, update
from sqlmodel import Session, col

from deliverability.pace import PaceState
from deliverability.tables import Lane


def pace_state(lane: Lane) -> PaceState:
    """The state a pacer starts with."""
    return PaceState(rate=lane.rate, paused_until=lane.paused_until, reason=lane.reason)


def save_pace(session: Session, lane_id: int, state: PaceState, *, now: datetime) -> None:
    """Writes the state down where it differs; most messages teach nothing and write nothing."""
    same = (
        col(Lane.rate).is_not_distinct_from(state.rate)
        & col(Lane.paused_until).is_not_distinct_from(state.paused_until)
        & (col(Lane.reason) == state.reason)
    )
    session.execute(
        update(Lane)
        .where(col(Lane.id) == lane_id, ~same)
        .values(
            rate=state.rate, paused_until=state.paused_until, reason=state.reason, updated_at=now
        )
        .execution_options(synchronize_session=False)
    )


def lift_pauses(session: Session, identity: str, *, now: datetime) -> int:
    """A person looked: all paused lanes of the identity may go on; how many were paused."""
    done = session.execute(
        update(Lane)
        .where(col(Lane.identity) == identity, col(Lane.paused_until).is_not(None))
        .values(paused_until=None, reason="", updated_at=now)
        .execution_options(synchronize_session=False)
    )
    assert isinstance(done, CursorResult)  # noqa: S101 - an UPDATE has a row count
    return done.rowcount
