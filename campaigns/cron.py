"""Five cron fields as sets of numbers: what `crontab(5)` says, with errors for people. Pure."""

import difflib
import re
from dataclasses import dataclass

from campaigns.errors import DefinitionError

#: Sunday first, as cron counts.
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
#: (what people call it, lowest, highest, names, number of the first name)
_FIELDS: tuple[tuple[str, int, int, tuple[str, ...], int], ...] = (
    ("minute", 0, 59, (), 0),
    ("hour", 0, 23, (), 0),
    ("day of the month", 1, 31, (), 0),
    ("month", 1, 12, MONTHS, 1),
    ("weekday", 0, 7, WEEKDAYS, 0),
)
_PART = re.compile(r"(\*|\w+)(?:-(\w+))?(?:/(\w+))?")
_EXAMPLE = 'write "0 9 * * mon" for Mondays at 9:00'


@dataclass(frozen=True, kw_only=True, slots=True)
class Cron:
    """The minutes of a calendar at which something happens."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    #: 0 = Sunday ... 6 = Saturday.
    weekdays: frozenset[int]
    #: Both days are restricted, so a day counts when either fits (crontab(5)); a field that
    #: begins with `*` restricts nothing and both must fit.
    either_day: bool


def read_cron(text: object, where: str) -> Cron:
    """`"0 9 * * 1"` as sets: numbers, names, lists, ranges and steps; Sunday is 0 and 7.

    Raises DefinitionError with the field and what it may hold, also for a day that never comes.
    """
    fields = text.lower().split() if isinstance(text, str) else []
    if len(fields) != len(_FIELDS):
        raise DefinitionError(
            f"{where}: cron = {text!r} must have five fields: minute, hour, day of the month, "
            f"month, weekday; {_EXAMPLE}"
        )
    minutes, hours, days, months, weekdays = (
        _numbers(field, number, f"{where}: cron = {text!r}") for number, field in enumerate(fields)
    )
    either = not fields[2].startswith("*") and not fields[4].startswith("*")
    if not either and all(min(days) > _LONGEST[month - 1] for month in months):
        raise DefinitionError(
            f"{where}: cron = {text!r} never comes: none of its months has {min(days)} days"
        )
    return Cron(
        minutes=minutes,
        hours=hours,
        days=days,
        months=months,
        weekdays=frozenset(day % 7 for day in weekdays),
        either_day=either,
    )


def _numbers(field: str, number: int, where: str) -> frozenset[int]:
    """One field; `number` says which."""
    title, low, high, _, _ = _FIELDS[number]
    found: set[int] = set()
    for part in field.split(","):
        match = _PART.fullmatch(part)
        if match is None or (match[1] == "*" and match[2]):
            raise DefinitionError(f"{where}: {part!r} is no {title}; {_EXAMPLE}")
        if match[1] == "*":
            # 0 and 7 are both Sunday: counting up to 7 would make */2 hit it twice over.
            first, last = low, min(high, 6) if title == "weekday" else high
        else:
            first = _number(match[1], number, where)
            last = _number(match[2], number, where) if match[2] else first
            if title == "weekday" and match[2] and last == 0:
                last = 7  # sat-sun
            if match[3] and not match[2]:
                raise DefinitionError(
                    f"{where}: a step needs a range; write {first}-{high}/{match[3]} "
                    f"or */{match[3]}"
                )
        if first > last:
            raise DefinitionError(
                f"{where}: {part!r} runs backwards in the {title}; write the two parts with a "
                "comma between them"
            )
        step = int(match[3]) if match[3] and match[3].isdecimal() else 0 if match[3] else 1
        if step < 1:
            raise DefinitionError(f"{where}: {part!r} has no step; write */15 for every fifteenth")
        found.update(range(first, last + 1, step))
    return frozenset(found)


def _number(text: str, number: int, where: str) -> int:
    title, low, high, names, start = _FIELDS[number]
    if text in names:
        return names.index(text) + start
    if text.isdecimal() and low <= int(text) <= high:
        return int(text)
    near = difflib.get_close_matches(text, names, n=1, cutoff=0.4)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    known = f" or {', '.join(names)}" if names else ""
    raise DefinitionError(f"{where}: the {title} is {low}-{high}{known}, not {text!r}{hint}")
