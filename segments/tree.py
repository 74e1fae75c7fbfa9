"""A rule as a frozen tree. Equal trees mean equal rules: places in the text do not count.

Conditions are yes or no for every lead, never unknown; what a missing value does is in the table
of `docs/segments.md`. What is compared, and with what, is in `terms.py`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from segments.terms import NOWHERE, Operand, Place, Span, Text, Value

# Conditions -----------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Everyone:
    place: Place = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Compare:
    """`country = "PL"`.

    Operators: `= != < <= > >=`, `contains`, `starts with`, `ends with`, `matches`; with `~` in
    front texts are compared without regard to capitals and marks on letters: `~`, `!~`,
    `~ contains`, ...
    """

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
class EventThat:
    """`event "demo.requested" where plan = "pro" within 7 days`: events somebody named."""

    name: str
    #: Compare, OneOf, Between or Has on a `Property`; one event must pass all of them.
    tests: "tuple[Test, ...]" = ()
    times: int = 1
    within: Span | None = None
    place: Place = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class DealThat:
    """`deal where (state = open and amount >= 5000)`; without tests, `has deal`."""

    #: Compare, OneOf, Between or Has on a `DealField`; one deal must pass all of them.
    tests: "tuple[Test, ...]" = ()
    place: Place = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class NextTask:
    """`has next task`, or `next task overdue by 3 days`: the open task that is due first."""

    overdue: bool = False
    #: Overdue for at least so long.
    by: Span | None = None
    place: Place = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class WasIn:
    """`was in demo within 90 days`: stands in the stage, or stood there at some time since."""

    stage: Text
    #: None is ever.
    within: Span | None = None
    place: Place = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Moved:
    """`moved from demo to lost within 30 days`: one step along the pipeline. One end is enough."""

    origin: Text | None = None
    goal: Text | None = None
    times: int = 1
    within: Span | None = None
    place: Place = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Consented:
    """`has consent for "news"`, `withdrew consent`, `consent pending`: what the lead allowed, took
    back, or was asked and has not answered."""

    #: Empty: mail about no topic in particular; of `pending`: about anything.
    topic: str = ""
    withdrawn: bool = False
    pending: bool = False
    place: Place = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Suppressed:
    """`suppressed`, `suppressed as opted_out`: the address must not be written to."""

    #: A reason as `leads.STRENGTH` has it; None is any.
    reason: str | None = None
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
    Everyone
    | Compare
    | OneOf
    | Between
    | Has
    | Did
    | EventThat
    | DealThat
    | NextTask
    | WasIn
    | Moved
    | Consented
    | Suppressed
    | Sample
    | InSegment
    | Not
    | AllOf
    | AnyOf
)

#: What may stand after `where`.
Test: TypeAlias = Compare | OneOf | Between | Has


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
