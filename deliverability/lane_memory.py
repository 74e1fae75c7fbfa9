"""What a lane has learnt, kept in its row so that a restart goes on at the same pace."""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CursorResult, delete, insert, select, update
from sqlmodel import Session, col

from deliverability.odd_answers import OddAnswers
from deliverability.pace import Lessons, PaceState
from deliverability.rate_control import MARGIN, Learnt
from deliverability.tables import Lane, LaneMove
from leads import JsonObject

#: Moves are kept so long.
MOVES_KEPT = timedelta(days=30)


def pace_state(lane: Lane) -> PaceState:
    """The state a pacer starts with."""
    body = lane.learnt or {}
    if not body:
        return PaceState(
            # Rows of earlier versions know a rate that was cut, and nothing else.
            learnt=None
            if lane.rate is None
            else Learnt(rate=lane.rate, ceiling=lane.rate / MARGIN, slow_start=False),
            taught=lane.rate is not None,
            paused_until=lane.paused_until,
            reason=lane.reason,
        )
    lifted = lane.paused_until is None
    return PaceState(
        learnt=_learnt(body["learnt"]) if body["learnt"] else None,
        taught=body["taught"],
        paused_until=lane.paused_until,
        reason=lane.reason,
        # Without a pause there is no episode: somebody has lifted it, or it was got over.
        strikes=0 if lifted else body["strikes"],
        waited=timedelta(0) if lifted else timedelta(seconds=body["waited"]),
        recovery=timedelta(seconds=body["recovery"]),
        lost=body["lost"],
        odd=OddAnswers(
            bits=body["odd"]["bits"],
            rate=body["odd"]["rate"],
            at=_instant(body["odd"]["at"]),
            deaf_until=_instant(body["odd"]["deaf_until"]),
        ),
        free_at=_instant(body["free_at"]),
        soonest=_instant(body["soonest"]),
    )


def _learnt(body: dict[str, Any]) -> Learnt:
    moments = {key: _instant(body[key]) for key in ("probe_at", "window_since")}
    marks = tuple((datetime.fromisoformat(at), accepted) for at, accepted in body["marks"])
    return Learnt(**{**body, **moments, "marks": marks})


def as_body(state: PaceState) -> JsonObject:
    """The part of a state that stands in the column `learnt`."""
    body = asdict(state)
    del body["paused_until"], body["reason"]
    return _plain(body)  # type: ignore[no-any-return]


def _plain(value: Any) -> Any:
    """As JSON has it: moments as text, spans in seconds."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return value.total_seconds() if isinstance(value, timedelta) else value


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def save_pace(session: Session, lane_id: int, lessons: Lessons, *, now: datetime) -> None:
    """Writes down what the lane knows now and what moved it; moves of long ago are forgotten.

    The caller asks for it only when the pacer has learnt something: most messages teach nothing.
    """
    state, moves = lessons.state, lessons.moves
    session.execute(
        update(Lane)
        .where(col(Lane.id) == lane_id)
        .values(
            rate=state.rate,
            paused_until=state.paused_until,
            reason=state.reason,
            learnt=as_body(state),
            updated_at=now,
        )
        .execution_options(synchronize_session=False)
    )
    if not moves:
        return
    session.execute(
        insert(LaneMove),
        [
            {
                "lane_id": lane_id,
                "at": move.at,
                "rate_before": move.before,
                "rate_after": move.after,
                "cause": move.cause,
                "words": move.words,
            }
            for move in moves
        ],
    )
    session.execute(
        delete(LaneMove)
        .where(col(LaneMove.lane_id) == lane_id, col(LaneMove.at) < now - MOVES_KEPT)
        .execution_options(synchronize_session=False)
    )


def learnt_rates(session: Session) -> dict[tuple[str, str], float]:
    """{(identity, provider): messages per second} of the lanes that have learnt a rate."""
    rows = session.execute(
        select(col(Lane.identity), col(Lane.provider), col(Lane.rate)).where(
            col(Lane.rate).is_not(None)
        )
    )
    return {(identity, provider): rate for identity, provider, rate in rows if rate is not None}


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
