"""What campaigns kept of a lead: taken back when it is merged away, emptied when it is erased.

States, times and Message-IDs stay, so that the sums and `campaigns verify` hold. Only erasing
empties what was written, answered and read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import CursorResult, Update, exists, func, null, or_, select, update
from sqlmodel import Session, col

from campaigns.enrolments import Ending, end
from campaigns.errors import NotPossible
from campaigns.sequences import EnrolmentState
from campaigns.states import WAITING, State
from campaigns.tables import Attempt, Enrolment, Message, Run
from deliverability import Breaker, Inbound, Lane, LaneMove, WarmUp
from leads import Lead

#: Stands where words were that named an erased lead.
GONE = "its words named a lead that was erased"


#: Where a server's words may stand that name an address.
_WORDS: tuple[tuple[type, str], ...] = (
    (Lane, "reason"),
    (LaneMove, "words"),
    (Run, "reason"),
    (Breaker, "reason"),
    (WarmUp, "why"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Withdrawn:
    """What no longer happens to a lead."""

    #: Mails that were waiting.
    waiting: int
    #: Sequences it was on the way through.
    sequences: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Forgotten:
    """What was emptied."""

    waiting: int
    sequences: int
    #: Mails written to the lead, sent or not.
    messages: int
    #: Mails that came back.
    answers: int


def withdraw(
    session: Session, lead_ids: Sequence[int], *, reason: str, now: datetime, by: str
) -> Withdrawn:
    """Skips what waits for the leads and ends their sequences, for `reason`.

    Raises NotPossible while a mail to one of them is being handed over.
    """
    theirs = col(Message.lead_id).in_(lead_ids)
    skipped = _count(
        session,
        update(Message)
        .where(theirs, col(Message.state).in_(sorted(WAITING)))
        .values(state=State.SKIPPED, reason=reason, settled_at=now),
    )
    ended = end(
        session,
        [
            Ending(enrolment_id=number, reason=reason)
            for number in session.scalars(
                select(col(Enrolment.id)).where(
                    col(Enrolment.lead_id).in_(lead_ids),
                    col(Enrolment.state) == EnrolmentState.ACTIVE,
                )
            ).all()
            if number is not None
        ],
        now=now,
        by=by,
    )
    # Asked last: a claim that came before the update above is seen here, a later one finds nothing.
    under_way = session.scalar(
        select(col(Message.id)).where(theirs, col(Message.state) == State.SENDING).limit(1)
    )
    if under_way is not None:
        raise NotPossible(
            f"A mail to this lead (message {under_way}) is being handed over at this moment: try "
            "again in a minute. If no sender runs, potok run --until-idle settles it first"
        )
    return Withdrawn(waiting=skipped, sequences=ended)


def forget(session: Session, lead_ids: Sequence[int], *, now: datetime, by: str) -> Forgotten:
    """Empties what was written to the leads and what they answered; nothing waits for them.

    Raises NotPossible while a mail to one of them is being handed over.
    """
    gone = withdraw(session, lead_ids, reason="erased", now=now, by=by)
    theirs = select(col(Message.id)).where(col(Message.lead_id).in_(lead_ids))
    emails = [
        email.lower()
        for email in session.scalars(select(col(Lead.email)).where(col(Lead.id).in_(lead_ids)))
        if email
    ]
    # A server's answer repeats the address, as in "<anna@firma.example> unknown".
    _count(session, update(Attempt).where(col(Attempt.message_id).in_(theirs)).values(reply=""))
    _count(
        session,
        update(Message)
        .where(col(Message.lead_id).in_(lead_ids), col(Message.state) == State.IN_DOUBT)
        .values(reason=GONE),
    )
    messages = _count(
        session,
        update(Message)
        .where(col(Message.lead_id).in_(lead_ids))
        .values(subject=null(), context=null(), reply=""),
    )
    answers = _count(
        session,
        update(Inbound)
        .where(
            or_(
                col(Inbound.lead_id).in_(lead_ids),
                col(Inbound.message_id).in_(theirs),
                func.lower(col(Inbound.from_address)).in_(emails),
            ),
        )
        # The hash stays: reading the mailbox again must not bring the mail back.
        .values(from_address="", subject="", raw=b""),
    )
    for email in emails:
        # A server's words, wherever they were taken for a reason.
        for table, name in _WORDS:
            named = col(getattr(table, name)).icontains(email, autoescape=True)
            _count(session, update(table).where(named).values({name: GONE}))
    return Forgotten(
        waiting=gone.waiting, sequences=gone.sequences, messages=messages, answers=answers
    )


def outlook(session: Session, lead_ids: Sequence[int]) -> Forgotten:
    """What `forget` would empty, for asking before."""

    def count(*conditions: object) -> int:
        return session.scalar(select(func.count()).where(*conditions)) or 0  # type: ignore[arg-type]

    theirs = col(Message.lead_id).in_(lead_ids)
    return Forgotten(
        waiting=count(theirs, col(Message.state).in_(sorted(WAITING))),
        sequences=count(
            col(Enrolment.lead_id).in_(lead_ids), col(Enrolment.state) == EnrolmentState.ACTIVE
        ),
        messages=count(theirs),
        answers=count(
            or_(
                col(Inbound.lead_id).in_(lead_ids),
                exists().where(col(Message.id) == col(Inbound.message_id), theirs),
            )
        ),
    )


def _count(session: Session, statement: Update) -> int:
    done = session.execute(statement.execution_options(synchronize_session=False))
    assert isinstance(done, CursorResult)  # noqa: S101 - an UPDATE has a row count
    return done.rowcount
