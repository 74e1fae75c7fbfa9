"""The timeline: what happened to a lead, one event a row, and every kind of event in a sentence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import insert, select
from sqlmodel import Session, col

from leads.row import JsonObject, Row
from leads.tables import Event

#: Every kind of event that is written, by any room.
KINDS: Mapping[str, str] = MappingProxyType(
    {
        "imported": "A file or a form brought the lead in, or a file changed it.",
        "changed": "Fields, attributes or tags were set by hand.",
        "stage": "The lead moved along the pipeline.",
        "preference": "The lead told us something, or somebody learnt it.",
        "chose": "The lead chose what to get: topics, how often, a pause, its language.",
        "address": "The lead asked for its mail to go to another address; `changed` says it does.",
        "consent": "The lead allowed us to write, or took that back.",
        "consent_asked": "The lead is asked by mail to confirm that we may write.",
        "suppressed": "The address must not be written to any more.",
        "unsuppressed": "Somebody lifted a suppression and said why.",
        "deal": "A deal with the lead was opened, changed, won, lost or opened again.",
        "task": "Something to do for the lead was written down, changed or done.",
        "note": "Somebody wrote a note.",
        "merged": "Another record of the same person was merged into this one.",
        "erased": "The person was erased; what follows from the sums is all that is left.",
        "sent": "A mail was accepted by the receiving server.",
        "skipped": "A campaign left the lead out.",
        "rejected": "The receiving server refused a mail for good.",
        "enrolled": "The lead entered a sequence.",
        "sequence_done": "The last step of a sequence is behind the lead.",
        "sequence_exited": "A sequence ended early, and why.",
        "replied": "A person answered.",
        "autoreplied": "A machine answered: out of office and the like.",
        "bounced": "The mail came back.",
        "complained": "The receiver called the mail unwanted.",
        "opted_out": "The lead asked not to be written to.",
        "opened": "The picture that counts opens was fetched, as far as one can tell by a person.",
        "open_fetched": "A machine fetched the picture that counts opens, as mail programs do.",
        "clicked": "A link of the mail was followed.",
        "link_scanned": "A machine looked at a link of the mail, as security scanners do.",
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One event as people and scripts read it."""

    at: datetime
    kind: str
    #: Who or what did it.
    by: str
    #: What the kind has to say, with campaign, template and message when there are any.
    data: JsonObject


def record(
    session: Session,
    lead_id: int,
    kind: str,
    *,
    at: datetime,
    campaign: str | None = None,
    template: str | None = None,
    message_id: int | None = None,
    by: str = "",
    data: JsonObject | None = None,
) -> None:
    """Writes one event."""
    session.connection().execute(
        _INSERT,
        {
            "lead_id": lead_id,
            "at": at,
            "kind": kind,
            "campaign": campaign,
            "template": template,
            "message_id": message_id,
            "by": by,
            "data": data or {},
        },
    )


def record_all(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Writes several events; each row has all that `record` is given, by name."""
    session.connection().execute(_INSERT, rows)


#: Built once: every message that leaves writes an event.
_INSERT = insert(Row.metadata.tables["event"])


def timeline(session: Session, lead_id: int, *, newest: int | None = None) -> list[Entry]:
    """What happened to the lead, newest last; only the last `newest` when that is given."""
    rows = session.scalars(
        select(Event)
        .where(col(Event.lead_id) == lead_id)
        .order_by(col(Event.at).desc(), col(Event.id).desc())
        .limit(newest)
    )
    told = [
        Entry(
            at=row.at,
            kind=row.kind,
            by=row.by,
            data={
                **row.data,
                **{
                    name: value
                    for name in ("campaign", "template", "message_id")
                    if (value := getattr(row, name)) is not None
                },
            },
        )
        for row in rows
    ]
    return told[::-1]
