"""Clauses about one entry of a JSON column: an attribute of the lead, a property of an event.

The entry is one value, or a list of which one member that fits is enough.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from datetime import tzinfo as Zone  # noqa: N812
from typing import Any

from sqlalchemy import (
    Float,
    Numeric,
    SQLColumnExpression,
    and_,
    cast,
    exists,
    join,
    literal,
    not_,
    or_,
    select,
    true,
)
from sqlmodel import col

from leads import Lead
from segments.clauses import OPERATORS, Clause, compared, text_of
from segments.dialects import bared, surely, unindexed
from segments.dialects_json import (
    JsonValue,
    attribute_bare_text,
    attribute_day,
    attribute_is_list,
    attribute_is_number,
    attribute_is_text,
    attribute_known,
    attribute_number,
    attribute_text,
    attribute_yes,
    may_hold,
    members,
)
from segments.folding import bare, fold
from segments.moments import day_of
from segments.terms import Ago, Day, Number, Text, Today, Value, YesNo

_LEADS = Lead.__table__.alias("leads")  # type: ignore[attr-defined]

#: Reads the entry, or one member of it, as something.
Reader = Callable[[type[JsonValue]], Any]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One entry: column, name, and the key of the object in the column that holds it."""

    column: SQLColumnExpression[Any]
    name: str
    inside: str = ""
    now: datetime
    zone: Zone
    #: All leads are asked for it at once.
    whole: bool = False

    def passes(self, tests: Sequence[tuple[str, Value]]) -> Clause:
        """Whether one value passes all tests."""
        passed = self._one(lambda read: and_(*(self._test(read, *test) for test in tests)))
        return and_(*(self._may_pass(*test) for test in tests), passed)

    def _may_pass(self, sign: str, value: Value) -> Clause:
        if not isinstance(value, Text):
            return true()
        return may_hold(self.column, sign, fold(value.text))

    def among(self, values: Sequence[Value]) -> Clause:
        """Whether one value is one of these."""
        texts = [fold(value.text) for value in values if isinstance(value, Text)]
        others = [value for value in values if not isinstance(value, Text)]

        def fits(read: Reader) -> Clause:
            clauses = [self._test(read, "=", value) for value in others]
            if texts:
                # One list instead of many comparisons: the shape every planner knows best.
                clauses.append(and_(read(attribute_text).in_(texts), read(attribute_is_text)))
            return or_(*clauses)

        if others:
            return self._one(fits)
        return and_(or_(*(may_hold(self.column, "=", text) for text in texts)), self._one(fits))

    def known(self) -> Clause:
        """Whether there is a value at all; a list needs one that is."""
        read = self._read
        alone = and_(read(attribute_known), not_(read(attribute_is_list)))
        member = self._member(lambda kind: kind(attribute_known))
        return or_(surely(alone), surely(and_(read(attribute_is_list), member)))

    def _read(self, kind: type[JsonValue]) -> Any:
        return kind.of(self.column, self.name, self.inside)

    def _one(self, fits: Callable[[Reader], Clause]) -> Clause:
        return or_(
            surely(fits(self._read)),
            surely(and_(self._read(attribute_is_list), self._member(fits))),
        )

    def _member(self, fits: Callable[[Reader], Clause]) -> Clause:
        if self.whole:
            # Where the first list is met, all are read: 1,000,000 attributes took PostgreSQL twice
            # the time with a subquery per lead, for which it reads the table with one process.
            rows = members(_LEADS.c.attributes, self.name).table_valued("value", "type")
            has = select(_LEADS.c.id).select_from(join(_LEADS, rows, true()))
            return unindexed(col(Lead.id)).in_(has.where(fits(lambda kind: kind.of_member(rows))))
        rows = members(self.column, self.name, self.inside).table_valued("value", "type")
        return exists().where(fits(lambda kind: kind.of_member(rows))).select_from(rows)

    def _test(self, read: Reader, sign: str, value: Value) -> Clause:
        match value:
            case Number(number=number):
                # As numeric, so that PostgreSQL compares exactly and nothing is out of range.
                wanted: Any = cast(literal(number, Float()), Numeric())
                clause = OPERATORS[sign](read(attribute_number), wanted)
                return and_(clause, read(attribute_is_number))
            case Day() | Today() | Ago():
                day = day_of(value, now=self.now, zone=self.zone).isoformat()
                return OPERATORS[sign](read(attribute_day), literal(day))
            case YesNo(yes=yes):
                return OPERATORS[sign](read(attribute_yes), literal("yes" if yes else "no"))
            case _:
                if sign.startswith("~"):
                    found = bared(read(attribute_bare_text))
                    clause = compared(found, sign[2:] or "=", bare(text_of(value)))
                else:
                    clause = compared(read(attribute_text), sign, fold(text_of(value)))
                # Asked after the comparison, so that few values are looked at twice.
                return and_(clause, read(attribute_is_text))
