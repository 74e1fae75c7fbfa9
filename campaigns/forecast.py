"""How long a send will take: a walk over days, lane by lane. Pure.

It knows what is certain (rates, day caps, hours) and not what servers will say, so it is the
earliest end; the real one is later when servers ask us to slow down.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from campaigns.window import Window

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
    per_day: int | None = None,
    used_today: int = 0,
) -> Forecast:
    """Spreads the lanes' messages over days: hours open x rate, and the identity's day cap."""
    left = {lane.provider: lane.messages for lane in lanes if lane.messages > 0}
    rates = {lane.provider: lane.rate for lane in lanes}
    days: list[tuple[date, int]] = []
    finish: datetime | None = None
    today = now.astimezone(zone).date()
    for ahead in range(HORIZON_DAYS):
        if not left:
            break
        day = today + timedelta(days=ahead)
        opens, closes = _hours(day, window, zone)
        opens = max(opens, now)
        seconds = max(0.0, (closes - opens).total_seconds())
        if seconds == 0.0:
            continue
        can = {p: min(n, int(rates[p] * seconds) or 1) for p, n in left.items()}
        if per_day is not None:
            can = _cap(can, max(0, per_day - (used_today if ahead == 0 else 0)))
        sent = sum(can.values())
        if sent:
            days.append((day, sent))
            slowest = max(n / rates[p] for p, n in can.items() if n)
            finish = opens + timedelta(seconds=min(slowest, seconds))
        left = {p: n - can[p] for p, n in left.items() if n > can[p]}
    return Forecast(finish_at=None if left else finish, per_day=tuple(days))


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
    if day.weekday() not in window.days:
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
