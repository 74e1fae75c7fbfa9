"""Facts of leads out of the database: what the judge needs, in seven queries for a thousand."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, or_, select
from sqlmodel import Session, col

from leads import FIELDS, Consent, Deal, Event, Lead, Preference, Suppression, Task
from segments.dialects import unindexed
from segments.facts import DealFacts, Facts, Happened, Stated, TaskFacts

#: The columns of `Facts`; copies that the table keeps for searching are none of them.
_COLUMNS = (
    *("id", "email", "domain", *FIELDS, "pipeline", "stage", "stage_at", "score", "draw"),
    *("created_at", "updated_at", "merged_into", "erased_at"),
)

#: What `history.py` looks for among older events.
_ALWAYS = ("stage",)


def recall(
    session: Session,
    lead_ids: Sequence[int],
    *,
    kinds: Collection[str] | None = None,
    since: datetime | None = None,
    after_event: int | None = None,
) -> dict[int, Facts]:
    """The leads as they are, by id; an id nobody has is left out.

    Meant for up to some 1,000 leads. With `kinds`, only events of these kinds are read, except
    for those later than `since` or numbered above `after_event`, which are read whatever they are;
    preferences, consents, the suppression, deals and tasks only where their kind is among them:
    enough to judge a rule that asks about `kinds` (`leaves.kinds_of`) at any moment from there on.
    """

    def gathered(kind: str, wanted: Select[*tuple[Any, ...]]) -> dict[int, list[Any]]:
        asked = kinds is None or kind in kinds
        return _gathered(session, wanted) if asked else defaultdict(list)

    columns = [getattr(Lead, name) for name in (*_COLUMNS, "attributes", "tags")]
    leads = {
        row.id: row._asdict()
        for row in session.execute(select(*columns).where(col(Lead.id).in_(lead_ids)))
    }
    stated = gathered(
        "preference",
        select(
            col(Preference.lead_id),
            col(Preference.name),
            col(Preference.value),
            col(Preference.number),
        )
        .where(col(Preference.lead_id).in_(leads))
        .order_by(col(Preference.id)),
    )
    happened = _gathered(session, _events(leads, kinds, since, after_event))
    agreed = gathered(
        "consent",
        select(col(Consent.lead_id), col(Consent.topic), col(Consent.state)).where(
            col(Consent.lead_id).in_(leads)
        ),
    )
    held = gathered(
        "suppressed",
        select(col(Lead.id), col(Suppression.reason))
        .join(Suppression, col(Suppression.address_key) == col(Lead.address_key))
        .where(col(Lead.id).in_(leads)),
    )
    deals = gathered("deal", _rows(Deal, DealFacts, leads))
    tasks = gathered("task", _rows(Task, TaskFacts, leads))
    return {
        lead_id: Facts(
            columns={name: row[name] for name in _COLUMNS},
            attributes=row["attributes"],
            tags=tuple(row["tags"]),
            preferences=tuple(Stated(name=n, value=v, number=x) for n, v, x in stated[lead_id]),
            events=tuple(
                Happened(id=number, kind=kind, at=at, campaign=campaign, data=data)
                for number, kind, at, campaign, data in happened[lead_id]
            ),
            consents=dict(agreed[lead_id]),
            suppressed=held[lead_id][0][0] if held[lead_id] else None,
            deals=tuple(_made(DealFacts, each) for each in deals[lead_id]),
            tasks=tuple(_made(TaskFacts, each) for each in tasks[lead_id]),
        )
        for lead_id, row in leads.items()
    }


def _events(
    leads: Collection[int],
    kinds: Collection[str] | None,
    since: datetime | None,
    after_event: int | None,
) -> Select[Any]:
    wanted = select(
        *(getattr(Event, name) for name in ("lead_id", "id", "kind", "at", "campaign", "data"))
    ).where(col(Event.lead_id).in_(leads))
    if kinds is not None:
        new = [] if since is None else [col(Event.at) > since]
        new += [] if after_event is None else [col(Event.id) > after_event]
        counted = unindexed(col(Event.kind)).in_(sorted({*kinds, *_ALWAYS}))
        wanted = wanted.where(or_(counted, *new))
    return wanted.order_by(col(Event.at), col(Event.id))


def _rows(table: type[Any], facts: type[Any], leads: Collection[int]) -> Select[Any]:
    names = ("lead_id", *facts.__dataclass_fields__)
    chosen = select(*(getattr(table, name) for name in names))
    return chosen.where(table.lead_id.in_(leads)).order_by(table.id)


def _made(facts: type[Any], values: Sequence[Any]) -> Any:
    return facts(**dict(zip(facts.__dataclass_fields__, values, strict=True)))


def _gathered(session: Session, wanted: Select[*tuple[Any, ...]]) -> dict[int, list[Any]]:
    """Rows by their first column, without it."""
    found: dict[int, list[Any]] = defaultdict(list)
    for lead_id, *rest in session.execute(wanted):
        found[lead_id].append(rest)
    return found
