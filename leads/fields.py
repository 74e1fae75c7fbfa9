"""The fields of a lead that people may set: which there are, and how each is written.

Countries and languages are understood by code or by name (English, Polish, German; names from
Unicode CLDR) and kept as codes, so that a rule says `country = PL` whatever the file said.
"""

import csv
import re
import unicodedata
from collections.abc import Iterable
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from zoneinfo import available_timezones

from leads.errors import FieldError

#: What a lead has, besides address, stage, tags, preferences and attributes.
FIELDS: dict[str, str] = {
    "name": "the whole name",
    "first_name": "the first name",
    "last_name": "the last name",
    "company": "the company's name",
    "job_title": "what they do there",
    "phone": "the telephone number as it was given",
    "country": "two letters: PL, DE; names are understood",
    "language": "two or three letters: pl, en; names are understood",
    "timezone": "the zone's name: Europe/Warsaw",
    "owner": "who looks after the lead",
    "source": "where we met",
}

#: Letters of one field; longer text belongs into a note.
LONGEST = 500
#: Letters of an attribute's value.
LONGEST_ATTRIBUTE = 10_000
#: Letters of a preference's value or a tag: they stand in an index.
LONGEST_CHOICE = 200

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]")
_SEPARATORS = re.compile(r"[,;|]")
# The same words count as numbers in an attribute when a rule compares them.
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_NUMBER_LENGTH = 15


def known_field(name: str) -> str:
    """`name` when it is a field; raises FieldError with the nearest."""
    if name in FIELDS:
        return name
    near = get_close_matches(name, list(FIELDS), n=1)
    hint = f'did you mean "{near[0]}"?' if near else f"there is: {', '.join(FIELDS)}"
    raise FieldError(f'A lead has no field "{name}"; {hint} Your own: attr.{field_word(name)}=...')


def field_value(name: str, text: str) -> str:
    """`text` as the field `name` keeps it; empty stays empty. Raises FieldError."""
    value = one_line(text)
    if not value:
        return ""
    if len(value) > LONGEST:
        raise FieldError(f"{name} has {len(value)} letters; {LONGEST} are the most")
    if name == "country":
        return _coded("country", value)
    if name == "language":
        return _coded("language", value)
    if name == "timezone":
        zone = _zones().get(value.casefold().replace(" ", "_"))
        if zone is None:
            near = get_close_matches(value, list(_zones().values()), n=1)
            hint = f'; did you mean "{near[0]}"?' if near else '; write "Europe/Warsaw"'
            raise FieldError(f'there is no time zone "{value}"{hint}')
        return zone
    return value


def one_line(text: str) -> str:
    """Text for one line: normalised letters, blanks and line breaks become single blanks."""
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip()
    return " ".join(_CONTROL.sub(" ", unicodedata.normalize("NFC", text)).split())


def attribute_value(text: str) -> str:
    """Text of an attribute: line breaks are kept. Raises FieldError when it is too long."""
    if text.isascii() and text.isprintable() and len(text) <= LONGEST_ATTRIBUTE:
        return text.strip()
    value = _CONTROL.sub("", unicodedata.normalize("NFC", text)).strip()
    if len(value) > LONGEST_ATTRIBUTE:
        raise FieldError(f"a value has {len(value)} letters; {LONGEST_ATTRIBUTE} are the most")
    return value.replace("\r\n", "\n").replace("\r", "\n")


def attribute_list(texts: Iterable[str]) -> list[str]:
    """The values of an attribute that is a list, each once. Raises FieldError when too long."""
    values = [value for text in dict.fromkeys(texts) if (value := attribute_value(text))]
    if sum(map(len, values)) > LONGEST_ATTRIBUTE:
        raise FieldError(f"a list has {LONGEST_ATTRIBUTE} letters at most")
    return list(dict.fromkeys(values))


def choice(text: str, what: str) -> str:
    """A preference's value or a tag. Raises FieldError when it is too long."""
    value = one_line(text)
    if len(value) > LONGEST_CHOICE:
        raise FieldError(f"{what} has {len(value)} letters; {LONGEST_CHOICE} are the most")
    return value


def tag(text: str) -> str:
    """A tag. Raises FieldError for an empty one and for the signs that part tags in a file."""
    value = choice(text, "a tag")
    if not value or _SEPARATORS.search(value):
        raise FieldError(f'"{value}" is no tag: tags are words without comma, semicolon and |')
    return value


def field_word(text: str) -> str:
    """A heading as a name for rules and templates: "Branża (główna)" -> `branża_główna`."""
    word = re.sub(r"\W+", "_", unicodedata.normalize("NFKC", text).casefold()).strip("_")
    return word if not word[:1].isdigit() else f"n_{word}"


def number_of(value: str) -> float | None:
    """The number a preference's value looks like, if it does."""
    if len(value) <= _NUMBER_LENGTH and _NUMBER.fullmatch(value):
        return float(value)
    return None


def _coded(kind: str, value: str) -> str:
    known = _codes(kind)
    word = _plain(value)
    if word in known:
        return known[word]
    if kind == "language":
        # BCP 47: the first part names the language, the others a region or a script.
        first = re.split(r"[-_]", word)[0]
        if first in known:
            return known[first]
        near = get_close_matches(word, list(known), n=1, cutoff=0.8)
        hint = f"did you mean {known[near[0]]}?" if near else "write a code: pl, en"
        raise FieldError(f'there is no language "{value}"; {hint}')
    near = get_close_matches(word, list(known), n=1, cutoff=0.8)
    hint = f"did you mean {known[near[0]]}?" if near else "write two letters: PL, DE"
    raise FieldError(f'there is no country "{value}"; {hint}')


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().replace("’", "'").split())


@cache
def _codes(kind: str) -> dict[str, str]:
    """Code and every name -> code."""
    found: dict[str, str] = {}
    text = (files("leads") / "codes.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        if row["kind"] == kind:
            for name in (row["code"], *row["names"].split("|")):
                found.setdefault(_plain(name), row["code"])
    return found


@cache
def _zones() -> dict[str, str]:
    return {name.casefold(): name for name in available_timezones()}
