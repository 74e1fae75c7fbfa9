"""When a recipient may be written to: days and hours on the recipient's own clock. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from campaigns.errors import DefinitionError
from deliverability import HOURS

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HOUR = re.compile(r"^([01]?\d|2[0-4]):([0-5]\d)$")


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """Allowed weekdays (0 = Monday) and hours, `from_minute` <= minute of the day < `to_minute`."""

    days: frozenset[int]
    from_minute: int
    to_minute: int

    def admits(self, moment: datetime, zone: ZoneInfo) -> bool:
        """Whether `moment` (aware) lies inside on a wall clock in `zone`."""
        local = moment.astimezone(zone)
        minute = local.hour * 60 + local.minute
        return local.weekday() in self.days and self.from_minute <= minute < self.to_minute

    def next_opening(self, moment: datetime, zone: ZoneInfo) -> datetime:
        """`moment` itself when inside, else the next instant (UTC) at which the window opens.

        Days on which the clocks change are handled by asking the zone, not by adding 24 hours: an
        opening hour that does not exist on such a day becomes the first minute after the gap.
        """
        if self.admits(moment, zone):
            return moment
        today = moment.astimezone(zone).date()
        for ahead in range(9):
            day = today + timedelta(days=ahead)
            if day.weekday() not in self.days:
                continue
            opening = _instant(day, self.from_minute, zone)
            if opening >= moment:
                return opening
        raise AssertionError("a window with at least one day opens within nine days")

    def body(self) -> dict[str, Any]:
        """The JSON form kept with a run."""
        return {"days": sorted(self.days), "from": self.from_minute, "to": self.to_minute}

    @staticmethod
    def of_body(body: Mapping[str, Any]) -> "Window":
        return Window(days=frozenset(body["days"]), from_minute=body["from"], to_minute=body["to"])


#: Minutes after its hour in which a variant of an hour still begins to leave.
_HOUR_LASTS = 60


def at_hour(minute: int | None, window: Window | None) -> Window | None:
    """The window in which a message begins to leave that is to leave at a minute of the day.

    On the days of the campaign's window; without a minute, that window.
    """
    if minute is None:
        return window
    days = window.days if window is not None else frozenset(range(7))
    return Window(days=days, from_minute=minute, to_minute=min(minute + _HOUR_LASTS, 24 * 60))


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
    unknown = set(data) - {"days", "from", "to"}
    if unknown:
        raise DefinitionError(
            f"{where}: unknown key {sorted(unknown)[0]!r} in [window]; known are days, from, to"
        )
    start, end = (
        minute_of(data.get(k, v), where, k) for k, v in (("from", "00:00"), ("to", "24:00"))
    )
    if start >= end:
        raise DefinitionError(f"{where}: the window closes ({data.get('to')}) before it opens")
    return Window(days=_days(data.get("days", "mon-sun"), where), from_minute=start, to_minute=end)


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
