"""Somebody types an address into a form: a lead that gets no mail until it has confirmed."""

from collections.abc import Sequence
from datetime import datetime
from random import Random

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from leads.address import Address
from leads.confirming import Became, Client, Wording, may_ask, request_consent
from leads.finding import find_lead
from leads.suppression import UNCONFIRMED, suppress
from leads.tables import Lead
from leads.timeline import record


def sign_up(
    session: Session,
    address: Address,
    key: str,
    topics: Sequence[str],
    *,
    form: str,
    own_words: bool = False,
    place: tuple[str, str],
    wording: Wording,
    client: Client,
    identity: str = "",
    dice: Random,
    at: datetime,
) -> Became:
    """Somebody typed an address into a form: a lead, new or known, that is asked to confirm.

    A new one is suppressed as `unconfirmed` until it does, whatever campaigns require. `own_words`:
    another site's form was filled in, whose words we do not have. `place` is (pipeline, stage) of a
    new lead, `key` the address's. What is returned is nobody's to see.
    """
    by = f"form {form}"
    lead = find_lead(session, key)
    if lead is None:
        if not may_ask(session, key):
            return "suppressed"
        lead = _new(session, address, key, by, place, wording.language, dice, at)
    return request_consent(
        session,
        lead,
        topics,
        source=f"{by} (its own words)" if own_words else by,
        wording=wording,
        client=client,
        identity=identity,
        at=at,
        by=by,
    )


def _new(
    session: Session,
    address: Address,
    key: str,
    by: str,
    place: tuple[str, str],
    language: str,
    dice: Random,
    at: datetime,
) -> Lead:
    pipeline, stage = place
    try:
        with session.begin_nested():
            session.execute(
                insert(Lead).values(
                    email=address.email,
                    address_key=key,
                    domain=address.domain,
                    language=language,
                    source=by,
                    pipeline=pipeline,
                    stage=stage,
                    stage_at=at,
                    attributes={},
                    tags=[],
                    draw=dice.randrange(2**31 - 1),
                    token=f"{dice.getrandbits(64):016x}",
                    created_at=at,
                    updated_at=at,
                )
            )
            lead = session.scalars(select(Lead).where(col(Lead.address_key) == key)).one()
            assert lead.id is not None  # noqa: S101 - it came from the database
            # A new lead is one event, as with a file.
            record(session, lead.id, "imported", at=at, by=by, data={"form": by, "stage": stage})
            suppress(session, key, reason=UNCONFIRMED, at=at, by=by)
    except IntegrityError:
        # The same form, pressed twice at once: the other one was sooner.
        return session.scalars(select(Lead).where(col(Lead.address_key) == key)).one()
    return lead
