"""A rule as a frozen tree. Equal trees mean equal rules: places in the text do not count.

Conditions are yes or no for every lead, never unknown; what a missing value does is in the table
of `docs/segments.md`.
"""

from collections.abc import Iterator, Mapping
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
    """`attr.industry`: a column the marketer brought along. One value or none."""

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


Operand: TypeAlias = Field | Attribute | Preferred | Tag

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

# Conditions -----------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Everyone:
    place: Place = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Compare:
    """`country = "PL"`. Operators: = != < <= > >= contains, starts with, ends with."""

    operand: Operand
    operator: str
    value: Value
    place: Place = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class OneOf:
    """`stage in (demo, proposal)`, `stage not in (...)` when `negated`."""

    operand: Operand
    values: tuple[Value, ...]
    negated: bool = False
    place: Place = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Between:
    """`score between 10 and 20`, both ends included."""

    operand: Operand
    low: Value
    high: Value
    negated: bool = False
    place: Place = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Has:
    """`has company`: there is a value."""

    operand: Operand
    place: Place = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Did:
    """`sent "spring" at least 2 times within 14 days`: events of one kind on the timeline."""

    #: The kind of event, as the timeline calls it.
    kind: str
    #: Only those of this campaign; None is any.
    campaign: str | None = None
    times: int = 1
    #: Only those of this last stretch of time; None is ever.
    within: Span | None = None
    place: Place = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """`sample 10% by "label"`: the same leads each time, other ones for another label."""

    #: Hundredths of a percent, 1 to 10000.
    share: int
    label: str
    place: Place = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class InSegment:
    name: str
    place: Place = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Not:
    condition: "Condition"
    place: Place = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class AllOf:
    conditions: "tuple[Condition, ...]"
    place: Place = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class AnyOf:
    conditions: "tuple[Condition, ...]"
    place: Place = field(default=NOWHERE, compare=False, repr=False)


Condition: TypeAlias = (
    Everyone | Compare | OneOf | Between | Has | Did | Sample | InSegment | Not | AllOf | AnyOf
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """A rule that was read: one condition, and what it needs from elsewhere."""

    condition: Condition
    #: The text it was read from; the places point into it.
    text: str = field(default="", compare=False, repr=False)
    #: The conditions of every segment it names, directly or through another one.
    segments: Mapping[str, Condition] = field(default_factory=dict)
    #: For each stage it names, the pipelines that have it; empty where they are not known.
    stages: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def walk(condition: Condition) -> Iterator[tuple[Condition, int]]:
    """Every condition below and including this one with its depth, in reading order.

    Works with a list instead of recursion, so that it can measure a tree of any depth.
    """
    waiting = [(condition, 1)]
    while waiting:
        here, depth = waiting.pop()
        yield here, depth
        if isinstance(here, Not):
            waiting.append((here.condition, depth + 1))
        elif isinstance(here, AllOf | AnyOf):
            waiting.extend((below, depth + 1) for below in reversed(here.conditions))
