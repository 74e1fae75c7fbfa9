"""Leads as the rooms above see them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BindParameter, bindparam, select
from sqlmodel import Session, col

from leads.deals import OPEN
from leads.recipient import OpenDeal, Recipient
from leads.row import Row
from leads.tables import Deal, Lead

# Built once, on the tables: every claim asks this, and building it takes longer than the answer.
_LEAD, _PREFERENCE = (Row.metadata.tables[name] for name in ("lead", "preference"))
_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_FACTS = (
    *("email", "domain", "token", "name", "first_name", "last_name", "company", "job_title"),
    *("phone", "country", "language", "timezone", "owner", "source", "stage", "stage_at"),
    *("score", "attributes"),
)
_STATED = (
    select(_PREFERENCE.c.lead_id, _PREFERENCE.c.name, _PREFERENCE.c.value)
    .where(_PREFERENCE.c.lead_id.in_(_IDS))
    .order_by(_PREFERENCE.c.id)
)
_KNOWN = select(_LEAD.c.id, _LEAD.c.tags, *(_LEAD.c[name] for name in _FACTS)).where(
    _LEAD.c.id.in_(_IDS)
)


def recipients(session: Session, lead_ids: Sequence[int]) -> dict[int, Recipient]:
    """{lead id: Recipient}: two queries however many leads."""
    connection, asked = session.connection(), {"ids": list(lead_ids)}
    stated: dict[int, dict[str, list[str]]] = {}
    for lead_id, name, value in connection.execute(_STATED, asked):
        stated.setdefault(lead_id, {}).setdefault(name, []).append(value)
    found: dict[int, Recipient] = {}
    for lead_id, tags, *facts in connection.execute(_KNOWN, asked):
        found[lead_id] = Recipient(
            lead_id=lead_id,
            tags=tuple(tags),
            preferences={k: tuple(v) for k, v in stated.get(lead_id, {}).items()},
            **dict(zip(_FACTS, facts, strict=True)),
        )
    return found


def open_deals(session: Session, lead_ids: Sequence[int]) -> dict[int, tuple[OpenDeal, ...]]:
    """{lead id: its open deals, newest first}: one query; leads without one are absent."""
    found: dict[int, list[OpenDeal]] = {}
    rows = session.execute(
        select(
            col(Deal.lead_id),
            col(Deal.name),
            col(Deal.amount),
            col(Deal.currency),
            col(Lead.stage),
            col(Deal.expected_close),
        )
        .join(Lead, col(Lead.id) == col(Deal.lead_id))
        .where(col(Deal.lead_id).in_(lead_ids), col(Deal.state) == OPEN)
        .order_by(col(Deal.created_at).desc(), col(Deal.id).desc())
    )
    for lead_id, name, amount, currency, stage, expected_close in rows:
        found.setdefault(lead_id, []).append(
            OpenDeal(
                name=name,
                amount=amount,
                currency=currency,
                stage=stage,
                expected_close=expected_close,
            )
        )
    return {lead_id: tuple(deals) for lead_id, deals in found.items()}
