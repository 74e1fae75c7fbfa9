"""What a page shows of a lead's choices, and a choice made there carried out.

A signed ticket says whose choice it is, as with opting out; nobody has to log in. Looking changes
nothing.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import func, select, update
from sqlmodel import Session, col

from campaigns.opt_out import context_of, lead_of, own_message, sender_of, survivor_of
from campaigns.states import State
from campaigns.tables import Message, Run
from deliverability import Ticket
from leads import (
    Address,
    Choice,
    Evidence,
    JsonObject,
    Lead,
    ask_for_address,
    choose,
    consents,
    give_consent,
    suppression_of,
    unsuppress,
    unwanted_topics,
    wish_of,
)
from templates import TemplateVersion

#: How the page is called where it is named as a source.
PAGE = "preference page"


@dataclass(frozen=True, kw_only=True, slots=True)
class Choosing:
    """What the page may show of a lead."""

    email: str
    #: BCP 47 primary language of the lead, or empty.
    language: str
    #: IANA zone name, may be empty.
    zone: str
    #: Who wrote the mail, as its From said; empty when unknown.
    sender: str
    #: The lead itself asked for no mail at all; it may take that back.
    out: bool
    #: Nothing is sent to the address for another reason, which is not the lead's to lift.
    blocked: bool
    #: Each topic with whether it is wanted, by name.
    topics: tuple[tuple[str, bool], ...]
    per_week: int | None
    #: None when no pause is running.
    paused_until: datetime | None
    #: The languages there are mails in.
    languages: tuple[str, ...]


def who_chooses(session: Session, ticket: Ticket, *, now: datetime) -> Choosing | None:
    """What the ticket's lead has chosen. Changes nothing. None when the lead has been erased."""
    lead = _person(session, ticket)
    if lead is None or lead.id is None:
        return None
    suppression = suppression_of(session, lead.address_key)
    reason = suppression.reason if suppression is not None else ""
    unwanted = unwanted_topics(session, lead)
    written, languages = _written(session)
    mentioned = {each.topic for each in consents(session, lead.id)}
    topics = sorted((written | unwanted | mentioned) - {""}, key=str.casefold)
    wish = wish_of(session, lead.id)
    paused = wish.paused_until if wish is not None else None
    return Choosing(
        email=lead.email,
        language=lead.language,
        zone=lead.timezone,
        sender=sender_of(session, ticket),
        out=reason == "opted_out" or (not reason and "" in unwanted),
        blocked=reason not in ("", "opted_out"),
        topics=tuple((topic, topic not in unwanted) for topic in topics),
        per_week=wish.per_week if wish is not None else None,
        paused_until=paused if paused is not None and paused > now else None,
        languages=languages,
    )


def choose_by_link(
    session: Session, ticket: Ticket, choice: Choice, *, text: str, now: datetime, by: str = PAGE
) -> Choosing | None:
    """Carries the choice out and says what holds then; None when the lead has been erased.

    Topics that are none of those shown, and languages there are no mails in, are passed over.
    `text` is the version of the words on the page. Twice does no more than once.
    """
    lead = _person(session, ticket, lock=True)
    known = who_chooses(session, ticket, now=now)
    if lead is None or lead.id is None or known is None:
        return None
    offered = dict(known.topics)
    choice = replace(
        choice,
        topics={topic: wanted for topic, wanted in choice.topics.items() if topic in offered},
        language=choice.language if choice.language in known.languages else "",
    )
    carry_out(session, lead.id, choice, _evidence(session, ticket, lead, text), now=now, by=by)
    session.expire_all()  # rows were changed behind the objects in hand
    return who_chooses(session, ticket, now=now)


def carry_out(
    session: Session, lead_id: int, choice: Choice, evidence: Evidence, *, now: datetime, by: str
) -> JsonObject:
    """`leads.choose`, and what waited for the end of a pause may leave when the pause ends.

    What became different, as the event has it.
    """
    wish = wish_of(session, lead_id)
    until = wish.paused_until if wish is not None else None
    told = choose(session, lead_id, choice, evidence, at=now, by=by)
    if "paused_until" in told and until is not None and choice.pause == "end":
        _release(session, lead_id, until, now=now)
    return told


def come_back(
    session: Session, ticket: Ticket, *, text: str, now: datetime, by: str = PAGE
) -> Choosing | None:
    """Takes the lead's own opt-out back, and nothing else: not a bounce, a complaint, our list."""
    lead = _person(session, ticket, lock=True)
    known = who_chooses(session, ticket, now=now)
    if lead is None or lead.id is None or known is None:
        return None
    if known.out:
        source = f"{PAGE}, text {text}"
        if suppression_of(session, lead.address_key) is not None:
            unsuppress(session, lead.address_key, at=now, by=by, why=f"asked for it ({source})")
        if "" in unwanted_topics(session, lead):
            give_consent(session, lead.id, source=source, at=now, by=by)
        session.expire_all()
    return who_chooses(session, ticket, now=now)


def ask_for_new_address(
    session: Session,
    ticket: Ticket,
    address: Address,
    key: str,
    *,
    language: str,
    now: datetime,
    by: str = PAGE,
) -> Choosing | None:
    """Writes down that mail is to go to `address`, whose key is `key`, once somebody there agrees.

    What is shown afterwards is the same whether a mail will ask there or not.
    """
    lead = _person(session, ticket, lock=True)
    if lead is None:
        return None
    message_id = own_message(session, ticket, (lead_of(session, ticket) or lead).id or 0)
    ask_for_address(
        session, lead, address, key, language=language, message_id=message_id, at=now, by=by
    )
    return who_chooses(session, ticket, now=now)


def identity_of(session: Session, message_id: int | None) -> str | None:
    """The name of the identity that sent a message."""
    return session.scalar(
        select(col(Run.identity))
        .join(Message, col(Message.run_id) == col(Run.id))
        .where(col(Message.id) == message_id)
    )


def _release(session: Session, lead_id: int, until: datetime, *, now: datetime) -> None:
    session.execute(
        update(Message)
        .where(
            col(Message.lead_id) == lead_id,
            col(Message.state) == State.PLANNED,
            col(Message.due_at) == until,
        )
        .values(due_at=now)
        .execution_options(synchronize_session=False)
    )


def _person(session: Session, ticket: Ticket, *, lock: bool = False) -> Lead | None:
    """The lead, or the one it was merged into: two records of one person choose together."""
    lead = lead_of(session, ticket, lock=lock)
    if lead is None:
        return None
    survivor = survivor_of(session, lead)
    person = survivor if survivor is not None else lead
    return None if person.erased_at is not None else person


def _evidence(session: Session, ticket: Ticket, lead: Lead, text: str) -> Evidence:
    named = lead_of(session, ticket) or lead
    campaign, template, message_id = context_of(
        session, own_message(session, ticket, named.id or 0)
    )
    return Evidence(
        source=PAGE, text=text, campaign=campaign, template=template, message_id=message_id
    )


def mail_topics(session: Session) -> set[str]:
    """The topics of all templates in force."""
    return _written(session)[0]


#: What a version of a template says of itself; by content, which never changes.
_known: dict[str, tuple[str, frozenset[str]]] = {}


def _written(session: Session) -> tuple[set[str], tuple[str, ...]]:
    """The topics and the languages of all templates in force."""
    newest = select(func.max(col(TemplateVersion.id))).group_by(col(TemplateVersion.name))
    hashes = session.scalars(
        select(col(TemplateVersion.hash)).where(col(TemplateVersion.id).in_(newest))
    ).all()
    new = [each for each in hashes if each not in _known]
    if new:
        rows = select(col(TemplateVersion.hash), col(TemplateVersion.body))
        for digest, body in session.execute(rows.where(col(TemplateVersion.hash).in_(new))):
            # A version without a body is a removal.
            own = {body["language"], *body["texts"]} - {""} if body else set()
            _known[digest] = (body["topic"] if body else "", frozenset(own))
    topics = {_known[each][0] for each in hashes} - {""}
    return topics, tuple(sorted({each for digest in hashes for each in _known[digest][1]}))
