"""The statement behind a count: how many leads a rule fits, and how many of them by each reason.

Where an index alone tells who is meant (a stage, a stated wish, an event), the leads are counted
there without being read, and those left out are found from their own, few side. Other rules look
at every lead once anyway: they are grouped as they pass.
"""

from dataclasses import dataclass
from datetime import datetime
from datetime import tzinfo as Zone  # noqa: N812
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    CTE,
    BinaryExpression,
    ColumnElement,
    Select,
    String,
    case,
    cast,
    exists,
    func,
    literal,
    literal_column,
    not_,
    null,
    select,
    union_all,
)
from sqlalchemy.orm import aliased
from sqlalchemy.sql import operators
from sqlalchemy.sql.selectable import ScalarSelect
from sqlmodel import col

from leads import (
    FrequencyCap,
    Lead,
    Permission,
    barred,
    who_took_back,
    why_barred,
    why_left_out,
    why_left_out_of,
)
from segments.clauses import Clause
from segments.dialects import unindexed
from segments.putting_off import Later, later, put_off
from segments.sql import where
from segments.terms import Field
from segments.tree import AllOf, Compare, Condition, InSegment, OneOf, Rule


def counts(
    rule: Rule,
    permission: Permission,
    *,
    now: datetime,
    zone: Zone,
    cap: FrequencyCap | None,
    dialect: str,
) -> Any:
    """A statement with rows (reason, leads, everybody).

    Where `everybody` is true, `leads` are all the rule fits; else those left out for `reason`, or
    for NULL those who are not. Either the one or the other NULL row is there. To be executed with
    `moments(cap, now)`.
    """
    narrow = is_narrow(rule)
    clause = where(rule, now=now, zone=zone, whole=not narrow)
    if permission.consent_required:
        # Those without consent are no small side.
        return _grouped(clause, why_left_out_of(permission), later(cap, now))
    by_ids = _by_ids(clause)
    if by_ids is not None:
        if dialect == "postgresql" and isinstance(by_ids, _Named):
            return _apart(_Listed.of(by_ids), permission, cap)
        return _apart(by_ids, permission, cap)
    if narrow:
        return _apart(_Narrow(clause), permission, cap)
    return _grouped(clause, why_left_out_of(permission), later(cap, now))


def by_lead(
    rule: Rule, permission: Permission, *, now: datetime, zone: Zone, cap: FrequencyCap | None
) -> Any:
    """The same rows, each lead the rule fits asked for its own reason, as a claim asks."""
    clause = where(rule, now=now, zone=zone, whole=not is_narrow(rule))
    return _grouped(clause, why_left_out(permission), later(cap, now))


def is_narrow(rule: Rule) -> bool:
    """Whether an index of `lead` leaves few leads, so that side tables are asked per lead."""
    return _indexed(rule.condition, rule)


def _indexed(condition: Condition, rule: Rule) -> bool:
    match condition:
        case AllOf():
            return any(_indexed(each, rule) for each in condition.conditions)
        case InSegment(name=name) if name in rule.segments:
            return _indexed(rule.segments[name], rule)
        case Compare(operand=Field(name="stage"), operator="=", value=value):
            return bool(rule.stages.get(getattr(value, "text", "")))
        case OneOf(operand=Field(name="stage"), values=values, negated=False):
            return all(rule.stages.get(getattr(value, "text", "")) for value in values)
        case Compare(operand=Field(name="domain"), operator="="):
            return True
        case _:
            return False


def _grouped(clause: Clause, why: ColumnElement[Any], leads_later: Later) -> Any:
    """Every lead the rule fits, read once."""
    held = [(col(Lead.id).in_(ids), literal(reason)) for reason, ids in leads_later.items()]
    why = func.coalesce(why, case(*held, else_=null()))
    reason = cast(why, String).label("reason")
    leads = select(reason).select_from(Lead).where(clause).subquery()
    return select(
        leads.c.reason, func.count().label("leads"), literal(0).label("everybody")
    ).group_by(leads.c.reason)


#: Made once: they take as long as a short count.
_OTHER = aliased(Lead)
_OTHER_BARRED = barred(_OTHER)
_BARRED, _WHY = barred(), cast(why_barred(), String)

_Columns = tuple[Any, ...]
# Spelt out, as all that never changes: parameters cost more than a short count.
_NO: Any = literal_column("0").label("everybody")
_ALL: _Columns = (cast(null(), String).label("reason"), literal_column("1").label("everybody"))
_TOOK_BACK: _Columns = (
    cast(literal_column("'consent_withdrawn'"), String).label("reason"),
    _NO,
)
_BARRED_ROWS = select(func.count(), _WHY, _NO).select_from(Lead).where(_BARRED).group_by(_WHY)


def _free(lead_id: Any) -> Clause:
    """The lead of this id is not barred: asked of the few that another list holds."""
    return not_(exists().where(col(_OTHER.id) == lead_id, _OTHER_BARRED))


@dataclass(frozen=True)
class _Narrow:
    """Leads that one range of an index of `lead` holds."""

    clause: Clause

    def everybody(self) -> Select[Any]:
        return self._count(_ALL)

    def barred(self) -> Clause:
        return self.clause

    def has(self, lead_id: Any) -> Clause:
        return select(1).select_from(Lead).where(col(Lead.id) == lead_id, self.clause).exists()

    def among(self, ids: Select[Any]) -> Select[Any]:
        # The range is walked and the ids are looked up, not the other way round; no row of `lead`
        # is read for that, since the index holds the id.
        return self._count(_TOOK_BACK, unindexed(col(Lead.id)).in_(ids), _free(col(Lead.id)))

    def _count(self, row: _Columns, *more: Clause) -> Select[Any]:
        leads = func.count().label("leads")
        return select(*(leads, *row)).select_from(Lead).where(self.clause, *more)


@dataclass(frozen=True)
class _Named:
    """Leads that one range of an index of another table names; each is a lead: foreign keys."""

    ids: Select[Any]

    def everybody(self) -> Select[Any]:
        return self._count(_ALL)

    def barred(self) -> Clause:
        if not self.ids._hints:
            return unindexed(col(Lead.id)).in_(self.ids)
        # An index is named that knows each barred lead at once: sooner than a list of all ids.
        [lead_id] = self.ids.selected_columns
        return self.ids.where(lead_id == col(Lead.id)).correlate(Lead).exists()

    def has(self, lead_id: Any) -> Clause:
        clause: Clause = unindexed(lead_id).in_(self.ids)
        return clause

    def among(self, ids: Select[Any]) -> Select[Any]:
        [mine] = self.ids.selected_columns
        return self._count(_TOOK_BACK, mine.in_(ids), _free(mine))

    def _count(self, row: _Columns, *more: Clause) -> Select[Any]:
        named = self.ids.where(*more) if more else self.ids
        if self.ids._group_by_clauses:  # by lead: each stands there once
            return select(*(func.count().label("leads"), *row)).select_from(named.subquery())
        [lead_id] = self.ids.selected_columns
        leads = func.count(lead_id.distinct()).label("leads")
        return named.with_only_columns(*(leads, *row))


@dataclass(frozen=True)
class _Listed:
    """The same, written down once and asked four times.

    On PostgreSQL 0.8 of the time where few leads are named, and no more where a third of all are;
    SQLite walks its index sooner than it writes a list.
    """

    fits: CTE

    @classmethod
    def of(cls, named: _Named) -> "_Listed":
        ids = named.ids if named.ids._group_by_clauses else named.ids.distinct()
        return cls(ids.cte("fits").prefix_with("MATERIALIZED", dialect="postgresql"))

    def everybody(self) -> Select[Any]:
        return self._count(_ALL)

    def barred(self) -> Clause:
        return self.has(col(Lead.id))

    def has(self, lead_id: Any) -> Clause:
        clause: Clause = lead_id.in_(self._ids)
        return clause

    def among(self, ids: Select[Any]) -> Select[Any]:
        [mine] = self.fits.c
        return self._count(_TOOK_BACK).where(mine.in_(ids), _free(mine))

    @property
    def _ids(self) -> Select[Any]:
        [mine] = self.fits.c
        return select(mine)

    def _count(self, row: _Columns) -> Select[Any]:
        leads = func.count().label("leads")
        return select(*(leads, *row)).select_from(self.fits)


@dataclass(frozen=True)
class _Others:
    """All leads but those that another table names."""

    ids: Select[Any]

    def everybody(self) -> Select[Any]:
        leads = func.count().label("leads")
        return select(*(leads, *_ALL)).select_from(Lead).where(self.barred())

    def barred(self) -> Clause:
        return unindexed(col(Lead.id)).not_in(self.ids)

    def has(self, lead_id: Any) -> Clause:
        clause: Clause = lead_id.not_in(self.ids)
        return clause

    def among(self, ids: Select[Any]) -> Select[Any]:
        found = ids.subquery()
        [lead_id] = found.c
        leads = func.count(lead_id.distinct()).label("leads")
        return select(*(leads, *_TOOK_BACK)).where(self.has(lead_id), _free(lead_id))


def _apart(
    found: _Narrow | _Named | _Listed | _Others, permission: Permission, cap: FrequencyCap | None
) -> Any:
    """One statement of a few small counts: one snapshot, one journey to the server."""
    # Plain branches, no subqueries: PostgreSQL works on several at a time.
    few, who = _by_choice(permission, cap)
    return union_all(
        found.everybody(),
        _BARRED_ROWS.where(found.barred()),
        found.among(who_took_back(permission)),
        few.where(found.has(who)),
    )


@lru_cache(maxsize=64)
def _by_choice(permission: Permission, cap: FrequencyCap | None) -> tuple[Any, Any]:
    """Those left out by what they chose, counted by reason; and the id the rule is asked about.

    They are few: they are walked, not those whom the rule fits.
    """
    few = put_off(permission, cap)
    others = few.c.lead_id.not_in(who_took_back(permission))
    counted = (
        select(func.count(), cast(few.c.reason, String), _NO)
        .where(others, _free(few.c.lead_id))
        .group_by(few.c.reason)
    )
    return counted, few.c.lead_id


def _by_ids(clause: Clause) -> _Named | _Others | None:
    """For a rule that says nothing but `lead.id in (ids)`, or not in."""
    if not isinstance(clause, BinaryExpression) or not isinstance(clause.right, ScalarSelect):
        return None
    if not clause.left.shares_lineage(Lead.__table__.c.id):  # type: ignore[attr-defined]
        return None
    ids = clause.right.element
    if not isinstance(ids, Select):
        return None
    if clause.operator is operators.in_op:
        return _Named(ids)
    return _Others(ids) if clause.operator is operators.not_in_op else None
