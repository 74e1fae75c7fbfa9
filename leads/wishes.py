"""What a lead itself chose to get: topics, how often, a pause, its language. Each an event.

The event `chose` says what became different and how we know:

    {"topics": {"news": false}, "per_week": [null, 1], "language": ["en", "pl"],
     "paused_until": [null, "2026-04-09T11:00:00Z"], "source": "preference page",
     "text": "pl 3f2a9c41"}

A topic that is switched off is barred for the address and the consent to it is withdrawn; switched
on again, both are taken back. Nothing here touches the list of suppressed addresses.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import delete, insert, select, update
from sqlmodel import Session, col

from leads.changing import set_fields
from leads.consent import WITHDRAWN, give_consent, withdraw_consent
from leads.errors import UnknownLead
from leads.fields import field_value
from leads.row import JsonObject
from leads.tables import Consent, Lead
from leads.timeline import record
from leads.wish_tables import BarredTopic, Wish

#: How long a pause lasts.
PAUSE = timedelta(days=30)
#: Within how many days `per_week` counts.
WEEK = 7


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """What is chosen; what is left out stays as it is."""

    #: Topic -> whether it is wanted.
    topics: Mapping[str, bool] = field(default_factory=dict)
    frequency: Literal["", "any", "weekly"] = ""
    pause: Literal["", "begin", "end"] = ""
    language: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """How we know: kept with the event and with each consent."""

    #: `preference page`, or what a person of ours heard: `by phone`.
    source: str
    #: Language and version of the words that were on the page; empty when there was none.
    text: str = ""
    campaign: str | None = None
    template: str | None = None
    message_id: int | None = None


def choose(
    session: Session, lead_id: int, choice: Choice, evidence: Evidence, *, at: datetime, by: str
) -> JsonObject:
    """Writes the choice down; what became different, as the event has it. Twice is once.

    A pause that has begun is not made longer. Raises UnknownLead, FieldError for a language that is
    none.
    """
    # The lead's row is the lock: two answers at the same time become one after the other.
    lead = session.scalars(
        select(Lead).where(col(Lead.id) == lead_id).with_for_update()
    ).one_or_none()
    if lead is None or lead.erased_at is not None:
        raise UnknownLead
    told: dict[str, Any] = {}
    changed = {
        topic: wanted
        for topic, wanted in choice.topics.items()
        if _want(session, lead, topic, wanted, evidence, at=at, by=by)
    }
    if changed:
        told["topics"] = changed
    told |= _set_wish(session, lead, choice, at=at, by=by)
    if told:
        told["source"] = evidence.source
        if evidence.text:
            told["text"] = evidence.text
        record(
            session,
            lead_id,
            "chose",
            at=at,
            campaign=evidence.campaign,
            template=evidence.template,
            message_id=evidence.message_id,
            by=by,
            data=told,
        )
    return told


def wish_of(session: Session, lead_id: int) -> Wish | None:
    """What the lead chose; None when it never did."""
    return session.get(Wish, lead_id)


def choices_of(session: Session, lead_ids: Sequence[int]) -> dict[int, JsonObject]:
    """What each of the leads chose, as scripts read it; who never chose anything is not there."""
    found: dict[int, JsonObject] = {}
    nothing: JsonObject = {"per_week": None, "paused_until": None, "language": "", "topics_off": []}
    for row in session.execute(
        select(
            col(Wish.lead_id), col(Wish.per_week), col(Wish.paused_until), col(Wish.language)
        ).where(col(Wish.lead_id).in_(lead_ids))
    ):
        found[row.lead_id] = nothing | {
            "per_week": row.per_week,
            "paused_until": row.paused_until,
            "language": row.language,
        }
    off: dict[int, list[str]] = {}
    for row in session.execute(
        select(col(Lead.id), col(BarredTopic.topic))
        .join(BarredTopic, col(BarredTopic.address_key) == col(Lead.address_key))
        .where(col(Lead.id).in_(lead_ids))
        .order_by(col(BarredTopic.topic))
    ):
        off.setdefault(row.id, []).append(row.topic)
    for lead_id, topics in off.items():
        found[lead_id] = found.get(lead_id, nothing) | {"topics_off": topics}
    return found


def barred_topics(session: Session, address_key: str) -> dict[str, datetime]:
    """{topic: since when} the address must not be written to about."""
    rows = session.execute(
        select(col(BarredTopic.topic), col(BarredTopic.at))
        .where(col(BarredTopic.address_key) == address_key)
        .order_by(col(BarredTopic.topic))
    )
    return {row.topic: row.at for row in rows}


def unwanted_topics(session: Session, lead: Lead) -> set[str]:
    """Topics nothing is sent about: barred, or the consent to them was withdrawn."""
    withdrawn = session.scalars(
        select(col(Consent.topic)).where(
            col(Consent.lead_id) == lead.id, col(Consent.state) == WITHDRAWN
        )
    )
    return {*withdrawn, *barred_topics(session, lead.address_key)}


def bar(session: Session, address_key: str, topics: set[str], *, at: datetime, by: str) -> set[str]:
    """Bars the topics for the address; those that were not barred before."""
    new = {each for each in topics if each} - barred_topics(session, address_key).keys()
    if new:
        rows = [{"address_key": address_key, "topic": t, "at": at, "by": by} for t in sorted(new)]
        session.execute(insert(BarredTopic), rows)
    return new


def unite_wishes(session: Session, keep: Lead, other: Lead, *, at: datetime, by: str) -> set[str]:
    """The kept lead gets the stricter of both wishes; topics it is barred from by that."""
    topics = set(barred_topics(session, other.address_key))
    new = bar(session, keep.address_key, topics, at=at, by=by)
    mine, theirs = session.get(Wish, keep.id), session.get(Wish, other.id)
    if theirs is not None:
        if mine is None:
            mine = Wish(lead_id=keep.id or 0, at=theirs.at, by=theirs.by)
            session.add(mine)
        limits = [each for each in (mine.per_week, theirs.per_week) if each is not None]
        pauses = [each for each in (mine.paused_until, theirs.paused_until) if each is not None]
        mine.per_week = min(limits, default=None)
        mine.paused_until = max(pauses, default=None)
        if not mine.language and theirs.language == keep.language:
            mine.language = theirs.language
        session.delete(theirs)
        session.flush()
    return new


def _want(
    session: Session,
    lead: Lead,
    topic: str,
    wanted: bool,
    evidence: Evidence,
    *,
    at: datetime,
    by: str,
) -> bool:
    """True when it was otherwise before."""
    if not topic or (topic not in unwanted_topics(session, lead)) == wanted:
        return False
    assert lead.id is not None  # noqa: S101 - it came from the database
    source = f"{evidence.source}, text {evidence.text}" if evidence.text else evidence.source
    if wanted:
        session.execute(
            delete(BarredTopic)
            .where(
                col(BarredTopic.address_key) == lead.address_key, col(BarredTopic.topic) == topic
            )
            .execution_options(synchronize_session=False)
        )
        give_consent(session, lead.id, topic=topic, source=source, at=at, by=by)
    else:
        bar(session, lead.address_key, {topic}, at=at, by=by)
        withdraw_consent(session, lead.id, topic=topic, source=source, at=at, by=by)
    return True


def _set_wish(
    session: Session, lead: Lead, choice: Choice, *, at: datetime, by: str
) -> dict[str, Any]:
    """How often, the pause and the language; {what: [before, after]}."""
    assert lead.id is not None  # noqa: S101 - it came from the database
    before = session.execute(
        select(col(Wish.per_week), col(Wish.paused_until)).where(col(Wish.lead_id) == lead.id)
    ).first()
    per_week, paused_until = before or (None, None)
    after: dict[str, Any] = {}
    told: dict[str, Any] = {}
    limit = {"any": None, "weekly": 1}.get(choice.frequency, per_week)
    if limit != per_week:
        after["per_week"] = limit
        told["per_week"] = [per_week, limit]
    running = paused_until is not None and paused_until > at
    if choice.pause and running != (choice.pause == "begin"):
        until = at + PAUSE if choice.pause == "begin" else None
        after["paused_until"] = until
        told["paused_until"] = [_iso(paused_until) if running else None, _iso(until)]
    if choice.language:
        wanted = field_value("language", choice.language)
        # One that is chosen as it was is not written down as a choice: nobody chose anything.
        if wanted != lead.language:
            told["language"] = [lead.language, wanted]
            after["language"] = wanted
            set_fields(session, lead.id, {"language": wanted}, own_word=True, at=at, by=by)
    if not after:
        return {}
    if before is None:
        rest = {"per_week": None, "paused_until": None, "language": ""}
        session.execute(insert(Wish).values(lead_id=lead.id, **{**rest, **after}, at=at, by=by))
    else:
        session.execute(
            update(Wish)
            .where(col(Wish.lead_id) == lead.id)
            .values(**after, at=at, by=by)
            .execution_options(synchronize_session=False)
        )
    return told


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat().replace("+00:00", "Z")
