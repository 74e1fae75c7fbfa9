"""What stands in cells: dates, yes and no, lists."""

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache

from leads.errors import FieldError

# fmt: off
_YES = frozenset({
    "yes", "y", "true", "t", "1", "x", "on", "tak", "ja", "j", "wahr", "given", "granted",
    "opted_in", "opt_in", "optin", "subscribed", "active", "consented", "udzielona", "zgoda",
})
_NO = frozenset({
    "no", "n", "false", "f", "0", "off", "nie", "nein", "falsch", "-", "withdrawn", "revoked",
    "denied", "opted_out", "opt_out", "optout", "wycofana", "widerrufen",
})
# fmt: on
_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})")
_EUROPEAN = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
_SLASHED = re.compile(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4})")
# A time may follow; its seconds' fraction and zone too.
_CLOCK = re.compile(r"[T ]+(\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)\s*(Z|UTC|[+-]\d{2}:?\d{2})?", re.I)
#: What a formula says when it has no value.
_ERRORS = re.compile(r"#(N/A|REF!|VALUE!|DIV/0!|NAME\?|NULL!|NUM!)")
# An escaped sign, a separator, or anything else.
_PIECES = re.compile(r"\\([;|\\])|([;|])|([^;|\\]+|\\)")


def yes_or_no(text: str) -> bool | None:
    """True, False, or None when the word says neither."""
    word = re.sub(r"[\s-]+", "_", text.strip().casefold()) or "-"
    word = "-" if word == "_" else word
    return True if word in _YES else False if word in _NO else None


@lru_cache(maxsize=4096)
def moment(text: str, zone: tzinfo) -> datetime:
    """A date, or a date and a time, as an aware instant; without a zone it is meant in `zone`.

    Raises FieldError, also when day and month could be either.
    """
    value = text.strip()
    found = _ISO.match(value) or _EUROPEAN.match(value) or _SLASHED.match(value)
    if found is None:
        raise FieldError(f'"{value}" is no date; write 2026-03-31')
    a, b, c = (int(part) for part in found.groups())
    if found.re is _ISO:
        year, month, day = a, b, c
    elif found.re is _EUROPEAN or a > 12:
        day, month, year = a, b, c
    elif b > 12 or a == b:
        month, day, year = a, b, c
    else:
        raise FieldError(
            f'"{value}" can be two dates; write {c}-{b:02}-{a:02} or {c}-{a:02}-{b:02}'
        )
    try:
        return _at(date(year, month, day), value[found.end() :], zone)
    except (ValueError, OverflowError) as error:
        raise FieldError(f'"{value}" is no date; write 2026-03-31') from error


def values_in(text: str) -> list[str]:
    """Several values parted by ; or | (a backslash before one keeps it), blanks cut off."""
    if not (";" in text or "|" in text or "\\" in text):
        return [text.strip()] if text.strip() else []
    parts = [""]
    for escaped, separator, other in _PIECES.findall(text):
        if separator:
            parts.append("")
        else:
            parts[-1] += escaped or other
    return [each for part in parts if (each := part.strip())]


def joined(values: list[str] | tuple[str, ...]) -> str:
    """The values as one cell, so that `values_in` finds them again."""
    return ";".join(re.sub(r"([;|\\])", r"\\\1", value) for value in values)


def cell_text(value: object) -> str:
    """A value of a workbook or of JSON as people would type it: 12000.0 is 12000, dates ISO."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime):
        whole = value.time() == time() and value.tzinfo is None
        return value.date().isoformat() if whole else value.isoformat(" ", "seconds")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    text = str(value)
    return "" if _ERRORS.fullmatch(text) else text


def tags_in(text: str) -> list[str]:
    """Tags parted by comma, ; or |; quotation marks around them (Mailchimp's habit) are dropped."""
    # `joined` doubles a backslash; separators cannot be in a tag.
    parts = re.split(r"[,;|]", text.replace("\\\\", "\\"))
    return [each for part in parts if (each := part.strip().strip('"').strip())]


def _micro(seconds: str) -> str:
    """Seconds with a fraction of six digits, if any: programs write three, six or nine."""
    whole, dot, fraction = seconds.partition(".")
    return f"{whole}.{fraction[:6]:0<6}" if dot else whole


def _at(day: date, rest: str, zone: tzinfo) -> datetime:
    clock = _CLOCK.match(rest)
    if clock is None:
        if rest.strip():
            raise ValueError(rest)
        return datetime.combine(day, time(), zone).astimezone(UTC)
    hour, minute, *second = clock[1].split(":")
    at = time.fromisoformat(f"{int(hour):02}:{minute}:{_micro(second[0]) if second else '00'}")
    said = (clock[2] or "").upper()
    if said in ("Z", "UTC"):
        return datetime.combine(day, at, UTC)
    if said:
        said = said if ":" in said else f"{said[:3]}:{said[3:]}"
        return datetime.fromisoformat(f"{day}T{at}{said}").astimezone(UTC)
    return datetime.combine(day, at, zone).astimezone(UTC)
