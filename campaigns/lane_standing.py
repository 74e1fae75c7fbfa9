"""Lanes as they stand, read from the rows: beside a worker that is sending, or without one."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlmodel import Session, col

from campaigns.runs import Terms
from campaigns.states import RunState, State
from campaigns.tables import Message, Run
from campaigns.window import open_hours
from deliverability import (
    Lane,
    LaneMove,
    PaceState,
    free_at,
    last_taken,
    pace_state,
    used_today,
)
from leads import Event


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """One lane: what it has to do, and what it has learnt."""

    lane_id: int
    identity: str
    provider: str
    pace: PaceState
    #: Messages that wait in running runs, and when the first of them is due.
    waiting: int = 0
    due: datetime | None = None
    #: Of those, how many a server asked to bring later.
    deferred: int = 0
    #: Messages that wait in runs somebody paused: {campaign: (messages, why)}.
    held: Mapping[str, tuple[int, str]]
    sending: int = 0
    #: Accepted since midnight in the workspace's zone; and by the whole identity, in any state.
    accepted_today: int = 0
    used_today: int = 0
    #: What moved it in the last 24 hours, oldest first.
    moves: tuple[LaneMove, ...] = ()
    #: The newest moves, whenever they were, oldest first.
    newest: tuple[LaneMove, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.identity}/{self.provider}"

    @property
    def quiet(self) -> bool:
        """Nothing waits, nothing left today, nothing was learnt: it need not be shown."""
        return not (
            self.waiting
            or self.held
            or self.sending
            or self.accepted_today
            or self.pace.rate
            or self.pace.paused_until
        )


def standings(
    session: Session,
    *,
    now: datetime,
    zone: ZoneInfo,
    identity: str | None = None,
    provider: str | None = None,
    run_id: int | None = None,
) -> list[Standing]:
    """The lanes of an identity, a provider, a run or all, in the order of their names.

    Counts walk the index of due messages, and the events of one day.
    """
    query = select(Lane).order_by(col(Lane.identity), col(Lane.provider))
    if identity is not None:
        query = query.where(col(Lane.identity) == identity)
    if provider is not None:
        query = query.where(col(Lane.provider) == provider)
    lanes = session.scalars(query).all()
    found = {
        lane.id: Standing(
            lane_id=lane.id,
            identity=lane.identity,
            provider=lane.provider,
            pace=pace_state(lane),
            held={},
        )
        for lane in lanes
        if lane.id is not None
    }
    _add_waiting(session, found, run_id)
    _add_today(session, found, now, zone)
    for lane_id, moves in _moves(session, found, now - timedelta(days=1)).items():
        found[lane_id] = replace(found[lane_id], moves=tuple(moves))
    if run_id is not None:
        return [each for each in found.values() if each.waiting or each.held or each.sending]
    return list(found.values())


def _add_waiting(session: Session, found: dict[int, Standing], run_id: int | None) -> None:
    runs = select(Run).where(
        col(Run.state).in_([RunState.RUNNING, RunState.PAUSED, RunState.PLANNING])
    )
    if run_id is not None:
        runs = runs.where(col(Run.id) == run_id)
    for run in session.scalars(runs).all():
        rows = session.execute(
            select(col(Message.lane_id), func.count(), func.min(col(Message.due_at)))
            .where(col(Message.run_id) == run.id, col(Message.state) == State.PLANNED)
            .group_by(col(Message.lane_id))
        )
        for lane_id, count, due in rows:
            lane = found.get(lane_id)
            if lane is None:
                continue
            if run.state == RunState.RUNNING:
                first = due if lane.due is None else min(due, lane.due)
                found[lane_id] = replace(lane, waiting=lane.waiting + count, due=first)
            else:
                before, _ = lane.held.get(run.campaign, (0, ""))
                why = run.reason or run.state
                held = {**lane.held, run.campaign: (before + count, why)}
                found[lane_id] = replace(lane, held=held)
    under_way = select(col(Message.lane_id), func.count()).where(
        col(Message.state) == State.SENDING
    )
    if run_id is not None:
        under_way = under_way.where(col(Message.run_id) == run_id)
    for lane_id, count in session.execute(under_way.group_by(col(Message.lane_id))):
        if lane_id in found:
            found[lane_id] = replace(found[lane_id], sending=count)


def closer(session: Session, lane: Standing, *, moves: int) -> Standing:
    """The same lane with how many a server asked to bring later, and its newest moves."""
    running = select(col(Run.id)).where(col(Run.state) == RunState.RUNNING)
    deferred = session.scalar(
        select(func.count())
        .select_from(Message)
        .where(
            col(Message.run_id).in_(running),
            col(Message.lane_id) == lane.lane_id,
            col(Message.state) == State.PLANNED,
            col(Message.deferrals) > 0,
        )
    )
    newest = session.scalars(
        select(LaneMove)
        .where(col(LaneMove.lane_id) == lane.lane_id)
        .order_by(col(LaneMove.at).desc(), col(LaneMove.id).desc())
        .limit(moves)
    ).all()
    return replace(lane, deferred=deferred or 0, newest=tuple(newest[::-1]))


def _add_today(session: Session, found: dict[int, Standing], now: datetime, zone: ZoneInfo) -> None:
    today = now.astimezone(zone).date()
    midnight = datetime.combine(today, time(), tzinfo=zone)
    rows = session.execute(
        select(col(Message.lane_id), func.count())
        .select_from(Event)
        .join(Message, col(Message.id) == col(Event.message_id))
        .where(col(Event.kind) == "sent", col(Event.at) >= midnight)
        .group_by(col(Message.lane_id))
    )
    accepted = {lane_id: int(count) for lane_id, count in rows}
    used: dict[str, int] = {}
    for lane_id, lane in found.items():
        if lane.identity not in used:
            used[lane.identity] = used_today(session, lane.identity, today)
        found[lane_id] = replace(
            lane, accepted_today=accepted.get(lane_id, 0), used_today=used[lane.identity]
        )


def _moves(
    session: Session, lane_ids: Mapping[int, Standing], since: datetime
) -> dict[int, list[LaneMove]]:
    moves: dict[int, list[LaneMove]] = {}
    for move in session.scalars(
        select(LaneMove)
        .where(col(LaneMove.lane_id).in_(list(lane_ids)), col(LaneMove.at) >= since)
        .order_by(col(LaneMove.at), col(LaneMove.id))
    ):
        moves.setdefault(move.lane_id, []).append(move)
    return moves


def turn_opens(
    session: Session, identity: str, allowance: int, *, now: datetime
) -> datetime | None:
    """When an identity whose day is spread over its hours may write next; None: now."""
    runs = session.scalars(select(Run).where(col(Run.state) == RunState.RUNNING)).all()
    terms = [(run, Terms.of_body(run.terms)) for run in runs]
    windows = [each.window for run, each in terms if identity in each.senders(run.identity)]
    opens = free_at(last_taken(session, identity), allowance, open_hours(windows))
    return opens if opens is not None and opens > now else None


def rates_by_hour(standing: Standing, start: float, *, now: datetime, bins: int) -> list[float]:
    """The lane's rate (messages per second) over the last 24 hours, in `bins` equal parts.

    `start` is the rate it had before anything moved it.
    """
    moves = standing.moves
    rate = moves[0].rate_before if moves else standing.pace.rate or start
    rates, step = [], timedelta(days=1) / bins
    begins, waiting = now - timedelta(days=1), list(moves)
    for number in range(1, bins + 1):
        while waiting and waiting[0].at <= begins + step * number:
            rate = waiting.pop(0).rate_after
        rates.append(rate)
    return rates
