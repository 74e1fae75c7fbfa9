"""The first leads of a rule with the columns somebody wants to see."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from datetime import tzinfo as Zone  # noqa: N812
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from leads import Deal, Event, Lead, Permission, Preference, why_left_out
from segments.counting import is_narrow
from segments.errors import RuleError, SegmentError
from segments.fitting import called
from segments.reading import parse
from segments.sql import where
from segments.terms import Attribute, Field, Notes, Operand, Preferred, Tag
from segments.tree import DealThat, Has, Rule
from segments.vocabulary import FIELDS, Kind

#: What a lead has in one column.
Cell = Callable[[Lead], Any]


def preview(
    session: Session,
    rule: Rule,
    permission: Permission,
    columns: Sequence[str],
    *,
    limit: int,
    now: datetime,
    zone: Zone,
) -> list[dict[str, Any]]:
    """The first leads `rule` fits, oldest first, each with `columns` and `left_out`.

    Columns are spelt as in rules: `company`, `attr.industry`, `prefers.topic`, `tag`, `notes`,
    `deal`; what a lead can have several of is a list. `left_out` is why we may not write, or None.
    Raises SegmentError, with the nearest name, for a column nobody knows.
    """
    wanted = [_wanted(column) for column in columns]
    rows = session.execute(
        select(Lead, why_left_out(permission).label("left_out"))
        .where(where(rule, now=now, zone=zone, whole=not is_narrow(rule)))
        .order_by(col(Lead.id))
        .limit(limit)
    ).all()
    ids = [lead.id for lead, _ in rows]
    cells = {name: _cell(session, operand, ids, now) for name, operand in wanted}
    return [
        {name: cell(lead) for name, cell in cells.items()} | {"left_out": left_out}
        for lead, left_out in rows
    ]


def _wanted(column: str) -> tuple[str, Operand | DealThat]:
    try:
        condition = parse(f"has {column}").condition
    except RuleError as error:
        hint = f"; did you mean {error.suggestion}?" if error.suggestion else ""
        raise SegmentError(f'"{column}" is no column: {error.message}{hint}') from None
    if isinstance(condition, DealThat):
        return "deal", condition
    if not isinstance(condition, Has):
        raise SegmentError(f'"{column}" is no column; name a field such as company or attr.size')
    return called(condition.operand), condition.operand


def _cell(
    session: Session, operand: Operand | DealThat, ids: Sequence[int | None], now: datetime
) -> Cell:
    match operand:
        case Attribute(name=name):
            return lambda lead: lead.attributes.get(name)
        case Tag():
            return lambda lead: list(lead.tags)
        case Field(name=name):
            column = FIELDS[name].column
            if FIELDS[name].kind is Kind.AGE:
                # An age is shown in whole days.
                return lambda lead: (now - getattr(lead, column)).days
            return lambda lead: getattr(lead, column)
        case Preferred(name=name):
            said = select(Preference).where(
                col(Preference.lead_id).in_(ids), col(Preference.name) == name
            )
            rows = session.scalars(said.order_by(col(Preference.id)))
            return _listed((row.lead_id, row.value) for row in rows)
        case Notes():
            written = select(Event).where(col(Event.lead_id).in_(ids), col(Event.kind) == "note")
            notes = session.scalars(written.order_by(col(Event.at), col(Event.id)))
            return _listed((note.lead_id, str(note.data.get("text", ""))) for note in notes)
        case DealThat():
            made = select(Deal).where(col(Deal.lead_id).in_(ids)).order_by(col(Deal.id))
            return _listed((deal.lead_id, _deal(deal)) for deal in session.scalars(made))
        case _:
            raise SegmentError("that is no column of a lead")


def _listed(pairs: Iterable[tuple[int, str]]) -> Cell:
    by_lead: Mapping[int, list[str]] = defaultdict(list)
    for lead_id, text in pairs:
        by_lead[lead_id].append(text)
    return lambda lead: by_lead.get(lead.id or 0, [])


def _deal(deal: Deal) -> str:
    """`Licences: 5000.00 EUR, open`."""
    worth = "" if deal.amount is None else f" {deal.amount:.2f} {deal.currency}".rstrip()
    return f"{deal.name}:{worth}, {deal.state}" if worth else f"{deal.name}: {deal.state}"
