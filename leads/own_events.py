"""Events of your own: what a lead did elsewhere, as your site or product tells it.

A row of `event` whose kind is the name, which holds a dot (`demo.requested`), so that it is never
one of ours (`timeline.KINDS`). Its data is {"properties": {"plan": "pro", "seats": 5}}.
"""

import json
import math
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from leads.errors import FieldError, UnknownLead
from leads.fields import attribute_value, field_word, one_line
from leads.tables import Event, Lead
from leads.timeline import record

#: Letters of a name: it stands in an index.
LONGEST_NAME = 100

#: Beyond it a number is no longer exact everywhere, so it is kept as text.
_EXACT = 2**53
_NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)+")
# 007 is a code, not a number.
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,15})?")

Properties = dict[str, str | int | float | bool]


def event_name(text: str) -> str:
    """The name of an event of your own; raises FieldError with what to write."""
    name = one_line(text)
    if len(name) <= LONGEST_NAME and _NAME.fullmatch(name):
        return name
    if len(name) > LONGEST_NAME:
        raise FieldError(f"the event's name has {len(name)} letters; {LONGEST_NAME} are the most")
    near = re.sub(r"[^a-z0-9_.-]+", "_", name.casefold()).strip("_.")
    near = re.sub(r"\.{2,}", ".", near)
    hint = near if _NAME.fullmatch(near) else f"{near}.done" if near else "demo.requested"
    raise FieldError(
        f'"{name}" is no name for an event: small letters, digits, - and _ with a dot between, so '
        f"that it is never one of Potok's own; write {hint}"
    )


def properties_of(said: Mapping[str, Any]) -> Properties:
    """What is told of an event, as texts, numbers, true and false; what is empty is left out.

    Raises FieldError for lists and objects, and for two that have one name.
    """
    found: Properties = {}
    for heading, value in said.items():
        if value is None or value == "":
            continue
        name = field_word(heading)
        if not name:
            raise FieldError(f'"{heading}" is no name for a property: write a word, as in plan')
        if name in found:
            raise FieldError(f"there are two properties {name}")
        kept = _scalar(name, value)
        if kept != "":
            found[name] = kept
    return found


def said_value(text: str) -> str | int | float:
    """A property as it is typed: digits are a number, everything else a text."""
    word = text.strip()
    if not _NUMBER.fullmatch(word):
        return text
    return float(word) if "." in word else int(word)


def note_event(
    session: Session,
    lead_id: int,
    name: str,
    properties: Mapping[str, Any],
    *,
    at: datetime,
    by: str,
) -> bool:
    """Puts the event on the lead's timeline; False when the same one is there at this moment.

    Raises FieldError, UnknownLead.
    """
    kind, known = event_name(name), properties_of(properties)
    locked = select(col(Lead.id)).where(col(Lead.id) == lead_id).with_for_update()
    if session.scalar(locked) is None:
        raise UnknownLead
    same = select(col(Event.data)).where(
        col(Event.lead_id) == lead_id, col(Event.at) == at, col(Event.kind) == kind
    )
    if fingerprint(known) in {fingerprint(d.get("properties", {})) for d in session.scalars(same)}:
        return False
    record(session, lead_id, kind, at=at, by=by, data={"properties": known})
    return True


def fingerprint(properties: Mapping[str, Any]) -> str:
    """Equal for equal properties."""
    return json.dumps(properties, sort_keys=True)


def _scalar(name: str, value: Any) -> str | int | float | bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        if isinstance(value, float) and not math.isfinite(value):
            raise FieldError(f"{name} is no number")
        whole = int(value)
        if abs(whole) > _EXACT:
            return str(value)
        return whole if whole == value else value
    if isinstance(value, str):
        if not value.isascii() and any("\ud800" <= sign <= "\udfff" for sign in value):
            raise FieldError(f"{name} holds letters that were cut in half")
        return attribute_value(value)
    raise FieldError(f"{name} is a list or an object: a property is one text, number, or yes or no")
