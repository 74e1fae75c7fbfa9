"""`[when]` of a campaign: once at a time, or by cron, on the clock of a named zone. Pure."""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from campaigns.cron import read_cron
from campaigns.errors import DefinitionError

_KEYS = ("at", "cron", "zone", "late", "late_after", "to")
_SPAN = re.compile(r"^(\d+)\s*(minute|hour|day|week)s?$")
_AT = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d)?")


class Late(StrEnum):
    """What happens to a start whose time passed while nothing ran here."""

    SEND = "send"
    SKIP = "skip"
    ASK = "ask"


@dataclass(frozen=True, kw_only=True, slots=True)
class When:
    """When a campaign starts by itself: either `at` or `cron` is set."""

    #: Wall time, `2026-12-01 09:00:00`.
    at: str = ""
    #: Five fields, as written.
    cron: str = ""
    #: Whose clock; empty means the workspace's.
    zone: str = ""
    late: Late = Late.ASK
    #: A start that comes within this time of its moment is on time.
    late_after: timedelta = timedelta(minutes=15)
    #: Whether those this campaign has written to before are left out.
    only_new: bool = True

    def clock(self, fallback: ZoneInfo) -> ZoneInfo:
        """The zone whose wall clock counts."""
        return ZoneInfo(self.zone) if self.zone else fallback

    def body(self) -> dict[str, Any]:
        """The JSON form kept with a version."""
        return {
            "at": self.at,
            "cron": self.cron,
            "zone": self.zone,
            "late": self.late.value,
            "late_after": int(self.late_after.total_seconds()),
            "only_new": self.only_new,
        }

    @staticmethod
    def of_body(body: Mapping[str, Any]) -> "When":
        return When(
            at=body["at"],
            cron=body["cron"],
            zone=body["zone"],
            late=Late(body["late"]),
            late_after=timedelta(seconds=body["late_after"]),
            only_new=body["only_new"],
        )


def instant_of(wall: str | datetime, zone: ZoneInfo) -> datetime:
    """The moment (UTC) at which a clock on the wall in `zone` shows `wall`.

    A time that comes twice, because clocks go back, means the first; one that does not come,
    because they go forward, means the moment they do.
    """
    text = wall if isinstance(wall, str) else wall.replace(tzinfo=None).isoformat()
    shown = datetime.fromisoformat(text).replace(tzinfo=zone)
    late = shown.astimezone(UTC)
    if late.astimezone(zone).replace(tzinfo=None) == shown.replace(tzinfo=None):
        return late
    # In a gap PEP 495 gives one moment before the change and one after it: look between them.
    early, changed = shown.replace(fold=1).astimezone(UTC), late.astimezone(zone).utcoffset()
    while late - early > timedelta(seconds=1):
        middle = early + (late - early) // 2
        if middle.astimezone(zone).utcoffset() == changed:
            late = middle
        else:
            early = middle
    return late.replace(microsecond=0)


def read_when(data: object, where: str) -> When:
    """`[when]` of a campaign file. Raises DefinitionError: one line with what to write."""
    if not isinstance(data, Mapping):
        raise DefinitionError(f'{where}: when is a table: [when] with at = "2026-12-01 09:00"')
    for key in data:
        if key not in _KEYS:
            near = difflib.get_close_matches(key, _KEYS, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(_KEYS)}"
            raise DefinitionError(f"{where}: unknown key {key!r} in [when]; {hint}")
    if ("at" in data) == ("cron" in data):
        raise DefinitionError(
            f'{where}: [when] needs either at = "2026-12-01 09:00" or cron = "0 9 * * mon"'
        )
    if "to" in data and "at" in data:
        raise DefinitionError(
            f"{where}: to belongs to cron; what starts once never writes to anybody twice"
        )
    to = _one_of(data, "to", ("new", "everyone"), "new", where)
    late = _one_of(data, "late", tuple(Late), Late.ASK, where)
    zone = _zone(data.get("zone", ""), where)
    if "cron" in data:
        read_cron(data["cron"], where)
    return When(
        at=_at(data["at"], where) if "at" in data else "",
        cron=" ".join(data["cron"].split()) if "cron" in data else "",
        zone=zone,
        late=Late(late),
        late_after=span(data.get("late_after", "15 minutes"), where, "late_after"),
        only_new=to == "new",
    )


def _one_of(
    data: Mapping[str, Any], key: str, known: tuple[str, ...], default: str, where: str
) -> str:
    value = data.get(key, default)
    if value not in known:
        words = " or ".join(f'"{word}"' for word in known)
        raise DefinitionError(f"{where}: {key} is {words}, not {value!r}")
    return str(value)


def _at(value: object, where: str) -> str:
    if isinstance(value, datetime):
        if value.tzinfo is not None:
            raise DefinitionError(
                f'{where}: at says an offset; write at = "{value:%Y-%m-%d %H:%M}" and '
                'zone = "Europe/Warsaw"'
            )
        value = value.isoformat(sep=" ", timespec="seconds")
    wrong = f'{where}: at = "{value}" is no date and time; write at = "2026-12-01 09:00"'
    if not isinstance(value, str) or not _AT.fullmatch(value.strip()):
        raise DefinitionError(wrong)
    try:
        return datetime.fromisoformat(value.strip()).isoformat(sep=" ", timespec="seconds")
    except ValueError as error:
        raise DefinitionError(f"{wrong} ({error})") from None


def _zone(name: object, where: str) -> str:
    if name == "":
        return ""
    try:
        return ZoneInfo(str(name)).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        known = available_timezones()
        near = difflib.get_close_matches(str(name), known, n=1)
        hint = f'did you mean "{near[0]}"?' if near else 'write zone = "Europe/Warsaw"'
        raise DefinitionError(f'{where}: there is no time zone "{name}"; {hint}') from None


def span(text: object, where: str, key: str) -> timedelta:
    """`"5 days"`, `"36 hours"` as a timedelta; raises DefinitionError."""
    match = _SPAN.match(text.strip().lower()) if isinstance(text, str) else None
    if match is None or int(match[1]) == 0:
        raise DefinitionError(f'{where}: {key} = {text!r} is no length of time; write "5 days"')
    return timedelta(**{match[2] + "s": int(match[1])})
