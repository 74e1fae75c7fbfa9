"""Clauses about rows beside the lead's own: preferences, events, consent, deals, tasks.

Each asks either per lead (EXISTS), or, with `whole`, reads the side table first and looks the
leads up (IN).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from datetime import tzinfo as Zone  # noqa: N812
from decimal import ROUND_FLOOR, Decimal
from typing import Any

from sqlalchemy import BigInteger, and_, exists, func, literal, not_, or_, select, type_coerce
from sqlmodel import col

from leads import Consent, Deal, Event, Lead, Preference, Suppression, Task
from segments.clauses import OPERATORS, Clause, Column, among, positive, text_of, texts
from segments.clauses_json import Entry
from segments.dialects import from_index, surely, unindexed
from segments.moments import before, day_of, limits
from segments.terms import DealField, Number, Operand, Preferred, Property, Span, Text, Value
from segments.tree import (
    Between,
    Compare,
    Consented,
    DealThat,
    Did,
    EventThat,
    Has,
    Moved,
    NextTask,
    OneOf,
    Suppressed,
    Test,
    WasIn,
)
from segments.vocabulary import DEAL_FIELDS, Kind

#: The index that knows a preference by its folded text.
SAID = "ix_preference_name_folded_lead_id"

#: What `event.data` calls the properties of an event somebody named.
PROPERTIES = "properties"


@dataclass(frozen=True, kw_only=True)
class Sides:
    """What `sql.where` was told, for the tables beside `lead`."""

    now: datetime
    zone: Zone
    whole: bool

    # Preferences and notes ------------------------------------------------------------------

    def preferred(self, operand: Preferred, clause: Clause, *, same: bool = False) -> Clause:
        """A stated preference of this name fits; `same` when the clause is = or IN on its text."""
        conditions = [col(Preference.name) == operand.name, clause]
        if not (same and self.whole):
            return self._any(Preference, conditions)
        # Left alone, SQLite reads every value of that name a lead has, from the other index.
        ids = select(col(Preference.lead_id)).where(*conditions)
        return col(Lead.id).in_(from_index(ids, Preference, SAID))

    def noted(self, fits: Callable[[Column], Clause]) -> Clause:
        """A note on the timeline fits."""
        text = col(Event.data)["text"].as_string()
        return self._happened("note", [surely(fits(text))])

    # Events ---------------------------------------------------------------------------------

    def did(self, did: Did) -> Clause:
        """200,000 leads, 500,000 events: `sent "spring"` 60 ms within 14 days, 300 ms ever."""
        more = [] if did.campaign is None else [col(Event.campaign) == did.campaign]
        return self._happened(did.kind, more, within=did.within, times=did.times)

    def event_that(self, asked: EventThat) -> Clause:
        """An event of this name whose properties pass."""
        more = [self._test(test) for test in asked.tests]
        return self._happened(asked.name, more, within=asked.within, times=asked.times)

    def moved(self, moved: Moved) -> Clause:
        """A step from one stage, to one stage, or both."""
        ends = (("from", moved.origin), ("to", moved.goal))
        more = [_end(key, stage) for key, stage in ends if stage is not None]
        return self._happened("stage", more, within=moved.within, times=moved.times)

    def left(self, asked: WasIn) -> Clause:
        """Went out of the stage; who stands in it is asked of the lead's own row."""
        return self._happened("stage", [_end("from", asked.stage)], within=asked.within)

    def _happened(
        self, kind: str, more: Sequence[Clause], *, within: Span | None = None, times: int = 1
    ) -> Clause:
        column: Any = col(Event.kind) if self.whole else unindexed(col(Event.kind))
        conditions = [column == kind, *more]
        if within is not None:
            conditions.append(col(Event.at) >= before(self.now, within, self.zone))
        if times == 1:
            return self._any(Event, conditions)
        if self.whole:
            doers = select(col(Event.lead_id)).where(*conditions)
            often = doers.group_by(col(Event.lead_id)).having(func.count() >= times)
            return col(Lead.id).in_(often)
        # Not more rows than needed are counted.
        mine = col(Event.lead_id) == col(Lead.id)
        some = select(literal(1).label("one")).where(mine, *conditions).correlate(Lead)
        rows = some.limit(times).subquery()
        return select(func.count()).select_from(rows).scalar_subquery() >= times

    # Consent and suppression ----------------------------------------------------------------

    def consented(self, asked: Consented) -> Clause:
        """As `leads.why_left_out` reads consent: a topic's own word, or the one for everything."""
        if asked.pending and not asked.topic:
            return self._any(Consent, [col(Consent.state) == "pending"])
        topics = ["", asked.topic] if asked.topic else [""]

        def state(name: str) -> Clause:
            said = among(col(Consent.topic), topics)
            return self._any(Consent, [said, col(Consent.state) == name])

        if asked.withdrawn or asked.pending:
            return state("withdrawn" if asked.withdrawn else "pending")
        return and_(state("given"), not_(state("withdrawn")))

    def suppressed(self, asked: Suppressed) -> Clause:
        """The address is on the list."""
        reason = [] if asked.reason is None else [col(Suppression.reason) == asked.reason]
        key = col(Suppression.address_key)
        if self.whole:
            return col(Lead.address_key).in_(select(key).where(*reason))
        return exists().where(key == col(Lead.address_key), *reason).correlate(Lead)

    # Deals and tasks ------------------------------------------------------------------------

    def deal(self, asked: DealThat) -> Clause:
        """One deal passes every test."""
        return self._any(Deal, [self._test(test) for test in asked.tests])

    def next_task(self, asked: NextTask) -> Clause:
        """An open task; the first one is overdue when any is."""
        conditions: list[Clause] = [col(Task.done_at).is_(None)]
        if asked.overdue:
            edge = self.now if asked.by is None else before(self.now, asked.by, self.zone)
            conditions.append(col(Task.due_at) < edge)
        return self._any(Task, conditions)

    # What they share ------------------------------------------------------------------------

    def _any(self, table: Any, conditions: Sequence[Clause]) -> Clause:
        if self.whole:
            return col(Lead.id).in_(select(col(table.lead_id)).where(*conditions))
        mine = col(table.lead_id) == col(Lead.id)
        return exists().where(mine, *conditions).correlate(Lead)

    def _test(self, test: Test) -> Clause:
        match test:
            case Compare(operand=operand, operator=sign, value=value):
                sign, negated = positive(sign)
                clause = self._passes(operand, [(sign, value)])
            case Between(operand=operand, low=low, high=high, negated=negated):
                clause = self._passes(operand, [(">=", low), ("<=", high)])
            case OneOf(operand=Property(name=name), values=values, negated=negated):
                clause = self._property(name).among(values)
            case OneOf(operand=operand, values=values, negated=negated):
                clause = or_(*(self._passes(operand, [("=", value)]) for value in values))
            case Has(operand=operand):
                return self._has(operand)
        return not_(clause) if negated else clause

    def _property(self, name: str) -> Entry:
        return Entry(
            column=col(Event.data), name=name, inside=PROPERTIES, now=self.now, zone=self.zone
        )

    def _passes(self, operand: Operand, tests: Sequence[tuple[str, Value]]) -> Clause:
        if isinstance(operand, Property):
            return self._property(operand.name).passes(tests)
        if not isinstance(operand, DealField):
            raise TypeError(f"{operand!r} stands in no test")
        return surely(and_(*(self._column(operand, sign, value) for sign, value in tests)))

    def _column(self, operand: DealField, sign: str, value: Value) -> Clause:
        word = DEAL_FIELDS[operand.name]
        column: Any = col(getattr(Deal, word.column))
        match word.kind:
            case Kind.NUMBER if isinstance(value, Number):
                return _hundredths(column, sign, value.number)
            case Kind.DAY:
                return OPERATORS[sign](column, day_of(value, now=self.now, zone=self.zone))
            case Kind.INSTANT:
                edges = limits(sign, value, now=self.now, zone=self.zone)
                return and_(*(OPERATORS[each](column, instant) for each, instant in edges))
            case Kind.TEXT:
                return texts(column, sign, value)
            case _:
                return OPERATORS[sign](column, text_of(value))

    def _has(self, operand: Operand) -> Clause:
        if isinstance(operand, Property):
            return self._property(operand.name).known()
        if not isinstance(operand, DealField):
            raise TypeError(f"{operand!r} stands in no test")
        word = DEAL_FIELDS[operand.name]
        column: Any = col(getattr(Deal, word.column))
        if word.kind in (Kind.TEXT, Kind.CODE, Kind.CHOICE):
            clause: Clause = column != ""
            return clause
        found: Clause = column.is_not(None)
        return found


def _end(key: str, stage: Text) -> Clause:
    return surely(col(Event.data)[key].as_string() == stage.text)


def _hundredths(column: Any, sign: str, number: float) -> Clause:
    """Amounts are whole hundredths in the database: 0.125 lies between two of them."""
    exact = Decimal(repr(number)) * 100
    whole = int(exact.to_integral_value(ROUND_FLOOR))
    if exact != whole:
        if sign == "=":
            return literal(1) == literal(0)
        sign = {"<": "<=", ">=": ">"}.get(sign, sign)
    return OPERATORS[sign](type_coerce(column, BigInteger()), whole)


def stated(sign: str, value: Value) -> Clause:
    """One row of `preference` against a value."""
    if isinstance(value, Number):
        # NULL (no number) ends here: it is asked inside a subquery, which then has no such row.
        return OPERATORS[sign](col(Preference.number), value.number)
    return texts(col(Preference.value), sign, value)
