"""Temporary refusals that say nothing: are they about our speed? Pure.

One says nothing. Two among the last twenty are taken for a receiver that slows us down without
saying so. If they go on when the lane has become half as fast, they never were about speed, and
for some hours nobody listens to them: noise must not bring a lane to a standstill.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

#: So many among so many of the last answers.
ENOUGH, LAST = 2, 20
DEAF = timedelta(hours=6)
#: A slow-down so long ago has nothing to do with what is said now.
OLD = timedelta(hours=2)


@dataclass(frozen=True, kw_only=True, slots=True)
class OddAnswers:
    """What is remembered of them."""

    #: One bit for each of the last answers.
    bits: int = 0
    #: How fast the lane was when it was slowed down for them first, and when it was last.
    rate: float | None = None
    at: datetime | None = None
    deaf_until: datetime | None = None

    def hear(self, odd: bool) -> "OddAnswers":
        """One more answer."""
        bits = ((self.bits << 1) | odd) & ((1 << LAST) - 1)
        return self if bits == self.bits else replace(self, bits=bits)

    def enough(self, now: datetime) -> bool:
        """Whether they ask for a verdict."""
        return self.bits.bit_count() >= ENOUGH and not (self.deaf_until and now < self.deaf_until)

    def judge(self, now: datetime, rate: float) -> tuple["OddAnswers", float | None]:
        """What to remember; and, when they turned out not to be about speed, the rate (messages
        per second) that was lost to them."""
        if self.rate is None or self.at is None or now - self.at > OLD:
            return OddAnswers(rate=rate, at=now), None
        if rate > self.rate / 2:
            return OddAnswers(rate=self.rate, at=now), None
        return OddAnswers(deaf_until=now + DEAF), self.rate
