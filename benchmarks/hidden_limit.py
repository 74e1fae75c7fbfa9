"""A receiver with a limit it does not tell, and a sender before it, on a virtual clock.

Nobody sleeps: the sender's slots and the receiver's answers are events on a heap, so that eight
hours pass in seconds. `python -m benchmarks.pace` prints the table.
"""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

from deliverability import Cause, Outcome, Pacer, PaceSettings, PaceState, Phase, Verdict

START = datetime(2026, 3, 10, tzinfo=UTC)
HOUR = 3600

TAKEN = Outcome(verdict=Verdict.ACCEPTED, phase=Phase.DONE, code=250)
TOO_FAST = Outcome(
    verdict=Verdict.DEFERRED,
    phase=Phase.RCPT,
    cause=Cause.RATE,
    code=451,
    reply="4.7.0 rate limit",
)
GREYLISTED = Outcome(verdict=Verdict.DEFERRED, phase=Phase.RCPT, cause=Cause.GREYLIST, code=451)
UNCLEAR = Outcome(verdict=Verdict.DEFERRED, phase=Phase.RCPT, cause=Cause.OTHER, code=451)


@dataclass
class LeakyBucket:
    """Takes `burst` at once and `rate(t)` a second; a violation is answered for `penalty` s."""

    rate: Callable[[float], float]
    burst: float = 10.0
    penalty: float = 0.0
    _level: float = 0.0
    _at: float = 0.0
    _angry_until: float = -1.0

    def takes(self, t: float) -> bool:
        """Whether a message at `t` seconds is taken."""
        if t < self._angry_until:
            return False
        self._level = max(0.0, self._level - (t - self._at) * self.rate(t))
        self._at = t
        if self._level + 1 > self.burst:
            self._angry_until = t + self.penalty
            return False
        self._level += 1
        return True


@dataclass
class Day:
    """What became of it, hour by hour."""

    accepted: list[int] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    #: The pacer as it was at the end.
    pacer: Pacer | None = None

    def taken(self, since: int = 0, until: int | None = None) -> float:
        """Accepted per second in these hours."""
        hours = self.accepted[since:until]
        return sum(hours) / len(hours) / HOUR

    def deferred(self, since: int = 0, until: int | None = None) -> float:
        """The refused share of all that was tried in these hours."""
        refused = sum(self.refused[since:until])
        return refused / (refused + sum(self.accepted[since:until]))


def send(
    bucket: LeakyBucket,
    *,
    hours: int,
    seed: int,
    start: float = 0.2,
    highest: float = 100.0,
    jitter: float = 0.1,
    latency: float = 0.25,
    noise: tuple[float, Outcome] = (0.0, GREYLISTED),
    restart_at: float | None = None,
) -> Day:
    """Sends as fast as the pacer allows, answers coming `latency` seconds later, more or less.

    At `restart_at` seconds the process is replaced by another that knows the lane's state only.
    """
    settings = PaceSettings(per_minute=start * 60, at_most_per_minute=highest * 60, jitter=jitter)
    dice = Random(seed)

    def begin(state: PaceState | None) -> Pacer:
        return Pacer(settings, seed=f"lane {seed}", state=state)

    pacer = begin(None)
    day = Day(accepted=[0] * hours, refused=[0] * hours)
    answers: list[tuple[float, int, Outcome]] = []
    t, number = 0.0, 0
    while True:
        slot = _seconds(pacer.next_slot(_moment(t)))
        while answers and answers[0][0] <= slot:
            at, _, outcome = heapq.heappop(answers)
            pacer.on_outcome(_moment(at), outcome)
            pacer.take_lessons()
            slot = max(at, _seconds(pacer.next_slot(_moment(at))))
        t = slot
        if t >= hours * HOUR:
            day.pacer = pacer
            return day
        if restart_at is not None and t >= restart_at:
            pacer, restart_at = begin(pacer.state), None
        number += 1
        pacer.took(_moment(t), key=f"spring:{number}")
        if noise[0] and dice.random() < noise[0]:
            outcome = noise[1]
        elif bucket.takes(t):
            outcome = TAKEN
            day.accepted[int(t // HOUR)] += 1
        else:
            outcome = TOO_FAST
            day.refused[int(t // HOUR)] += 1
        heapq.heappush(answers, (t + latency * (0.5 + dice.random()), number, outcome))


def _moment(t: float) -> datetime:
    return START + timedelta(seconds=t)


def _seconds(at: datetime) -> float:
    return (at - START).total_seconds()
