"""Leads as rows again: a table that `leads import` takes back, or one document for each lead.

Leads come by keyset in pages, so that a million cost as much memory as a thousand.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, select
from sqlmodel import Session, col

from leads import deals, tasks
from leads.consent_evidence import requests_of
from leads.fields import FIELDS
from leads.finding import present
from leads.intake.values import cell_text, joined
from leads.permission import Permission, why_left_out
from leads.row import JsonObject
from leads.tables import Consent, Deal, Event, Lead, Preference, Task
from leads.telling import plain_values
from leads.wishes import choices_of

#: Leads read at once.
PAGE = 2_000

#: Columns every export has; behind them come prefers.*, consent.* and attr.*.
COLUMNS = ("email", *FIELDS, "pipeline", "stage", "stage_at", "tags", "score", "created_at")

#: How the consent to everything is called in a heading.
EVERYTHING = "*"


def export_documents(
    session: Session, *conditions: ColumnElement[bool]
) -> Iterator[dict[str, Any]]:
    """Each lead as a document: fields, attributes, tags, preferences, consent with its evidence,
    deals, tasks, events of your own, what it chose itself (None: nothing), why it is left out of
    every campaign."""
    rows: _Rows = {}
    chosen: dict[int, JsonObject] = {}
    for lead, stated, agreed in _leads(session, conditions, rows, chosen):
        facts = lead._mapping
        yield {
            **{name: facts[name] for name in COLUMNS},
            "attributes": lead.attributes,
            "preferences": stated,
            "consent": [
                {"topic": topic, "state": state, "source": source, "at": at, "confirmed_at": sure}
                for topic, (state, source, at, sure) in agreed.items()
            ],
            **{name: found.get(lead.id, []) for name, found in rows.items()},
            "chose": chosen.get(lead.id),
            "left_out": lead.left_out,
        }


def export_rows(session: Session, *conditions: ColumnElement[bool]) -> Iterator[list[str]]:
    """The heading, then each lead, as cells that `leads import` reads back."""
    names = session.scalars(
        select(col(Preference.name))
        .join(Lead, col(Lead.id) == col(Preference.lead_id))
        .where(present(), *conditions)
        .distinct()
        .order_by(col(Preference.name))
    ).all()
    topics = session.scalars(
        select(col(Consent.topic))
        .join(Lead, col(Lead.id) == col(Consent.lead_id))
        .where(present(), *conditions)
        .distinct()
        .order_by(col(Consent.topic))
    ).all()
    own = _attributes(session, conditions)
    yield [
        *COLUMNS,
        "left_out",
        *(f"prefers.{name}" for name in names),
        *(f"consent.{topic or EVERYTHING}" for topic in topics),
        *(f"attr.{name}{'[]' * several}" for name, several in own),
    ]
    for lead, stated, agreed in _leads(session, conditions):
        facts = lead._mapping
        yield [
            *(_cell(facts[name]) for name in COLUMNS),
            lead.left_out or "",
            *(joined(stated.get(name, [])) for name in names),
            *(_consent(agreed.get(topic)) for topic in topics),
            *(_own(lead.attributes.get(name), several) for name, several in own),
        ]


_Agreed = dict[str, tuple[str, str, datetime, datetime | None]]
#: `deals`, `tasks`, `events`, `consent_requests` -> those of each lead of the page.
_Rows = dict[str, dict[int, list[dict[str, Any]]]]


def _leads(
    session: Session,
    conditions: tuple[ColumnElement[bool], ...],
    rows: _Rows | None = None,
    chosen: dict[int, JsonObject] | None = None,
) -> Iterator[tuple[Row[Any], dict[str, list[str]], _Agreed]]:
    """Each lead with what it stated and agreed to: three statements a page.

    With `rows` and `chosen`, what else belongs to the leads of a page is laid into them: five more.
    """
    after = 0
    wanted = [col(getattr(Lead, name)) for name in ("id", *COLUMNS, "attributes")]
    while page := session.execute(
        select(*wanted, why_left_out(Permission()).label("left_out"))
        .where(col(Lead.id) > after, present(), *conditions)
        .order_by(col(Lead.id))
        .limit(PAGE)
    ).all():
        ids = [lead.id for lead in page]
        stated: dict[int, dict[str, list[str]]] = {}
        for lead_id, name, value in session.execute(
            select(col(Preference.lead_id), col(Preference.name), col(Preference.value))
            .where(col(Preference.lead_id).in_(ids))
            .order_by(col(Preference.id))
        ):
            stated.setdefault(lead_id, {}).setdefault(name, []).append(value)
        agreed: dict[int, _Agreed] = {}
        for row in session.execute(
            select(
                col(Consent.lead_id),
                col(Consent.topic),
                col(Consent.state),
                col(Consent.source),
                col(Consent.at),
                col(Consent.confirmed_at),
            ).where(col(Consent.lead_id).in_(ids))
        ):
            said = (row.state, row.source, row.at, row.confirmed_at)
            agreed.setdefault(row.lead_id, {})[row.topic] = said
        if rows is not None and chosen is not None:
            rows |= _rows(session, ids)
            chosen |= choices_of(session, ids)
        for lead in page:
            yield lead, stated.get(lead.id, {}), agreed.get(lead.id, {})
        after = ids[-1]


def _rows(session: Session, ids: list[int]) -> _Rows:
    """What these leads have several of."""
    found: _Rows = {"deals": {}, "tasks": {}, "events": {}, "consent_requests": {}}
    for lead_id, requests in requests_of(session, ids).items():
        found["consent_requests"][lead_id] = requests
    tables: tuple[tuple[str, type[Deal] | type[Task], tuple[str, ...]], ...] = (
        ("deals", Deal, deals.FACTS),
        ("tasks", Task, tasks.FACTS),
    )
    for name, table, columns in tables:
        wanted = [getattr(table, each) for each in ("lead_id", *columns)]
        chosen = select(*wanted).where(col(table.lead_id).in_(ids))
        for row in session.execute(chosen.order_by(col(table.id))):
            facts = plain_values({each: getattr(row, each) for each in columns})
            found[name].setdefault(row.lead_id, []).append(facts)
    for row in session.execute(
        select(col(Event.lead_id), col(Event.at), col(Event.kind), col(Event.data))
        # Only names of your own hold a dot.
        .where(col(Event.lead_id).in_(ids), col(Event.kind).contains("."))
        .order_by(col(Event.at), col(Event.id))
    ):
        told = {"event": row.kind, "at": row.at, "properties": row.data.get("properties", {})}
        found["events"].setdefault(row.lead_id, []).append(told)
    return found


def _attributes(
    session: Session, conditions: tuple[ColumnElement[bool], ...]
) -> list[tuple[str, bool]]:
    """The names of all attributes and whether it is a list: both when leads differ.

    Streamed: the databases have no word for this in common.
    """
    found: set[tuple[str, bool]] = set()
    rows = session.execute(
        select(col(Lead.attributes)).where(present(), *conditions),
        execution_options={"yield_per": PAGE},
    )
    for (attributes,) in rows:
        found.update((name, isinstance(value, list)) for name, value in attributes.items())
    return sorted(found)


def _consent(agreed: tuple[str, str, datetime, datetime | None] | None) -> str:
    if agreed is None:
        return ""
    state, source, at, _ = agreed
    return f"{state} {_cell(at)} {source}".strip()


def _own(value: Any, several: bool) -> str:
    """An attribute in the column for lists or in the one for single values."""
    return _cell(value) if isinstance(value, list) == several else ""


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, list):
        return joined([cell_text(each) for each in value])
    return str(value)
