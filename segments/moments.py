"""What times in a rule mean at one moment, in one zone. SQL and the judge both stand on this."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from datetime import tzinfo as Zone  # noqa: N812

from segments.terms import Ago, Day, Moment, Span, Today, Value

#: A plain comparison with an instant; several of them all must hold.
Limit = tuple[str, datetime]

_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


def before(now: datetime, span: Span, zone: Zone) -> datetime:
    """The instant `span` before `now`. Months and years follow the calendar of `zone`."""
    return _shift(now, span, zone, -1)


def _shift(now: datetime, span: Span, zone: Zone, sign: int) -> datetime:
    match span.unit:
        case "minute" | "hour" | "day" | "week":
            return now + sign * timedelta(**{f"{span.unit}s": span.count})
    months = span.count * (12 if span.unit == "year" else 1)
    local = now.astimezone(zone).replace(tzinfo=None)
    year, month = divmod(local.year * 12 + local.month - 1 + sign * months, 12)
    following = date(year + (month + 1) // 12, (month + 1) % 12 + 1, 1)
    # One month before the 31st of March is the last of February.
    last = (following - timedelta(days=1)).day
    moved = local.replace(year=year, month=month + 1, day=min(local.day, last))
    return moved.replace(tzinfo=zone).astimezone(UTC)


def _day(day: date, zone: Zone) -> tuple[datetime, datetime]:
    first = datetime.combine(day, time(), zone).astimezone(UTC)
    return first, datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)


def limits(operator: str, value: Value, *, now: datetime, zone: Zone) -> Sequence[Limit]:
    """What an instant must satisfy for `instant operator value`; `!=` is left to the caller.

    A day is all of it: later than a day begins when it is over.
    """
    if isinstance(value, Day | Today):
        first, after = _day(day_of(value, now=now, zone=zone), zone)
        return {
            "=": ((">=", first), ("<", after)),
            "<": (("<", first),),
            "<=": (("<", after),),
            ">": ((">=", after),),
            ">=": ((">=", first),),
        }[operator]
    if isinstance(value, Moment):
        return ((operator, value.local.replace(tzinfo=zone).astimezone(UTC)),)
    if isinstance(value, Ago):
        return ((operator, _shift(now, value.span, zone, 1 if value.ahead else -1)),)
    raise TypeError(f"{value!r} is no time")


def age_limit(operator: str, span: Span, *, now: datetime, zone: Zone) -> Limit:
    """Being older than a span is having begun before the moment it reaches back to."""
    return _FLIPPED[operator], before(now, span, zone)


def day_of(value: Value, *, now: datetime, zone: Zone) -> date:
    """The calendar day in `zone` that a value falls on."""
    if isinstance(value, Day):
        return value.day
    if isinstance(value, Today):
        return now.astimezone(zone).date()
    if isinstance(value, Ago):
        moment = _shift(now, value.span, zone, 1 if value.ahead else -1)
        return moment.astimezone(zone).date()
    raise TypeError(f"{value!r} is no day")
