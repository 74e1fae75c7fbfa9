"""How long a send will take: a walk over days, lane by lane. Pure.

It knows what is certain (rates, day caps, hours, holidays, what a company takes an hour) and not
what servers will say: it assumes that a warm-up's days go well, and is the earliest end.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from math import ceil
from zoneinfo import ZoneInfo

from campaigns.window import Window, open_hours
from deliverability import OTHER, DayFacts, Limits, allowance, gap, next_step

#: A plan longer than this is a mistake in the pace, not a plan.
HORIZON_DAYS = 3650


@dataclass(frozen=True, kw_only=True, slots=True)
class LaneLoad:
    """What one lane has to carry."""

    provider: str
    messages: int
    #: Messages per second.
    rate: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Companies:
    """How the messages of the lane `other` are spread over company domains."""

    #: Messages an hour to one of them.
    per_hour: int
    #: Messages to one company -> companies with so many.
    sizes: Mapping[int, int] = field(default_factory=dict)

    def within(self, hours: float) -> int:
        """How many can have left after so many open hours."""
        most = self.per_hour * ceil(hours)
        return sum(min(size, most) * count for size, count in self.sizes.items())

    @property
    def largest(self) -> int:
        return max(self.sizes, default=0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Forecast:
    """When it ends at the earliest, and how much leaves on each local day."""

    #: Aware UTC; None when there is nothing to send or it would take longer than ten years.
    finish_at: datetime | None
    per_day: tuple[tuple[date, int], ...]


def forecast(
    lanes: list[LaneLoad],
    *,
    now: datetime,
    zone: ZoneInfo,
    window: Window | None = None,
    limits: Limits | None = None,
    step: int = 0,
    used_today: int = 0,
    companies: Companies | None = None,
) -> Forecast:
    """Spreads the lanes' messages over days: hours open x rate, the identity's day and its
    warm-up from `step` on, and what companies take."""
    limits = limits or Limits()
    left = {lane.provider: lane.messages for lane in lanes if lane.messages > 0}
    rates = {lane.provider: lane.rate for lane in lanes}
    days: list[tuple[date, int]] = []
    finish: datetime | None = None
    today = now.astimezone(zone).date()
    hours, to_companies = 0.0, 0
    for ahead in range(HORIZON_DAYS):
        if not left:
            break
        day = today + timedelta(days=ahead)
        opens, closes = _hours(day, window, zone)
        opens = max(opens, now)
        seconds = max(0.0, (closes - opens).total_seconds())
        used = used_today if ahead == 0 else 0
        cap = allowance(limits.warm_up, step, limits.per_day)
        sent = 0
        if seconds > 0.0:
            can = {p: min(n, int(rates[p] * seconds) or 1) for p, n in left.items()}
            if companies is not None and OTHER in can:
                room = companies.within(hours + seconds / 3600) - to_companies
                can[OTHER] = max(0, min(can[OTHER], room))
            apart = 0.0
            if cap is not None:
                if limits.spread:
                    apart = gap(cap, open_hours([window])).total_seconds()
                by_gap = int(seconds / apart) + 1 if apart else cap
                can = _cap(can, min(max(0, cap - used), by_gap))
            sent = sum(can.values())
            if sent:
                days.append((day, sent))
                slowest = max(n / rates[p] for p, n in can.items() if n)
                slowest = max(slowest, (sent - 1) * apart)
                if companies is not None and left.get(OTHER, 0) == can.get(OTHER, 0) > 0:
                    slowest = max(slowest, _companies_end(companies, hours) * 3600)
                finish = opens + timedelta(seconds=min(slowest, seconds))
            hours += seconds / 3600
            to_companies += can.get(OTHER, 0)
            left = {p: n - can.get(p, 0) for p, n in left.items() if n > can.get(p, 0)}
        if limits.warm_up is not None:
            step = next_step(limits.warm_up, step, DayFacts(used=used + sent)).step
    return Forecast(finish_at=None if left else finish, per_day=tuple(days))


def _companies_end(companies: Companies, hours: float) -> float:
    """Open hours from now on until the company with most messages has its last one.

    The first few leave at once, so the last of 12 at 5 an hour leaves after two hours.
    """
    return max(0.0, (companies.largest - 1) // companies.per_hour - hours)


def together(each: Sequence[Forecast]) -> Forecast:
    """Several who send side by side as one: done when the last of them is."""
    days: dict[date, int] = {}
    for one in each:
        for day, count in one.per_day:
            days[day] = days.get(day, 0) + count
    ends = [one.finish_at for one in each if one.per_day]
    finish = None if None in ends else max(filter(None, ends), default=None)
    return Forecast(finish_at=finish, per_day=tuple(sorted(days.items())))


def _hours(day: date, window: Window | None, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """When a local day opens and closes; both equal on a day without hours."""
    midnight = datetime.combine(day, time(), tzinfo=zone)
    if window is None:
        tomorrow = datetime.combine(day + timedelta(days=1), time(), tzinfo=zone)
        return midnight.astimezone(UTC), tomorrow.astimezone(UTC)
    if not window.open_on(day):
        return midnight.astimezone(UTC), midnight.astimezone(UTC)
    start = datetime.combine(
        day, time(window.from_minute // 60, window.from_minute % 60), tzinfo=zone
    )
    if window.to_minute == 24 * 60:
        end = datetime.combine(day + timedelta(days=1), time(), tzinfo=zone)
    else:
        end = datetime.combine(
            day, time(window.to_minute // 60, window.to_minute % 60), tzinfo=zone
        )
    return start.astimezone(UTC), end.astimezone(UTC)


def _cap(can: Mapping[str, int], cap: int) -> dict[str, int]:
    """At most `cap` in all, shared in proportion, the remainder to the largest lanes."""
    total = sum(can.values())
    if total <= cap:
        return dict(can)
    shares = {p: n * cap // total for p, n in can.items()}
    rest = cap - sum(shares.values())
    for provider in sorted(can, key=lambda p: -can[p])[:rest]:
        shares[provider] += 1
    return shares
