"""All that this room holds about one person: mails written and waiting, answers, sequences."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, or_, select
from sqlmodel import Session, col

from campaigns.states import WAITING
from campaigns.tables import Attempt, Enrolment, Message, Run
from deliverability import Inbound, readable
from leads import JsonObject, Lead
from templates import TemplateVersion


@dataclass(frozen=True, kw_only=True, slots=True)
class Mailed:
    """One message row about the person."""

    id: int
    lead_id: int
    #: Whether it is still to be sent.
    queued: bool
    identity: str
    template_version_id: int
    subject: str | None
    #: What is kept so that the mail can be made again.
    context: JsonObject | None
    #: Facts as they are told.
    facts: dict[str, Any]


def mailed(session: Session, lead_ids: Sequence[int]) -> list[Mailed]:
    """Every message to these records of one person, oldest first."""
    rows = session.execute(
        select(Message, Run, col(TemplateVersion.name))
        .join(Run, col(Run.id) == col(Message.run_id))
        .join(TemplateVersion, col(TemplateVersion.id) == col(Message.template_version_id))
        .where(col(Message.lead_id).in_(lead_ids))
        .order_by(col(Message.id))
    ).all()
    tries: dict[int, list[dict[str, Any]]] = {}
    for attempt in session.scalars(
        select(Attempt)
        .where(col(Attempt.message_id).in_([message.id for message, _, _ in rows]))
        .order_by(col(Attempt.message_id), col(Attempt.number))
    ):
        tries.setdefault(attempt.message_id, []).append(
            {
                "at": attempt.started_at,
                "result": attempt.result,
                "server_said": attempt.reply,
            }
        )
    return [
        Mailed(
            id=message.id,
            lead_id=message.lead_id,
            queued=message.state in WAITING,
            identity=run.identity,
            template_version_id=message.template_version_id,
            subject=message.subject,
            context=message.context,
            facts={
                "message": message.id,
                "campaign": run.campaign,
                "step": message.step,
                "template": template,
                "state": message.state,
                "reason": message.reason,
                "due_at": message.due_at,
                "expires_at": message.expires_at,
                "settled_at": message.settled_at,
                "message_id": message.rfc_message_id,
                "attempts": tries.get(message.id, []),
            },
        )
        for message, run, template in rows
    ]


def came_back(session: Session, lead_ids: Sequence[int]) -> list[dict[str, Any]]:
    """Every mail that came from these records, or about mails to them, with its words."""
    theirs = select(col(Message.id)).where(col(Message.lead_id).in_(lead_ids))
    emails = session.scalars(select(func.lower(col(Lead.email))).where(col(Lead.id).in_(lead_ids)))
    rows = session.scalars(
        select(Inbound)
        .where(
            or_(
                col(Inbound.lead_id).in_(lead_ids),
                col(Inbound.message_id).in_(theirs),
                func.lower(col(Inbound.from_address)).in_([each for each in emails if each]),
            )
        )
        .order_by(col(Inbound.sent_at), col(Inbound.id))
    )
    return [
        {
            "at": row.sent_at,
            "kind": row.kind,
            "from": row.from_address,
            "subject": row.subject,
            "answers_message": row.message_id,
            "text": readable(row.raw),
        }
        for row in rows
    ]


def walked(session: Session, lead_ids: Sequence[int]) -> list[dict[str, Any]]:
    """Every sequence these records are or were on the way through."""
    rows = session.scalars(
        select(Enrolment).where(col(Enrolment.lead_id).in_(lead_ids)).order_by(col(Enrolment.id))
    )
    return [
        {
            "sequence": row.sequence,
            "state": row.state,
            "step": row.step,
            "reason": row.reason,
            "enrolled_at": row.enrolled_at,
            "due_at": row.due_at if row.ended_at is None else None,
            "ended_at": row.ended_at,
        }
        for row in rows
    ]
