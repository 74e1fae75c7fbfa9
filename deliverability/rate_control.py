"""How fast a lane may be: what the answers say about a receiver's hidden limit. Pure.

A receiver that limits a sender does so, whatever words it uses, like a leaky bucket: so many
messages at once, then so many per second. Everything it accepted in a stretch of `w` seconds fits
into its limit and one bucket, so `(accepted - bucket) / w` is a rate it is known to bear, and at
the moment of a refusal the best of these stretches is about the limit itself. That one sum makes
the cuts: after a hit nothing has to be found by halving and creeping back.

Until the first refusal the rate doubles (slow start). Afterwards it stays just below what is known,
and now and then a probe looks whether the limit has moved. A probe that fails costs a pause; how
long a pause, the receiver itself has taught us, and probes are so rare that they cost at most one
part in fifty of the time.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

#: A level has been looked at long enough after so much time and so many messages: while the rate
#: doubles, and near the limit, where a bucket must have had the time to run over.
WINDOW = timedelta(seconds=60)
WINDOW_MESSAGES = 20
PROOF_MESSAGES = 100
#: Messages a receiver takes beyond its rate before it objects. Most allow a handful or two.
BUCKET = 10
#: Sent at this share of what is known to be borne.
MARGIN = 0.97
#: One refusal never costs more than half of the rate.
DEEPEST_CUT = 0.5
FIRST_STEP, LARGEST_STEP = 0.02, 0.25
#: Share of the time that probes may cost.
PROBE_COST = 1 / 50
#: Between a hit and the first probe; doubles with each probe that finds the limit where it was.
FIRST_PATIENCE, LEAST_PATIENCE = timedelta(minutes=5), timedelta(minutes=10)
LONGEST_PATIENCE = timedelta(hours=4)
#: Stretches remembered between two hits; when there are more, every other one is forgotten.
_MARKS = 32


@dataclass(frozen=True, kw_only=True, slots=True)
class Learnt:
    """What is known of a receiver's limit. Rates are messages per second between two slots."""

    rate: float
    #: About where the limit is; None until it was met.
    ceiling: float | None = None
    #: Doubling until the first refusal.
    slow_start: bool = True
    #: The next probe's share of the rate.
    step: float = FIRST_STEP
    #: Not above the ceiling before this moment.
    probe_at: datetime | None = None
    #: Probes in a row that met the limit where it was thought to be.
    confirmed: int = 0
    #: Since when, and with how many accepted, the present level is looked at.
    window_since: datetime | None = None
    window_accepted: int = 0
    #: Accepted since the last hit, and moments of that time with the sum as it then was.
    accepted: int = 0
    marks: tuple[tuple[datetime, int], ...] = ()


class RateControl:
    """Moves the rate between `lowest` and `highest` (per second) by what was accepted and refused.

    `spread` is the mean slot over the shortest one: slots are a little longer than 1/rate by
    chance, and what a receiver bears is the mean.
    """

    def __init__(self, learnt: Learnt, *, lowest: float, highest: float, spread: float) -> None:
        self._lowest, self._highest, self._spread = lowest, highest, spread
        self.rate = self._within(learnt.rate)
        self.ceiling = learnt.ceiling
        self.slow_start = learnt.slow_start
        self._step = learnt.step
        self._probe_at = learnt.probe_at
        self._confirmed = learnt.confirmed
        self._window_since = learnt.window_since
        self._window_accepted = learnt.window_accepted
        self._accepted = learnt.accepted
        self._marks = list(learnt.marks)

    @property
    def learnt(self) -> Learnt:
        """All that is needed to go on as if nothing had happened."""
        return Learnt(
            rate=self.rate,
            ceiling=self.ceiling,
            slow_start=self.slow_start,
            step=self._step,
            probe_at=self._probe_at,
            confirmed=self._confirmed,
            window_since=self._window_since,
            window_accepted=self._window_accepted,
            accepted=self._accepted,
            marks=tuple(self._marks),
        )

    def accept(self, now: datetime) -> str:
        """One more was accepted; says why the rate rose, or nothing."""
        self._accepted += 1
        self._window_accepted += 1
        since = self._window_since
        if since is None:
            self._look_from(now)
        elif now - since >= WINDOW:
            enough = WINDOW_MESSAGES if self.slow_start else PROOF_MESSAGES
            if self._window_accepted > enough:
                return self._end_window(now, since)
        return ""

    def refuse(self, now: datetime) -> None:
        """Too fast: the rate falls to what was borne since the last hit. Once per episode."""
        before, known = self.rate, self._borne(now)
        probing = self.ceiling is not None and before > self.ceiling * MARGIN * 1.001
        if known >= before * DEEPEST_CUT:
            # Met again where it was: the knowledge is good, and looking again can wait longer.
            near = self.ceiling is not None and 0.85 < known / self.ceiling < 1.15
            self._confirmed = self._confirmed + 1 if probing and near else 0
            self.ceiling = min(known, before)
            self.rate = self._within(self.ceiling * MARGIN)
        else:
            # Too little was accepted since the last hit to know: halve, then close the gap.
            self._confirmed = 0
            self.ceiling, self.rate = before * 0.98, self._within(before * DEEPEST_CUT)
        self.slow_start = False
        self._step = FIRST_STEP
        self._forget()

    def refuse_still(self) -> None:
        """Refused again and again although it paused: what was known is not true any more."""
        self.rate = self._within(self.rate * DEEPEST_CUT)
        self._forget()

    def recall(self, rate: float) -> None:
        """What lowered the rate was not about speed: climb back."""
        self.ceiling = max(rate, self.ceiling or 0.0)

    def go_on(self, now: datetime, cost: timedelta) -> None:
        """An episode is over; it cost so much time. Probing again waits until that is earned."""
        dear = min(LONGEST_PATIENCE, max(LEAST_PATIENCE, cost / PROBE_COST))
        self._probe_at = now + min(dear, FIRST_PATIENCE * (1 << min(self._confirmed, 16)))
        self._forget()
        self._look_from(now)

    def _end_window(self, now: datetime, since: datetime) -> str:
        took = (now - since).total_seconds()
        used = self._window_accepted / took * self._spread / self.rate
        self._look_from(now)
        # A lane that had little to send, or slow connections, has proved nothing about more.
        if used < 0.7 or self.rate >= self._highest:
            return ""
        before = self.rate
        if self.ceiling is None or self.slow_start:
            self.rate, why = self._within(before * 2), "slow start"
        elif before < self.ceiling * MARGIN * 0.995:
            goal = self.ceiling * MARGIN
            self.rate, why = self._within((before + goal) / 2), "back towards the known limit"
            if self.rate > goal * 0.98:
                self.rate = self._within(goal)
        elif self._probe_at is not None and now < self._probe_at:
            return ""
        else:
            self.rate, why = self._within(before * (1 + self._step)), "probe"
            self._step = min(LARGEST_STEP, self._step * 2)
            known = self._borne(now)
            if known > self.ceiling * 1.05:
                # More was borne than was thought possible: the limit has moved.
                self.ceiling, self._confirmed = known, 0
        return why if self.rate > before else ""

    def _borne(self, now: datetime) -> float:
        """The best stretch since the last hit, as a rate between slots."""
        best = 0.0
        for at, accepted in self._marks:
            seconds = (now - at).total_seconds()
            if seconds > 0:
                best = max(best, (self._accepted - accepted - BUCKET) / seconds)
        return best * self._spread

    def _look_from(self, now: datetime) -> None:
        self._window_since, self._window_accepted = now, 0
        self._marks.append((now, self._accepted))
        if len(self._marks) > _MARKS:
            # Keeps the latest and ever fewer of the older ones.
            self._marks = self._marks[:-8:2] + self._marks[-8:]

    def _forget(self) -> None:
        self._window_since, self._window_accepted = None, 0
        self._accepted, self._marks = 0, []

    def _within(self, rate: float) -> float:
        return min(self._highest, max(self._lowest, rate))
