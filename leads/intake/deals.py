"""A file of deals: a row opens one or changes the one of that name. Repeating it adds nothing."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from functools import partial
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlmodel import Session, col

from leads.deals import FACTS, LOST, OPEN, WON, deal_name, opened, worth
from leads.errors import FieldError
from leads.intake.about import (
    Circumstances,
    Known,
    Said,
    cell,
    find_columns,
    said,
    take_in_rows,
)
from leads.intake.counts import Counts, Taken
from leads.intake.pace import Pace, Transaction
from leads.intake.reading import Row, Source
from leads.intake.values import moment
from leads.money import amount_of, currency_of
from leads.tables import Deal, Event
from leads.telling import differences

#: Field -> what its column is called, by people and other programs.
HEADINGS = {
    "name": "name|deal|deal name|opportunity|opportunity name|nazwa|szansa|szansa sprzedaży|umowa",
    "amount": "amount|value|deal value|deal amount|kwota|wartość|betrag|wert",
    "currency": "currency|deal currency|currency code|waluta|währung",
    "state": "state|status|deal status|stage|deal stage|stan|etap",
    "expected_close": (
        "expected close|expected close date|close date|closes|closing date|planowane zamknięcie|"
        "data zamknięcia|abschlussdatum"
    ),
}
# fmt: off
_STATES = {
    OPEN: {"", "open", "new", "in progress", "otwarta", "otwarte", "w toku", "offen"},
    WON: {"won", "closed won", "closedwon", "wygrana", "wygrane", "gewonnen"},
    LOST: {"lost", "closed lost", "closedlost", "przegrana", "przegrane", "utracona", "verloren"},
}
# fmt: on


def take_in_deals(
    source: Source,
    around: Circumstances,
    *,
    mapping: Sequence[str] = (),
    write: Transaction,
    pace: Pace | None = None,
) -> Taken:
    """Takes the deals of the file in. A lead's deal is recognised by its name.

    What the row says replaces what was known, empty cells replace nothing, and a deal that was
    closed is not opened again. Raises MappingError, FileError.
    """
    columns = find_columns(source, HEADINGS, mapping)
    read = partial(_read, columns=columns, around=around)
    apply = partial(_apply, around=around)
    return take_in_rows(source, source.rows(), read, apply, write=write, pace=pace)


def _read(row: Row, *, columns: dict[str, int], around: Circumstances) -> Said[dict[str, Any]]:
    found = {name: cell(row, columns.get(name)) for name in ("email", *HEADINGS)}
    return said(row, found["email"], lambda: _facts(found, around), around.key)


def _facts(found: dict[str, str], around: Circumstances) -> dict[str, Any]:
    """What the row says; what it does not say is not in it."""
    facts: dict[str, Any] = {"name": deal_name(found["name"])}
    if found["amount"]:
        amount, currency = amount_of(found["amount"])
        if found["currency"]:
            currency = currency_of(found["currency"])
        facts |= worth(amount, currency)
    state = " ".join(found["state"].casefold().replace("_", " ").split())
    if state:
        chosen = next((name for name, words in _STATES.items() if state in words), None)
        if chosen is None:
            raise FieldError(f'a deal is open, won or lost, not "{found["state"]}"')
        facts["state"] = chosen
    if found["expected_close"]:
        facts["expected_close"] = close_day(found["expected_close"], around)
    return facts


def close_day(text: str, around: Circumstances) -> date:
    """A day of the calendar, whatever clock time stands behind it. Raises FieldError."""
    return moment(text, around.zone).astimezone(around.zone).date()


def _apply(
    session: Session, rows: Sequence[Known[dict[str, Any]]], *, around: Circumstances
) -> Counts:
    counts = Counts()
    present = _present(session, {row.lead_id for row in rows})
    before: dict[int, dict[str, Any]] = {}
    new: list[dict[str, Any]] = []
    changed: dict[int, dict[str, Any]] = {}
    for row in rows:
        place = row.lead_id, row.fact["name"].casefold()
        deal = present.get(place)
        if deal is None:
            deal = present[place] = _fresh(row, around)
            new.append(deal)
            counts.added += 1
            continue
        values = _moved(deal, row.fact, around)
        if not values:
            counts.unchanged += 1
            continue
        counts.updated += 1
        if deal["id"] is not None and deal["id"] not in before:
            before[deal["id"]] = dict(deal)
            changed[deal["id"]] = deal
        deal |= {**values, "line": row.line}
    _write(session, new, before, changed, around)
    return counts


def _present(session: Session, leads: set[int]) -> dict[tuple[int, str], dict[str, Any]]:
    """(lead, name) -> its deal: of several the newest, an open one before all others."""
    columns = [getattr(Deal, name) for name in ("id", "lead_id", *FACTS)]
    found = [
        row._asdict()
        for row in session.execute(select(*columns).where(col(Deal.lead_id).in_(leads)))
    ]
    found.sort(key=lambda deal: (deal["state"] == OPEN, deal["id"]))
    return {(deal["lead_id"], deal["name"].casefold()): deal for deal in found}


def _fresh(row: Known[dict[str, Any]], around: Circumstances) -> dict[str, Any]:
    facts = {
        "id": None,
        "lead_id": row.lead_id,
        "line": row.line,
        **dict.fromkeys(FACTS),
        "currency": "",
        "state": OPEN,
        "created_at": around.now,
        **row.fact,
    }
    return facts | {"closed_at": None if facts["state"] == OPEN else around.now}


def _moved(deal: dict[str, Any], said: dict[str, Any], around: Circumstances) -> dict[str, Any]:
    """What the row changes. Letter case does not make another name."""
    values = {n: v for n, v in said.items() if n != "name" and v != deal[n]}
    if values.get("state") == OPEN:
        del values["state"]
    if "state" in values:
        values["closed_at"] = around.now
    return values


def _write(
    session: Session,
    new: list[dict[str, Any]],
    before: dict[int, dict[str, Any]],
    changed: dict[int, dict[str, Any]],
    around: Circumstances,
) -> None:
    run = session.connection().execute
    told: list[dict[str, Any]] = []

    def tell(deal: dict[str, Any], data: dict[str, Any]) -> None:
        data |= {"file": around.file, "line": deal["line"]}
        told.append(
            {
                "lead_id": deal["lead_id"],
                "at": around.now,
                "kind": "deal",
                "by": around.by,
                "data": data,
            }
        )

    if new:
        columns = ("lead_id", *FACTS)
        made = insert(Deal).returning(col(Deal.id), sort_by_parameter_order=True)
        rows = [{n: deal[n] for n in columns} | {"updated_at": around.now} for deal in new]
        for deal, number in zip(new, run(made, rows).scalars().all(), strict=True):
            tell(deal, opened(int(number or 0), deal))
    updates: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for number, deal in changed.items():
        was = before[number]
        difference = differences(was, {name: deal[name] for name in FACTS})
        if not difference:
            continue  # several rows contradicted each other and the last word was the old one
        row = {f"to_{name}": deal[name] for name in difference}
        updates[tuple(sorted(difference))].append({"deal": number, **row})
        tell(deal, {"deal": number, "name": was["name"], "what": "changed", "changed": difference})
    for names, rows in updates.items():
        statement = update(Deal).where(col(Deal.id) == bindparam("deal"))
        values: dict[str, Any] = {name: bindparam(f"to_{name}") for name in names}
        run(statement.values(**values, updated_at=around.now), rows)
    if told:
        run(insert(Event), told)
