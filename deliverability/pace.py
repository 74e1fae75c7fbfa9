"""When a lane may send its next message. Pure: time comes in as an argument, chance from a seed.

A lane sends one message per slot, slots at least 1/rate apart with a little random room on top, so
that no window of time ever holds more than its share. What servers answer moves the lane: a rate
refusal cuts the rate once and pauses, a block pauses for hours, a refused login waits for a person.
Only causes decided by `classify` steer; noise such as greylisting does not. How fast the rate falls
and rises is `rate_control.py`.
"""

import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from deliverability.odd_answers import OddAnswers
from deliverability.outcome import Cause, Outcome, Verdict
from deliverability.pace_settings import PaceSettings
from deliverability.rate_control import Learnt, RateControl
from deliverability.retries import unit

#: A pause that only a person ends (`potok campaigns resume`, or the identity set right).
UNTIL_SOMEBODY_LOOKS = datetime(9999, 12, 31, tzinfo=UTC)

BLOCK_PAUSE = timedelta(hours=2)
#: Rate and network pauses double from the first to the longest.
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=1)
#: After a pause one message tries; the next follows at once when it is taken, else so much later.
TRY = timedelta(seconds=10)

NOTHING_ODD = OddAnswers()


@dataclass(frozen=True, kw_only=True, slots=True)
class PaceState:
    """What is kept in the lane's row between processes."""

    learnt: Learnt | None = None
    #: Whether an answer has moved the rate; until then the settings say where it begins.
    taught: bool = False
    paused_until: datetime | None = None
    #: The words that paused it.
    reason: str = ""
    #: Refusals of the present episode, how long it paused for them so far, and how long it took
    #: last time to be taken again.
    strikes: int = 0
    waited: timedelta = timedelta(0)
    recovery: timedelta = FIRST_PAUSE
    #: Lost lines in a row.
    lost: int = 0
    #: Refusals that say nothing.
    odd: OddAnswers = NOTHING_ODD
    #: When the next slot opens; and when it might, should the try before it be taken.
    free_at: datetime | None = None
    soonest: datetime | None = None

    @property
    def rate(self) -> float | None:
        """Messages per second learnt; None until the provider has taught us anything."""
        return self.learnt.rate if self.learnt and self.taught else None


@dataclass(frozen=True, kw_only=True, slots=True)
class RateMove:
    """One move of a lane: a rate that changed (messages per second), or a pause that began."""

    at: datetime
    before: float
    after: float
    #: Why, in a few words.
    cause: str
    #: What the server said, if it was a server.
    words: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Lessons:
    """What is to be written down: the state as it is now, and what moved since the last time."""

    state: PaceState
    moves: tuple[RateMove, ...] = ()


class Pacer:
    """One lane's pace. Ask `next_slot`, tell `took` when a message leaves, tell `on_outcome`."""

    def __init__(
        self, settings: PaceSettings, *, seed: str, state: PaceState | None = None
    ) -> None:
        self._jitter = settings.jitter
        self._seed = seed
        kept = state or PaceState()
        learnt = kept.learnt or Learnt(rate=settings.start)
        self._control = RateControl(
            learnt if kept.taught else replace(learnt, rate=settings.start),
            lowest=min(settings.start, 1 / 60),
            highest=settings.highest,
            spread=settings.spread,
        )
        self._taught = kept.taught
        self._paused_until, self._reason = kept.paused_until, kept.reason
        self._strikes, self._waited = kept.strikes, kept.waited
        self._recovery, self._lost, self._odd = kept.recovery, kept.lost, kept.odd
        self._free_at, self._soonest = kept.free_at, kept.soonest
        self._moves: list[RateMove] = []
        self._learnt_more = False

    @property
    def rate(self) -> float:
        """Messages per second now."""
        return self._control.rate

    @property
    def state(self) -> PaceState:
        """What to write into the lane's row: enough to go on as if nothing had happened."""
        return PaceState(
            learnt=self._control.learnt,
            taught=self._taught,
            paused_until=self._paused_until,
            reason=self._reason,
            strikes=self._strikes,
            waited=self._waited,
            recovery=self._recovery,
            lost=self._lost,
            odd=self._odd,
            free_at=self._free_at,
            soonest=self._soonest,
        )

    @property
    def pause(self) -> tuple[datetime | None, str]:
        """Until when it is paused, and the words that paused it."""
        return self._paused_until, self._reason

    def take_lessons(self) -> Lessons | None:
        """What was learnt since it was asked last; None after most messages."""
        if not self._learnt_more:
            return None
        moves, self._moves, self._learnt_more = tuple(self._moves), [], False
        return Lessons(state=self.state, moves=moves)

    def paused(self, now: datetime) -> bool:
        return self._paused_until is not None and now < self._paused_until

    def next_slot(self, now: datetime) -> datetime:
        """The earliest instant, not before `now`, at which one message may leave."""
        slot = now
        if self._free_at is not None and self._free_at > slot:
            slot = self._free_at
        if self._paused_until is not None and self._paused_until > slot:
            slot = self._paused_until
        return slot

    def took(self, at: datetime, *, key: str) -> None:
        """A message leaves at `at`: the next slot opens 1/rate later, plus jitter.

        `key` names campaign and lead, so that the same plan leaves the same gaps again. Slots
        missed while nothing was due are lost: burst is 1. A message that left a little after
        its slot opened (a commit takes its time) eats into the jitter, not into the rate.
        """
        slot = 1 / self._control.rate
        shortest = _up(slot)
        gap = shortest + _up(self._jitter * unit(f"{self._seed}:{key}") * slot)
        opened = self._free_at if self._free_at is not None and self._free_at <= at else at
        self._soonest, self._free_at = None, max(at + shortest, opened + gap)
        if self._strikes:
            self._soonest, self._free_at = self._free_at, max(self._free_at, at + TRY)
        if shortest >= _MINUTE:
            self._learnt_more = (
                True  # slow lanes remember each slot, or every restart would make one
            )

    def on_outcome(self, now: datetime, outcome: Outcome) -> None:
        """Moves the lane by what a server said, or by a line that failed."""
        if outcome.verdict is Verdict.UNSENT:
            if outcome.cause is Cause.NETWORK:
                self._network(now, outcome)
            return
        cause = outcome.cause
        odd = cause is Cause.OTHER and outcome.verdict is Verdict.DEFERRED
        if odd or self._odd.bits:
            self._odd = self._odd.hear(odd)
        if outcome.verdict is Verdict.ACCEPTED:
            self._succeed(now)
        elif cause is Cause.RATE or (odd and self._odd.enough(now) and self._is_speed(now)):
            self._slow_down(now, outcome)
        elif cause is Cause.BLOCKED:
            self._pause(now, now + (outcome.suspend or BLOCK_PAUSE), outcome)
        elif outcome.suspend is not None:
            self._pause(now, now + outcome.suspend, outcome)
        elif cause in (Cause.AUTHENTICATION, Cause.SENDER, Cause.TLS):
            temporary = outcome.code is not None and outcome.code < 500
            self._pause(now, now + BLOCK_PAUSE if temporary else UNTIL_SOMEBODY_LOOKS, outcome)

    def resume(self) -> None:
        """A person looked: the pause ends, what was learnt about the rate stays."""
        self._paused_until, self._reason = None, ""
        self._strikes, self._waited, self._lost = 0, timedelta(0), 0

    def _succeed(self, now: datetime) -> None:
        self._lost = 0
        if not self.paused(now):
            # What was under way when a pause began and is taken all the same ends nothing.
            if self._paused_until is not None:
                self._paused_until, self._reason = None, ""
                self._learnt_more = True
            if self._strikes:
                self._end_episode(now)
        before = self._control.rate
        why = self._control.accept(now)
        if why:
            self._taught = True
            self._moved(now, before, why)

    def _slow_down(self, now: datetime, outcome: Outcome) -> None:
        """One cut per episode: an episode ends at the next success. Every pause doubles."""
        if self.paused(now):
            return  # an answer to what was under way when the pause began
        before, words = self._control.rate, _words(outcome)
        self._taught = True
        self._strikes += 1
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * (1 << min(self._strikes - 1, 10)))
        if self._strikes == 1:
            self._control.refuse(now)
            # A little less than it took last time: receivers also forgive sooner than they did.
            pause = max(pause, min(LONGEST_PAUSE, self._recovery * 0.85))
        elif self._strikes == 4:
            self._control.refuse_still()
        if outcome.suspend is not None:
            pause = outcome.suspend  # as the table says; it teaches nothing about the next one
        else:
            self._waited += pause
        self._moved(now, before, f"refused: paused for {pause.total_seconds():.0f} s", words)
        self._until(now + pause, words)

    def _is_speed(self, now: datetime) -> bool:
        """Whether odd refusals are about our speed, as far as is known."""
        if self.paused(now):
            return False
        self._odd, lost = self._odd.judge(now, self.rate)
        if lost is None:
            return True
        self._control.recall(lost)
        self._moved(now, self.rate, "unclear refusals go on at half the rate: not about speed")
        return False

    def _end_episode(self, now: datetime) -> None:
        self._recovery = max(FIRST_PAUSE, min(self._waited, LONGEST_PAUSE))
        self._control.go_on(now, self._waited)
        self._strikes, self._waited = 0, timedelta(0)
        if self._soonest is not None:
            self._free_at, self._soonest = max(now, self._soonest), None
        self._learnt_more = True

    def _network(self, now: datetime, outcome: Outcome) -> None:
        if self.paused(now):
            return
        # One lost line is nothing; the second in a row says that the server is away.
        if self._lost or outcome.phase == "connect":
            pause = min(LONGEST_PAUSE, FIRST_PAUSE * (1 << min(self._lost, 10))) / 3
            self._pause(now, now + pause, outcome)
        self._lost += 1

    def _pause(self, now: datetime, until: datetime, outcome: Outcome) -> None:
        if self._paused_until is None or until > self._paused_until:
            words = _words(outcome)
            self._moved(now, self.rate, f"paused: {outcome.cause}", words)
            self._until(until, words)

    def _until(self, until: datetime, reason: str) -> None:
        if self._paused_until is None or until > self._paused_until:
            self._paused_until, self._reason = until, reason

    def _moved(self, now: datetime, before: float, cause: str, words: str = "") -> None:
        self._learnt_more = True
        self._moves.append(
            RateMove(at=now, before=before, after=self.rate, cause=cause, words=words)
        )


_MINUTE = timedelta(minutes=1)


def _up(seconds: float) -> timedelta:
    """Rounded up to whole microseconds: never above the rate means never."""
    return timedelta(microseconds=math.ceil(seconds * 1_000_000))


def _words(outcome: Outcome) -> str:
    code = f"{outcome.code} " if outcome.code else ""
    return f"{outcome.cause}: {code}{outcome.reply}"[:500]
