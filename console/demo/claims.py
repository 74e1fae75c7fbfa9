"""The claims about what came back and what it changed; each counted from two sides."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, or_, select
from sqlmodel import Session, col

from campaigns import Message, State
from console.demo.answering import Answered, Kind
from console.demo.inbox import EVENTS
from console.demo.record import Taken
from deliverability import Inbound
from leads import Event, Lead, Suppression


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """One sentence, and whether it is true."""

    holds: bool
    sentence: str


#: What the receiver calls an answer -> the event it must have written.
_WRITES = {
    Kind.REPLY: "replied",
    Kind.AWAY: "autoreplied",
    Kind.HARD_BOUNCE: "bounced",
    Kind.SOFT_BOUNCE: "bounced",
    Kind.OPT_OUT: "opted_out",
}
#: Why an address may not be written to after such an answer.
_SHUTS = {Kind.HARD_BOUNCE: "hard_bounce", Kind.OPT_OUT: "opted_out"}


def came_back(session: Session, answered: Sequence[Answered]) -> Claim:
    """What the receiver wrote is on the timelines of those who wrote it, and only there."""
    written = Counter(
        (each.message_id, each.recipient.casefold(), _WRITES[Kind(each.kind)]) for each in answered
    )
    read = Counter(
        (message_id or "", email.casefold(), kind)
        for message_id, email, kind in session.execute(
            select(col(Message.rfc_message_id), col(Lead.email), col(Event.kind))
            .select_from(Event)
            .join(Lead, col(Lead.id) == col(Event.lead_id))
            .outerjoin(Message, col(Message.id) == col(Event.message_id))
            .where(
                col(Event.kind).in_(EVENTS.values()),
                # A refusal on the wire is a bounce too, but no mail that came back.
                or_(
                    col(Event.kind) != "bounced",
                    col(Event.data)["sha256"].as_string().is_not(None),
                ),
            )
        )
    )
    mails = session.scalar(select(func.count()).select_from(Inbound)) or 0
    kinds = Counter(kind for _, _, kind in read.elements())
    right = bool(answered) and written == read and mails == len(answered)
    wrong = (written - read) + (read - written)
    return Claim(
        holds=right,
        sentence=(
            f"What came back is on the right leads: {kinds['replied']} replies, "
            f"{kinds['autoreplied']} automatic answers, {kinds['bounced']} bounces, "
            f"{kinds['opted_out']} opt-outs"
            + ("" if right else f"; {len(answered)} were written, {wrong.total()} do not agree")
        ),
    )


def shut(session: Session, answered: Sequence[Answered]) -> Claim:
    """Addresses that do not exist or opted out may not be written to any more; no others."""
    wanted = {
        (each.recipient.casefold(), _SHUTS[Kind(each.kind)])
        for each in answered
        if each.kind in _SHUTS
    }
    emails = {each.recipient.casefold() for each in answered}
    found = {
        (email.casefold(), reason)
        for email, reason in session.execute(
            select(col(Lead.email), col(Suppression.reason)).join(
                Suppression, col(Suppression.address_key) == col(Lead.address_key)
            )
        )
        if email.casefold() in emails
    }
    return Claim(
        holds=wanted == found,
        sentence=(
            f"Nobody writes to the {len(wanted)} that bounced for good or opted out any more"
            if wanted == found
            else f"{len(wanted ^ found)} addresses are suppressed wrongly or not at all"
        ),
    )


def followed(
    session: Session,
    run_id: int,
    name: str,
    *,
    taken: Sequence[Taken],
    answered: Sequence[Answered],
    moved: int,
) -> Claim:
    """Everybody in the sequence got both mails, except those who replied to the first."""
    ours = set(
        session.scalars(
            select(col(Message.rfc_message_id)).where(
                col(Message.run_id) == run_id, col(Message.state) == State.ACCEPTED
            )
        )
    )
    got = Counter(line.recipient.casefold() for line in taken if line.message_id in ours)
    replied = {
        each.recipient.casefold()
        for each in answered
        if each.message_id in ours and each.kind == Kind.REPLY
    }
    silent = [times for email, times in got.items() if email not in replied]
    holds = (
        len(got) == moved
        and bool(replied)
        and all(times == 2 for times in silent)
        and all(got[email] == 1 for email in replied)
        and got.total() == len(ours)
    )
    return Claim(
        holds=holds,
        sentence=(
            f"The sequence {name}: {len(got)} of {moved} got the first mail, {len(replied)} "
            f"answered it, {sum(times > 1 for times in got.values())} got the reminder"
        ),
    )
