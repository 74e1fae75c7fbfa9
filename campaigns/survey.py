"""What a worker sees when it looks round: lanes with work, runs to plan, sequences."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from campaigns.due_lanes import lanes_with_work
from campaigns.planning import planning_runs
from campaigns.sequence_runs import running_sequences
from campaigns.states import RunState
from campaigns.tables import Run
from deliverability import Held, Lane, PaceState, Scope, holding, pace_state


@dataclass(frozen=True, kw_only=True, slots=True)
class Survey:
    """The queue at one moment."""

    due: Mapping[int, datetime]
    running: frozenset[int]
    planning: tuple[int, ...]
    #: Whether a sequence runs.
    sequences: bool = False
    lanes: Mapping[int, tuple[str, str, PaceState]] = field(default_factory=dict)
    #: Identity -> why a breaker lets none of its messages leave.
    stopped: Mapping[str, str] = field(default_factory=dict)
    #: Lane -> the suspension its breaker is in.
    suspended: Mapping[int, Held] = field(default_factory=dict)


def look_round(session: Session, *, now: datetime, lanes: Set[int]) -> Survey:
    """The queue as it stands, with the lanes that have work and those in `lanes`."""
    due = lanes_with_work(session, now=now)
    held = holding(session)
    rows = session.scalars(select(Lane).where(col(Lane.id).in_({*due, *lanes}))).all()
    return Survey(
        due=due,
        running=frozenset(
            session.scalars(select(col(Run.id)).where(col(Run.state) == RunState.RUNNING))
        ),
        planning=tuple(planning_runs(session)),
        sequences=bool(running_sequences(session)),
        lanes={
            lane.id: (lane.identity, lane.provider, pace_state(lane))
            for lane in rows
            if lane.id is not None
        },
        stopped={
            each.key: each.reason for each in held if each.scope == Scope.IDENTITY and each.open
        },
        suspended={int(each.key): each for each in held if each.scope == Scope.LANE},
    )
