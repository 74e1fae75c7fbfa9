"""What a rule compares, and with what: operands and values, with their places in the text."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the rule's text something stands: offsets in characters, the end not included."""

    start: int = 0
    end: int = 0


NOWHERE = Place()


# What is compared -----------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """A column every lead has; the names are in `segments/vocabulary.py`."""

    name: str
    place: Place = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Attribute:
    """`attr.industry`: a column the marketer brought along.

    One value, none, or a list of which one that fits is enough.
    """

    name: str
    place: Place = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Preferred:
    """`prefers.topic`: what the lead told us. Any number of values; one that fits is enough."""

    name: str
    place: Place = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Tag:
    """`tag`: any number of words; one that fits is enough."""

    place: Place = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Notes:
    """`notes`: what people wrote down on the timeline; one that fits is enough."""

    place: Place = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Property:
    """A property of an event, inside `event "..." where ...`. Compared like an attribute."""

    name: str
    place: Place = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class DealField:
    """A column of a deal, inside `deal where ...`; the names are in `segments/vocabulary.py`."""

    name: str
    place: Place = field(default=NOWHERE, compare=False, repr=False)


Operand: TypeAlias = Field | Attribute | Preferred | Tag | Notes | Property | DealField

# What it is compared with ---------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Text:
    text: str
    place: Place = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Number:
    #: At most 15 digits, so that every database and Python agree on it exactly.
    number: float
    place: Place = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class YesNo:
    yes: bool
    place: Place = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Day:
    """A whole day in the workspace's zone."""

    day: date
    place: Place = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Moment:
    """A wall clock time in the workspace's zone, to the minute; `local` carries no zone."""

    local: datetime
    place: Place = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Today:
    """The day it is in the workspace's zone."""

    place: Place = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """A length of time. Units: minute, hour, day (24 hours), week, month, year (calendar)."""

    count: int
    unit: str
    place: Place = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Ago:
    """`30 days ago`, or `30 days from now` when `ahead`."""

    span: Span
    ahead: bool = False
    place: Place = field(default=NOWHERE, compare=False, repr=False)


Value: TypeAlias = Text | Number | YesNo | Day | Moment | Today | Span | Ago
