"""When a lane may send its next message. Pure: time comes in as an argument, chance from a seed.

A lane sends one message per slot, slots at least 1/rate apart with a little random room on top, so
that no window of time ever holds more than its share. What servers answer moves the lane: a rate
refusal cuts the rate once and pauses, a block pauses for hours, a refused login waits for a person.
Only causes decided by `classify` steer; noise such as greylisting does not.
"""

import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from deliverability.errors import ProviderError
from deliverability.outcome import Cause, Outcome, Verdict
from deliverability.providers import Provider

#: A pause that only a person ends (`potok campaigns resume`, or the identity set right).
UNTIL_SOMEBODY_LOOKS = datetime(9999, 12, 31, tzinfo=UTC)

BLOCK_PAUSE = timedelta(hours=2)
#: Rate and network pauses double from the first to the longest.
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=1)
#: Accepted messages in a row after which half of the lost rate is given back.
CLEAN = 20
#: RFC 5321 4.5.4.1 asks for patience; the first tries are early because greylisting ends early.
RETRY_MINUTES = (5, 15, 30, 60, 120, 240)
#: With the last interval this is five days, the time RFC 5321 4.5.4.1 suggests giving up after.
MOST_RETRIES = 35


@dataclass(frozen=True, kw_only=True, slots=True)
class PaceSettings:
    """`[pace.default]`, `[pace.<provider>]`: how fast one lane may be."""

    #: Messages per minute: the rate to start with and never to go over.
    per_minute: float = 60.0
    #: Connections of this lane at the same time; the identity's limit also holds.
    connections: int = 2
    #: Messages on one connection before it is closed.
    per_connection: int = 100
    #: Random extra room between slots, as a share of the slot.
    jitter: float = 0.2

    def __post_init__(self) -> None:
        if not 0 < self.per_minute <= 1_000_000:
            raise ProviderError(f"per_minute = {self.per_minute:g}: write a number above 0")
        if self.connections < 1 or self.per_connection < 1:
            raise ProviderError("connections and per_connection start at 1")
        if not 0 <= self.jitter <= 1:
            raise ProviderError(f"jitter = {self.jitter:g}: write a share from 0 to 1")

    @property
    def expected_rate(self) -> float:
        """Messages per second to plan with: the average slot is longer than the shortest."""
        return self.per_minute / 60 / (1 + self.jitter / 2)

    def within(self, provider: Provider | None) -> "PaceSettings":
        """These settings, no hotter than what the shipped table says of the provider."""
        if provider is None:
            return self
        return replace(
            self,
            per_minute=min(self.per_minute, provider.per_minute or self.per_minute),
            connections=min(self.connections, provider.connections or self.connections),
            per_connection=min(self.per_connection, provider.per_connection or self.per_connection),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class PaceState:
    """What is kept in the lane's row between processes."""

    #: Messages per second when it was cut; None while the settings' own rate holds.
    rate: float | None = None
    paused_until: datetime | None = None
    #: The words that paused it.
    reason: str = ""


class Pacer:
    """One lane's pace. Ask `next_slot`, tell `took` when a message leaves, tell `on_outcome`."""

    def __init__(
        self, settings: PaceSettings, *, seed: str, state: PaceState | None = None
    ) -> None:
        self._settings = settings
        self._seed = seed
        self._ceiling = settings.per_minute / 60
        self._floor = min(self._ceiling, 1 / 60)
        kept = state or PaceState()
        self._rate = min(self._ceiling, max(self._floor, kept.rate or self._ceiling))
        self._paused_until = kept.paused_until
        self._reason = kept.reason
        self._free_at: datetime | None = None
        self._taken = 0
        #: Rate (or network) refusals since the last success; each new pause doubles.
        self._strikes = 0
        self._clean = 0

    @property
    def rate(self) -> float:
        """Messages per second now."""
        return self._rate

    @property
    def state(self) -> PaceState:
        """What to write into the lane's row."""
        return PaceState(
            rate=None if self._rate >= self._ceiling else self._rate,
            paused_until=self._paused_until,
            reason=self._reason,
        )

    def paused(self, now: datetime) -> bool:
        return self._paused_until is not None and now < self._paused_until

    def next_slot(self, now: datetime) -> datetime:
        """The earliest instant, not before `now`, at which one message may leave."""
        slot = now
        if self._free_at is not None:
            slot = max(slot, self._free_at)
        if self._paused_until is not None:
            slot = max(slot, self._paused_until)
        return slot

    def took(self, at: datetime) -> None:
        """A message leaves at `at`: the next slot opens 1/rate later, plus jitter.

        Slots missed while nothing was due are lost: burst is 1. A message that left a little after
        its slot opened (a commit takes its time) eats into the jitter, not into the rate.
        """
        shortest = _up(1 / self._rate)
        gap = shortest + _up(
            self._settings.jitter * unit(f"{self._seed}:{self._taken}") / self._rate
        )
        opened = self._free_at if self._free_at is not None and self._free_at <= at else at
        self._taken += 1
        self._free_at = max(at + shortest, opened + gap)

    def on_outcome(self, now: datetime, outcome: Outcome) -> None:
        """Moves the lane by what a server said, or by a line that failed."""
        if outcome.verdict is Verdict.ACCEPTED:
            self._succeed(now)
        elif outcome.cause is Cause.RATE:
            self._slow_down(now, outcome)
        elif outcome.cause is Cause.BLOCKED:
            self._pause(now + BLOCK_PAUSE, _words(outcome))
        elif outcome.cause in (Cause.AUTHENTICATION, Cause.SENDER, Cause.TLS):
            self._stop(now, outcome)
        elif outcome.cause is Cause.NETWORK and outcome.verdict is Verdict.UNSENT:
            self._network(now, outcome)

    def resume(self) -> None:
        """A person looked: the pause ends, what was learnt about the rate stays."""
        self._paused_until, self._reason, self._strikes = None, "", 0

    def _succeed(self, now: datetime) -> None:
        self._strikes = 0
        if self._paused_until is not None and not self.paused(now):
            self._paused_until, self._reason = None, ""
        self._clean += 1
        if self._clean >= CLEAN and self._rate < self._ceiling:
            self._clean = 0
            self._rate = min(
                self._ceiling,
                self._rate + max((self._ceiling - self._rate) / 2, self._ceiling * 0.02),
            )

    def _slow_down(self, now: datetime, outcome: Outcome) -> None:
        """One cut per episode: an episode ends at the next success. Every pause doubles."""
        if self.paused(now):
            return  # an answer to what was under way when the pause began
        self._clean = 0
        if self._strikes == 0 or self._strikes == 3:
            self._rate = max(self._floor, self._rate * 0.5)
        self._pause(now + self._doubling(), _words(outcome))
        self._strikes += 1

    def _network(self, now: datetime, outcome: Outcome) -> None:
        if self.paused(now):
            return
        # One lost line is nothing; the second in a row says that the server is away.
        if self._strikes or outcome.phase == "connect":
            self._pause(now + self._doubling() / 3, _words(outcome))
        self._strikes += 1

    def _stop(self, now: datetime, outcome: Outcome) -> None:
        temporary = outcome.code is not None and outcome.code < 500
        until = now + BLOCK_PAUSE if temporary else UNTIL_SOMEBODY_LOOKS
        self._pause(until, _words(outcome))

    def _doubling(self) -> timedelta:
        return min(LONGEST_PAUSE, FIRST_PAUSE * (1 << min(self._strikes, 10)))

    def _pause(self, until: datetime, reason: str) -> None:
        if self._paused_until is None or until > self._paused_until:
            self._paused_until, self._reason = until, reason


def _up(seconds: float) -> timedelta:
    """Rounded up to whole microseconds: never above the rate means never."""
    return timedelta(microseconds=math.ceil(seconds * 1_000_000))


def _words(outcome: Outcome) -> str:
    code = f"{outcome.code} " if outcome.code else ""
    return f"{outcome.cause}: {code}{outcome.reply}"[:500]


def retry_after(deferrals: int, seed: str) -> timedelta | None:
    """How long to wait after the `deferrals`-th deferral (1 = the first); None: give up.

    5, 15, 30, 60, 120, 240 minutes, then every four hours, each moved by up to a fifth so that
    messages deferred together do not come back together.
    """
    if deferrals > MOST_RETRIES:
        return None
    minutes = RETRY_MINUTES[min(max(deferrals, 1), len(RETRY_MINUTES)) - 1]
    return timedelta(minutes=minutes * (0.8 + 0.4 * unit(f"{seed}:{deferrals}")))


def unit(seed: str) -> float:
    """A number in [0, 1) that the seed alone decides: a replay makes the same schedule."""
    return int.from_bytes(sha256(seed.encode()).digest()[:7]) / 2**56
