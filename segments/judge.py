"""A rule on one lead in plain Python: what `sql.py` says to the database, said a second time.

The two are held together by the tests. `why` will be built on this one, since it can show its
steps.
"""

import operator
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from datetime import tzinfo as Zone  # noqa: N812
from typing import Any

from segments.errors import SegmentError
from segments.facts import Facts, Stated
from segments.fitting import NO, YES
from segments.folding import DAY, NUMBER, NUMBER_LENGTH, fold, sought
from segments.moments import age_limit, before, day_of, limits
from segments.sampling import place_of
from segments.terms import (
    Ago,
    Attribute,
    Day,
    Field,
    Number,
    Operand,
    Preferred,
    Span,
    Tag,
    Text,
    Today,
    Value,
    YesNo,
)
from segments.tree import (
    AllOf,
    AnyOf,
    Between,
    Compare,
    Condition,
    Did,
    Everyone,
    Has,
    InSegment,
    Not,
    OneOf,
    Rule,
    Sample,
)
from segments.vocabulary import FIELDS, Kind

_TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "contains": operator.contains,
    "starts with": str.startswith,
    "ends with": str.endswith,
}


def fits(rule: Rule, facts: Facts, *, now: datetime, zone: Zone) -> bool:
    """Whether the rule fits the lead at `now`."""
    return _Judge(rule=rule, facts=facts, now=now, zone=zone).holds(rule.condition)


@dataclass(frozen=True, kw_only=True)
class _Judge:
    rule: Rule
    facts: Facts
    now: datetime
    zone: Zone

    def holds(self, condition: Condition) -> bool:
        match condition:
            case Everyone():
                return True
            case AllOf():
                return all(self.holds(each) for each in condition.conditions)
            case AnyOf():
                return any(self.holds(each) for each in condition.conditions)
            case Not():
                return not self.holds(condition.condition)
            case Compare(operator="!="):
                return not self._compare(condition.operand, (("=", condition.value),))
            case Compare():
                return self._compare(condition.operand, ((condition.operator, condition.value),))
            case OneOf():
                found = any(self._compare(condition.operand, (("=", v),)) for v in condition.values)
                return found != condition.negated
            case Between():
                ends = ((">=", condition.low), ("<=", condition.high))
                return self._compare(condition.operand, ends) != condition.negated
            case Has():
                return self._has(condition.operand)
            case Did():
                return self._did(condition)
            case Sample():
                return place_of(self.facts.columns["draw"], condition.label) < condition.share
            case InSegment():
                if condition.name not in self.rule.segments:
                    raise SegmentError(f'the rule of segment "{condition.name}" is not at hand')
                return self.holds(self.rule.segments[condition.name])

    def _compare(self, operand: Operand, tests: tuple[tuple[str, Value], ...]) -> bool:
        """Whether one value of the operand passes all tests."""
        match operand:
            case Field():
                return all(self._field(operand, sign, value) for sign, value in tests)
            case Attribute():
                return all(self._attribute(operand, sign, value) for sign, value in tests)
            case Preferred():
                return any(
                    all(_stated(each, sign, value) for sign, value in tests)
                    for each in self.facts.preferences
                    if each.name == operand.name
                )
            case Tag():
                return any(
                    all(_texts(tag, sign, operand, value) for sign, value in tests)
                    for tag in self.facts.tags
                )

    def _field(self, operand: Field, sign: str, value: Value) -> bool:
        word = FIELDS[operand.name]
        found = self.facts.columns[word.column]
        if word.kind is Kind.INSTANT:
            edges = limits(sign, value, now=self.now, zone=self.zone)
            return all(_TESTS[each](found, instant) for each, instant in edges)
        if isinstance(value, Span):
            sign, instant = age_limit(sign, value, now=self.now, zone=self.zone)
            return _TESTS[sign](found, instant)
        if isinstance(value, Number):
            return _TESTS[sign](found, value.number)
        if word.kind in (Kind.CODE, Kind.CHOICE) and isinstance(value, Text):
            if operand.name == "stage" and (pipelines := self.rule.stages.get(value.text)):
                return bool(found == value.text) and self.facts.columns["pipeline"] in pipelines
            return bool(found == value.text)
        if operand.name == "domain":
            return _TESTS[sign](found, sought(operand, value.text))  # type: ignore[union-attr]
        return _texts(found, sign, operand, value)

    def _attribute(self, operand: Attribute, sign: str, value: Value) -> bool:
        found = self.facts.attributes.get(operand.name)
        match value:
            case Number(number=number):
                known = _number(found)
                return known is not None and _TESTS[sign](known, number)
            case Day() | Today() | Ago():
                if not isinstance(found, str) or not DAY.match(found):
                    return False
                day = day_of(value, now=self.now, zone=self.zone).isoformat()
                return _TESTS[sign](found[:10], day)
            case YesNo(yes=yes):
                if isinstance(found, str):
                    return fold(found) in (YES if yes else NO)
                return isinstance(found, bool) and found == yes
            case _:
                return isinstance(found, str) and _texts(found, sign, operand, value)

    def _has(self, operand: Operand) -> bool:
        match operand:
            case Attribute():
                return self.facts.attributes.get(operand.name) not in (None, "")
            case Preferred():
                return any(each.name == operand.name for each in self.facts.preferences)
            case Tag():
                return any(self.facts.tags)
            case Field():
                return bool(self.facts.columns[FIELDS[operand.name].column] != "")

    def _did(self, did: Did) -> bool:
        since = before(self.now, did.within, self.zone) if did.within is not None else None
        count = sum(
            event.kind == did.kind
            and (did.campaign is None or event.campaign == did.campaign)
            and (since is None or event.at >= since)
            for event in self.facts.events
        )
        return count >= did.times


def _texts(found: str, sign: str, operand: Operand | None, value: Value) -> bool:
    if not isinstance(value, Text):
        raise TypeError(f"{value!r} is no text")
    return _TESTS[sign](fold(found), sought(operand, value.text))


def _stated(stated: Stated, sign: str, value: Value) -> bool:
    if isinstance(value, Number):
        return stated.number is not None and _TESTS[sign](stated.number, value.number)
    return _texts(stated.value, sign, None, value)


def _number(found: Any) -> float | None:
    if isinstance(found, bool):
        return None
    if isinstance(found, int | float):
        return found
    if isinstance(found, str) and len(found) <= NUMBER_LENGTH and NUMBER.fullmatch(found):
        return float(found)
    return None
