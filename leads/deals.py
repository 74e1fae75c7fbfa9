"""Deals: what a lead may buy, for how much, until when, and what became of it.

Every change is one event of kind `deal` on the lead's timeline, with all that undoes it:

    {"deal": 12, "name": "Annual plan", "what": "opened", "after": {"name": "Annual plan",
     "amount": "12000.00", "currency": "PLN", "state": "open", "expected_close": "2026-12-20",
     "created_at": "2026-03-10T11:00:00Z", "closed_at": null}}
    {"deal": 12, "name": "Annual plan", "what": "changed", "changed":
     {"state": ["open", "won"], "closed_at": [null, "2026-03-11T11:00:00Z"]}}

`changed` holds [before, after] of any of the fields in `after`, in the same form. `name` beside
`deal` is for readers: the name before the change. An import adds `file` and `line`. A merge moves
deals without an event of this kind: `merged` says which (`merging.py`).
"""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import insert, select
from sqlmodel import Session, col

from leads.errors import FieldError, UnknownDeal, UnknownLead
from leads.fields import choice
from leads.money import currency_of
from leads.records import alter, locked
from leads.tables import Deal, Lead
from leads.telling import plain_values
from leads.timeline import record

OPEN, WON, LOST = "open", "won", "lost"

#: What the events keep of a deal.
FACTS = ("name", "amount", "currency", "state", "expected_close", "created_at", "closed_at")


def open_deal(
    session: Session,
    lead_id: int,
    name: str,
    *,
    amount: Decimal | None = None,
    currency: str = "",
    expected_close: date | None = None,
    at: datetime,
    by: str,
) -> int:
    """Opens a deal with the lead; its number.

    Raises FieldError: no name, an amount without a currency, or an open deal of this name;
    UnknownLead.
    """
    locked = select(col(Lead.id)).where(col(Lead.id) == lead_id).with_for_update()
    if session.scalar(locked) is None:
        raise UnknownLead
    facts = {
        "name": deal_name(name),
        **worth(amount, currency),
        "state": OPEN,
        "expected_close": expected_close,
        "created_at": at,
        "closed_at": None,
    }
    _refuse_twin(session, lead_id, facts["name"])
    made = session.execute(
        insert(Deal).values(lead_id=lead_id, **facts, updated_at=at).returning(col(Deal.id))
    ).scalar_one()
    number = int(made or 0)
    data = opened(number, facts)
    record(session, lead_id, "deal", at=at, by=by, data=data)
    return number


def change_deal(
    session: Session, deal_id: int, wanted: Mapping[str, Any], *, at: datetime, by: str
) -> bool:
    """Sets `name`, `amount` (Decimal), `currency`, `expected_close` (a day) as `wanted` has them.

    None clears an amount, and its currency, or a day. True when anything changed. Raises
    UnknownDeal, and FieldError as `open_deal` does.
    """
    values = dict(wanted)
    row = _locked(session, deal_id)
    if "name" in values:
        values["name"] = deal_name(values["name"])
        if row["state"] == OPEN and values["name"].casefold() != row["name"].casefold():
            _refuse_twin(session, row["lead_id"], values["name"])
    if "amount" in values or "currency" in values:
        amount = values.get("amount", row["amount"])
        kept = row["currency"] if amount is not None else ""
        values |= worth(amount, values.get("currency", kept))
    return _change(session, deal_id, row, values, at=at, by=by)


def close_deal(session: Session, deal_id: int, state: str, *, at: datetime, by: str) -> bool:
    """The deal is `won` or `lost` from `at` on; True when it was not so before.

    Raises UnknownDeal, FieldError for another state.
    """
    if state not in (WON, LOST):
        raise FieldError(f'a deal is closed as won or lost, not as "{state}"')
    row = _locked(session, deal_id)
    if row["state"] == state:
        return False
    return _change(session, deal_id, row, {"state": state, "closed_at": at}, at=at, by=by)


def reopen_deal(session: Session, deal_id: int, *, at: datetime, by: str) -> bool:
    """The deal is open again; True when it was closed. Raises UnknownDeal, FieldError."""
    row = _locked(session, deal_id)
    if row["state"] == OPEN:
        return False
    _refuse_twin(session, row["lead_id"], row["name"])
    return _change(session, deal_id, row, {"state": OPEN, "closed_at": None}, at=at, by=by)


def deals_of(session: Session, lead_id: int) -> list[Deal]:
    """The lead's deals, in the order they were opened."""
    chosen = select(Deal).where(col(Deal.lead_id) == lead_id)
    chosen = chosen.order_by(col(Deal.created_at), col(Deal.id))
    return list(session.scalars(chosen, execution_options={"populate_existing": True}))


def find_deal(session: Session, lead_id: int, text: str) -> Deal:
    """The deal that is meant by its name, or by its number as in `12` or `#12`.

    Of several with one name the open one. Raises UnknownDeal: one line that says which there are.
    """
    every = deals_of(session, lead_id)
    if not every:
        raise UnknownDeal('The lead has no deal: potok leads deal add EMAIL "NAME" opens one')
    word = " ".join(text.split()).casefold()
    named = [deal for deal in every if deal.name.casefold() == word]
    found = named or [deal for deal in every if str(deal.id) == word.removeprefix("#")]
    if len(found) > 1:
        found = [deal for deal in found if deal.state == OPEN] or found
    if len(found) == 1:
        return found[0]
    listed = ", ".join(f'#{deal.id} "{deal.name}" ({deal.state})' for deal in found or every)
    if found:
        raise UnknownDeal(f'More than one deal is called "{text}", say which by number: {listed}')
    raise UnknownDeal(f'The lead has no deal "{text}"; there is: {listed}')


def deal_name(text: str) -> str:
    """The name of a deal; raises FieldError for none, or a very long one."""
    name = choice(text, "the name of a deal")
    if not name:
        raise FieldError("The deal has no name")
    return name


def worth(amount: Decimal | None, currency: str) -> dict[str, Any]:
    """The columns `amount` and `currency`; raises FieldError when one is without the other."""
    if amount is None:
        if currency:
            raise FieldError(f"There is a currency, {currency}, and no amount")
        return {"amount": None, "currency": ""}
    if not currency:
        raise FieldError("An amount needs its currency, as in PLN or EUR")
    if amount < 0:
        raise FieldError("An amount is not below zero")
    return {"amount": amount, "currency": currency_of(currency)}


def opened(number: int, facts: Mapping[str, Any]) -> dict[str, Any]:
    """The event's data of a new deal."""
    after = plain_values({name: facts[name] for name in FACTS})
    return {"deal": number, "name": facts["name"], "what": "opened", "after": after}


def _locked(session: Session, deal_id: int) -> dict[str, Any]:
    return locked(session, Deal, deal_id, FACTS, missing=UnknownDeal)


def _change(
    session: Session,
    deal_id: int,
    before: Mapping[str, Any],
    values: Mapping[str, Any],
    *,
    at: datetime,
    by: str,
) -> bool:
    return alter(session, Deal, deal_id, before, values, called="name", at=at, by=by)


def _refuse_twin(session: Session, lead_id: int, name: str) -> None:
    """Two open deals of one name could not be told apart, neither by people nor by an import."""
    for deal in deals_of(session, lead_id):
        if deal.state == OPEN and deal.name.casefold() == name.casefold():
            raise FieldError(
                f'The lead has an open deal "{deal.name}" already, #{deal.id}: change or close '
                "that one, or give this one another name"
            )
