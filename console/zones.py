"""Time zones by the names people type."""

import difflib
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones


def zone_named(text: str) -> ZoneInfo:
    """The IANA zone `text`. Raises ValueError with the nearest one: `Warsaw` is Europe/Warsaw."""
    name = text.strip()
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError) as error:
        raise ValueError(f'there is no time zone "{text}"; {_hint(name)}') from error


def _hint(name: str) -> str:
    city = name.rpartition("/")[2].replace(" ", "_").lower()
    known = sorted(available_timezones())
    by_city = {zone.rpartition("/")[2].lower(): zone for zone in known}
    near = difflib.get_close_matches(city, by_city, n=1, cutoff=0.8)
    if near:
        return f'did you mean "{by_city[near[0]]}"?'
    return 'write it like "Europe/Warsaw"'


def machine_zone(variable: str | None) -> str:
    """The zone this machine's clock is in, as well as can be told, else UTC.

    `variable` is what TZ says, if anything.
    """
    local = Path("/etc/localtime")
    linked = str(local.resolve()).partition("zoneinfo/")[2] if local.exists() else ""
    for text in ((variable or "").removeprefix(":"), linked):
        try:
            name = zone_named(text).key if text else ""
        except ValueError:
            continue
        if name:
            return "UTC" if name == "Etc/UTC" else name
    return "UTC"
