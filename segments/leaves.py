"""The single conditions of a rule, and what can turn each: events of some kinds, time, or neither.

`why.py` and `changes.py` stand on this. What is said here may be too much, never too little.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from segments.errors import SegmentError
from segments.terms import (
    Ago,
    Attribute,
    Field,
    Notes,
    Operand,
    Preferred,
    Span,
    Tag,
    Today,
    Value,
)
from segments.tree import (
    AllOf,
    AnyOf,
    Between,
    Compare,
    Condition,
    Consented,
    DealThat,
    Did,
    EventThat,
    InSegment,
    Moved,
    NextTask,
    Not,
    OneOf,
    Rule,
    Suppressed,
    WasIn,
)

#: Kinds of events by which a lead comes, goes or becomes another: they can turn anything.
ALWAYS = frozenset({"imported", "merged", "erased"})

_OF_OPERAND: Mapping[type, frozenset[str]] = MappingProxyType(
    {
        Field: frozenset({"changed"}),
        Attribute: frozenset({"changed"}),
        Tag: frozenset({"changed"}),
        Preferred: frozenset({"preference"}),
        Notes: frozenset({"note"}),
    }
)
_OF_CONDITION: Mapping[type, frozenset[str]] = MappingProxyType(
    {
        DealThat: frozenset({"deal"}),
        NextTask: frozenset({"task"}),
        WasIn: frozenset({"stage"}),
        Moved: frozenset({"stage"}),
        Consented: frozenset({"consent"}),
        Suppressed: frozenset({"suppressed", "unsuppressed"}),
    }
)


def below(condition: Condition, segments: Mapping[str, Condition]) -> tuple[Condition, ...]:
    """What a condition is made of; a single one of nothing.

    Raises SegmentError for a segment whose rule is not at hand.
    """
    match condition:
        case AllOf() | AnyOf():
            return condition.conditions
        case Not():
            return (condition.condition,)
        case InSegment(name=name):
            if name not in segments:
                raise SegmentError(f'the rule of segment "{name}" is not at hand')
            return (segments[name],)
        case _:
            return ()


def leaves(rule: Rule) -> Iterator[Condition]:
    """Every single condition in reading order, those of the segments it names included.

    A segment named several times is gone through once.
    """
    waiting, seen = [rule.condition], set()
    while waiting:
        here = waiting.pop()
        if isinstance(here, InSegment):
            if here.name in seen:
                continue
            seen.add(here.name)
        parts = below(here, rule.segments)
        if not parts and not isinstance(here, AllOf | AnyOf):
            yield here
        waiting.extend(reversed(parts))


def kinds_of(rule: Rule) -> frozenset[str]:
    """Kinds of events that can turn the rule for a lead, or that it counts."""
    return frozenset().union(*(_kinds(leaf) for leaf in leaves(rule)), ALWAYS)


def _kinds(leaf: Condition) -> frozenset[str]:
    if isinstance(leaf, Did):
        return frozenset({leaf.kind})
    if isinstance(leaf, EventThat):
        return frozenset({leaf.name})
    operand = getattr(leaf, "operand", None)
    if isinstance(operand, Field) and operand.name in ("stage", "pipeline", "stage_age"):
        return frozenset({"stage"})
    if operand is not None:
        return _OF_OPERAND.get(type(operand), frozenset())
    return _OF_CONDITION.get(type(leaf), frozenset())


def tests_of(leaf: Condition) -> tuple[tuple[Operand, str, Value], ...]:
    """(what, operator, value) for each comparison in a single condition; `!=` is told as `=`."""
    match leaf:
        case Compare():
            return ((leaf.operand, "=" if leaf.operator == "!=" else leaf.operator, leaf.value),)
        case OneOf():
            return tuple((leaf.operand, "=", value) for value in leaf.values)
        case Between():
            return ((leaf.operand, ">=", leaf.low), (leaf.operand, "<=", leaf.high))
        case EventThat() | DealThat():
            return tuple(each for test in leaf.tests for each in tests_of(test))
        case _:
            return ()


def window_of(leaf: Condition) -> Span | None:
    """The `within` of a condition about the timeline, or the `by` of an overdue task."""
    match leaf:
        case Did() | EventThat() | WasIn() | Moved():
            return leaf.within
        case NextTask():
            return leaf.by
        case _:
            return None


def timed(leaf: Condition) -> bool:
    """Whether time alone can turn it."""
    return (
        window_of(leaf) is not None
        or (isinstance(leaf, NextTask) and leaf.overdue)
        or any(isinstance(value, Span | Ago | Today) for _, _, value in tests_of(leaf))
    )
