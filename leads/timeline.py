"""The timeline: what happened to a lead, one event a row."""

from datetime import datetime

from sqlalchemy import insert
from sqlmodel import Session

from leads.row import JsonObject
from leads.tables import Event


def record(
    session: Session,
    lead_id: int,
    kind: str,
    *,
    at: datetime,
    campaign: str | None = None,
    template: str | None = None,
    message_id: int | None = None,
    by: str = "",
    data: JsonObject | None = None,
) -> None:
    """Writes one event."""
    session.execute(
        insert(Event).values(
            lead_id=lead_id,
            at=at,
            kind=kind,
            campaign=campaign,
            template=template,
            message_id=message_id,
            by=by,
            data=data or {},
        )
    )
