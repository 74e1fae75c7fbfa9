"""One value against one test, in plain Python: what the clauses say to the database."""

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from datetime import tzinfo as Zone  # noqa: N812
from decimal import Decimal
from typing import Any

from segments.facts import DealFacts, Stated
from segments.fitting import NO, YES
from segments.folding import DAY, NUMBER, NUMBER_LENGTH, bare, fold, sought
from segments.moments import day_of, limits
from segments.patterns import matches
from segments.terms import Ago, Day, DealField, Number, Property, Text, Today, Value, YesNo
from segments.tree import Between, Compare, Has, OneOf, Test
from segments.vocabulary import DEAL_FIELDS, Kind

#: The operator without its 'not', and the value.
Tests = Sequence[tuple[str, Value]]

TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "contains": operator.contains,
    "starts with": str.startswith,
    "ends with": str.endswith,
    "matches": matches,
}


def texts(found: str, sign: str, value: Value, operand: object = None) -> bool:
    """A text in any capitals against a text; with `~` marks on letters do not count."""
    if not isinstance(value, Text):
        raise TypeError(f"{value!r} is no text")
    if sign.startswith("~"):
        return TESTS[sign[2:] or "="](bare(found), bare(value.text))
    return TESTS[sign](fold(found), sought(operand, value.text))


def stated(stated: Stated, sign: str, value: Value) -> bool:
    """One preference."""
    if isinstance(value, Number):
        return stated.number is not None and TESTS[sign](stated.number, value.number)
    return texts(stated.value, sign, value)


def instant(found: datetime | None, sign: str, value: Value, now: datetime, zone: Zone) -> bool:
    """A point in time, or none."""
    if found is None:
        return False
    edges = limits(sign, value, now=now, zone=zone)
    return all(TESTS[each](found, edge) for each, edge in edges)


@dataclass(frozen=True, slots=True)
class Asked:
    """A test taken apart: what one value must pass, and whether the answer is turned round."""

    tests: tuple[tuple[str, Value], ...]
    negated: bool = False


def asked(test: Compare | OneOf | Between) -> tuple[Asked, ...]:
    """What a test asks; of several one is enough."""
    match test:
        case Compare(operator="!=", value=value):
            return (Asked((("=", value),), True),)
        case Compare(operator="!~", value=value):
            return (Asked((("~", value),), True),)
        case Compare(operator=sign, value=value):
            return (Asked(((sign, value),)),)
        case Between(low=low, high=high, negated=negated):
            return (Asked(((">=", low), ("<=", high)), negated),)
        case OneOf(values=values, negated=negated):
            return tuple(Asked((("=", value),), negated) for value in values)


def answer(test: Compare | OneOf | Between, passes: Callable[[Tests], bool]) -> bool:
    """The test's answer, where `passes` says whether one value passes all of some tests."""
    questions = asked(test)
    return any(passes(each.tests) for each in questions) != questions[0].negated


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """Comparisons that need to know what time it is."""

    now: datetime
    zone: Zone

    def entry(self, found: Any, tests: Tests) -> bool:
        """An attribute or property: one value, or a list of which one that passes is enough."""
        values = found if isinstance(found, list) else [found]
        return any(all(self._value(each, *test) for test in tests) for each in values)

    def event(self, test: Test, properties: Any) -> bool:
        """A test behind `event "..." where`."""
        if not isinstance(test.operand, Property):
            raise TypeError(f"{test.operand!r} is no property")
        found = properties.get(test.operand.name) if isinstance(properties, dict) else None
        if isinstance(test, Has):
            return known(found)
        return answer(test, lambda tests: self.entry(found, tests))

    def deal(self, test: Test, deal: DealFacts) -> bool:
        """A test behind `deal where`."""
        if not isinstance(test.operand, DealField):
            raise TypeError(f"{test.operand!r} is no column of a deal")
        word = DEAL_FIELDS[test.operand.name]
        found = getattr(deal, word.column)
        if isinstance(test, Has):
            return found not in (None, "")
        return answer(
            test, lambda tests: all(self._column(word.kind, found, *each) for each in tests)
        )

    def _column(self, kind: Kind, found: Any, sign: str, value: Value) -> bool:
        match value:
            case _ if kind is Kind.INSTANT:
                return instant(found, sign, value, self.now, self.zone)
            case Number(number=number):
                return found is not None and TESTS[sign](found, Decimal(repr(number)))
            case Day() | Today() | Ago():
                day = day_of(value, now=self.now, zone=self.zone)
                return found is not None and TESTS[sign](found, day)
            case Text(text=text) if kind is not Kind.TEXT:
                return bool(found == text)
            case _:
                return texts(found, sign, value)

    def _value(self, found: Any, sign: str, value: Value) -> bool:
        match value:
            case Number(number=number):
                known = _number(found)
                return known is not None and TESTS[sign](known, number)
            case Day() | Today() | Ago():
                if not isinstance(found, str) or not DAY.match(found):
                    return False
                day = day_of(value, now=self.now, zone=self.zone).isoformat()
                return TESTS[sign](found[:10], day)
            case YesNo(yes=yes):
                if isinstance(found, str):
                    return fold(found) in (YES if yes else NO)
                return isinstance(found, bool) and found == yes
            case _:
                return isinstance(found, str) and texts(found, sign, value)


def known(found: Any) -> bool:
    """Whether an attribute or property has a value at all; a list needs one that is."""
    values = found if isinstance(found, list) else [found]
    return any(value not in (None, "") for value in values)


def _number(found: Any) -> float | None:
    if isinstance(found, bool):
        return None
    if isinstance(found, int | float):
        return found
    if isinstance(found, str) and len(found) <= NUMBER_LENGTH and NUMBER.fullmatch(found):
        return float(found)
    return None
