"""Leads as the rooms above see them."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlmodel import Session, col

from leads.deals import OPEN
from leads.recipient import OpenDeal, Recipient
from leads.tables import Deal, Lead, Preference


def recipients(session: Session, lead_ids: Sequence[int]) -> dict[int, Recipient]:
    """{lead id: Recipient}: two queries however many leads."""
    stated: dict[int, dict[str, list[str]]] = {}
    for lead_id, name, value in session.execute(
        select(col(Preference.lead_id), col(Preference.name), col(Preference.value))
        .where(col(Preference.lead_id).in_(lead_ids))
        .order_by(col(Preference.id))
    ):
        stated.setdefault(lead_id, {}).setdefault(name, []).append(value)
    found: dict[int, Recipient] = {}
    names = (
        *("email", "domain", "token", "name", "first_name", "last_name", "company", "job_title"),
        *("phone", "country", "language", "timezone", "owner", "source", "stage", "stage_at"),
        *("score", "attributes"),
    )
    rows = session.execute(
        select(col(Lead.id), col(Lead.tags), *(getattr(Lead, name) for name in names)).where(
            col(Lead.id).in_(lead_ids)
        )
    )
    for lead_id, tags, *facts in rows:
        found[lead_id] = Recipient(
            lead_id=lead_id,
            tags=tuple(tags),
            preferences={k: tuple(v) for k, v in stated.get(lead_id, {}).items()},
            **dict(zip(names, facts, strict=True)),
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
