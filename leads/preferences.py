"""Preferences: what a lead told us, or somebody learnt, with who said it and when."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, insert, select
from sqlmodel import Session, col

from leads.errors import FieldError, UnknownLead
from leads.fields import choice, field_word, number_of
from leads.tables import Lead, Preference
from leads.timeline import record


def preference_name(text: str) -> str:
    """What a preference is about, as one lower-case word; raises FieldError for none."""
    word = field_word(text)
    if not word or len(word) > 60:
        raise FieldError(f'"{text}" is no name for a preference: write a word, as in topic')
    return word


def prefer(
    session: Session,
    lead_id: int,
    name: str,
    values: Sequence[str],
    *,
    at: datetime,
    by: str,
    said_by: str = "",
    replace: bool = False,
) -> bool:
    """Notes that the lead prefers `values`; with `replace`, nothing else under this name.

    No value with `replace` forgets what was known. `said_by` is who said so; empty means the
    lead's own words were heard by `by`. True when anything changed. Raises FieldError, UnknownLead.
    """
    name = preference_name(name)
    wanted = list(dict.fromkeys(choice(value, f"the preference {name}") for value in values))
    wanted = [value for value in wanted if value]
    # The lead's row is the lock: two people stating at once wait for each other.
    if (
        session.scalar(select(col(Lead.id)).where(col(Lead.id) == lead_id).with_for_update())
        is None
    ):
        raise UnknownLead
    stated = session.scalars(
        select(col(Preference.value)).where(
            col(Preference.lead_id) == lead_id, col(Preference.name) == name
        )
    ).all()
    added = [value for value in wanted if value not in stated]
    removed = [value for value in stated if value not in wanted] if replace else []
    if removed:
        _forget(session, lead_id, name, removed)
    if added:
        session.execute(
            insert(Preference),
            [
                {
                    "lead_id": lead_id,
                    "name": name,
                    "value": value,
                    "number": number_of(value),
                    "said_by": said_by or by,
                    "said_at": at,
                }
                for value in added
            ],
        )
    return _tell(session, lead_id, name, added, removed, at=at, by=by, said_by=said_by)


def forget_preference(
    session: Session, lead_id: int, name: str, values: Sequence[str], *, at: datetime, by: str
) -> bool:
    """Takes back single values; True when there were any."""
    name = preference_name(name)
    stated = set(
        session.scalars(
            select(col(Preference.value)).where(
                col(Preference.lead_id) == lead_id, col(Preference.name) == name
            )
        )
    )
    removed = [value for value in dict.fromkeys(map(str.strip, values)) if value in stated]
    if removed:
        _forget(session, lead_id, name, removed)
    return _tell(session, lead_id, name, [], removed, at=at, by=by, said_by="")


def _forget(session: Session, lead_id: int, name: str, values: Sequence[str]) -> None:
    session.execute(
        delete(Preference)
        .where(
            col(Preference.lead_id) == lead_id,
            col(Preference.name) == name,
            col(Preference.value).in_(values),
        )
        .execution_options(synchronize_session=False)
    )


def _tell(
    session: Session,
    lead_id: int,
    name: str,
    added: list[str],
    removed: list[str],
    *,
    at: datetime,
    by: str,
    said_by: str,
) -> bool:
    if not added and not removed:
        return False
    data: dict[str, object] = {"name": name, "added": added}
    if removed:
        data["removed"] = removed
    if said_by:
        data["said_by"] = said_by
    record(session, lead_id, "preference", at=at, by=by, data=data)
    return True
