"""Suppression: addresses that must not be written to. It belongs to the address, not the lead."""

import difflib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from sqlalchemy import CursorResult, delete, func, insert, select, update
from sqlmodel import Session, col

from leads.errors import FieldError, LeadError
from leads.row import JsonObject
from leads.tables import Event, Lead, Suppression
from leads.timeline import record

#: Why a lead that came by a form gets nothing until it has confirmed that it wants to.
UNCONFIRMED = "unconfirmed"

#: Reason -> how much it weighs: the person's own word outweighs a list somebody brought along.
STRENGTH: Mapping[str, int] = MappingProxyType(
    {
        UNCONFIRMED: -1,
        "imported": 0,
        "manual": 1,
        "hard_bounce": 2,
        "complaint": 3,
        "opted_out": 3,
    }
)

#: Reason -> what other programs call it, in lower case with _ for blanks and hyphens.
_OTHER_WORDS = {
    "opted_out": (
        "unsubscribe unsubscribed unsub optout opt_out wypisany wypisana rezygnacja abgemeldet"
    ),
    "hard_bounce": "bounce bounced hard hardbounce cleaned invalid undelivered undeliverable",
    "complaint": "complained complaints spam abuse fbl spam_complaint reported_as_spam",
    "manual": "blocked blacklisted blocklisted do_not_contact do_not_email dnc",
    "imported": "import suppressed",
    UNCONFIRMED: "pending not_confirmed",
}
_REASONS = {word: reason for reason in STRENGTH for word in (reason, *_OTHER_WORDS[reason].split())}


def reason_named(text: str) -> str:
    """A reason from the words people and other programs use; raises FieldError."""
    word = "_".join(text.strip().casefold().replace("-", " ").split())
    if word in _REASONS:
        return _REASONS[word]
    near = difflib.get_close_matches(word, _REASONS, n=1)
    hint = f'did you mean "{_REASONS[near[0]]}"? ' if near else ""
    raise FieldError(f'there is no reason "{text}"; {hint}There is: {", ".join(STRENGTH)}')


def suppress(session: Session, key: str, *, reason: str, at: datetime, by: str) -> bool:
    """Suppresses the address; True when it was not suppressed before.

    A weaker reason never replaces a stronger one; a stronger one replaces it and is an event too.
    The event's data is {"reason": ..., "before": the reason it had, None when it had none}; that of
    `unsuppressed` is {"reason": the one that was lifted, "why": ...}.
    """
    present = session.scalar(
        select(col(Suppression.reason)).where(col(Suppression.address_key) == key)
    )
    data: JsonObject = {"reason": reason, "before": present}
    if present is None:
        session.execute(insert(Suppression).values(address_key=key, reason=reason, at=at, by=by))
        _tell(session, key, "suppressed", at=at, by=by, data=data)
        return True
    if STRENGTH.get(reason, 1) > STRENGTH.get(present, 1):
        changed = session.execute(
            update(Suppression)
            .where(col(Suppression.address_key) == key, col(Suppression.reason) == present)
            .values(reason=reason, at=at, by=by)
        )
        assert isinstance(changed, CursorResult)  # noqa: S101 - an UPDATE has a row count
        if changed.rowcount:
            _tell(session, key, "suppressed", at=at, by=by, data=data)
    return False


def unsuppress(session: Session, key: str, *, at: datetime, by: str, why: str) -> bool:
    """Lifts the suppression; True when there was one. Raises LeadError without a reason `why`."""
    if not why.strip():
        raise LeadError("Say why the suppression is lifted: --why 'asked for it by phone'")
    present = session.scalar(
        select(col(Suppression.reason)).where(col(Suppression.address_key) == key)
    )
    gone = session.execute(delete(Suppression).where(col(Suppression.address_key) == key))
    assert isinstance(gone, CursorResult)  # noqa: S101 - a DELETE has a row count
    if not gone.rowcount:
        return False
    data: JsonObject = {"why": why.strip(), "reason": present}
    _tell(session, key, "unsuppressed", at=at, by=by, data=data)
    return True


def suppression_of(session: Session, key: str) -> Suppression | None:
    """Why and since when the address is suppressed; None when it is not."""
    return session.get(Suppression, key)


def _tell(
    session: Session, key: str, kind: str, *, at: datetime, by: str, data: JsonObject
) -> None:
    lead_id = session.scalar(select(col(Lead.id)).where(col(Lead.address_key) == key))
    if lead_id is not None:
        record(session, lead_id, kind, at=at, by=by, data=data)


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """A suppressed address as a line of a list."""

    address_key: str
    #: The lead's address; empty when the address is no lead.
    email: str
    reason: str
    at: datetime
    by: str


def suppress_all(
    session: Session, keys: Collection[str], *, reason: str, at: datetime, by: str
) -> int:
    """Suppresses many addresses at once; how many were not suppressed before.

    A weaker reason never replaces a stronger one. A handful of statements however many (up to some
    10,000) keys.
    """
    chosen = select(col(Suppression.address_key), col(Suppression.reason)).where(
        col(Suppression.address_key).in_(keys)
    )
    held = {row.address_key: row.reason for row in session.execute(chosen)}
    new = [key for key in dict.fromkeys(keys) if key not in held]
    if new:
        session.execute(
            insert(Suppression),
            [{"address_key": key, "reason": reason, "at": at, "by": by} for key in new],
        )
    weaker = [each for each, weight in STRENGTH.items() if weight < STRENGTH.get(reason, 1)]
    stronger = session.scalars(
        update(Suppression)
        .where(
            col(Suppression.address_key).in_(list(held)),
            col(Suppression.reason).in_(weaker),
        )
        .values(reason=reason, at=at, by=by)
        .returning(col(Suppression.address_key))
        .execution_options(synchronize_session=False)
    ).all()
    told = [*new, *stronger]
    found = session.execute(
        select(col(Lead.id), col(Lead.address_key)).where(col(Lead.address_key).in_(told))
    ).all()
    if found:
        session.execute(
            insert(Event),
            [
                {
                    "lead_id": lead_id,
                    "at": at,
                    "kind": "suppressed",
                    "by": by,
                    "data": {"reason": reason, "before": held.get(key)},
                }
                for lead_id, key in found
            ],
        )
    return len(new)


def list_suppressed(session: Session, *, reason: str | None = None, most: int) -> list[Held]:
    """At most `most` suppressed addresses, newest first, with the lead's address if it is one."""
    rows = session.execute(
        select(
            col(Suppression.address_key),
            func.coalesce(col(Lead.email), ""),
            col(Suppression.reason),
            col(Suppression.at),
            col(Suppression.by),
        )
        .outerjoin(Lead, col(Lead.address_key) == col(Suppression.address_key))
        .where(*([col(Suppression.reason) == reason] if reason else []))
        .order_by(col(Suppression.at).desc(), col(Suppression.address_key))
        .limit(most)
    )
    return [Held(address_key=k, email=e, reason=r, at=at, by=by) for k, e, r, at, by in rows]


def count_suppressed(session: Session) -> dict[str, int]:
    """{reason: how many addresses}, the most frequent first."""
    rows = session.execute(
        select(col(Suppression.reason), func.count())
        .group_by(col(Suppression.reason))
        .order_by(func.count().desc(), col(Suppression.reason))
    )
    return {row[0]: row[1] for row in rows}
