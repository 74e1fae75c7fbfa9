"""Opting out, by link or by mail: one place, so that both do the same and twice does no more.

RFC 8058 3.2 and RFC 2369 3.2. A signed ticket says whose wish it is; nobody has to log in.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from campaigns.evidence import settle_by_evidence
from campaigns.tables import Message, Run
from deliverability import IdentityVersion, Ticket
from leads import Event, Lead, record, suppress, suppression_of
from templates import TemplateVersion


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What a page about opting out may show."""

    email: str
    #: BCP 47 primary language of the lead, or empty.
    language: str
    #: Who wrote the mail, as its From said; empty when unknown.
    sender: str
    #: The address has opted out already.
    done: bool


def who_asks(session: Session, ticket: Ticket) -> Asked | None:
    """Whom the ticket is about. Changes nothing. None when the lead has been erased."""
    lead = lead_of(session, ticket)
    if lead is None:
        return None
    suppression = suppression_of(session, lead.address_key)
    return Asked(
        email=lead.email,
        language=lead.language,
        sender=sender_of(session, ticket),
        done=suppression is not None and suppression.reason == "opted_out",
    )


def opt_out(session: Session, ticket: Ticket, *, now: datetime, by: str) -> Asked | None:
    """Suppresses the address for good and says so on the timeline, once.

    `by` is how the wish reached us: `link` or `mail`. Returns what a page may confirm, None when
    the lead is gone (then there is nobody to write to either).
    """
    # Locked, so that two clicks at the same time become one after the other.
    lead = lead_of(session, ticket, lock=True)
    if lead is None or lead.id is None:
        return None
    leave(
        session,
        lead,
        message_id=own_message(session, ticket, lead.id),
        now=now,
        at=now,
        by=by,
    )
    return who_asks(session, ticket)


def leave(
    session: Session, lead: Lead, *, message_id: int | None, now: datetime, at: datetime, by: str
) -> bool:
    """The lead wants no more mail: suppressed, on the timeline, doubt settled. True when new."""
    assert lead.id is not None  # noqa: S101 - it came from the database
    campaign, template, message_id = context_of(session, message_id)
    before = suppression_of(session, lead.address_key)
    new = before is None or before.reason != "opted_out"
    suppress(session, lead.address_key, reason="opted_out", at=now, by=campaign or by)
    survivor = survivor_of(session, lead)
    if survivor is not None:
        # Two records became one person: the wish holds for the address we would write to now.
        suppress(session, survivor.address_key, reason="opted_out", at=now, by=campaign or by)
    if message_id is not None:
        settle_by_evidence(session, message_id, because="an opt-out", now=now)
    if new or not _told(session, lead.id, message_id):
        record(
            session,
            lead.id,
            "opted_out",
            at=at,
            campaign=campaign,
            template=template,
            message_id=message_id,
            by=by,
        )
        return True
    return False


def lead_of(session: Session, ticket: Ticket, *, lock: bool = False) -> Lead | None:
    """The lead the ticket names, merged or not; None when it was erased."""
    query = select(Lead).where(col(Lead.token) == ticket.lead_token)
    if lock:
        query = query.with_for_update()
    lead = session.scalars(query).one_or_none()
    return None if lead is None or lead.erased_at is not None else lead


def survivor_of(session: Session, lead: Lead) -> Lead | None:
    """The lead this one was merged into; None when it was not."""
    survivor: Lead | None = lead
    while survivor is not None and survivor.merged_into is not None:
        survivor = session.get(Lead, survivor.merged_into)
    return survivor if survivor is not lead else None


def own_message(session: Session, ticket: Ticket, lead_id: int) -> int | None:
    """The ticket's message, when it is one of this lead's."""
    return session.scalar(
        select(col(Message.id)).where(
            col(Message.id) == ticket.message_id, col(Message.lead_id) == lead_id
        )
    )


def context_of(
    session: Session, message_id: int | None
) -> tuple[str | None, str | None, int | None]:
    """Campaign, template and number of a message, for an event; None of an unknown one."""
    row = session.execute(
        select(col(Run.campaign), col(TemplateVersion.name), col(Message.id))
        .select_from(Message)
        .join(Run, col(Run.id) == col(Message.run_id))
        .join(TemplateVersion, col(TemplateVersion.id) == col(Message.template_version_id))
        .where(col(Message.id) == message_id)
    ).first()
    return (row[0], row[1], row[2]) if row is not None else (None, None, None)


def _told(session: Session, lead_id: int, message_id: int | None) -> bool:
    """Whether the timeline has this wish already."""
    query = select(col(Event.id)).where(
        col(Event.lead_id) == lead_id, col(Event.kind) == "opted_out"
    )
    if message_id is not None:
        query = query.where(col(Event.message_id) == message_id)
    return session.scalar(query.limit(1)) is not None


def sender_of(session: Session, ticket: Ticket) -> str:
    """The From name of the ticket's message; empty when it is not known."""
    facts = session.scalar(
        select(col(IdentityVersion.body))
        .join(Message, col(Message.identity_version_id) == col(IdentityVersion.id))
        .where(col(Message.id) == ticket.message_id)
    )
    return str((facts or {}).get("from_name") or "")
