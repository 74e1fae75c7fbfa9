"""Erasing a person: what says who it was goes, what the sums need stays.

The row keeps its number, `draw` and `token` (random, so they name nobody), and a key that belongs
to no address: the person may come back as a new lead. A suppression, and a topic that was switched
off, is held by the address's own key and stays. GDPR Art. 17.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from random import Random
from types import MappingProxyType

from sqlalchemy import bindparam, delete, select, update
from sqlmodel import Session, col

from leads.consent_tables import ConsentRequest
from leads.fields import FIELDS
from leads.tables import Consent, Deal, Event, Lead, Preference, Task
from leads.timeline import record
from leads.wish_tables import AddressChange, Wish

#: What is kept of an event's data: words of our own, never of or about the person.
KEPT: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "imported": ("import", "stage"),
        "stage": ("from", "to", "from_pipeline", "to_pipeline"),
        "suppressed": ("reason", "before"),
        "deal": ("what",),
        "task": ("what",),
        "skipped": ("reason",),
        "rejected": ("hard", "cause", "status"),
        "bounced": ("hard", "cause", "status"),
        "enrolled": ("pass", "step"),
        "sequence_exited": ("reason",),
    }
)


def with_merged(session: Session, lead_id: int) -> tuple[int, ...]:
    """The lead and all that were merged into it: one person. Locks their rows."""
    found, new = {lead_id}, {lead_id}
    while new:
        more = session.scalars(select(col(Lead.id)).where(col(Lead.merged_into).in_(new))).all()
        new = {number for number in more if number is not None} - found
        found |= new
    locked = select(col(Lead.id)).where(col(Lead.id).in_(found)).order_by(col(Lead.id))
    return tuple(n for n in session.scalars(locked.with_for_update()) if n is not None)


def erase(session: Session, lead_ids: Sequence[int], *, dice: Random, at: datetime, by: str) -> int:
    """Empties the leads and everything this room knows about them; returns how many were there.

    `dice` gives the keys that belong to no address. What campaigns kept must be forgotten before
    (`campaigns.forget`). An erased lead stays as it is.
    """
    wanted = session.scalars(
        select(col(Lead.id)).where(col(Lead.id).in_(lead_ids), col(Lead.erased_at).is_(None))
    ).all()
    ids = [number for number in wanted if number is not None]
    for lead_id in ids:
        session.execute(
            update(Lead)
            .where(col(Lead.id) == lead_id)
            .values(
                **dict.fromkeys(FIELDS, ""),
                email="",
                address_key=f"{dice.getrandbits(128):032x}",
                domain="",
                score=0.0,
                attributes={},
                tags=[],
                updated_at=at,
                erased_at=at,
            )
            .execution_options(synchronize_session=False)
        )
    for table in (Preference, Consent, ConsentRequest, Deal, Task, Wish, AddressChange):
        session.execute(
            delete(table)
            .where(col(table.lead_id).in_(ids))
            .execution_options(synchronize_session=False)
        )
    _empty_events(session, ids)
    for lead_id in ids:
        record(session, lead_id, "erased", at=at, by=by)
    return len(ids)


def _empty_events(session: Session, ids: Sequence[int]) -> None:
    rows = session.execute(
        select(col(Event.id), col(Event.kind), col(Event.data)).where(col(Event.lead_id).in_(ids))
    ).all()
    emptied = [
        {
            "event": number,
            "kept": {name: data[name] for name in KEPT.get(kind, ()) if name in data},
        }
        for number, kind, data in rows
    ]
    if emptied:
        # `by` of an answer is the address it came from.
        session.connection().execute(
            update(Event)
            .where(col(Event.id) == bindparam("event"))
            .values(by="", data=bindparam("kept")),
            emptied,
        )
