"""Leads for this room's tests, and what stands on their timelines."""

from sqlalchemy import insert, select
from sqlmodel import Session, col

from leads import Lead, address_key, parse_address, timeline
from leads.tables import Preference
from tests.conftest import NOW

KEY = b"k" * 32


def key_of(email: str) -> str:
    return address_key(parse_address(email), KEY)


def add(session: Session, email: str = "anna@firma.example", **facts: object) -> int:
    """One lead; its number."""
    address = parse_address(email)
    row = {
        "email": address.email,
        "address_key": address_key(address, KEY),
        "domain": address.domain,
        "draw": 1,
        "token": address_key(address, KEY)[:16],
        "stage_at": NOW,
        "created_at": NOW,
        "updated_at": NOW,
        "attributes": {},
        "tags": [],
        **facts,
    }
    session.execute(insert(Lead), [row])
    return lead_id(session, email)


def lead_id(session: Session, email: str) -> int:
    return session.scalars(select(col(Lead.id)).where(col(Lead.address_key) == key_of(email))).one()


def events(session: Session, lead: int) -> list[tuple[str, dict[str, object]]]:
    return [(entry.kind, entry.data) for entry in timeline(session, lead)]


def stated(session: Session, lead: int, name: str) -> list[str]:
    return list(
        session.scalars(
            select(col(Preference.value))
            .where(col(Preference.lead_id) == lead, col(Preference.name) == name)
            .order_by(col(Preference.id))
        )
    )
