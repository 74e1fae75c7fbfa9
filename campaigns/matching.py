"""Which message of ours a mail that came back is about, and by which sign we know it.

Signs, strongest first: the Message-ID of the mail enclosed in a report, In-Reply-To, References
(RFC 5322 3.6.4), our Message-ID anywhere in the text, the relay's own id. A Message-ID of ours
holds 112 random bits, so knowing it proves that somebody had the mail. Sender and subject alone are
a guess and say so: they stop a campaign and suppress nobody.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import Select, select
from sqlmodel import Session, col

from campaigns.rfc_message_id import MessageName, find_names, is_named
from campaigns.states import WRITTEN
from campaigns.tables import Message, Run
from deliverability import InboundKind, Reading
from leads import Lead
from templates import TemplateVersion

#: Message-IDs of ours looked up for one mail.
_MOST = 60
#: Relays use their ids again; older messages are not meant.
_RELAY_MEMORY = timedelta(days=30)
#: How long an answer that names no message is counted to the last one sent.
_GUESS_MEMORY = timedelta(days=30)
#: `Re: Odp: AW: ...`, as mail programs write it.
_PREFIX = re.compile(r"^(\s*[^\W\d]{1,10}(\[\d+\])?\s?:\s*)+")

GUESS = "sender and subject"


@dataclass(frozen=True, kw_only=True, slots=True)
class Match:
    """The message that a mail is about."""

    message_id: int
    lead_id: int
    state: str
    campaign: str
    template: str
    claimed_at: datetime | None
    #: `in_reply_to`, `references`, `enclosed`, `text`, `relay_id`, `sender and subject`.
    by: str

    @property
    def sure(self) -> bool:
        """Whether it is more than a guess."""
        return self.by != GUESS


def match(
    session: Session, reading: Reading, *, sender_key: str | None, now: datetime
) -> Match | None:
    """The message that the mail is about; None when nothing in it names one.

    `sender_key` is the address key of who wrote the mail, for the guess.
    """
    signs: dict[MessageName, str] = {}
    for name, by in islice(_signs(reading), 4 * _MOST):
        signs.setdefault(name, by)
    if signs:
        rows = session.execute(_messages(col(Message.rfc_message_id)).where(is_named(signs))).all()
        found = {row[0]: row for row in rows}
        for name, by in signs.items():
            if str(name) in found:
                return _match(found[str(name)], by)
    return _by_relay(session, reading, now=now) or _by_guess(session, reading, sender_key, now=now)


def _signs(reading: Reading) -> Iterator[tuple[MessageName, str]]:
    """(Message-ID of our form, by which sign), strongest first; an id may come again."""
    origin = reading.origin
    enclosed = ("enclosed", origin.enclosed)
    answers = (("in_reply_to", origin.in_reply_to), ("references", origin.references))
    machine = reading.kind in (InboundKind.BOUNCE, InboundKind.COMPLAINT)
    for by, ids in (enclosed, *answers) if machine else (*answers, enclosed):
        for name in find_names(" ".join(f"<{one}>" for one in ids)):
            yield name, by
    for name in find_names(origin.text):
        yield name, "text"


def _messages(*first: Any) -> Select[Any]:
    return (
        select(
            *first,
            col(Message.id),
            col(Message.lead_id),
            col(Message.state),
            col(Run.campaign),
            col(TemplateVersion.name),
            col(Message.claimed_at),
        )
        .join(Run, col(Run.id) == col(Message.run_id))
        .join(TemplateVersion, col(TemplateVersion.id) == col(Message.template_version_id))
    )


def _match(row: Sequence[Any], by: str) -> Match:
    _, message_id, lead_id, state, campaign, template, claimed_at = row
    return Match(
        message_id=message_id,
        lead_id=lead_id,
        state=state,
        campaign=campaign,
        template=template,
        claimed_at=claimed_at,
        by=by,
    )


def _by_relay(session: Session, reading: Reading, *, now: datetime) -> Match | None:
    origin = reading.origin
    # A relay that rewrites Message-IDs puts its own id into them, so answers name that.
    rewritten = [one.partition("@")[0] for one in (*origin.in_reply_to, *origin.references)]
    ids = [one for one in dict.fromkeys((*origin.relay_ids, *rewritten)) if len(one) >= 8][:_MOST]
    if not ids:
        return None
    rows = session.execute(
        _messages(col(Message.relay_id))
        .where(col(Message.relay_id).in_(ids), col(Message.claimed_at) > now - _RELAY_MEMORY)
        .limit(2)
    ).all()
    # Two messages with one id: the relay counts anew, and we cannot know which is meant.
    return _match(rows[0], "relay_id") if len(rows) == 1 else None


def _by_guess(
    session: Session, reading: Reading, sender_key: str | None, *, now: datetime
) -> Match | None:
    if reading.kind not in (InboundKind.HUMAN, InboundKind.AUTOREPLY) or sender_key is None:
        return None
    subject = _plain(reading.subject)
    if not subject:
        return None
    rows = session.execute(
        _messages(col(Message.subject))
        .join(Lead, col(Lead.id) == col(Message.lead_id))
        .where(
            col(Lead.address_key) == sender_key,
            col(Message.state).in_(sorted(WRITTEN)),
            col(Message.claimed_at) > now - _GUESS_MEMORY,
        )
        .order_by(col(Message.claimed_at).desc())
        .limit(20)
    ).all()
    for row in rows:
        if row[0] and _plain(row[0]) == subject:
            return _match(row, GUESS)
    return None


def _plain(subject: str) -> str:
    return " ".join(_PREFIX.sub("", subject).split()).casefold()
