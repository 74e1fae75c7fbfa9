"""When a recipient may be written to: days and hours on the recipient's own clock. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from campaigns.errors import DefinitionError
from campaigns.public_holidays import is_holiday, knows
from deliverability import HOURS

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
#: What `[window]` may say.
WINDOW_KEYS = ("days", "from", "to", "skip_holidays")
_COUNTRY = re.compile(r"^[A-Za-z]{2}$")
_HOUR = re.compile(r"^([01]?\d|2[0-4]):([0-5]\d)$")


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """Allowed weekdays (0 = Monday) and hours, `from_minute` <= minute of the day < `to_minute`."""

    days: frozenset[int]
    from_minute: int
    to_minute: int
    #: Closed on public holidays of the lead's country.
    skip_holidays: bool = False
    #: Whose holidays count for leads without a country (ISO 3166-1 alpha-2); empty: nobody's.
    country: str = ""

    def open_on(self, day: date, country: str = "") -> bool:
        """Whether it opens on a local day where the lead is."""
        return day.weekday() in self.days and not (
            self.skip_holidays and is_holiday(country or self.country, day)
        )

    def admits(self, moment: datetime, zone: ZoneInfo, country: str = "") -> bool:
        """Whether `moment` (aware) lies inside on the clocks of `zone`, for a lead of `country`."""
        local = moment.astimezone(zone)
        minute = local.hour * 60 + local.minute
        return self.from_minute <= minute < self.to_minute and self.open_on(local.date(), country)

    def next_opening(self, moment: datetime, zone: ZoneInfo, country: str = "") -> datetime:
        """`moment` itself when inside, else the next instant (UTC) at which the window opens.

        Days on which the clocks change are handled by asking the zone, not by adding 24 hours: an
        opening hour that does not exist on such a day becomes the first minute after the gap.
        """
        if self.admits(moment, zone, country):
            return moment
        today = moment.astimezone(zone).date()
        for ahead in range(_AHEAD):
            day = today + timedelta(days=ahead)
            if not self.open_on(day, country):
                continue
            opening = _instant(day, self.from_minute, zone)
            if opening >= moment:
                return opening
        raise AssertionError("a window with at least one day opens within half a year")

    def body(self) -> dict[str, Any]:
        """The JSON form kept with a run."""
        body = {"days": sorted(self.days), "from": self.from_minute, "to": self.to_minute}
        # Left away when there is none, so that versions of before stay what they are.
        return body | ({"holidays": self.country} if self.skip_holidays else {})

    @staticmethod
    def of_body(body: Mapping[str, Any]) -> "Window":
        return Window(
            days=frozenset(body["days"]),
            from_minute=body["from"],
            to_minute=body["to"],
            skip_holidays="holidays" in body,
            country=body.get("holidays", ""),
        )


#: Days a window may stay closed: one day a week, and that a holiday for weeks in a row.
_AHEAD = 183
#: Minutes after its hour in which a variant of an hour still begins to leave.
_HOUR_LASTS = 60


def at_hour(minute: int | None, window: Window | None) -> Window | None:
    """The window in which a message begins to leave that is to leave at a minute of the day.

    On the days of the campaign's window; without a minute, that window.
    """
    if minute is None:
        return window
    of = window or Window(days=frozenset(range(7)), from_minute=0, to_minute=24 * 60)
    return replace(of, from_minute=minute, to_minute=min(minute + _HOUR_LASTS, 24 * 60))


def _instant(day: date, minute: int, zone: ZoneInfo) -> datetime:
    local = datetime.combine(day, time(minute // 60, minute % 60), tzinfo=zone)
    return local.astimezone(UTC)


def open_hours(windows: Iterable[Window | None]) -> float:
    """Hours a day that the longest of these windows is open; 12 where none says."""
    spans = [each.to_minute - each.from_minute for each in windows if each is not None]
    return max(spans) / 60 if spans else HOURS


def zone_of(name: str, fallback: ZoneInfo) -> ZoneInfo:
    """The zone called `name`; `fallback` when it is empty or unknown, so nobody vanishes."""
    if not name:
        return fallback
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return fallback


def read_window(data: Mapping[str, Any], where: str) -> Window:
    """`{days = "mon-fri", from = "09:00", to = "17:00"}` as a Window.

    Raises DefinitionError with what is allowed.
    """
    unknown = set(data) - set(WINDOW_KEYS)
    if unknown:
        raise DefinitionError(
            f"{where}: unknown key {sorted(unknown)[0]!r} in [window]; known are "
            f"{', '.join(WINDOW_KEYS)}"
        )
    start, end = (
        minute_of(data.get(k, v), where, k) for k, v in (("from", "00:00"), ("to", "24:00"))
    )
    if start >= end:
        raise DefinitionError(f"{where}: the window closes ({data.get('to')}) before it opens")
    skip, country = _holidays(data.get("skip_holidays", False), where)
    return Window(
        days=_days(data.get("days", "mon-sun"), where),
        from_minute=start,
        to_minute=end,
        skip_holidays=skip,
        country=country,
    )


def _holidays(value: object, where: str) -> tuple[bool, str]:
    """`true`, or `"PL"`: those of the lead's country, and Poland's for leads without one."""
    if isinstance(value, bool):
        return value, ""
    if isinstance(value, str) and _COUNTRY.match(value.strip()) and knows(value.strip().upper()):
        return True, value.strip().upper()
    raise DefinitionError(
        f"{where}: skip_holidays = {value!r} is not understood; write skip_holidays = true, or "
        '"PL" to take Poland for leads without a country'
    )


def minute_of(text: object, where: str, key: str) -> int:
    """`"09:30"` as a minute of the day; raises DefinitionError."""
    match = _HOUR.match(text) if isinstance(text, str) else None
    if match is None:
        raise DefinitionError(f'{where}: {key} = {text!r} is no time of day; write {key} = "09:00"')
    minute = int(match[1]) * 60 + int(match[2])
    if minute > 24 * 60:
        raise DefinitionError(f'{where}: {key} = "{text}" is past midnight; the latest is "24:00"')
    return minute


def _days(text: object, where: str) -> frozenset[int]:
    wanted = f'{where}: days = {text!r} is not understood; write "mon-fri" or "tue, thu"'
    if not isinstance(text, str):
        raise DefinitionError(wanted)
    found: set[int] = set()
    for part in text.lower().replace(" ", "").split(","):
        first, dash, last = part.partition("-")
        if first[:3] not in DAYS or (dash and last[:3] not in DAYS):
            raise DefinitionError(wanted)
        start = DAYS.index(first[:3])
        end = DAYS.index(last[:3]) if dash else start
        found.update(day % 7 for day in range(start, end + 1 if end >= start else end + 8))
    return frozenset(found)
