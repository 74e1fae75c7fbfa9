"""Time-lapse: pace and retries as they are, sixty times faster.

Nothing of the pace is simplified for the demo. Its clock alone runs faster: a pause of thirty
seconds lasts half a second, a retry after five minutes comes after five seconds.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from deliverability import Lessons, Outcome, Pacer, PaceSettings, PaceState, retry_after

#: A minute of pace passes in one second.
TIMES = 60


class HurriedPacer(Pacer):
    """A pacer whose clock runs `TIMES` faster than the one its lane lives by."""

    def __init__(self, settings: PaceSettings, *, seed: str, since: datetime) -> None:
        super().__init__(settings, seed=seed)
        self._inner = Pacer(settings, seed=seed)
        self._since = since

    def _inside(self, at: datetime) -> datetime:
        return self._since + (at - self._since) * TIMES

    def _outside(self, at: datetime) -> datetime:
        return self._since + (at - self._since) / TIMES

    @property
    def rate(self) -> float:
        """Messages per second of the lane's own time."""
        return self._inner.rate * TIMES

    @property
    def state(self) -> PaceState:
        """What was learnt, its pause in the lane's own time."""
        until, _ = self.pause
        return replace(self._inner.state, paused_until=until)

    @property
    def pause(self) -> tuple[datetime | None, str]:
        """Until when, in the lane's own time, and why."""
        until, reason = self._inner.pause
        return (self._outside(until) if until else None), reason

    def take_lessons(self) -> Lessons | None:
        """What was learnt, in the lane's own time."""
        inner = self._inner.take_lessons()
        if inner is None:
            return None
        moves = tuple(replace(move, at=self._outside(move.at)) for move in inner.moves)
        return Lessons(state=self.state, moves=moves)

    def paused(self, now: datetime) -> bool:
        return self._inner.paused(self._inside(now))

    def next_slot(self, now: datetime) -> datetime:
        return max(now, self._outside(self._inner.next_slot(self._inside(now))))

    def took(self, at: datetime, *, key: str) -> None:
        self._inner.took(self._inside(at), key=key)

    def on_outcome(self, now: datetime, outcome: Outcome) -> None:
        self._inner.on_outcome(self._inside(now), outcome)

    def resume(self) -> None:
        self._inner.resume()


def hurried_retry(deferrals: int, seed: str) -> timedelta | None:
    """The real plan of retries, `TIMES` faster."""
    wait = retry_after(deferrals, seed)
    return None if wait is None else wait / TIMES
