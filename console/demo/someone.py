"""One lead of the demo who wrote back, with all that happened to it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from console.wiring import Workspace
from deliverability import Inbound, readable
from leads import Event, JsonObject, Lead, timeline


@dataclass(frozen=True, kw_only=True, slots=True)
class Somebody:
    """A lead and its timeline, oldest first, on the workspace's own clock."""

    email: str
    name: str
    company: str
    #: (when, kind of event, its data)
    timeline: tuple[tuple[datetime, str, JsonObject], ...]


def somebody(session: Session, workspace: Workspace) -> Somebody | None:
    """Whoever replied last, so with the longest story; None when nobody did."""
    lead = session.scalars(
        select(Lead)
        .join(Event, col(Event.lead_id) == col(Lead.id))
        .where(col(Event.kind) == "replied")
        .order_by(col(Lead.stage_at).desc(), col(Event.id).desc())
        .limit(1)
    ).first()
    if lead is None or lead.id is None:
        return None
    zone = workspace.settings.time_zone
    words = _words(session, lead.id)
    return Somebody(
        email=lead.email,
        name=lead.name,
        company=lead.company,
        timeline=tuple(
            (
                entry.at.astimezone(zone),
                entry.kind,
                {**entry.data, **({"words": words} if entry.kind == "replied" else {})},
            )
            for entry in timeline(session, lead.id)
        ),
    )


def _words(session: Session, lead_id: int) -> str:
    """The first line of what it wrote."""
    raw = session.scalar(
        select(col(Inbound.raw))
        .where(col(Inbound.lead_id) == lead_id, col(Inbound.kind) == "human")
        .order_by(col(Inbound.id).desc())
        .limit(1)
    )
    return readable(raw).partition("\n")[0] if raw else ""
