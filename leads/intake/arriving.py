"""New leads as rows: made ready before the transaction, written inside it by four statements.

Whoever holds the database's only writing lock lets others wait, so that texts are joined, dates
converted and JSON is written while nobody waits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from struct import unpack
from typing import Any

from sqlalchemy import Table, func, select
from sqlalchemy.engine import Dialect
from sqlmodel import Session, col

from leads.address import Address
from leads.fields import FIELDS, number_of
from leads.intake.bulk import bulk
from leads.intake.draft import Draft
from leads.intake.terms import Terms
from leads.tables import Consent, Event, Lead, Preference

#: `lead.draw` is below this prime: splits and samples are arithmetic modulo it.
_DRAWS = 2**31 - 1

_LEAD = (
    *("email", "address_key", "domain", *FIELDS, "pipeline", "stage", "stage_at", "score"),
    *("attributes", "tags", "draw", "token", "created_at", "updated_at"),
)
_PREFERENCE = ("lead_id", "name", "value", "number", "said_by", "said_at")
_CONSENT = ("lead_id", "topic", "state", "source", "at", "by")
_EVENT = ("lead_id", "at", "kind", "by", "data")

_Values = tuple[Any, ...]


@dataclass(kw_only=True, slots=True)
class Arrival:
    """The rows of one new lead; those of other tables lack its id in front."""

    key: str
    lead: _Values
    preferences: list[_Values]
    consents: list[_Values]
    event: _Values


class Arrivals:
    """Makes and writes the rows of new leads for one import."""

    def __init__(self, dialect: Dialect, terms: Terms, import_id: int, dice: Random) -> None:
        self._terms, self._dice = terms, dice
        self._leads = bulk(_table(Lead), _LEAD, dialect)
        self._preferences = bulk(_table(Preference), _PREFERENCE, dialect)
        self._consents = bulk(_table(Consent), _CONSENT, dialect)
        self._events = bulk(_table(Event), _EVENT, dialect)
        self._now = self._leads.bind("stage_at")(terms.now)
        self._attributes = self._leads.bind("attributes")
        self._tags = self._leads.bind("tags")
        self._when = self._consents.bind("at")
        self._data = self._events.bind("data")
        self._said_by = terms.said_by or terms.file
        self._origin = {"file": terms.file, "import": import_id}

    def ready(self, new: Sequence[tuple[Address, int, Draft]]) -> list[Arrival]:
        """The rows of new leads (address, line, draft); needs no database."""
        # Tokens of one chunk begin alike, so that they are neighbours in the index: random ones
        # would each rewrite another page of it. The other 56 bits are random.
        start, tokens = self._dice.randbytes(1).hex(), self._dice.randbytes(7 * len(new)).hex()
        now, by = self._now, self._terms.by
        none = self._attributes({}), self._tags([])
        draws = self._draws(len(new))
        found = []
        for place, (address, line, draft) in enumerate(new):
            token = start + tokens[14 * place : 14 * place + 14]
            fields = draft.fields
            lead = (
                *(address.email, draft.key, address.domain),
                *[fields[name] for name in FIELDS],
                *(draft.pipeline, draft.stage, now, 0.0),
                self._attributes(draft.attributes) if draft.attributes else none[0],
                self._tags(draft.tags) if draft.tags else none[1],
                *(draws[place], token, now, now),
            )
            # A new lead is one event, however much the file says of it.
            data: dict[str, Any] = {**self._origin, "line": line, "stage": draft.stage}
            if draft.preferences:
                data["preferences"] = draft.preferences
            if draft.consents:
                data["consent"] = {topic: said[0] for topic, said in draft.consents.items()}
            found.append(
                Arrival(
                    key=draft.key,
                    lead=lead,
                    preferences=[
                        (name, value, number_of(value), self._said_by, now)
                        for name, values in draft.preferences.items()
                        for value in values
                    ],
                    consents=[
                        (topic, state, source, self._when(at), by)
                        for topic, (state, source, at) in draft.consents.items()
                    ],
                    event=(now, "imported", by, self._data(data)),
                )
            )
        return found

    def _draws(self, number: int) -> list[int]:
        """Numbers below the prime: all of 31 bits but the highest are."""
        bits = unpack(f"{number}I", self._dice.randbytes(4 * number))
        draws = [each & _DRAWS for each in bits]
        return [each if each < _DRAWS else self._dice.randrange(_DRAWS) for each in draws]

    def write(self, session: Session, new: Sequence[Arrival]) -> None:
        """Writes them; raises IntegrityError when somebody else brought an address meanwhile."""
        if not new:
            return
        connection = session.connection()
        last = connection.scalar(select(func.max(col(Lead.id)))) or 0
        self._leads.write(connection, [each.lead for each in new])
        # New ids are higher than all before: one piece of the table instead of a look-up for each.
        chosen = select(col(Lead.address_key), col(Lead.id))
        rows = connection.execute(chosen.where(col(Lead.id) > last))
        ids: dict[str, int] = {row.address_key: row.id for row in rows}
        if missing := [each.key for each in new if each.key not in ids]:
            # A counter that somebody set back.
            named = chosen.where(col(Lead.address_key).in_(missing))
            ids |= {row.address_key: row.id for row in connection.execute(named)}
        pairs = [(ids[each.key], each) for each in new]
        self._preferences.write(connection, [(i, *row) for i, e in pairs for row in e.preferences])
        self._consents.write(connection, [(i, *row) for i, each in pairs for row in each.consents])
        self._events.write(connection, [(i, *each.event) for i, each in pairs])


def _table(table: type) -> Table:
    found: Table = table.__table__  # type: ignore[attr-defined]
    return found
