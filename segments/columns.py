"""What can be looked into for its values: a column, an attribute, events, deals, by the name that
rules give it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from sqlalchemy import BigInteger, Float, Numeric, Select, cast, literal, select, type_coerce
from sqlmodel import col

from leads import Deal, Event, Lead, Preference
from segments.dialects import elements
from segments.dialects_rows import each_value, entries, seen_text
from segments.errors import RuleError, SegmentError
from segments.reading import parse
from segments.side_tables import PROPERTIES
from segments.terms import Attribute, Field, Operand, Preferred, Tag
from segments.tree import Has
from segments.vocabulary import DEAL_FIELDS, FIELDS, FieldWord, Kind, nearest

_EVENT = re.compile(
    r"""event(?:\s*\.\s*|\s+)(?:"([^"\\]+)"|'([^'\\]+)'|([^\s."']+))"""
    r"""(?:\s*\.\s*(?:"([^"\\]+)"|'([^'\\]+)'|([^\s."']+)))?""",
    re.IGNORECASE,
)


class Holds(Enum):
    """What the values are, and so how they are shown."""

    TEXT = "texts"
    NUMBER = "numbers"
    #: Points in time, and ages: the point they began.
    TIME = "times"


@dataclass(frozen=True, kw_only=True)
class Column:
    """One thing to look into."""

    #: As rules spell it.
    name: str
    holds: Holds = Holds.TEXT
    #: leads | events | deals
    counted: str = "leads"
    #: SQL: the value and whose it is.
    value: Any
    lead_id: Any
    #: What the rows are read from, and which of them count.
    source: Any
    conditions: tuple[Any, ...] = ()
    #: The name inside: of the attribute, the preference, the property of an event.
    inner: str = ""
    #: The event's name.
    event: str = ""
    #: How a value is written for people.
    shown: Callable[[Any], str] = str

    def rows(self) -> Select[Any]:
        """One row, `value`, for every value there is."""
        chosen = select(self.value.label("value")).select_from(*self.source)
        return chosen.where(self.value.is_not(None), *self.conditions)


def column_of(text: str) -> Column:
    """The column called `text`: `country`, `attr.industry`, `prefers.topic`, `tag`, `event`,
    `event."demo.requested"` (its properties), `event."demo.requested".plan`, `deal.state`.

    Raises RuleError, with the nearest name, when there is nothing of this name.
    """
    text = text.strip()
    if text.lower() in ("event", "events"):
        return Column(
            name="event",
            counted="events",
            value=col(Event.kind),
            lead_id=col(Event.lead_id),
            source=(Event,),
        )
    if text.lower() == "event." or re.match(r"event[\s.]", text, re.IGNORECASE):
        return _of_event(text)
    if text.lower().startswith("deal."):
        return _of_deal(text)
    condition = parse(f"has {text}").condition
    if not isinstance(condition, Has):
        raise SegmentError(f'"{text}" is no field; name one such as country, attr.size or tag')
    return _of_lead(condition.operand)


def _of_lead(operand: Operand) -> Column:
    mine: dict[str, Any] = {"lead_id": col(Lead.id), "source": (Lead,)}
    match operand:
        case Field(name=name):
            return _plain(name, FIELDS[name], Lead, **mine)
        case Attribute(name=name):
            found = each_value(col(Lead.attributes), name).rows()
            value = seen_text(found.c.value, found.c.type)
            mine["source"] = (Lead, found)
            return Column(name=dotted("attr", name), inner=name, value=value, **mine)
        case Tag():
            found = elements(col(Lead.tags)).table_valued("value", joins_implicitly=True)
            mine["source"] = (Lead, found)
            return Column(name="tag", value=found.c.value, **mine)
        case Preferred(name=name):
            return Column(
                name=dotted("prefers", name),
                inner=name,
                value=col(Preference.value),
                lead_id=col(Preference.lead_id),
                source=(Preference,),
                conditions=(col(Preference.name) == name,),
            )
        case _:
            raise SegmentError("that has no values to list; name a field such as country or tag")


def _plain(name: str, word: FieldWord, table: Any, **more: Any) -> Column:
    column: Any = col(getattr(table, word.column))
    match word.kind:
        case Kind.NUMBER:
            if table is Deal:
                # Kept in hundredths.
                whole = cast(type_coerce(column, BigInteger()), Numeric(asdecimal=False))
                column = whole / literal(100.0, Float())
            shown = _number_shown
            return Column(name=name, holds=Holds.NUMBER, value=column, shown=shown, **more)
        case Kind.INSTANT | Kind.AGE:
            return Column(name=name, holds=Holds.TIME, value=column, **more)
        case Kind.DAY:
            return Column(name=name, value=column, **more)
        case _:
            return Column(name=name, value=column, conditions=(column != "",), **more)


def _of_event(text: str) -> Column:
    found = _EVENT.fullmatch(text)
    if found is None:
        raise SegmentError(
            f'"{text}" names no event: write event."demo.requested" for its properties, '
            'event."demo.requested".plan for the values of one'
        )
    name = found[1] or found[2] or found[3]
    inner = found[4] or found[5] or found[6]
    mine: dict[str, Any] = {"lead_id": col(Event.lead_id), "counted": "events", "event": name}
    named = (col(Event.kind) == name,)
    if inner is None:
        rows = entries(col(Event.data), PROPERTIES).rows()
        return Column(
            name=f'event."{name}"', value=rows.c.key, source=(Event, rows), conditions=named, **mine
        )
    rows = each_value(col(Event.data), inner, PROPERTIES).rows()
    return Column(
        name=f'event."{name}".{inner}',
        value=seen_text(rows.c.value, rows.c.type),
        source=(Event, rows),
        conditions=named,
        inner=inner,
        **mine,
    )


def _of_deal(text: str) -> Column:
    name = text[len("deal.") :].strip().lower()
    if name not in DEAL_FIELDS:
        known = ", ".join(f"deal.{each}" for each in DEAL_FIELDS)
        message = f'a deal has no "{name}"; it has {known}'
        near = nearest(name, DEAL_FIELDS)
        raise RuleError(text, 1, 1, message, f"deal.{near}" if near else None, length=len(text))
    return _plain(
        f"deal.{name}",
        DEAL_FIELDS[name],
        Deal,
        lead_id=col(Deal.lead_id),
        counted="deals",
        source=(Deal,),
    )


def _number_shown(number: float) -> str:
    return f"{number:.15g}"


def dotted(head: str, name: str) -> str:
    """`attr.size`, `attr."Company size"`."""
    plain = re.fullmatch(r"[^\W\d]([\w.@+/-]*\w)?", name)
    return f"{head}.{name}" if plain else f'{head}."{name}"'
