"""Tree to SQL: one where-clause on `leads.Lead`, the same answer on SQLite and PostgreSQL.

Every condition is true or false, never NULL, so `not` turns it round exactly; `judge.py` says the
same in Python and the tests hold the two together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from datetime import tzinfo as Zone  # noqa: N812

from sqlalchemy import and_, not_, or_, true
from sqlmodel import col

from leads import Lead, Preference, folded
from segments.clauses import (
    OPERATORS,
    Clause,
    column_text,
    in_stages,
    is_kept_in_one_spelling,
    kept,
    positive,
    sampled,
    tag_among,
    tag_passes,
    tagged,
    text_of,
    texts,
)
from segments.clauses_json import Entry
from segments.errors import SegmentError
from segments.folding import sought
from segments.moments import age_limit, limits
from segments.side_tables import Sides, stated
from segments.terms import (
    Attribute,
    Field,
    Notes,
    Number,
    Operand,
    Preferred,
    Span,
    Tag,
    Text,
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
    Everyone,
    Has,
    InSegment,
    Moved,
    NextTask,
    Not,
    OneOf,
    Rule,
    Sample,
    Suppressed,
    WasIn,
)
from segments.vocabulary import FIELDS, Kind


def where(rule: Rule, *, now: datetime, zone: Zone, whole: bool = False) -> Clause:
    """The leads a rule fits, as a condition on `lead`.

    `now` (aware) and `zone` (the workspace's) give relative times their meaning. Side tables are
    asked per lead (EXISTS), which suits ranges of leads and rules an index of `lead` narrows; with
    `whole` they are read first and the leads looked up (IN), which suits counting over everybody.
    Raises SegmentError when the rule names a segment it was not closed over.
    """
    sides = Sides(now=now, zone=zone, whole=whole)
    return _Writer(rule=rule, now=now, zone=zone, sides=sides).write(rule.condition)


@dataclass(frozen=True, kw_only=True)
class _Writer:
    rule: Rule
    now: datetime
    zone: Zone
    sides: Sides

    def write(self, condition: Condition) -> Clause:
        match condition:
            case Everyone():
                return true()
            case AllOf():
                return and_(*map(self.write, condition.conditions))
            case AnyOf():
                return or_(*map(self.write, condition.conditions))
            case Not():
                return not_(self.write(condition.condition))
            case Compare():
                sign, negated = positive(condition.operator)
                clause = self._passes(condition.operand, [(sign, condition.value)])
                return not_(clause) if negated else clause
            case OneOf():
                clause = self._one_of(condition.operand, condition.values)
                return not_(clause) if condition.negated else clause
            case Between():
                ends = [(">=", condition.low), ("<=", condition.high)]
                clause = self._passes(condition.operand, ends)
                return not_(clause) if condition.negated else clause
            case Has():
                return self._has(condition.operand)
            case Sample():
                return sampled(condition)
            case InSegment():
                if condition.name not in self.rule.segments:
                    raise SegmentError(f'the rule of segment "{condition.name}" is not at hand')
                return self.write(self.rule.segments[condition.name])
            case _:
                return self._beside(condition)

    def _beside(self, condition: Condition) -> Clause:
        """What stands in other tables than `lead`."""
        match condition:
            case Did():
                return self.sides.did(condition)
            case EventThat():
                return self.sides.event_that(condition)
            case DealThat():
                return self.sides.deal(condition)
            case NextTask():
                return self.sides.next_task(condition)
            case WasIn():
                here = in_stages(self.rule, [condition.stage.text])
                return or_(here, self.sides.left(condition))
            case Moved():
                return self.sides.moved(condition)
            case Consented():
                return self.sides.consented(condition)
            case Suppressed():
                return self.sides.suppressed(condition)
            case _:
                raise TypeError(f"{condition!r} is no condition")

    def _passes(self, operand: Operand, tests: Sequence[tuple[str, Value]]) -> Clause:
        """One value of the operand passes all tests."""
        match operand:
            case Field():
                return and_(*(self._field(operand, *test) for test in tests))
            case Attribute(name=name):
                return self._entry(name).passes(tests)
            case Preferred():
                # One stated number must lie between both, not one above and another below.
                same = all(sign == "=" and isinstance(value, Text) for sign, value in tests)
                clause = and_(*(stated(*test) for test in tests))
                return self.sides.preferred(operand, clause, same=same)
            case Tag():
                return and_(*(tag_passes(*test) for test in tests))
            case Notes():
                return self.sides.noted(lambda note: and_(*(texts(note, *test) for test in tests)))
            case _:
                raise TypeError(f"{operand!r} stands only behind 'where'")

    def _one_of(self, operand: Operand, values: tuple[Value, ...]) -> Clause:
        if isinstance(operand, Field) and operand.name == "stage":
            return in_stages(self.rule, [text_of(value) for value in values])
        if isinstance(operand, Attribute):
            return self._entry(operand.name).among(values)
        words = [sought(operand, value.text) for value in values if isinstance(value, Text)]
        if len(words) == len(values):
            # One list instead of many comparisons: the shape every planner knows best.
            match operand:
                case Field() if is_kept_in_one_spelling(operand):
                    column = col(getattr(Lead, FIELDS[operand.name].column))
                    clause: Clause = column.in_([kept(operand, text_of(v)) for v in values])
                    return clause
                case Field():
                    return folded(col(getattr(Lead, FIELDS[operand.name].column))).in_(words)
                case Preferred():
                    said = folded(col(Preference.value)).in_(words)
                    return self.sides.preferred(operand, said, same=True)
                case Tag():
                    return tag_among(words)
        return or_(*(self._passes(operand, [("=", value)]) for value in values))

    def _field(self, field: Field, sign: str, value: Value) -> Clause:
        kind = FIELDS[field.name].kind
        column = col(getattr(Lead, FIELDS[field.name].column))
        if kind is Kind.INSTANT:
            edges = limits(sign, value, now=self.now, zone=self.zone)
            return and_(*(OPERATORS[each](column, instant) for each, instant in edges))
        if isinstance(value, Span):
            sign, instant = age_limit(sign, value, now=self.now, zone=self.zone)
            return OPERATORS[sign](column, instant)
        if isinstance(value, Number):
            return OPERATORS[sign](column, value.number)
        if field.name == "stage":
            return in_stages(self.rule, [text_of(value)])
        return column_text(field, sign, value)

    def _entry(self, name: str) -> Entry:
        return Entry(column=col(Lead.attributes), name=name, now=self.now, zone=self.zone)

    def _has(self, operand: Operand) -> Clause:
        match operand:
            case Attribute(name=name):
                return self._entry(name).known()
            case Preferred():
                return self.sides.preferred(operand, true())
            case Tag():
                return tagged(lambda tag: tag != "")
            case Notes():
                return self.sides.noted(lambda note: note != "")
            case Field():
                if FIELDS[operand.name].kind in (Kind.TEXT, Kind.CODE, Kind.CHOICE):
                    clause: Clause = col(getattr(Lead, FIELDS[operand.name].column)) != ""
                    return clause
                return true()
            case _:
                raise TypeError(f"{operand!r} stands only behind 'where'")
