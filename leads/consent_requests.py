"""Mails that ask to confirm a consent, as they wait to be sent."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlmodel import Session, col

from leads.address_changes import RETRY
from leads.confirming import may_ask
from leads.consent_tables import ConsentRequest
from leads.tables import Lead


@dataclass(frozen=True, kw_only=True, slots=True)
class ConsentMail:
    """A mail that is to ask."""

    request_id: int
    lead_token: str
    email: str
    topics: tuple[str, ...]
    language: str
    identity: str


def take_request(session: Session, *, now: datetime) -> ConsentMail | None:
    """The next mail that is due, put off by a while in case this try dies; see `take_asking`."""
    row = session.execute(
        select(ConsentRequest, Lead)
        .join(Lead, col(Lead.id) == col(ConsentRequest.lead_id))
        .where(
            col(ConsentRequest.due_at) <= now,
            col(ConsentRequest.expires_at) > now,
            # Moved since, merged away or erased: nobody is left to be asked.
            col(ConsentRequest.address_key) == col(Lead.address_key),
        )
        .order_by(col(ConsentRequest.due_at), col(ConsentRequest.id))
        .limit(1)
        .with_for_update(of=ConsentRequest, skip_locked=True)
    ).first()
    if row is None:
        return None
    request, lead = row
    wait = RETRY * 2 ** min(request.tries, 6)
    _set(session, request.id, due_at=now + wait, tries=request.tries + 1)
    if not may_ask(session, lead.address_key):
        # Suppressed between asking and sending: put off for good.
        _set(session, request.id, due_at=None)
        return take_request(session, now=now)
    return ConsentMail(
        request_id=request.id,
        lead_token=lead.token,
        email=lead.email,
        topics=tuple(request.topics),
        language=request.language,
        identity=request.identity,
    )


def request_sent(session: Session, request_id: int, *, now: datetime, sent: bool) -> None:
    """The mail was taken by the server, or (not `sent`) was refused for good."""
    _set(session, request_id, due_at=None, sent_at=now if sent else None)


def _set(session: Session, request_id: int | None, **values: Any) -> None:
    session.execute(
        update(ConsentRequest)
        .where(col(ConsentRequest.id) == request_id)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
