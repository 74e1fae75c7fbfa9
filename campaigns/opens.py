"""The picture that counts opens was fetched: by a person's mail program (`opened`), or by a machine
(`open_fetched`, which no rule and no result counts as an open). Of either only that is kept."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from campaigns.clicks import SCANNED, accepted_moment, mail_visited, template_name
from campaigns.evidence import settle_by_evidence
from campaigns.tables import Run
from deliverability import FollowedLink, Visit, judge_open, open_again, open_scan
from leads import Event, record

OPENED, FETCHED = "opened", "open_fetched"


def note_open(session: Session, link: FollowedLink, visit: Visit, *, now: datetime) -> str | None:
    """Writes the fetch down as what it is and returns the event's kind.

    None when there is nothing to write: the picture belongs to no message (a test mail), its lead
    has been erased, a machine fetched it before, or it is the open before over again.
    """
    visited = mail_visited(session, link)
    if visited is None:
        return None
    lead_id, message = visited
    accepted_at = accepted_moment(message)
    # Whoever it was, the mail is there.
    settle_by_evidence(session, link.message_id, because="an open", now=now)
    near, again = open_scan(), open_again()
    known = session.execute(
        select(col(Event.kind), col(Event.at)).where(
            col(Event.message_id) == message.id,
            col(Event.kind).in_((OPENED, FETCHED, SCANNED)),
        )
    ).all()
    scanned = [e.at for e in known if e.kind == SCANNED and abs(visit.at - e.at) <= near]
    why = judge_open(visit, scanned, accepted_at=accepted_at)
    kind = FETCHED if why else OPENED
    if any(e.kind == kind and (why or abs(visit.at - e.at) <= again) for e in known):
        return None
    data: dict[str, Any] = {}
    if accepted_at is not None:
        data["seconds_after"] = round((visit.at - accepted_at).total_seconds())
    if why:
        data["why"] = why
    record(
        session,
        lead_id,
        kind,
        at=visit.at,
        campaign=session.scalar(select(col(Run.campaign)).where(col(Run.id) == message.run_id)),
        template=template_name(session, message.template_version_id),
        message_id=message.id,
        by="picture",
        data=data,
    )
    return kind
