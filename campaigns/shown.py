"""Messages looked at one by one: what somebody got, or why they got nothing."""

from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from campaigns.rfc_message_id import find_names, is_named
from campaigns.tables import Attempt, Message, Run
from campaigns.writing import compose_again, track_again
from deliverability import Identity, IdentityVersion, Ticket
from leads import Lead
from templates import Compiled, TemplateVersion, render_again


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """One message with its story."""

    id: int
    campaign: str
    occurrence: str
    email: str
    state: str
    reason: str
    subject: str | None
    rfc_message_id: str
    due_at: datetime
    settled_at: datetime | None
    reply: str
    attempts: tuple[dict[str, Any], ...]
    #: The exact bytes that were handed to the server, when it got that far.
    mail: bytes | None


def messages_of(
    session: Session,
    *,
    email: str | None = None,
    campaign: str | None = None,
    state: str | None = None,
    limit: int = 50,
) -> list[tuple[int, str, str, str, str, datetime]]:
    """(id, campaign, email, state, reason, time) of matching messages, newest first."""
    query = (
        select(
            col(Message.id),
            col(Run.campaign),
            col(Lead.email),
            col(Message.state),
            col(Message.reason),
            col(Message.due_at),
        )
        .join(Run, col(Run.id) == col(Message.run_id))
        .join(Lead, col(Lead.id) == col(Message.lead_id))
        .order_by(col(Message.id).desc())
        .limit(limit)
    )
    if email is not None:
        query = query.where(col(Lead.email) == email)
    if campaign is not None:
        query = query.where(col(Run.campaign) == campaign)
    if state is not None:
        query = query.where(col(Message.state) == state)
    return [tuple(row) for row in session.execute(query)]


def show(session: Session, which: str, *, identities: dict[str, Identity]) -> Shown | None:
    """The message called `which`: its number or its Message-ID; None when there is none."""
    plain = which.strip().strip("<>")
    wanted = col(Message.id) == int(plain) if plain.isdigit() else is_named(find_names(plain))
    row = session.execute(
        select(Message, Run, Lead)
        .join(Run, col(Run.id) == col(Message.run_id))
        .join(Lead, col(Lead.id) == col(Message.lead_id))
        .where(wanted)
    ).first()
    if row is None:
        return None
    message, run, lead = row
    tries = session.scalars(
        select(Attempt).where(col(Attempt.message_id) == message.id).order_by(col(Attempt.number))
    ).all()
    return Shown(
        id=message.id,
        campaign=run.campaign,
        occurrence=run.occurrence,
        email=lead.email,
        state=message.state,
        reason=message.reason,
        subject=message.subject,
        rfc_message_id=message.rfc_message_id,
        due_at=message.due_at,
        settled_at=message.settled_at,
        reply=message.reply,
        attempts=tuple(
            {
                "number": attempt.number,
                "started_at": attempt.started_at,
                "ended_at": attempt.ended_at,
                "result": attempt.result,
                "phase": attempt.phase,
                "code": attempt.code,
                "enhanced": attempt.enhanced,
                "reply": attempt.reply,
            }
            for attempt in tries
        ),
        mail=_mail(session, message, run, identities),
    )


def web_page(session: Session, ticket: Ticket) -> str | None:
    """The mail the ticket is about as a web page, made from what was kept of it. Changes nothing.

    None when there is no such mail, it has not been sent, or its lead has been erased.
    """
    row = session.execute(
        select(Message, TemplateVersion)
        .join(Lead, col(Lead.id) == col(Message.lead_id))
        .join(TemplateVersion, col(TemplateVersion.id) == col(Message.template_version_id))
        .where(col(Message.id) == ticket.message_id, col(Lead.token) == ticket.lead_token)
    ).first()
    if row is None or row[0].context is None:
        return None
    message, version = row
    compiled = Compiled.from_body(version.name, version.body or {})
    language = message.context["envelope"]["language"]
    track = track_again(message.context)
    rendered = render_again(compiled, message.context["read"], language=language, track=track)
    if (page := rendered.page()) is not None:
        return page
    # A mail that is plain text shows as such; a line breaks where the window ends.
    return (
        f'<!doctype html><html lang="{language or compiled.language}"><head><meta charset="utf-8">'
        f"<title>{escape(rendered.subject)}</title></head><body>"
        f'<pre style="white-space:pre-wrap">{escape(rendered.text)}</pre></body></html>'
    )


def _mail(
    session: Session, message: Message, run: Run, identities: dict[str, Identity]
) -> bytes | None:
    if message.context is None or message.identity_version_id is None:
        return None
    template = session.get_one(TemplateVersion, message.template_version_id)
    facts = session.get_one(IdentityVersion, message.identity_version_id)
    return compose_again(
        Compiled.from_body(template.name, template.body or {}),
        message.context,
        rfc_message_id=message.rfc_message_id,
        identity_name=facts.name,
        facts=facts.body,
        present=identities.get(facts.name),
    ).data
