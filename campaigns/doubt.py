"""Messages whose fate is unknown: found at the next start, listed, settled by a person.

SMTP cannot be exactly once (RFC 1047; RFC 5321 6.1), so doubt is kept small and shown.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import CursorResult, and_, exists, func, select, update
from sqlmodel import Session, col

from campaigns.runs import reopen
from campaigns.states import State
from campaigns.tables import Attempt, Message, Run
from leads import Lead, record

DIED = "the sender stopped before the server answered"


def recover(session: Session, *, owner: str, now: datetime) -> dict[str, int]:
    """What earlier processes held as `sending` is in doubt at once: they cannot finish it.

    Returns {"hold": n, "resend": m}. The workspace lock says that no earlier owner lives; nothing
    expires by the clock, because laptops sleep.
    """
    counts: dict[str, int] = {}
    stale = and_(col(Message.state) == State.SENDING, col(Message.owner) != owner)
    session.execute(
        update(Attempt)
        .where(
            col(Attempt.result).is_(None),
            exists().where(col(Message.id) == col(Attempt.message_id), stale),
        )
        .values(result="in_doubt", ended_at=now, reply=DIED)
        .execution_options(synchronize_session=False)
    )
    moves: tuple[tuple[str, dict[str, Any]], ...] = (
        (
            "hold",
            {
                "state": State.IN_DOUBT,
                "reason": DIED,
            },
        ),
        ("resend", {"state": State.PLANNED, "owner": None, "due_at": now}),
    )
    for rule, changes in moves:
        runs = select(col(Run.id)).where(col(Run.when_in_doubt) == rule)
        done = session.execute(
            update(Message)
            .where(stale, col(Message.run_id).in_(runs))
            .values(**changes)
            .execution_options(synchronize_session=False)
        )
        assert isinstance(done, CursorResult)  # noqa: S101 - an UPDATE has a row count
        counts[rule] = done.rowcount
    return counts


def resolve(
    session: Session,
    run_id: int,
    *,
    verdict: str,
    now: datetime,
    by: str,
    message_ids: list[int] | None = None,
) -> int:
    """A person settles messages in doubt: `sent`, `resend` or `give-up`; returns how many.

    `message_ids` None means all of the run. `sent` writes the timeline entry that the sender could
    not write.
    """
    chosen = [col(Message.run_id) == run_id, col(Message.state) == State.IN_DOUBT]
    if message_ids is not None:
        chosen.append(col(Message.id).in_(message_ids))
    rows = session.execute(
        select(col(Message.id), col(Message.lead_id), col(Message.subject)).where(*chosen)
    ).all()
    moves: dict[str, dict[str, Any]] = {
        "sent": {"state": State.ACCEPTED, "reason": f"settled by {by}", "settled_at": now},
        "resend": {"state": State.PLANNED, "owner": None, "due_at": now, "reason": "sent again"},
        "give-up": {"state": State.CANCELLED, "reason": f"given up by {by}", "settled_at": now},
    }
    done = session.execute(
        update(Message)
        .where(*chosen)
        .values(**moves[verdict])
        .execution_options(synchronize_session=False)
    )
    assert isinstance(done, CursorResult)  # noqa: S101 - an UPDATE has a row count
    if verdict == "sent":
        campaign = session.scalar(select(col(Run.campaign)).where(col(Run.id) == run_id))
        for message_id, lead_id, subject in rows:
            record(
                session,
                lead_id,
                "sent",
                at=now,
                campaign=campaign,
                message_id=message_id,
                by=by,
                data={"subject": subject, "settled_by": by},
            )
    if verdict == "resend" and done.rowcount:
        reopen(session, run_id)
    return done.rowcount


def doubtful(session: Session, run_id: int) -> list[tuple[int, str, str, datetime | None]]:
    """(message id, address, why, when claimed) of each message in doubt, oldest first."""
    rows = session.execute(
        select(col(Message.id), col(Lead.email), col(Message.reason), col(Message.claimed_at))
        .join(Lead, col(Lead.id) == col(Message.lead_id))
        .where(col(Message.run_id) == run_id, col(Message.state) == State.IN_DOUBT)
        .order_by(col(Message.id))
    ).all()
    return [(message_id, email, why, at) for message_id, email, why, at in rows]


def doubt_count(session: Session) -> int:
    """Messages in doubt in the whole workspace: decides an exit code."""
    return (
        session.scalar(
            select(func.count()).select_from(Message).where(col(Message.state) == State.IN_DOUBT)
        )
        or 0
    )
