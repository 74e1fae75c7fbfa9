"""The statement behind a count: how many leads a rule fits, and how many of them by each reason.

Where an index alone tells who is meant (a stage, a stated wish, an event), the leads are counted
there without being read, and those left out are found from their own, few side. Other rules look
at every lead once anyway: they are grouped as they pass.
"""

from datetime import datetime
from datetime import tzinfo as Zone  # noqa: N812
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    String,
    case,
    cast,
    func,
    literal,
    null,
    select,
    union_all,
)
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
from segments.found import NO, Found, Listed, Named, Narrow, by_ids, free
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
    named = by_ids(clause)
    if named is not None:
        if dialect == "postgresql" and isinstance(named, Named):
            return _apart(Listed.of(named), permission, cap)
        return _apart(named, permission, cap)
    if narrow:
        return _apart(Narrow(clause), permission, cap)
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
_BARRED, _WHY = barred(), cast(why_barred(), String)
_BARRED_ROWS = select(func.count(), _WHY, NO).select_from(Lead).where(_BARRED).group_by(_WHY)


def _apart(found: Found, permission: Permission, cap: FrequencyCap | None) -> Any:
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
        select(func.count(), cast(few.c.reason, String), NO)
        .where(others, free(few.c.lead_id))
        .group_by(few.c.reason)
    )
    return counted, few.c.lead_id
