"""Double opt-in: asked by a mail, confirmed by the button behind its link, with the evidence.

GDPR Art. 7(1): whoever writes must be able to show that the person agreed. Kept are when and where
somebody was asked and said yes (the client's address shortened, its User-Agent), and the exact
words of both moments. Nobody is asked whose address is suppressed, but for those who were never
confirmed; and no address more often than `AGAIN` and `MOST_A_MONTH` allow, so that a form sends no
stranger a heap of mail.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from leads.consent import ask_consent, give_consent
from leads.consent_tables import ConsentRequest, ConsentWording
from leads.suppression import UNCONFIRMED, suppression_of, unsuppress
from leads.tables import Consent, Lead
from leads.timeline import record
from leads.wish_tables import BarredTopic

#: How long the link in the mail works.
OPEN_FOR = timedelta(days=7)
#: An address is not asked again so soon,
AGAIN = timedelta(days=1)
#: nor more often than so within 30 days.
MOST_A_MONTH = 3
#: How the button behind the link is called where it is named as who did it.
LINK = "confirmation link"
#: Characters of a User-Agent that are kept.
_AGENT = 200

#: How a request stands; `blocked`: the address has been suppressed since, or is another by now.
Standing = Literal["open", "confirmed", "expired", "blocked"]
#: What became of asking: `again` was asked a short while ago.
Became = Literal["asked", "confirmed", "suppressed", "again"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Wording:
    """The exact words somebody had before them."""

    language: str
    #: `pl 3f2a9c41`: the version of the pages they come from.
    version: str
    text: str

    @property
    def digest(self) -> str:
        """sha256 of the text, hex: what names it in the evidence."""
        return hashlib.sha256(self.text.encode()).hexdigest()


@dataclass(frozen=True, kw_only=True, slots=True)
class Client:
    """Whose request it was, as far as it is kept."""

    #: The network only: `203.0.113.0/24`.
    address: str = ""
    agent: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Confirming:
    """A request as a page may show it."""

    stands: Standing
    email: str
    topics: tuple[str, ...]
    language: str
    identity: str


def request_consent(
    session: Session,
    lead: Lead,
    topics: Sequence[str],
    *,
    source: str,
    wording: Wording,
    client: Client | None = None,
    identity: str = "",
    at: datetime,
    by: str,
) -> Became:
    """Writes down that the lead is to be asked; `asked` when a mail will do so.

    The consent itself stays as it is until it is confirmed: a stranger who types in an address
    changes nothing but a state of `pending` where nothing was known.
    """
    assert lead.id is not None  # noqa: S101 - it came from the database
    wanted = list(dict.fromkeys(topics)) or [""]
    if not may_ask(session, lead.address_key):
        return "suppressed"
    if not _missing(session, lead.id, wanted):
        return "confirmed"
    asked = select(func.count()).where(col(ConsentRequest.lead_id) == lead.id)
    since = col(ConsentRequest.asked_at)
    if (session.scalar(asked.where(since > at - timedelta(days=30))) or 0) >= MOST_A_MONTH:
        return "again"
    if session.scalar(asked.where(since > at - AGAIN)):
        return "again"
    client = client or Client()
    session.execute(
        insert(ConsentRequest).values(
            lead_id=lead.id,
            address_key=lead.address_key,
            topics=wanted,
            source=source,
            language=wording.language,
            wording=_keep(session, wording, at),
            asked_at=at,
            asked_from=client.address,
            asked_agent=client.agent[:_AGENT],
            by=by,
            identity=identity,
            expires_at=at + OPEN_FOR,
            due_at=at,
            tries=0,
        )
    )
    data: dict[str, Any] = {"topics": wanted, "source": source, "text": wording.version}
    record(session, lead.id, "consent_asked", at=at, by=by, data=data)
    for topic in wanted:
        ask_consent(session, lead.id, topic=topic, source=source, at=at, by=by)
    return "asked"


def confirming(
    session: Session, request_id: int, lead_token: str, *, now: datetime
) -> Confirming | None:
    """How a request stands; None when this lead was not asked like that. Changes nothing."""
    found = _found(session, request_id, lead_token)
    return None if found is None else _told(session, *found, now=now)


def confirm_consent(
    session: Session,
    request_id: int,
    lead_token: str,
    wording: Wording,
    client: Client,
    *,
    at: datetime,
) -> Confirming | None:
    """The lead said yes: consent is given, confirmed, and what kept mail back for lack of it is
    lifted. Twice is once; None when there is no such request."""
    found = _found(session, request_id, lead_token, lock=True)
    if found is None:
        return None
    request, lead = found
    told = _told(session, request, lead, now=at)
    if told.stands != "open" or lead.id is None:
        return told
    session.execute(
        update(ConsentRequest)
        .where(col(ConsentRequest.id) == request_id)
        .values(
            confirmed_at=at,
            confirmed_from=client.address,
            confirmed_agent=client.agent[:_AGENT],
            confirmed_wording=_keep(session, wording, at),
            due_at=None,
        )
        .execution_options(synchronize_session=False)
    )
    for topic in told.topics:
        # Its own word, as on the preference page: a topic that was switched off is on again.
        session.execute(
            delete(BarredTopic)
            .where(
                col(BarredTopic.address_key) == lead.address_key, col(BarredTopic.topic) == topic
            )
            .execution_options(synchronize_session=False)
        )
        source = f"{request.source}, text {wording.version}"
        give_consent(session, lead.id, topic=topic, source=source, confirmed=True, at=at, by=LINK)
    if unconfirmed(session, lead.address_key):
        unsuppress(session, lead.address_key, at=at, by=LINK, why="confirmed by link")
    session.expire_all()  # rows were changed behind the objects in hand
    return Confirming(
        stands="confirmed",
        email=told.email,
        topics=told.topics,
        language=told.language,
        identity=told.identity,
    )


def _missing(session: Session, lead_id: int, topics: Sequence[str]) -> bool:
    """Whether one of the topics is not confirmed yet."""
    there = session.scalars(
        select(col(Consent.topic)).where(
            col(Consent.lead_id) == lead_id,
            col(Consent.state) == "given",
            col(Consent.confirmed_at).is_not(None),
        )
    ).all()
    return not set(topics) <= set(there)


def unconfirmed(session: Session, key: str) -> bool:
    """The address was never confirmed, and nothing else speaks against it."""
    held = suppression_of(session, key)
    return held is not None and held.reason == UNCONFIRMED


def may_ask(session: Session, key: str) -> bool:
    """Whether a mail that asks may go to the address."""
    held = suppression_of(session, key)
    return held is None or held.reason == UNCONFIRMED


def _keep(session: Session, wording: Wording, at: datetime) -> str:
    """Keeps the words, once; what names them."""
    if session.get(ConsentWording, wording.digest) is None:
        row = {"hash": wording.digest, "language": wording.language, "text": wording.text}
        try:
            with session.begin_nested():
                session.execute(
                    insert(ConsentWording).values(**row, version=wording.version, at=at)
                )
        except IntegrityError:
            pass  # somebody else kept the same words a moment ago
    return wording.digest


def _found(
    session: Session, request_id: int, lead_token: str, *, lock: bool = False
) -> tuple[ConsentRequest, Lead] | None:
    """The request and whose it is by now: a lead may have been merged since."""
    request = session.get(ConsentRequest, request_id)
    lead = None if request is None else session.get(Lead, request.lead_id)
    if request is None or lead is None or lead.token != lead_token:
        return None
    while lead.merged_into is not None:
        lead = session.get_one(Lead, lead.merged_into)
    if lock:
        session.refresh(lead, with_for_update=True)
        session.refresh(request, with_for_update=True)
    return None if lead.erased_at is not None else (request, lead)


def _told(session: Session, request: ConsentRequest, lead: Lead, *, now: datetime) -> Confirming:
    stands: Standing = "open"
    if request.confirmed_at is not None:
        stands = "confirmed"
    elif not may_ask(session, lead.address_key) or request.address_key != lead.address_key:
        stands = "blocked"
    elif now >= request.expires_at:
        stands = "expired"
    return Confirming(
        stands=stands,
        email=lead.email,
        topics=tuple(request.topics),
        language=request.language,
        identity=request.identity,
    )
