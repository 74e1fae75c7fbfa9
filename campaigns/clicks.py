"""A tracked link was followed: written down here and nowhere else, once for each visit.

A person's visit is `clicked`, which rules and results count. A machine's is `link_scanned`, which
nothing counts. When a later visit shows that an earlier one was a machine's after all, that one is
turned in the same transaction.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlmodel import Session, col

from campaigns.evidence import settle_by_evidence
from campaigns.states import State
from campaigns.tables import Message, Run
from deliverability import EarlierVisit, FollowedLink, Visit, click_memory, judge_click
from leads import Event, Lead, record
from templates import TemplateVersion

CLICKED, SCANNED = "clicked", "link_scanned"

#: Characters of a User-Agent that are kept as evidence against a machine.
_AGENT = 200


def note_click(session: Session, link: FollowedLink, visit: Visit, *, now: datetime) -> str | None:
    """Writes the visit down as what it is and returns the event's kind.

    None when there is nothing to write: the link belongs to no message (a test mail), its lead has
    been erased, or the visit is the one before over again.
    """
    visited = mail_visited(session, link)
    if visited is None:
        return None
    lead_id, message = visited
    accepted_at = accepted_moment(message)
    # Whoever it was, the mail is there.
    settle_by_evidence(session, link.message_id, because="a click", now=now)
    found = judge_click(
        visit, _earlier(session, link.message_id, visit.at), accepted_at=accepted_at
    )
    for number in found.turned:
        _turn(session, number, "trap" if found.machine == "trap" else "sweep")
    if found.again:
        return None
    kind = SCANNED if found.machine else CLICKED
    data: dict[str, Any] = {"url": link.target}
    if accepted_at is not None:
        data["seconds_after"] = round((visit.at - accepted_at).total_seconds())
    if found.machine:
        # Of a person the page is all that is kept: neither address nor browser.
        data |= {"why": found.machine, "agent": visit.agent[:_AGENT]}
    record(
        session,
        lead_id,
        kind,
        at=visit.at,
        campaign=session.scalar(select(col(Run.campaign)).where(col(Run.id) == message.run_id)),
        template=template_name(session, message.template_version_id),
        message_id=message.id,
        by="link",
        data=data,
    )
    return kind


def mail_visited(session: Session, link: FollowedLink) -> tuple[int, Message] | None:
    """The lead's id, as it is kept by now, and the message whose link was followed; None when the
    link belongs to no message or the lead has been erased."""
    # Locked, so that links opened at the same time see one another.
    lead = session.scalars(
        select(Lead).where(col(Lead.token) == link.lead_token).with_for_update()
    ).one_or_none()
    message = session.get(Message, link.message_id) if lead is not None else None
    if lead is None or message is None or message.lead_id != lead.id:
        return None
    lead_id = kept_lead(session, lead)
    return None if lead_id is None else (lead_id, message)


def template_name(session: Session, version: int) -> str | None:
    """What the template of this version is called."""
    return session.scalar(
        select(col(TemplateVersion.name)).where(col(TemplateVersion.id) == version)
    )


def kept_lead(session: Session, lead: Lead) -> int | None:
    """The lead, or the one it was merged into; None when that person was erased."""
    kept: Lead | None = lead
    if lead.merged_into is not None:
        kept = session.get(Lead, lead.merged_into)
    gone = kept is None or kept.erased_at is not None or lead.erased_at is not None
    return None if kept is None or gone else kept.id


def accepted_moment(message: Message) -> datetime | None:
    """When the server took the mail; of one in doubt, when it was handed over."""
    if message.state == State.IN_DOUBT or message.reason.startswith("settled by "):
        return message.claimed_at
    return message.settled_at if message.state == State.ACCEPTED else None


def _earlier(session: Session, message_id: int, at: datetime) -> list[EarlierVisit]:
    reach = click_memory()
    rows = session.execute(
        select(col(Event.id), col(Event.at), col(Event.kind), col(Event.data)).where(
            col(Event.message_id) == message_id,
            col(Event.kind).in_((CLICKED, SCANNED)),
            col(Event.at).between(at - reach, at + reach),
        )
    )
    return [
        EarlierVisit(
            number=number,
            at=then,
            target=data.get("url", ""),
            machine=data.get("why", "sweep") if kind == SCANNED else "",
        )
        for number, then, kind, data in rows
    ]


def _turn(session: Session, number: int, why: str) -> None:
    event = session.get_one(Event, number)
    session.execute(
        update(Event)
        .where(col(Event.id) == number, col(Event.kind) == CLICKED)
        .values(kind=SCANNED, data={**event.data, "why": why})
        .execution_options(synchronize_session=False)
    )
