"""Who a rule fits, and how many of them may be written to: counts that add up."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from datetime import tzinfo as Zone  # noqa: N812
from typing import Any

from sqlmodel import Session

from leads import FrequencyCap, Permission
from segments.counting import by_lead, counts
from segments.errors import SegmentError
from segments.putting_off import moments
from segments.tree import Rule

#: A count of so few leads is made a second time, lead by lead.
FEW = 1_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Audience:
    """matching = mailable + the sum of left_out."""

    #: Leads the rule fits.
    matching: int
    #: Those of them we may write to.
    mailable: int
    #: The others by reason, most frequent first.
    left_out: dict[str, int]


def audience(
    session: Session,
    rule: Rule,
    permission: Permission,
    *,
    now: datetime,
    zone: Zone,
    cap: FrequencyCap | None = None,
) -> Audience:
    """Counts the leads `rule` fits at `now` by whether `permission` lets us write to them.

    Leads that could be written to but have had their share of messages, by the `cap` or by what
    they chose themselves, are left out as `capped`. The first reason that holds counts: merged,
    erased, suppressed, opted_out, hard_bounce or complaint, consent_withdrawn (also: the topic was
    switched off), no_consent, paused_by_lead, capped. One statement, so one snapshot,
    and nothing is loaded. Raises SegmentError if the numbers should ever contradict each other: a
    count that was put together from several, of up to 1,000 leads, is made again lead by lead.

    What it costs on 1,000,000 leads, beside SQL written by hand: `benchmarks/README.md`.
    """
    # No row is an object: the connection itself is asked, which a short count notices.
    connection = session.connection()
    statement = counts(
        rule, permission, now=now, zone=zone, cap=cap, dialect=connection.dialect.name
    )
    rows = connection.execute(statement, moments(cap, now)).all()
    found = _audience(rows)
    several = any(row.everybody for row in rows)
    if several and found.matching <= FEW:
        one_by_one = by_lead(rule, permission, now=now, zone=zone, cap=cap)
        again = _audience(session.execute(one_by_one).all())
        if again != found:
            raise SegmentError(f"the counts contradict each other: {found} and {again}")
    return found


def _audience(rows: Iterable[Any]) -> Audience:
    """From (reason, leads, everybody); reasons may come more than once."""
    everybody, mailable = None, 0
    left_out: dict[str, int] = {}
    for row in rows:
        if row.everybody:
            everybody = row.leads
        elif row.reason is None:
            mailable += row.leads
        elif row.leads:
            left_out[row.reason] = left_out.get(row.reason, 0) + row.leads
    out = sum(left_out.values())
    if everybody is None:
        everybody = mailable + out
    else:
        mailable = everybody - out
    if mailable < 0:
        raise SegmentError(f"the counts do not add up: {everybody} leads, {left_out}")
    ranked = sorted(left_out.items(), key=lambda each: (-each[1], each[0]))
    return Audience(matching=everybody, mailable=mailable, left_out=dict(ranked))
