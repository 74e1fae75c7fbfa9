"""What came back, listed and shown."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from campaigns.tables import Message, Run
from deliverability import Inbound
from leads import Lead


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """One mail that came back."""

    id: int
    at: datetime
    identity: str
    #: bounce | complaint | autoreply | unsubscribe | human | other
    kind: str
    from_address: str
    subject: str
    #: The lead it is about and the campaign, when they were found.
    email: str | None
    campaign: str | None
    message_id: int | None
    #: By which sign the message was found; empty when it was not.
    matched_by: str

    def document(self) -> dict[str, Any]:
        """The JSON that scripts may rely on."""
        return {
            "id": self.id,
            "at": self.at,
            "identity": self.identity,
            "kind": self.kind,
            "from": self.from_address,
            "subject": self.subject,
            "email": self.email,
            "campaign": self.campaign,
            "message_id": self.message_id,
            "matched_by": self.matched_by,
        }


def answers(
    session: Session,
    *,
    kind: str | None = None,
    campaign: str | None = None,
    limit: int = 50,
) -> list[Answer]:
    """What came back, newest first."""
    query = _query()
    if kind is not None:
        query = query.where(col(Inbound.kind) == kind)
    if campaign is not None:
        query = query.where(col(Run.campaign) == campaign)
    rows = session.execute(
        query.order_by(col(Inbound.sent_at).desc(), col(Inbound.id).desc()).limit(limit)
    )
    return [_answer(row) for row in rows]


def answer(session: Session, number: int) -> tuple[Answer, bytes] | None:
    """One of them with its raw mail; None when there is none of that number."""
    row = session.execute(_query(col(Inbound.raw)).where(col(Inbound.id) == number)).first()
    return None if row is None else (_answer(row[:-1]), row[-1])


def _query(*more: Any) -> Any:
    return (
        select(
            col(Inbound.id),
            col(Inbound.sent_at),
            col(Inbound.identity),
            col(Inbound.kind),
            col(Inbound.from_address),
            col(Inbound.subject),
            col(Lead.email),
            col(Run.campaign),
            col(Inbound.message_id),
            col(Inbound.matched_by),
            *more,
        )
        .outerjoin(Lead, col(Lead.id) == col(Inbound.lead_id))
        .outerjoin(Message, col(Message.id) == col(Inbound.message_id))
        .outerjoin(Run, col(Run.id) == col(Message.run_id))
    )


def _answer(row: Any) -> Answer:
    names = ("id", "at", "identity", "kind", "from_address", "subject", "email", "campaign")
    return Answer(**dict(zip((*names, "message_id", "matched_by"), row, strict=True)))
