"""The statement behind a count: how many leads a rule fits, and how many of them by each reason.

Where an index alone tells who is meant (a stage, a stated wish, an event), the leads are counted
there without being read, and those left out are found from their own, few side. Other rules look
at every lead once anyway: they are grouped as they pass.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from datetime import tzinfo as Zone  # noqa: N812
from typing import Any

from sqlalchemy import (
    BinaryExpression,
    ColumnElement,
    Select,
    String,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
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
    WEEK,
    Event,
    FrequencyCap,
    Lead,
    Permission,
    Wish,
    barred,
    who_paused,
    who_withdrew,
    why_barred,
    why_left_out,
    why_left_out_of,
)
from segments.clauses import Clause
from segments.dialects import unindexed
from segments.sql import where
from segments.terms import Field
from segments.tree import AllOf, Compare, Condition, InSegment, OneOf, Rule


def counts(
    rule: Rule, permission: Permission, *, now: datetime, zone: Zone, cap: FrequencyCap | None
) -> Any:
    """A statement with rows (reason, leads, everybody).

    Where `everybody` is true, `leads` are all the rule fits; else those left out for `reason`, or
    for NULL those who are not. Either the one or the other NULL row is there.
    """
    narrow = is_narrow(rule)
    clause = where(rule, now=now, zone=zone, whole=not narrow)
    later = _later(cap, now)
    if permission.consent_required:
        # Those without consent are no small side.
        return _grouped(clause, why_left_out_of(permission), later)
    withdrew = who_withdrew(permission)
    by_ids = _by_ids(clause)
    if by_ids is not None:
        return _apart(by_ids, withdrew, later)
    if narrow:
        return _apart(_Narrow(clause), withdrew, later)
    return _grouped(clause, why_left_out_of(permission), later)


def by_lead(
    rule: Rule, permission: Permission, *, now: datetime, zone: Zone, cap: FrequencyCap | None
) -> Any:
    """The same rows, each lead the rule fits asked for its own reason, as a claim asks."""
    clause = where(rule, now=now, zone=zone, whole=not is_narrow(rule))
    return _grouped(clause, why_left_out(permission), _later(cap, now))


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


#: Reason -> the leads that get nothing now, but may later.
_Later = Mapping[str, Select[Any]]


def _later(cap: FrequencyCap | None, now: datetime) -> _Later:
    return {"paused_by_lead": who_paused(now), "capped": often_written(cap, now)}


def often_written(cap: FrequencyCap | None, now: datetime) -> Select[Any]:
    """Ids of the leads that have had their share, by the workspace's limit or their own; counted
    like the claim does."""
    sent = unindexed(col(Event.kind)) == "sent"
    mine = and_(
        col(Event.lead_id) == col(Wish.lead_id), sent, col(Event.at) > now - timedelta(days=WEEK)
    )
    got = select(func.count()).select_from(Event).where(mine).correlate(Wish).scalar_subquery()
    # Few leads have a limit of their own: each is asked for its own few events.
    own = select(col(Wish.lead_id)).where(
        col(Wish.per_week).is_not(None), got >= col(Wish.per_week)
    )
    if cap is None:
        return own
    often = (
        select(col(Event.lead_id))
        .where(col(Event.kind) == "sent", col(Event.at) > now - timedelta(days=cap.days))
        .group_by(col(Event.lead_id))
        .having(func.count() >= cap.messages)
    )
    both = union_all(often, own).subquery()
    return select(both.c.lead_id)


def _grouped(clause: Clause, why: ColumnElement[Any], later: _Later) -> Any:
    """Every lead the rule fits, read once."""
    held = [(col(Lead.id).in_(ids), literal(reason)) for reason, ids in later.items()]
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


def _free(lead_id: Any) -> Clause:
    """The lead of this id is not barred: asked of the few that another list holds."""
    return not_(exists().where(col(_OTHER.id) == lead_id, _OTHER_BARRED))


@dataclass(frozen=True)
class _Narrow:
    """Leads that one range of an index of `lead` holds."""

    clause: Clause

    def everybody(self) -> Select[Any]:
        return self._count()

    def barred(self) -> Clause:
        return self.clause

    def among(self, ids: Select[Any], *others: Select[Any]) -> Select[Any]:
        # The range is walked and the ids are looked up, not the other way round; no row of `lead`
        # is read for that, since the index holds the id.
        mine = unindexed(col(Lead.id))
        outside = (mine.not_in(each) for each in others)
        return self._count(mine.in_(ids), *outside, _free(col(Lead.id)))

    def _count(self, *more: Clause) -> Select[Any]:
        return select(func.count()).select_from(Lead).where(self.clause, *more)


@dataclass(frozen=True)
class _Named:
    """Leads that one range of an index of another table names; each is a lead: foreign keys."""

    ids: Select[Any]

    def everybody(self) -> Select[Any]:
        return self._count()

    def barred(self) -> Clause:
        if not self.ids._hints:
            return unindexed(col(Lead.id)).in_(self.ids)
        # An index is named that knows each barred lead at once: sooner than a list of all ids.
        [lead_id] = self.ids.selected_columns
        return self.ids.where(lead_id == col(Lead.id)).correlate(Lead).exists()

    def among(self, ids: Select[Any], *others: Select[Any]) -> Select[Any]:
        [mine] = self.ids.selected_columns
        outside = (unindexed(mine).not_in(each) for each in others)
        return self._count(mine.in_(ids), *outside, _free(mine))

    def _count(self, *more: Clause) -> Select[Any]:
        if self.ids._group_by_clauses:  # by lead: each stands there once
            each = self.ids.where(*more).subquery()
            return select(func.count()).select_from(each)
        [lead_id] = self.ids.selected_columns
        return self.ids.where(*more).with_only_columns(func.count(lead_id.distinct()))


@dataclass(frozen=True)
class _Others:
    """All leads but those that another table names."""

    ids: Select[Any]

    def everybody(self) -> Select[Any]:
        return select(func.count()).select_from(Lead).where(self.barred())

    def barred(self) -> Clause:
        return unindexed(col(Lead.id)).not_in(self.ids)

    def among(self, ids: Select[Any], *others: Select[Any]) -> Select[Any]:
        found = ids.subquery()
        [lead_id] = found.c
        outside = (lead_id.not_in(each) for each in (self.ids, *others))
        return select(func.count(lead_id.distinct())).where(*outside, _free(lead_id))


def _apart(
    found: _Narrow | _Named | _Others,
    withdrew: Select[Any],
    later: _Later,
) -> Any:
    """One statement of a few small counts: one snapshot, one journey to the server."""

    def row(reason: str, counted: Select[Any]) -> Select[Any]:
        return counted.add_columns(cast(literal(reason), String), literal(0))

    # Plain branches, no subqueries: PostgreSQL works on several at a time.
    first = found.everybody()
    [everybody] = first.selected_columns
    parts = [
        first.with_only_columns(
            everybody.label("leads"),
            cast(null(), String).label("reason"),
            literal(1).label("everybody"),
            maintain_column_froms=True,
        ),
        select(func.count(), _WHY, literal(0))
        .select_from(Lead)
        .where(found.barred(), _BARRED)
        .group_by(_WHY),
        row("consent_withdrawn", found.among(withdrew)),
    ]
    before = [withdrew]
    for reason, ids in later.items():
        # Where nobody chose or had anything, the database sees it without looking at leads.
        parts.append(row(reason, found.among(ids, *before).where(ids.exists())))
        before.append(ids)
    return union_all(*parts)


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
