"""What came back, acted on once (T4 of a message's life).

Per mail: one `inbound` row, one event on the lead's timeline, suppression where it is due, doubt
settled, further messages stopped. The row's hash is unique per identity, and `polling.py` moves the
reader's position in the same transaction: a crash at any point neither loses nor doubles anything.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlmodel import Session, col

from campaigns.evidence import settle_by_evidence
from campaigns.matching import Match, match
from campaigns.noting import is_known, moment_of, write_down
from campaigns.opt_out import leave, opt_out
from campaigns.states import WAITING, State
from campaigns.tables import Message, Run
from campaigns.writing import UNSUBSCRIBE
from deliverability import (
    Arrived,
    Failure,
    InboundKind,
    Reading,
    read_token,
)
from leads import (
    AddressError,
    JsonObject,
    Lead,
    address_key,
    parse_address,
    record,
    suppress,
)

_EVENTS: Mapping[InboundKind, str] = {
    InboundKind.HUMAN: "replied",
    InboundKind.AUTOREPLY: "autoreplied",
    InboundKind.BOUNCE: "bounced",
    InboundKind.COMPLAINT: "complained",
    InboundKind.UNSUBSCRIBE: "opted_out",
}
_EVIDENCE: Mapping[InboundKind, str] = {
    InboundKind.HUMAN: "a reply",
    InboundKind.AUTOREPLY: "an automatic answer",
    InboundKind.BOUNCE: "a delivery report",
    InboundKind.COMPLAINT: "a complaint",
    InboundKind.UNSUBSCRIBE: "an opt-out",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Desk:
    """Whose mailbox is read, and what is needed to understand it."""

    #: The identity's name.
    identity: str
    #: The installation's key: who an address is.
    address_key: bytes
    #: Keys that sign links, newest last.
    link_keys: Sequence[bytes]
    #: Addresses we write from, lower case: our own copies are no answers.
    own: frozenset[str] = frozenset()

    def key_of(self, address: str) -> str | None:
        """The address key; None for text that is no address."""
        try:
            return address_key(parse_address(address), self.address_key)
        except AddressError:
            return None


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """What was made of one mail."""

    kind: InboundKind
    #: The event that was written; empty when there was nothing to write.
    event: str = ""
    lead_id: int | None = None
    matched_by: str = ""


def take(
    session: Session, arrived: Arrived, reading: Reading, desk: Desk, *, now: datetime
) -> Taken | None:
    """Acts on one mail; None when it is known already. Joins the caller's transaction."""
    if is_known(session, arrived, identity=desk.identity):
        return None
    sender = desk.key_of(reading.from_address)
    found = match(session, reading, sender_key=sender, now=now)
    lead = _lead(session, found, sender)
    at = moment_of(reading.date, arrived.at, found, now=now)
    event, erased = "", lead is not None and lead.erased_at is not None
    if found is not None and lead is not None and _is_ours(reading, lead, desk):
        found = None
    elif erased:
        found = lead = None  # forgotten people stay forgotten, their mail too
    elif reading.kind is InboundKind.UNSUBSCRIBE:
        event = _left(session, reading, desk, found, lead, sender=sender, at=at, now=now)
    elif found is not None and lead is not None:
        event = _act(session, reading, desk, found, lead, at=at, now=now, arrived=arrived)
    write_down(
        session,
        arrived,
        reading,
        found,
        lead,
        at=at,
        now=now,
        identity=desk.identity,
        content=not erased,
    )
    return Taken(
        kind=reading.kind,
        event=event,
        lead_id=lead.id if lead is not None else None,
        matched_by=found.by if found is not None else "",
    )


def _lead(session: Session, found: Match | None, sender: str | None) -> Lead | None:
    """Whose message it is; else who wrote, when that is a lead."""
    if found is not None:
        return session.get(Lead, found.lead_id)
    if sender is None:
        return None
    return session.scalars(select(Lead).where(col(Lead.address_key) == sender)).one_or_none()


def _is_ours(reading: Reading, lead: Lead, desk: Desk) -> bool:
    """A copy of our own mail in our own mailbox (a Sent folder, a blind copy) is no answer."""
    address = reading.from_address.lower()
    answers = (InboundKind.HUMAN, InboundKind.AUTOREPLY, InboundKind.UNSUBSCRIBE, InboundKind.OTHER)
    return reading.kind in answers and address in desk.own and address != lead.email.lower()


def _act(
    session: Session,
    reading: Reading,
    desk: Desk,
    found: Match,
    lead: Lead,
    *,
    at: datetime,
    now: datetime,
    arrived: Arrived,
) -> str:
    """The event, and what follows from it. Returns the event's kind, or nothing."""
    kind = _EVENTS.get(reading.kind)
    if kind is None or reading.delayed:
        # Still being tried: nothing has happened to the lead yet.
        return ""
    if found.sure:
        settle_by_evidence(session, found.message_id, because=_EVIDENCE[reading.kind], now=now)
    data: JsonObject = {"subject": reading.subject, "from": reading.from_address}
    data |= {"matched_by": found.by, "sha256": arrived.sha256}
    hard = False
    if reading.kind is InboundKind.BOUNCE:
        failure = _failure_of(reading, lead, desk)
        hard = failure is not None and failure.hard
        data |= _told(reading, failure)
    record(
        session,
        found.lead_id,
        kind,
        at=at,
        campaign=found.campaign,
        template=found.template,
        message_id=found.message_id,
        by=reading.from_address,
        data=data,
    )
    if hard:
        suppress(session, lead.address_key, reason="hard_bounce", at=now, by=found.campaign)
    if reading.kind is InboundKind.COMPLAINT:
        suppress(session, lead.address_key, reason="complaint", at=now, by=found.campaign)
    if reading.kind is InboundKind.HUMAN:
        stop_for_reply(session, found.lead_id, found.campaign, now=now)
    return kind


def _failure_of(reading: Reading, lead: Lead, desk: Desk) -> Failure | None:
    """What the report says about this lead's address; None when it names only others."""
    for failure in reading.failures:
        if any(desk.key_of(address) == lead.address_key for address in failure.addresses):
            return failure
    return None


def _told(reading: Reading, failure: Failure | None) -> JsonObject:
    said = failure or next(iter(reading.failures), None)
    return {
        "hard": failure is not None and failure.hard,
        "cause": str(said.cause) if said else "other",
        "status": said.status if said else "",
        "reply": said.words if said else "",
        # A forward that fails behind the lead's address says nothing against that address.
        "names_the_lead": failure is not None,
    }


def stop_for_reply(session: Session, lead_id: int, campaign: str, *, now: datetime) -> None:
    """A person answered: what still waits for this lead in this campaign is not sent.

    The claim would refuse it too; settling it now shows it at once.
    """
    session.execute(
        update(Message)
        .where(
            col(Message.lead_id) == lead_id,
            col(Message.state).in_(sorted(WAITING)),
            col(Message.run_id).in_(select(col(Run.id)).where(col(Run.campaign) == campaign)),
        )
        .values(state=State.SKIPPED, reason="replied", settled_at=now)
        .execution_options(synchronize_session=False)
    )


def _left(
    session: Session,
    reading: Reading,
    desk: Desk,
    found: Match | None,
    lead: Lead | None,
    *,
    sender: str | None,
    at: datetime,
    now: datetime,
) -> str:
    """Obeys a wish to be left alone: signed by our link, or written by the lead itself."""
    if reading.token is not None:
        ticket = read_token(desk.link_keys, UNSUBSCRIBE, reading.token)
        if ticket is not None:
            return "opted_out" if opt_out(session, ticket, now=now, by="mail") else ""
    if lead is None or (found is not None and not found.sure):
        return ""
    # Who has the mail could press the link in it as well; else only the lead's own word counts.
    if found is None and lead.address_key != sender:
        return ""
    message_id = found.message_id if found is not None else None
    return (
        "opted_out"
        if leave(session, lead, message_id=message_id, now=now, at=at, by="mail")
        else ""
    )
