"""A lead moves to another address: asked for on its page, confirmed by whoever reads mail there.

The old address stays as a record merged into the lead, so that a file that still has it means this
lead, and the person erased is erased with it. What the old address was suppressed for goes along,
but for bounces, which are the old address's own; topics that were switched off go along.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from typing import Literal

from sqlalchemy import func, insert, select, update
from sqlmodel import Session, col

from leads.address import Address
from leads.finding import lead_at
from leads.row import JsonObject
from leads.suppression import suppress, suppression_of
from leads.tables import Lead
from leads.timeline import record
from leads.wish_tables import AddressChange
from leads.wishes import bar, barred_topics

#: How long the link in the mail works.
OPEN_FOR = timedelta(days=2)
#: Changes one lead may ask for within a day: nobody sends mail to strangers with our page.
MOST_A_DAY = 3

#: After a mail that could not be sent; twice as long each time.
RETRY = timedelta(minutes=1)
#: Why an address is suppressed that says nothing about the person.
OF_THE_ADDRESS = frozenset({"hard_bounce"})

#: How a change stands; `taken` means another lead has the address.
Standing = Literal["open", "confirmed", "expired", "taken"]


def ask_for_address(
    session: Session,
    lead: Lead,
    address: Address,
    key: str,
    *,
    language: str,
    message_id: int | None,
    at: datetime,
    by: str,
) -> bool:
    """Writes the wish down; True when a mail is to ask at the new address.

    Nothing is sent to the lead's present address, one of another lead, one that is suppressed, or
    one that was asked within a day; nobody learns which it was. `key` is the new address's.
    """
    if key == lead.address_key or lead.id is None:
        return False
    day_ago = at - timedelta(days=1)
    asked = select(func.count()).where(col(AddressChange.asked_at) > day_ago)
    by_lead = session.scalar(asked.where(col(AddressChange.lead_id) == lead.id)) or 0
    if by_lead >= MOST_A_DAY or session.scalar(asked.where(col(AddressChange.address_key) == key)):
        return False
    free = _free(session, lead, key) and suppression_of(session, key) is None
    session.execute(
        insert(AddressChange).values(
            lead_id=lead.id,
            email=address.email,
            address_key=key,
            domain=address.domain,
            language=language,
            message_id=message_id,
            asked_at=at,
            expires_at=at + OPEN_FOR,
            due_at=at if free else None,
            tries=0,
        )
    )
    record(session, lead.id, "address", at=at, by=by, data={"asked_for": address.email})
    return free


@dataclass(frozen=True, kw_only=True, slots=True)
class Moving:
    """A change of address as a page may show it."""

    stands: Standing
    email: str
    #: The address mail goes to at present; before, when the change was just made.
    old: str
    #: Of the page on which it was asked for.
    language: str


def moving(session: Session, change_id: int, lead_token: str, *, now: datetime) -> Moving | None:
    """How a change stands; None when this lead asked for none like it. Changes nothing."""
    found = _found(session, change_id, lead_token)
    return None if found is None else _told(session, *found, now=now)


def confirm_address(
    session: Session,
    change_id: int,
    lead_token: str,
    evidence: JsonObject,
    *,
    dice: Random,
    at: datetime,
    by: str,
) -> Moving | None:
    """Gives the lead its new address, once; None when there is no such change.

    `evidence` is kept with the event. `dice` gives the record that keeps the old address its token.
    """
    found = _found(session, change_id, lead_token, lock=True)
    if found is None:
        return None
    change, lead = found
    told = _told(session, change, lead, now=at)
    if told.stands != "open":
        return told
    _move(session, lead, change, evidence, dice=dice, at=at, by=by)
    return replace(told, stands="confirmed")


def _found(
    session: Session, change_id: int, lead_token: str, *, lock: bool = False
) -> tuple[AddressChange, Lead] | None:
    """The change and whose it is by now: a lead may have been merged since."""
    change = session.get(AddressChange, change_id)
    lead = None if change is None else session.get(Lead, change.lead_id)
    if change is None or lead is None or lead.token != lead_token:
        return None
    while lead.merged_into is not None:
        lead = session.get_one(Lead, lead.merged_into)
    if lock:
        session.refresh(lead, with_for_update=True)
        session.refresh(change, with_for_update=True)
    return None if lead.erased_at is not None else (change, lead)


def _told(session: Session, change: AddressChange, lead: Lead, *, now: datetime) -> Moving:
    stands: Standing = "open"
    if lead.address_key == change.address_key:
        stands = "confirmed"
    elif change.confirmed_at is not None or now >= change.expires_at:
        stands = "expired"
    elif not _free(session, lead, change.address_key):
        stands = "taken"
    return Moving(stands=stands, email=change.email, old=lead.email, language=change.language)


def _free(session: Session, lead: Lead, key: str) -> bool:
    """Nobody has it, or a record that was merged into this very lead."""
    there = lead_at(session, key)
    return there is None or (there.merged_into is not None and there.merged_into == lead.id)


def _move(
    session: Session,
    lead: Lead,
    change: AddressChange,
    evidence: JsonObject,
    *,
    dice: Random,
    at: datetime,
    by: str,
) -> None:
    assert lead.id is not None  # noqa: S101 - it came from the database
    before = {"email": lead.email, "address_key": lead.address_key, "domain": lead.domain}
    after = {"email": change.email, "address_key": change.address_key, "domain": change.domain}
    held = suppression_of(session, lead.address_key)
    topics = set(barred_topics(session, lead.address_key))
    there = lead_at(session, change.address_key)
    if there is not None:
        # It comes back to an address it had: the record there steps aside for a moment.
        _write(session, there.id, {"address_key": f"{dice.getrandbits(128):032x}"}, at)
    _write(session, lead.id, after, at)
    if there is not None:
        _write(session, there.id, before, at)
    else:
        session.execute(
            insert(Lead).values(
                **before,
                draw=lead.draw,
                token=f"{dice.getrandbits(64):016x}",
                pipeline=lead.pipeline,
                stage=lead.stage,
                stage_at=at,
                created_at=at,
                updated_at=at,
                merged_into=lead.id,
                attributes={},
                tags=[],
            )
        )
    changed = {name: [before[name], after[name]] for name in ("email", "domain")}
    record(session, lead.id, "changed", at=at, by=by, data={"changed": changed, **evidence})
    if held is not None and held.reason not in OF_THE_ADDRESS:
        suppress(session, change.address_key, reason=held.reason, at=at, by=held.by or by)
    bar(session, change.address_key, topics, at=at, by=by)
    # One link that was followed puts an end to the others.
    session.execute(
        update(AddressChange)
        .where(col(AddressChange.lead_id) == change.lead_id)
        .values(confirmed_at=at, due_at=None)
        .execution_options(synchronize_session=False)
    )


def _write(session: Session, lead_id: int | None, values: dict[str, str], at: datetime) -> None:
    session.execute(
        update(Lead)
        .where(col(Lead.id) == lead_id)
        .values(**values, updated_at=at)
        .execution_options(synchronize_session=False)
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Asking:
    """A mail that is to ask at a new address."""

    change_id: int
    lead_token: str
    email: str
    #: The present address; nobody shows it in full.
    old: str
    language: str
    message_id: int | None


def take_asking(session: Session, *, now: datetime) -> Asking | None:
    """The next mail that is due, put off by a while in case this try dies: never lost, and sent
    twice at most when somebody is killed between sending and `asked`."""
    row = session.execute(
        select(AddressChange, Lead)
        .join(Lead, col(Lead.id) == col(AddressChange.lead_id))
        .where(col(AddressChange.due_at) <= now, col(AddressChange.expires_at) > now)
        .order_by(col(AddressChange.due_at), col(AddressChange.id))
        .limit(1)
        # SQLite has one writer and ignores this.
        .with_for_update(of=AddressChange, skip_locked=True)
    ).first()
    if row is None:
        return None
    change, lead = row
    wait = RETRY * 2 ** min(change.tries, 6)
    session.execute(
        update(AddressChange)
        .where(col(AddressChange.id) == change.id)
        .values(due_at=now + wait, tries=change.tries + 1)
        .execution_options(synchronize_session=False)
    )
    return Asking(
        change_id=change.id,
        lead_token=lead.token,
        email=change.email,
        old=lead.email,
        language=change.language,
        message_id=change.message_id,
    )


def asked(session: Session, change_id: int, *, now: datetime, sent: bool) -> None:
    """The mail was taken by the server, or (not `sent`) was refused for good."""
    session.execute(
        update(AddressChange)
        .where(col(AddressChange.id) == change_id)
        .values(due_at=None, sent_at=now if sent else None)
        .execution_options(synchronize_session=False)
    )
