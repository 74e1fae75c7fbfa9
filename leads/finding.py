"""Finding leads: one by address, many by page, and all that is known of one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select
from sqlmodel import Session, col

from leads.consent_evidence import requests_of
from leads.deals import deals_of
from leads.row import JsonObject
from leads.tables import Consent, Deal, Lead, Preference, Suppression, Task
from leads.tasks import tasks_of
from leads.timeline import Entry, timeline
from leads.wish_tables import Wish
from leads.wishes import barred_topics, wish_of


@dataclass(frozen=True, kw_only=True, slots=True)
class Profile:
    """All that is known of one lead. Valid inside the transaction that read it."""

    lead: Lead
    #: In the order they were stated.
    preferences: tuple[Preference, ...]
    consents: tuple[Consent, ...]
    #: Every time it was asked to confirm that we may write, newest last.
    consent_requests: tuple[JsonObject, ...]
    suppression: Suppression | None
    #: What the lead chose on its preference page; None when it never did.
    wish: Wish | None
    #: Topics its address is barred from, with since when.
    barred_topics: dict[str, datetime]
    #: In the order they were opened.
    deals: tuple[Deal, ...]
    #: Open ones first, the most urgent on top.
    tasks: tuple[Task, ...]
    #: Newest last.
    timeline: tuple[Entry, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Brief:
    """A lead as a line of a list."""

    id: int
    email: str
    name: str
    company: str
    country: str
    pipeline: str
    stage: str
    stage_at: datetime
    tags: tuple[str, ...]


def find_lead(session: Session, key: str) -> Lead | None:
    """The lead with this address key; a merged one leads to the one it was merged into."""
    lead = lead_at(session, key)
    while lead is not None and lead.merged_into is not None:
        lead = session.get(Lead, lead.merged_into)
    return lead


def lead_at(session: Session, key: str) -> Lead | None:
    """The lead that has this very address, merged or not."""
    return session.scalars(select(Lead).where(col(Lead.address_key) == key)).one_or_none()


def profile(session: Session, lead: Lead, *, newest: int | None = None) -> Profile:
    """Everything about the lead; at most the `newest` events when given."""
    if lead.id is None:
        raise ValueError("this lead is not in the database")
    preferences = session.scalars(
        select(Preference)
        .where(col(Preference.lead_id) == lead.id)
        .order_by(col(Preference.name), col(Preference.id))
    )
    consents = session.scalars(
        select(Consent).where(col(Consent.lead_id) == lead.id).order_by(col(Consent.topic))
    )
    return Profile(
        lead=lead,
        preferences=tuple(preferences),
        consents=tuple(consents),
        consent_requests=tuple(requests_of(session, [lead.id]).get(lead.id, ())),
        suppression=session.get(Suppression, lead.address_key),
        wish=wish_of(session, lead.id),
        barred_topics=barred_topics(session, lead.address_key),
        deals=tuple(deals_of(session, lead.id)),
        tasks=tuple(tasks_of(session, lead.id)),
        timeline=tuple(timeline(session, lead.id, newest=newest)),
    )


def browse(
    session: Session,
    *conditions: ColumnElement[bool],
    after: int = 0,
    limit: int,
) -> Sequence[Brief]:
    """A page of leads by id, beginning behind the id `after`; merged and erased ones left out.

    By keyset, so that the last page of a million costs what the first one does.
    """
    names = ["id", "email", "name", "company", "country", "pipeline", "stage", "stage_at"]
    rows = session.execute(
        select(*(getattr(Lead, name) for name in names), col(Lead.tags))
        .where(col(Lead.id) > after, present(), *conditions)
        .order_by(col(Lead.id))
        .limit(limit)
    )
    return [
        Brief(tags=tuple(tags), **dict(zip(names, facts, strict=True))) for *facts, tags in rows
    ]


def count_leads(session: Session, *conditions: ColumnElement[bool]) -> int:
    """How many leads there are, merged and erased ones left out."""
    return session.scalar(select(func.count()).select_from(Lead).where(present(), *conditions)) or 0


def present() -> ColumnElement[bool]:
    """Leads that are there for people: neither merged into another nor erased."""
    return col(Lead.merged_into).is_(None) & col(Lead.erased_at).is_(None)


def containing(text: str) -> ColumnElement[bool]:
    """Leads whose address, name or company contains the text, in any case."""
    # SQLite folds only A to Z, so a few spellings are tried for the other letters.
    spellings = dict.fromkeys((text, text.lower(), text.upper(), text.title()))
    return or_(
        *(
            col(column).icontains(spelling, autoescape=True)
            for column in (Lead.email, Lead.name, Lead.company)
            for spelling in spellings
        )
    )
