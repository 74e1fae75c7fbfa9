"""All that this room holds about one person, over all its records (GDPR Art. 15 and 20)."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from leads.consent_evidence import requests_of
from leads.fields import FIELDS
from leads.tables import Consent, Deal, Event, Lead, Preference, Suppression, Task
from leads.wish_tables import AddressChange, BarredTopic, Wish

#: Columns that name other rows of ours or are random: nothing about the person.
_INNER = frozenset({"id", "lead_id", "address_key", "draw", "token"})


def personal_record(session: Session, lead_ids: Sequence[int]) -> dict[str, Any]:
    """Each table's rows about these records of one person, oldest first, as values.

    `records` are the leads themselves, the one that is kept first.
    """
    mine = list(lead_ids)
    leads = session.scalars(
        select(Lead)
        .where(col(Lead.id).in_(mine))
        .order_by(col(Lead.merged_into).is_not(None), col(Lead.id))
    ).all()
    keys = [lead.address_key for lead in leads]
    requests = requests_of(session, mine)
    return {
        "records": [
            {
                **{name: getattr(lead, name) for name in ("email", *FIELDS, "pipeline", "stage")},
                **{name: getattr(lead, name) for name in ("stage_at", "score", "tags")},
                "attributes": lead.attributes,
                "created_at": lead.created_at,
                "updated_at": lead.updated_at,
                "merged": lead.merged_into is not None,
            }
            for lead in leads
        ],
        "preferences": _rows(session, Preference, col(Preference.lead_id).in_(mine)),
        "consent": _rows(session, Consent, col(Consent.lead_id).in_(mine)),
        "consent_requests": [each for found in requests.values() for each in found],
        "chose": _rows(session, Wish, col(Wish.lead_id).in_(mine), by=col(Wish.lead_id)),
        "topics_off": _rows(
            session, BarredTopic, col(BarredTopic.address_key).in_(keys), by=col(BarredTopic.at)
        ),
        "address_changes": _rows(session, AddressChange, col(AddressChange.lead_id).in_(mine)),
        "suppression": _rows(
            session,
            Suppression,
            col(Suppression.address_key).in_(keys),
            by=col(Suppression.at),
        ),
        "deals": _rows(session, Deal, col(Deal.lead_id).in_(mine)),
        "tasks": _rows(session, Task, col(Task.lead_id).in_(mine)),
        "timeline": _rows(session, Event, col(Event.lead_id).in_(mine), by=col(Event.at)),
    }


def _rows(session: Session, table: Any, condition: Any, by: Any = None) -> list[dict[str, Any]]:
    order = [table.id] if by is None else [by]
    names = [name for name in table.__table__.columns.keys() if name not in _INNER]  # noqa: SIM118
    return [
        {name: getattr(row, name) for name in names}
        for row in session.scalars(select(table).where(condition).order_by(*order))
    ]
