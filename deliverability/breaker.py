"""When sending must stop by itself: too many bounces, complaints, refused logins. Pure.

A breaker looks at how many of the messages that got an answer went bad. A few messages say little:
so many must have been answered first, and what counts is the lower end of Wilson's interval
(Wilson 1927), the rate that chance alone does not explain. One bounce of ten stops nobody.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import sqrt

#: Two-sided 95 %.
_Z = 1.96
#: Messages that must have been answered before a rate of bounces says anything.
LEAST = 50
#: Complaints come one in thousands: below so many messages their number counts, not their rate.
LEAST_FOR_COMPLAINTS = 1000
#: So many complaints stop sending while the rate says nothing yet.
MOST_COMPLAINTS = 2
#: The second window of every breaker: the last so many messages, however old.
LAST_MESSAGES = 200
#: Messages that leave first after somebody has looked.
PROBES = 5
#: How long the last probe's bounce may take before all is well.
LISTEN = timedelta(minutes=2)


class Scope(StrEnum):
    """What a breaker stops."""

    RUN = "run"
    IDENTITY = "identity"
    LANE = "lane"


class Measure(StrEnum):
    """What a breaker looks at."""

    BOUNCES = "bounces"
    COMPLAINTS = "complaints"
    AUTHENTICATION = "authentication"
    DEFERRALS = "deferrals"


class Level(StrEnum):
    """What the numbers say."""

    FINE = "fine"
    WARN = "warn"
    TRIP = "trip"


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """Messages with an answer, and how many of them went bad."""

    #: For a sentence: `of 24 hours`, `the last 200`.
    name: str
    answered: int
    bad: int

    @property
    def rate(self) -> float:
        return self.bad / self.answered if self.answered else 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """What a breaker makes of its windows, and the window that says so."""

    level: Level
    window: Window | None = None


#: (warn, trip) by what is looked at. Google asks for complaints below 0.1 % and never 0.3 % (Email
#: sender guidelines); limits of bounces are those large senders' services close accounts at.
BOUNCES: dict[Scope, tuple[float, float]] = {
    Scope.RUN: (0.02, 0.05),
    Scope.IDENTITY: (0.02, 0.03),
}
COMPLAINTS = (0.001, 0.003)


def lower_bound(bad: int, answered: int) -> float:
    """The lower end of Wilson's 95 % interval for a share; 0 for nothing seen."""
    if answered <= 0 or bad <= 0:
        return 0.0
    share, square = bad / answered, _Z * _Z
    middle = share + square / (2 * answered)
    half = _Z * sqrt(share * (1 - share) / answered + square / (4 * answered * answered))
    return max(0.0, (middle - half) / (1 + square / answered))


def judge_windows(measure: Measure, scope: Scope, windows: Sequence[Window]) -> Judged:
    """The worst that one of the windows says of a run or an identity.

    Bounces: each window with at least 50 answers. Complaints: each with at least 1,000; when none
    has so many, two complaints in the fullest window are enough.
    """
    if measure is Measure.AUTHENTICATION:
        worst = max(windows, key=lambda each: each.bad, default=None)
        bad = worst is not None and worst.bad > 0
        return Judged(level=Level.TRIP if bad else Level.FINE, window=worst if bad else None)
    if measure is Measure.BOUNCES:
        return _by_rate([w for w in windows if w.answered >= LEAST], *BOUNCES[scope])
    large = [each for each in windows if each.answered >= LEAST_FOR_COMPLAINTS]
    if large:
        return _by_rate(large, *COMPLAINTS)
    fullest = max(windows, key=lambda each: (each.answered, each.bad), default=None)
    if fullest is None or not fullest.bad:
        return Judged(level=Level.FINE)
    tripped = fullest.bad >= MOST_COMPLAINTS
    return Judged(level=Level.TRIP if tripped else Level.WARN, window=fullest)


def _by_rate(windows: Sequence[Window], warn: float, trip: float) -> Judged:
    found = Judged(level=Level.FINE)
    for window in windows:
        if lower_bound(window.bad, window.answered) > trip:
            return Judged(level=Level.TRIP, window=window)
        if window.rate >= warn and window.bad > 1:
            found = Judged(level=Level.WARN, window=window)
    return found


def can_trip(measure: Measure, scope: Scope, bad: int) -> bool:
    """Whether so many could be too many in any window: below it there is nothing to count."""
    if measure is Measure.BOUNCES:
        return lower_bound(bad, max(bad, LEAST)) > BOUNCES[scope][1]
    return bad >= (MOST_COMPLAINTS if measure is Measure.COMPLAINTS else 1)


_WORDS = {
    Measure.BOUNCES: "addresses do not exist",
    Measure.COMPLAINTS: "recipients called the mail spam",
}


def what_was_seen(measure: Measure, scope: Scope, window: Window) -> str:
    """What was seen, for a marketer."""
    seen = f"{window.bad:,} of {window.answered:,} {_WORDS[measure]} ({window.name})"
    if measure is Measure.COMPLAINTS and window.answered < LEAST_FOR_COMPLAINTS:
        return f"{seen}: {MOST_COMPLAINTS} are enough while so few were written to"
    _warn, trip = BOUNCES[scope] if measure is Measure.BOUNCES else COMPLAINTS
    return f"{seen}: {window.rate:.1%}, and above {trip:.1%} sending stops"


#: A lane's answers looked at, and the share of them that may ask us to come back.
LANE_ANSWERS = 20
MOST_DEFERRED = 0.3
SUSPENSION = timedelta(hours=1)


class DeferralBreaker:
    """One lane's last answers; it is suspended when too many of them asked us to come back.

    After the suspension five messages go first, and the rest when at most one of them is deferred.
    """

    def __init__(self, until: datetime | None = None) -> None:
        #: Suspended until then, or tried with few messages after it; None: all is well.
        self.until = until
        self._answers: deque[bool] = deque(maxlen=LANE_ANSWERS)

    def room(self, under_way: int) -> int | None:
        """How many more may be claimed while it tries with a few; None: as many as you like."""
        if self.until is None:
            return None
        return max(0, PROBES - len(self._answers) - under_way)

    def answered(self, now: datetime, *, deferred: bool) -> Level:
        """Takes in one answer. TRIP: suspended from now on; FINE after a suspension: it is over."""
        if self.until is not None and now < self.until:
            return Level.TRIP  # an answer to what was under way when the suspension began
        self._answers.append(deferred)
        wanted = LANE_ANSWERS if self.until is None else PROBES
        if len(self._answers) >= wanted:
            if sum(self._answers) / len(self._answers) > MOST_DEFERRED:
                self.until = now + SUSPENSION
                self._answers.clear()
                return Level.TRIP
            self.until = None
        return Level.FINE
