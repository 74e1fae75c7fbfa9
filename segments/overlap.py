"""Rules held against each other: how many leads each fits alone and together, and which."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from datetime import tzinfo as Zone  # noqa: N812

from sqlalchemy import ColumnElement, and_, case, func, literal, not_, or_, select
from sqlmodel import Session, col

from leads import FrequencyCap, Lead, Permission, mailable, who_paused, why_left_out
from segments.clauses import Clause
from segments.counting import is_narrow
from segments.errors import SegmentError
from segments.putting_off import often_written
from segments.sql import where
from segments.tree import Rule

#: A region for every subset: six rules have 63.
MOST_RULES = 6


@dataclass(frozen=True, kw_only=True, slots=True)
class Region:
    """The leads that exactly these rules fit, and no other of those compared."""

    #: For each rule, in the order given, whether it fits.
    inside: tuple[bool, ...]
    matching: int
    #: Those of them we may write to.
    mailable: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Example:
    """One lead, to look at."""

    id: int
    email: str
    #: Why we may not write, or None.
    left_out: str | None


def regions(
    session: Session,
    rules: Sequence[Rule],
    permission: Permission,
    *,
    now: datetime,
    zone: Zone,
    cap: FrequencyCap | None = None,
) -> list[Region]:
    """Every region of the rules' Venn diagram that holds a lead, those in most rules first.

    One query in one pass: each lead gets a number with a bit for every rule that fits; leads
    outside all rules are not counted. Each rule is then counted alone: raises SegmentError if the
    regions do not add up to that.

    1,000,000 leads on SQLite: two rules that 410,000 leads fit take 1.8 s, where the audience of
    the larger one alone takes 2.2 s; five rules of every sort 4.8 s.
    """
    whole = not all(map(is_narrow, rules))
    clauses = [where(rule, now=now, zone=zone, whole=whole) for rule in rules]
    bits: ColumnElement[int] = literal(0)
    for place, clause in enumerate(clauses):
        bits = bits + case((clause, 1 << place), else_=0)
    chosen = (
        select(bits.label("region"), _may(permission, cap, now).label("may"))
        .select_from(Lead)
        # Permission costs more than most rules, so it is asked of those inside alone.
        .where(or_(*clauses))
        .subquery()
    )
    writable = func.sum(case((chosen.c.may, 1), else_=0))
    rows = session.execute(
        select(chosen.c.region, func.count(), writable).group_by(chosen.c.region)
    ).all()
    found = [
        Region(
            inside=tuple(bool(number >> place & 1) for place in range(len(rules))),
            matching=matching,
            mailable=int(may),
        )
        for number, matching, may in rows
    ]
    for place, clause in enumerate(clauses):
        alone = session.scalar(select(func.count()).select_from(Lead).where(clause)) or 0
        together = sum(each.matching for each in found if each.inside[place])
        if alone != together:
            raise SegmentError(f"the counts do not add up: {alone} alone, {together} in regions")
    return sorted(found, key=lambda each: (-sum(each.inside), [not i for i in each.inside]))


def _may(permission: Permission, cap: FrequencyCap | None, now: datetime) -> Clause:
    """Whether a lead may be written to, counted as `audience` counts it."""
    later = (col(Lead.id).not_in(ids) for ids in (who_paused(now), often_written(cap, now)))
    return and_(mailable(permission), *later)


def examples(
    session: Session,
    fitting: Sequence[Rule],
    outside: Sequence[Rule],
    permission: Permission,
    *,
    limit: int,
    now: datetime,
    zone: Zone,
) -> list[Example]:
    """The first leads, oldest first, that all of `fitting` fit and none of `outside`."""
    # Few are wanted, so side tables are asked per lead, unless it takes long to find any.
    whole = not any(map(is_narrow, fitting))
    asked: list[Clause] = [where(rule, now=now, zone=zone, whole=whole) for rule in fitting]
    asked += [not_(where(rule, now=now, zone=zone, whole=whole)) for rule in outside]
    rows = session.execute(
        select(col(Lead.id), col(Lead.email), why_left_out(permission))
        .where(and_(*asked))
        .order_by(col(Lead.id))
        .limit(limit)
    )
    return [Example(id=id_, email=email, left_out=reason) for id_, email, reason in rows]
