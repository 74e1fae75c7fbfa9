"""Suppression: addresses that must not be written to."""

from datetime import datetime

from sqlalchemy import insert, select
from sqlmodel import Session, col

from leads.tables import Lead, Suppression
from leads.timeline import record


def suppress(session: Session, key: str, *, reason: str, at: datetime, by: str) -> bool:
    """Suppresses the address; True when it was not suppressed before."""
    if session.get(Suppression, key) is not None:
        return False
    session.execute(insert(Suppression).values(address_key=key, reason=reason, at=at, by=by))
    lead_id = session.scalar(select(col(Lead.id)).where(col(Lead.address_key) == key))
    if lead_id is not None:
        record(session, lead_id, "suppressed", at=at, by=by, data={"reason": reason})
    return True
