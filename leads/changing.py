"""Changing what we know of one lead. Each change is an event with before and after."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlmodel import Session, col

from leads.errors import FieldError, UnknownLead
from leads.fields import (
    FIELDS,
    attribute_list,
    attribute_value,
    field_value,
    field_word,
    known_field,
    tag,
)
from leads.intake.values import values_in
from leads.names import renamed
from leads.tables import Lead
from leads.timeline import record
from leads.wish_tables import Wish


def set_fields(
    session: Session,
    lead_id: int,
    fields: Mapping[str, str],
    *,
    attributes: Mapping[str, str] | None = None,
    add_tags: Sequence[str] = (),
    remove_tags: Sequence[str] = (),
    own_word: bool = False,
    at: datetime,
    by: str,
) -> bool:
    """Sets fields and attributes (an empty text clears one), adds and removes tags.

    An attribute `interests[]` becomes a list of the values that ; or | part. True when anything
    changed. Raises FieldError for an unknown field or a value that does not fit, and for a language
    other than the one the lead chose itself (unless this is its `own_word`); UnknownLead.

    The event's data is {"changed": {"company": [before, after], "attr.industry": [...], "tags":
    [[...], [...]]}}, with everything that changed, also a name that followed its parts. None stands
    for an attribute that was not there, or is no longer.
    """
    wanted = {known_field(name): field_value(name, text) for name, text in fields.items()}
    own = {attribute_name(name): _attribute(name, v) for name, v in (attributes or {}).items()}
    adding, removing = [tag(text) for text in add_tags], {text.strip() for text in remove_tags}
    row = session.execute(
        select(*(getattr(Lead, name) for name in (*FIELDS, "attributes", "tags")))
        .where(col(Lead.id) == lead_id)
        .with_for_update()
    ).one_or_none()
    if row is None:
        raise UnknownLead
    before = row._asdict()
    if wanted.get("language", before["language"]) != before["language"] and not own_word:
        _refuse_to_overrule(session, lead_id)
    renamed(before, wanted)
    values: dict[str, Any] = {name: v for name, v in wanted.items() if v != before[name]}
    changed: dict[str, Any] = {name: [before[name], value] for name, value in values.items()}
    kept = before["attributes"] | own
    after = {name: v for name, v in kept.items() if v not in ("", []) or name not in own}
    if after != before["attributes"]:
        values["attributes"] = after
        for name in own:
            if before["attributes"].get(name) != after.get(name):
                changed[f"attr.{name}"] = [before["attributes"].get(name), after.get(name)]
    tags = [each for each in dict.fromkeys([*before["tags"], *adding]) if each not in removing]
    if tags != before["tags"]:
        values["tags"] = tags
        changed["tags"] = [before["tags"], tags]
    if not values:
        return False
    session.execute(
        update(Lead)
        .where(col(Lead.id) == lead_id)
        .values(**values, updated_at=at)
        .execution_options(synchronize_session=False)
    )
    record(session, lead_id, "changed", at=at, by=by, data={"changed": changed})
    return True


def _refuse_to_overrule(session: Session, lead_id: int) -> None:
    chosen = session.execute(
        select(col(Wish.language), col(Wish.at)).where(
            col(Wish.lead_id) == lead_id, col(Wish.language) != ""
        )
    ).first()
    if chosen is not None:
        raise FieldError(
            f'the lead chose the language "{chosen.language}" itself on {chosen.at:%Y-%m-%d}; did '
            "it tell you another? potok leads choose EMAIL --language pl --why 'said so by phone'"
        )


def _attribute(name: str, text: str) -> str | list[str]:
    if name.rstrip().endswith("[]"):
        return attribute_list(values_in(text))
    return attribute_value(text)


def attribute_name(text: str) -> str:
    """The name of an attribute; raises FieldError when nothing is left of it."""
    word = field_word(text)
    if not word:
        raise FieldError(f'"{text}" is no name for an attribute: write a word, as in industry')
    return word


def add_note(session: Session, lead_id: int, text: str, *, at: datetime, by: str) -> bool:
    """Writes something down on the lead's timeline. Raises FieldError for an empty note."""
    note = attribute_value(text)
    if not note:
        raise FieldError("The note is empty")
    if session.scalar(select(col(Lead.id)).where(col(Lead.id) == lead_id)) is None:
        raise UnknownLead
    record(session, lead_id, "note", at=at, by=by, data={"text": note})
    return True
