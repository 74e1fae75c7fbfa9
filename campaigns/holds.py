"""What holds a lane back now, in words for a marketer; the weightiest first. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from campaigns.lane_standing import Standing
from deliverability import UNTIL_SOMEBODY_LOOKS, PaceSettings


@dataclass(frozen=True, kw_only=True, slots=True)
class Hold:
    """One thing that keeps messages waiting."""

    #: sender | pause | breaker | trial | spread | company | day | run | due | rate | idle |
    #: message, for scripts.
    kind: str
    what: str
    #: When it ends by itself, aware UTC.
    until: datetime | None = None
    #: What somebody can do about it.
    do: str = ""

    def document(self) -> dict[str, object]:
        return {"kind": self.kind, "what": self.what, "until": self.until, "do": self.do}


@dataclass(frozen=True, kw_only=True, slots=True)
class LaneLimits:
    """What the settings say of a lane."""

    pace: PaceSettings
    #: Messages of the identity today, by its cap and its warm-up; None: no cap.
    per_day: int | None
    #: Why the identity cannot send; empty when it can.
    absent: str = ""
    #: Who sends now ("process 12 on host"); None when no `potok run` is at work.
    sender: str | None = None
    #: Messages one company gets within an hour, where the lane is for companies; None: no limit.
    company_per_hour: int | None = None
    #: Breakers that tripped, and the turn of a day that is spread over its hours.
    others: tuple[Hold, ...] = ()

    @property
    def breaker(self) -> Hold | None:
        return next((hold for hold in self.others if hold.kind == "breaker"), None)


def state_of(lane: Standing, limits: LaneLimits, *, now: datetime) -> str:
    """One word: paused, stopped (until a person looks), full, waiting, due, sending or idle."""
    until = lane.pace.paused_until
    if until is not None and now < until:
        return "stopped" if until >= UNTIL_SOMEBODY_LOOKS else "paused"
    if limits.breaker is not None:
        return "stopped" if limits.breaker.until is None else "paused"
    if not lane.waiting:
        return "sending" if lane.sending else "held" if lane.held else "idle"
    if limits.absent:
        return "stopped"
    if limits.per_day is not None and lane.used_today >= limits.per_day:
        return "full"
    if lane.due is not None and lane.due > now:
        return "waiting"
    return "sending" if limits.sender else "due"


def holds_of(
    lane: Standing, limits: LaneLimits, *, now: datetime, zone: ZoneInfo
) -> Iterator[Hold]:
    """Everything that holds the lane back, from what stops it to what only slows it down."""
    if limits.absent:
        yield Hold(kind="sender", what=f"{lane.identity} cannot send: {limits.absent}")
    yield from _pause(lane, now)
    yield from limits.others
    if limits.per_day is not None and lane.used_today >= limits.per_day:
        tomorrow = now.astimezone(zone).date() + timedelta(days=1)
        yield Hold(
            kind="day",
            what=f"{lane.identity} has used its {limits.per_day:,} messages of today",
            until=datetime.combine(tomorrow, time(), tzinfo=zone).astimezone(UTC),
            do=f"raise per_day under [identity.{lane.identity}.limits]",
        )
    for campaign, (count, why) in sorted(lane.held.items()):
        yield Hold(
            kind="run",
            what=f"{count:,} of {campaign} wait: it is not running ({why})",
            do=f"potok campaigns resume {campaign}",
        )
    if lane.waiting and limits.sender is None:
        yield Hold(
            kind="sender",
            what=f"no potok run is at work: {lane.waiting:,} wait for one",
            do="potok run",
        )
    if lane.waiting and lane.due is not None and lane.due > now:
        reasons = ["hours of sending", "limits of the leads"]
        if limits.company_per_hour is not None:
            reasons.append(f"at most {limits.company_per_hour} an hour to one company")
        if lane.deferred:
            reasons.append(f"a server asked to bring {lane.deferred:,} of them later")
        yield Hold(
            kind="due",
            what=f"none of the {lane.waiting:,} that wait is due yet ({', '.join(reasons)})",
            until=lane.due,
        )
    if not lane.waiting and not lane.held:
        yield Hold(kind="idle", what="nothing waits in this lane")
    yield _rate(lane, limits.pace)


def _pause(lane: Standing, now: datetime) -> Iterator[Hold]:
    until, why = lane.pace.paused_until, lane.pace.reason
    if until is None or until <= now:
        return
    if until >= UNTIL_SOMEBODY_LOOKS:
        yield Hold(
            kind="pause",
            what=f"stopped until somebody looks; the server said: {why}",
            do="set right what it names, then potok campaigns resume NAME",
        )
    else:
        again = f" ({lane.pace.strikes} times in a row)" if lane.pace.strikes > 1 else ""
        yield Hold(kind="pause", what=f"paused{again}; the server said: {why}", until=until)


def _rate(lane: Standing, pace: PaceSettings) -> Hold:
    learnt = lane.pace.learnt
    most = f"{pace.highest * 60:,.3g}"
    if learnt is None or not lane.pace.taught:
        what = (
            f"{pace.start * 60:,.3g} a minute to begin with, at most {most}: nothing is learnt of "
            "this receiver yet"
        )
    elif learnt.rate >= pace.highest:
        what = f"{most} a minute, its maximum (at_most_per_minute)"
    elif learnt.slow_start:
        what = f"{learnt.rate * 60:,.3g} a minute, doubling while nobody objects, at most {most}"
    else:
        known = (learnt.ceiling or learnt.rate) * 60
        what = (
            f"{learnt.rate * 60:,.3g} a minute: learnt from its answers, the receiver's limit is "
            f"about {known:,.3g}; at most {most}"
        )
    rate = min(learnt.rate if learnt and lane.pace.taught else pace.start, pace.highest)
    if lane.waiting > 1:
        what += f"; at this rate {lane.waiting:,} take {_span(lane.waiting / rate * pace.spread)}"
    return Hold(kind="rate", what=what)


def _span(seconds: float) -> str:
    for unit, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds"
