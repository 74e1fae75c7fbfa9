"""A run planned to its end, range by range, while others write.

SQLite lets one write at a time, so ranges are cut to a time there and a break follows each, in
which whoever waits gets in (`leads.Pace` says how long that takes). The break is used: the
database puts its log in order and the next range is looked at.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session

from campaigns.planning import RANGE, Ahead, Planned, Rule, look_ahead, plan_range
from campaigns.rules import frozen_rule
from campaigns.tables import Run
from leads import Pace

#: Runs a function in one transaction of its own: `Database.write`, `Database.read`.
Transaction = Callable[[Callable[[Session], Any]], Any]

#: Lead ids of the first range, and fewest of any.
_FIRST, _FEWEST = 4000, 200
#: Lead ids of a range in a worker, whose lanes wait for it: some 60 ms of SQLite's lock.
_SHORT = 10_000
#: Seconds a range is to take; the next one gets fewer ids when one took longer.
_WANTED = 0.1


@dataclass(frozen=True, kw_only=True, slots=True)
class Beside:
    """What planning needs where all who write share one lock."""

    #: Seconds from any beginning.
    stopwatch: Callable[[], float]
    #: Lets seconds go by.
    sleep: Callable[[float], None]
    #: Work for the database in which nobody has to wait, done in each break.
    tidy: Callable[[], None]


def plan_run(
    run_id: int,
    rule_of: Callable[[Session], Rule],
    *,
    write: Transaction,
    read: Transaction,
    now: datetime,
    zone: ZoneInfo,
    beside: Beside | None = None,
    progress: Callable[[Planned], None] = lambda _: None,
) -> None:
    """Plans what is left of a run, each range in a transaction of its own.

    `beside` cuts the ranges and puts breaks between them; without it they are `RANGE` ids long.
    """
    rule: Rule = read(rule_of)
    size = RANGE if beside is None else _FIRST
    pace = beside and Pace(stopwatch=beside.stopwatch, sleep=beside.sleep)
    done = False
    while not done:
        ahead: Ahead = read(partial(_look, run_id=run_id, now=now, zone=zone, size=size))
        began = 0.0

        def step(session: Session, ahead: Ahead = ahead, size: int = size) -> Planned:
            nonlocal began
            began = beside.stopwatch() if beside else 0.0
            return plan_range(session, run_id, rule, now=now, zone=zone, size=size, ahead=ahead)

        planned: Planned = pace.run(write, step) if pace else write(step)
        if beside:
            size = _next_size(ahead.high - ahead.low, beside.stopwatch() - began)
            beside.tidy()
        progress(planned)
        done = planned.done


def _look(session: Session, *, run_id: int, now: datetime, zone: ZoneInfo, size: int) -> Ahead:
    return look_ahead(session, session.get_one(Run, run_id), now=now, zone=zone, size=size)


def _next_size(ids: int, seconds: float) -> int:
    fitting = int(ids * _WANTED / max(seconds, 0.001))
    # Down at once, up slowly: one quick commit says little of the next.
    return max(_FEWEST, min(fitting, ids * 3 // 2, RANGE))


def plan_on(session: Session, *, run_id: int, now: datetime, zone: ZoneInfo) -> Planned:
    """One short range of a run that somebody began to plan."""
    rule = frozen_rule(session, run_id, zone=zone)
    return plan_range(session, run_id, rule, now=now, zone=zone, size=_SHORT)
