"""The words of the rule language: fields, verbs, units. Documentation and errors read them too."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum


class Kind(Enum):
    """What a field holds, and so what it may be compared with."""

    TEXT = "text"
    #: A code in fixed spelling: country, language.
    CODE = "code"
    #: One of a list of names: stage, pipeline. Spelt exactly.
    CHOICE = "choice"
    NUMBER = "number"
    #: A point in time.
    INSTANT = "time"
    #: A length of time up to now.
    AGE = "age"
    #: A calendar day, or none.
    DAY = "day"


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldWord:
    """One field of the language."""

    name: str
    kind: Kind
    #: The attribute of `leads.Lead`, or of `leads.Deal`, that holds it.
    column: str
    #: For people.
    about: str


def _fields(*rows: tuple[str, Kind, str, str]) -> dict[str, FieldWord]:
    return {
        name: FieldWord(name=name, kind=kind, column=column, about=about)
        for name, kind, column, about in rows
    }


#: Every lead has these.
FIELDS = _fields(
    ("email", Kind.TEXT, "email", "the address as it was given"),
    ("domain", Kind.TEXT, "domain", "what stands after the @"),
    ("company", Kind.TEXT, "company", "the company's name"),
    ("name", Kind.TEXT, "name", "the whole name"),
    ("first_name", Kind.TEXT, "first_name", "the first name"),
    ("last_name", Kind.TEXT, "last_name", "the last name"),
    ("job_title", Kind.TEXT, "job_title", "what they do there"),
    ("phone", Kind.TEXT, "phone", "the telephone number as it was given"),
    ("country", Kind.CODE, "country", "two letters: PL, DE"),
    ("language", Kind.CODE, "language", "two or three letters: pl, en"),
    ("timezone", Kind.TEXT, "timezone", "the zone's name: Europe/Warsaw"),
    ("owner", Kind.TEXT, "owner", "who looks after the lead"),
    ("source", Kind.TEXT, "source", "where we met"),
    ("created", Kind.INSTANT, "created_at", "when the lead came in"),
    ("score", Kind.NUMBER, "score", "how promising the lead is"),
    ("stage", Kind.CHOICE, "stage", "where in the pipeline the lead stands"),
    ("pipeline", Kind.CHOICE, "pipeline", "which pipeline the lead is in"),
    ("stage_age", Kind.AGE, "stage_at", "how long the lead has been in this stage"),
)

#: What `deal where ...` can ask of a deal.
DEAL_FIELDS = _fields(
    ("amount", Kind.NUMBER, "amount", "what it is worth, in its own currency"),
    ("currency", Kind.CODE, "currency", "three letters: EUR, PLN"),
    ("state", Kind.CHOICE, "state", "open, won or lost"),
    ("closes", Kind.DAY, "expected_close", "the day it is expected to close"),
    ("name", Kind.TEXT, "name", "what it is called"),
    ("opened", Kind.INSTANT, "created_at", "when it was written down"),
    ("closed", Kind.INSTANT, "closed_at", "when it was won or lost"),
)
DEAL_STATES = ("open", "won", "lost")

#: What a rule says of behaviour, and the kind of event that shows it.
VERBS = {
    "sent": "sent",
    "opened": "opened",
    "clicked": "clicked",
    "replied": "replied",
    "bounced": "bounced",
    "complained": "complained",
    "opted out": "opted_out",
    "autoreplied": "autoreplied",
}

UNITS = ("minute", "hour", "day", "week", "month", "year")

#: Other words a condition may begin with.
OPENERS = (
    *("tag", "notes", "has", "not", "everyone", "sample", "in segment", "attr.", "prefers."),
    *("was in", "moved from", "moved to", "event", "deal where", "next task overdue"),
    *("has deal", "has next task", "has consent", "withdrew consent", "consent pending"),
    "suppressed",
)

#: Operators of texts, without and with `~` (capitals and marks on letters do not matter).
WORDING = ("contains", "starts with", "ends with", "matches")
LOOSE = ("~", "!~", *(f"~ {word}" for word in WORDING))


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known name most like `word`, or None when none is like it."""
    spelt = {name.casefold(): name for name in known}
    found = get_close_matches(word.casefold(), spelt, n=1, cutoff=0.6)
    return spelt[found[0]] if found else None
