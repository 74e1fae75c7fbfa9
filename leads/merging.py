"""Merging: two records turn out to be one person. What the other one knew goes to the one kept.

The event `merged` on the kept lead holds all that undoes it:

    {"email": the other one's, "lead": its number, "filled": ["company", "attr.size", "tags"],
     "changed": {"company": ["", "Kos"], "attr.size": [null, "9"], "tags": [["a"], ["a", "b"]]},
     "preferences": {"topic": ["pricing"]},      what the kept lead had not stated itself
     "consent": {"": ["given", "withdrawn"]},    by topic; null for one that was not written down
     "topics": ["news"],                         switched off by the other one, and so for both
     "deals": [12], "tasks": [7],                the numbers of those that moved
     "events": [31, 32]}                         the numbers of the timeline's entries that moved

A suppression that the kept address gets is an event of its own, `suppressed`.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, select, update
from sqlmodel import Session, col

from leads.consent import GIVEN, WITHDRAWN
from leads.errors import LeadError, UnknownLead
from leads.fields import FIELDS
from leads.names import renamed
from leads.suppression import STRENGTH, suppress, suppression_of
from leads.tables import Consent, Deal, Event, Lead, Preference, Task
from leads.timeline import record
from leads.wishes import unite_wishes

#: Reasons that are the person's own word and so hold for every address of theirs.
OWN_WORD = frozenset({"opted_out", "complaint"})

#: Entries that belong to a way through a sequence, and the way to the lead that walked it.
STAYING = ("enrolled", "sequence_done", "sequence_exited")


@dataclass(frozen=True, kw_only=True, slots=True)
class Merged:
    """What the kept lead got from the other one."""

    #: Fields that were empty before.
    filled: tuple[str, ...]
    #: Entries of the timeline that moved.
    events: int
    #: Why the kept address is suppressed from now on; empty when it is not because of this.
    suppressed: str


def merge(session: Session, keep_id: int, other_id: int, *, at: datetime, by: str) -> Merged:
    """Merges `other_id` into `keep_id`. Stage, address and what KEEP says of itself stay.

    Campaigns let go of the other one in the same transaction (`campaigns.withdraw`). Raises
    LeadError when both are one, or one of them was erased or merged already; UnknownLead.
    """
    rows = {
        lead.id: lead
        for lead in session.scalars(
            select(Lead)
            .where(col(Lead.id).in_([keep_id, other_id]))
            .order_by(col(Lead.id))
            .with_for_update()
        )
    }
    if keep_id not in rows or other_id not in rows:
        raise UnknownLead
    keep, other = rows[keep_id], rows[other_id]
    _refuse(session, keep, other)
    changed = _fill(session, keep, other, at=at)
    filled = tuple(changed)
    data: dict[str, Any] = {
        "email": other.email,
        "lead": other_id,
        "filled": list(filled),
        "changed": changed,
        "preferences": _unite_preferences(session, keep_id, other_id),
        "consent": _unite_consent(session, keep_id, other_id),
        "topics": sorted(unite_wishes(session, keep, other, at=at, by=by)),
        "deals": _move(session, Deal, keep_id, other_id),
        "tasks": _move(session, Task, keep_id, other_id),
    }
    moved = _move(session, Event, keep_id, other_id, col(Event.kind).not_in(STAYING))
    # One step to the lead that is kept, however often there was merging.
    session.execute(
        update(Lead)
        .where((col(Lead.merged_into) == other_id) | (col(Lead.id) == other_id))
        .values(merged_into=keep_id, updated_at=at)
        .execution_options(synchronize_session=False)
    )
    record(session, keep_id, "merged", at=at, by=by, data=data | {"events": moved})
    return Merged(
        filled=filled, events=len(moved), suppressed=_obey(session, keep, other, at=at, by=by)
    )


def _move(
    session: Session,
    table: type[Deal] | type[Task] | type[Event],
    keep_id: int,
    other_id: int,
    *conditions: ColumnElement[bool],
) -> list[int]:
    """Gives the other one's rows to the kept lead; their numbers."""
    moved = session.scalars(
        update(table)
        .where(col(table.lead_id) == other_id, *conditions)
        .values(lead_id=keep_id)
        .returning(col(table.id))
        .execution_options(synchronize_session=False)
    )
    return sorted(number for number in moved if number is not None)


def _refuse(session: Session, keep: Lead, other: Lead) -> None:
    if keep.id == other.id:
        raise LeadError(f"{keep.email} is one lead already: name two different ones")
    for lead in (keep, other):
        if lead.erased_at is not None:
            raise LeadError("This lead was erased: there is nothing left of it to merge")
        if lead.merged_into is not None:
            into = session.get_one(Lead, lead.merged_into)
            raise LeadError(f"{lead.email} was merged into {into.email} already: name that one")


def _fill(session: Session, keep: Lead, other: Lead, *, at: datetime) -> dict[str, tuple[Any, Any]]:
    """{field: (before, after)} of all that the kept lead got."""
    changes = {
        name: value
        for name in FIELDS
        if not getattr(keep, name) and (value := getattr(other, name))
    }
    renamed({name: getattr(keep, name) for name in FIELDS}, changes)
    tags = list(dict.fromkeys([*keep.tags, *other.tags]))
    new = {
        name: value
        for name, value in other.attributes.items()
        if keep.attributes.get(name) in ("", None, []) and value != keep.attributes.get(name)
    }
    session.execute(
        update(Lead)
        .where(col(Lead.id) == keep.id)
        .values(**changes, tags=tags, attributes=keep.attributes | new, updated_at=at)
        .execution_options(synchronize_session=False)
    )
    own = {f"attr.{name}": (keep.attributes.get(name), value) for name, value in new.items()}
    named = {name: (getattr(keep, name), value) for name, value in changes.items()}
    return named | own | ({"tags": (keep.tags, tags)} if tags != keep.tags else {})


def _unite_preferences(session: Session, keep_id: int, other_id: int) -> dict[str, list[str]]:
    """{name: values} that the kept lead had not stated itself."""
    got: dict[str, list[str]] = {}
    stated = {
        (name, value)
        for name, value in session.execute(
            select(col(Preference.name), col(Preference.value)).where(
                col(Preference.lead_id) == keep_id
            )
        )
    }
    for number, name, value in session.execute(
        select(col(Preference.id), col(Preference.name), col(Preference.value))
        .where(col(Preference.lead_id) == other_id)
        .order_by(col(Preference.id))
    ).all():
        if (name, value) not in stated:
            got.setdefault(name, []).append(value)
            session.execute(
                update(Preference)
                .where(col(Preference.id) == number)
                .values(lead_id=keep_id)
                .execution_options(synchronize_session=False)
            )
    session.execute(
        delete(Preference)
        .where(col(Preference.lead_id) == other_id)
        .execution_options(synchronize_session=False)
    )
    return got


def _unite_consent(
    session: Session, keep_id: int, other_id: int
) -> dict[str, tuple[str | None, str]]:
    """A no outweighs a yes, whoever of the two it was said to, and a yes that was confirmed one
    that was not. {topic: (before, after)}."""
    became: dict[str, tuple[str | None, str]] = {}
    mine = {c.topic: c for c in _consents(session, keep_id)}
    for theirs in _consents(session, other_id):
        known = mine.get(theirs.topic)
        before = None if known is None else known.state
        if known is not None and _weight(theirs) <= _weight(known):
            continue
        became[theirs.topic] = (before, theirs.state)
        if before is not None:
            session.execute(
                delete(Consent)
                .where(col(Consent.lead_id) == keep_id, col(Consent.topic) == theirs.topic)
                .execution_options(synchronize_session=False)
            )
        session.execute(
            update(Consent)
            .where(col(Consent.lead_id) == other_id, col(Consent.topic) == theirs.topic)
            .values(lead_id=keep_id)
            .execution_options(synchronize_session=False)
        )
    session.execute(
        delete(Consent)
        .where(col(Consent.lead_id) == other_id)
        .execution_options(synchronize_session=False)
    )
    return became


def _consents(session: Session, lead_id: int) -> list[Any]:
    chosen = select(col(Consent.topic), col(Consent.state), col(Consent.confirmed_at))
    chosen = chosen.where(col(Consent.lead_id) == lead_id)
    return list(session.execute(chosen.order_by(col(Consent.topic))))


def _weight(consent: Any) -> int:
    if consent.state == WITHDRAWN:
        return 3
    return 0 if consent.state != GIVEN else 1 + (consent.confirmed_at is not None)


def _obey(session: Session, keep: Lead, other: Lead, *, at: datetime, by: str) -> str:
    """A suppression stays with its address; but who opted out meant no mail at all."""
    held = suppression_of(session, other.address_key)
    if held is None or held.reason not in OWN_WORD:
        return ""
    mine = suppression_of(session, keep.address_key)
    if mine is not None and STRENGTH.get(mine.reason, 1) >= STRENGTH[held.reason]:
        return ""
    suppress(session, keep.address_key, reason=held.reason, at=at, by=held.by or by)
    return held.reason
