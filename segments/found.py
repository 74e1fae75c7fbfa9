"""Where those a rule fits are found: in one range of an index of `lead`, or named by another table.

Each kind counts them, and picks out of few others those who are among them. Rows are
(leads, reason, everybody), as `counting.counts` says.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    CTE,
    BinaryExpression,
    Select,
    String,
    cast,
    exists,
    func,
    literal_column,
    not_,
    null,
    select,
)
from sqlalchemy.orm import aliased
from sqlalchemy.sql import operators
from sqlalchemy.sql.selectable import ScalarSelect
from sqlmodel import col

from leads import Lead, barred
from segments.clauses import Clause
from segments.dialects import unindexed

#: Made once: they take as long as a short count.
_OTHER = aliased(Lead)
_OTHER_BARRED = barred(_OTHER)

_Columns = tuple[Any, ...]
# Spelt out, as all that never changes: parameters cost more than a short count.
NO: Any = literal_column("0").label("everybody")
_ALL: _Columns = (cast(null(), String).label("reason"), literal_column("1").label("everybody"))
_TOOK_BACK: _Columns = (
    cast(literal_column("'consent_withdrawn'"), String).label("reason"),
    NO,
)


def free(lead_id: Any) -> Clause:
    """The lead of this id is not barred: asked of the few that another list holds."""
    return not_(exists().where(col(_OTHER.id) == lead_id, _OTHER_BARRED))


@dataclass(frozen=True)
class Narrow:
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
        return self._count(_TOOK_BACK, unindexed(col(Lead.id)).in_(ids), free(col(Lead.id)))

    def _count(self, row: _Columns, *more: Clause) -> Select[Any]:
        leads = func.count().label("leads")
        return select(*(leads, *row)).select_from(Lead).where(self.clause, *more)


@dataclass(frozen=True)
class Named:
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
        return self._count(_TOOK_BACK, mine.in_(ids), free(mine))

    def _count(self, row: _Columns, *more: Clause) -> Select[Any]:
        named = self.ids.where(*more) if more else self.ids
        if self.ids._group_by_clauses:  # by lead: each stands there once
            return select(*(func.count().label("leads"), *row)).select_from(named.subquery())
        [lead_id] = self.ids.selected_columns
        leads = func.count(lead_id.distinct()).label("leads")
        return named.with_only_columns(*(leads, *row))


@dataclass(frozen=True)
class Listed:
    """The same, written down once and asked four times.

    On PostgreSQL 0.8 of the time where few leads are named, and no more where a third of all are;
    SQLite walks its index sooner than it writes a list.
    """

    fits: CTE

    @classmethod
    def of(cls, named: Named) -> "Listed":
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
        return self._count(_TOOK_BACK).where(mine.in_(ids), free(mine))

    @property
    def _ids(self) -> Select[Any]:
        [mine] = self.fits.c
        return select(mine)

    def _count(self, row: _Columns) -> Select[Any]:
        leads = func.count().label("leads")
        return select(*(leads, *row)).select_from(self.fits)


@dataclass(frozen=True)
class Others:
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
        return select(*(leads, *_TOOK_BACK)).where(self.has(lead_id), free(lead_id))


def by_ids(clause: Clause) -> Named | Others | None:
    """For a rule that says nothing but `lead.id in (ids)`, or not in."""
    if not isinstance(clause, BinaryExpression) or not isinstance(clause.right, ScalarSelect):
        return None
    if not clause.left.shares_lineage(Lead.__table__.c.id):  # type: ignore[attr-defined]
        return None
    ids = clause.right.element
    if not isinstance(ids, Select):
        return None
    if clause.operator is operators.in_op:
        return Named(ids)
    return Others(ids) if clause.operator is operators.not_in_op else None


Found = Narrow | Named | Listed | Others
