"""What a template asks beyond the lead itself, looked up for a whole batch at a time.

Only what the template names is asked: its open deals, and membership in segments by the rules
frozen with the template's version.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlmodel import Session, col

from leads import JsonObject, Lead, OpenDeal, open_deals
from segments import Rule, rule_of, where
from templates import Compiled


@dataclass(frozen=True, kw_only=True, slots=True)
class Circumstances:
    """How it stands with one lead at one moment."""

    #: Open deals, newest first.
    deals: tuple[OpenDeal, ...] = ()
    #: Of the segments asked about, those the lead is in.
    segments: frozenset[str] = frozenset()


#: Of a lead that nothing was asked about.
NOTHING = Circumstances()


def asks(compiled: Compiled) -> bool:
    """Whether `circumstances` would look anything up for this template."""
    return bool(compiled.segments) or "deals" in compiled.asks


def circumstances(
    session: Session,
    compiled: Compiled,
    lead_ids: Sequence[int],
    *,
    now: datetime,
    zone: ZoneInfo,
) -> Mapping[int, Circumstances]:
    """{lead id: its circumstances} for every lead given: one query for deals, one a segment."""
    deals = open_deals(session, lead_ids) if "deals" in compiled.asks else {}
    within: dict[int, set[str]] = {}
    for name, body in compiled.segments.items():
        clause = where(_rule(json.dumps(body, sort_keys=True)), now=now, zone=zone)
        inside = select(col(Lead.id)).where(col(Lead.id).in_(lead_ids), clause)
        for lead_id in session.scalars(inside):
            within.setdefault(lead_id or 0, set()).add(name)
    return {
        lead_id: Circumstances(
            deals=deals.get(lead_id, ()), segments=frozenset(within.get(lead_id, ()))
        )
        for lead_id in lead_ids
    }


@lru_cache(maxsize=128)
def _rule(body: str) -> Rule:
    """Reading a rule takes milliseconds, so each is read once in a process."""
    closed: JsonObject = json.loads(body)
    return rule_of(closed)
