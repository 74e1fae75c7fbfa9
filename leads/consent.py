"""Consent: what a lead allowed, how and when; the empty topic means everything.

A consent that was confirmed by a link (double opt-in) says when; `pending` was asked for and
allows nothing yet.
"""

from datetime import UTC, datetime

from sqlalchemy import ColumnElement, and_, insert, select, update
from sqlmodel import Session, col

from leads.row import JsonObject
from leads.tables import Consent
from leads.timeline import record

GIVEN, WITHDRAWN, PENDING = "given", "withdrawn", "pending"


def give_consent(
    session: Session,
    lead_id: int,
    *,
    topic: str = "",
    source: str,
    confirmed: bool = False,
    on: datetime | None = None,
    at: datetime,
    by: str,
) -> bool:
    """Writes down that the lead allowed mail about `topic`; True when that changed anything.

    `on` is when the lead did so, `at` when it is written down; without `on` they are one.
    `confirmed`: by the link in a mail to its address. A consent that was confirmed stays so until
    it is withdrawn.
    """
    return _state(
        session,
        lead_id,
        topic,
        GIVEN,
        source=source,
        confirmed=confirmed,
        on=on or at,
        at=at,
        by=by,
    )


def ask_consent(
    session: Session, lead_id: int, *, topic: str, source: str, at: datetime, by: str
) -> bool:
    """Writes down that the lead has been asked, where nothing was known; True when it was so."""
    if session.scalar(select(col(Consent.id)).where(_mine(lead_id, topic))) is not None:
        return False
    return _state(session, lead_id, topic, PENDING, source=source, on=at, at=at, by=by)


def withdraw_consent(
    session: Session,
    lead_id: int,
    *,
    topic: str = "",
    source: str = "",
    on: datetime | None = None,
    at: datetime,
    by: str,
) -> bool:
    """Writes down that the lead took it back; True when that changed anything."""
    return _state(session, lead_id, topic, WITHDRAWN, source=source, on=on or at, at=at, by=by)


def consents(session: Session, lead_id: int) -> list[Consent]:
    """What is written down, by topic."""
    return list(
        session.scalars(
            select(Consent).where(col(Consent.lead_id) == lead_id).order_by(col(Consent.topic))
        )
    )


def _mine(lead_id: int, topic: str) -> ColumnElement[bool]:
    return and_(col(Consent.lead_id) == lead_id, col(Consent.topic) == topic)


def _state(
    session: Session,
    lead_id: int,
    topic: str,
    state: str,
    *,
    source: str,
    confirmed: bool = False,
    on: datetime,
    at: datetime,
    by: str,
) -> bool:
    mine = _mine(lead_id, topic)
    before = session.execute(
        select(
            col(Consent.state), col(Consent.source), col(Consent.at), col(Consent.confirmed_at)
        ).where(mine)
    ).first()
    was_confirmed = None if before is None or state != GIVEN else before.confirmed_at
    same = before is not None and before.state == state and source in ("", before.source)
    if same and (not confirmed or was_confirmed is not None):
        return False
    facts = {
        "state": state,
        "source": source,
        "at": on,
        "by": by,
        "confirmed_at": at if confirmed else was_confirmed,
    }
    if before is None:
        session.execute(insert(Consent).values(lead_id=lead_id, topic=topic, **facts))
    else:
        session.execute(update(Consent).where(mine).values(**facts))
    data: JsonObject = {"topic": topic, "state": state, "source": source}
    if confirmed:
        data["confirmed"] = True
    data |= consent_before(None if before is None else (before.state, before.source, before.at))
    if on != at:
        data["on"] = on.astimezone(UTC).isoformat().replace("+00:00", "Z")
    record(session, lead_id, "consent", at=at, by=by, data=data)
    return True


def consent_before(known: tuple[str, str, datetime] | None) -> JsonObject:
    """What an event keeps of the consent (state, source, when) that it replaced.

    `before` is its state, None when nothing was written down; `before_source` and `before_on`
    (RFC 3339, UTC) belong to it.
    """
    if known is None:
        return {"before": None}
    state, source, at = known
    moment = at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return {"before": state, "before_source": source, "before_on": moment}
