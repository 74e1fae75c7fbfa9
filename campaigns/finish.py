"""The queue's tail: what the server said, written down (T3), and what a dead sender left behind.

Every update is guarded by state, owner and attempt: one that lost its row changes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import CursorResult, and_, exists, func, select, update
from sqlmodel import Session, col

from campaigns.queue import Claimed
from campaigns.runs import reopen
from campaigns.states import State
from campaigns.tables import Attempt, Message, Run
from deliverability import Cause, Outcome, Verdict, give_day
from leads import Lead, record, suppress

#: Refusals that are about us, not about the lead: the message waits until we are in order again,
#: and nobody is suppressed for our block listing.
OURS = frozenset({Cause.SENDER, Cause.AUTHENTICATION, Cause.BLOCKED, Cause.TLS, Cause.RATE})

DIED = "the sender stopped before the server answered"


@dataclass(frozen=True, kw_only=True, slots=True)
class Sent:
    """What was handed to the server, kept so that it can be shown again."""

    subject: str
    #: What the template read, and under `envelope` what the envelope was built from.
    context: Mapping[str, Any]
    identity_version_id: int


def finish(
    session: Session,
    claimed: Claimed,
    outcome: Outcome,
    *,
    owner: str,
    now: datetime,
    sent: Sent | None,
    retry_after: timedelta | None,
    day: date,
    template: str,
) -> State | None:
    """Moves the message by its outcome, closes the attempt, writes the event.

    `retry_after` is the retry plan's answer for a deferred message (None: given up), `day` the
    local day the claim was counted on. Returns the new state, or None when the row was not ours
    any more (then nothing changed).
    """
    state, changes = _move(claimed, outcome, now=now, retry_after=retry_after)
    if sent is not None and outcome.verdict in (Verdict.ACCEPTED, Verdict.IN_DOUBT):
        changes |= {
            "subject": sent.subject,
            "context": dict(sent.context),
            "identity_version_id": sent.identity_version_id,
        }
    done = session.execute(
        update(Message)
        .where(
            col(Message.id) == claimed.message_id,
            col(Message.state) == State.SENDING,
            col(Message.owner) == owner,
            col(Message.attempts) == claimed.attempt,
        )
        .values(state=state, reply=outcome.reply, relay_id=outcome.relay_id, **changes)
        .execution_options(synchronize_session=False)
    )
    assert isinstance(done, CursorResult)  # noqa: S101 - an UPDATE has a row count
    if done.rowcount != 1:
        return None
    _close_attempt(session, claimed, outcome, now=now)
    if outcome.verdict not in (Verdict.ACCEPTED, Verdict.IN_DOUBT):
        give_day(session, claimed.identity, day, count=1)
    _tell(session, claimed, outcome, state, now=now, sent=sent, template=template)
    return state


def _move(
    claimed: Claimed, outcome: Outcome, *, now: datetime, retry_after: timedelta | None
) -> tuple[State, dict[str, Any]]:
    """The state that follows and what else changes with it."""
    verdict = outcome.verdict
    if verdict is Verdict.ACCEPTED:
        return State.ACCEPTED, {"settled_at": now, "reason": ""}
    if verdict is Verdict.UNSENT:
        return State.PLANNED, {"owner": None, "due_at": now}
    if verdict is Verdict.IN_DOUBT:
        if claimed.when_in_doubt == "resend":
            wait = retry_after or timedelta(minutes=5)
            return State.PLANNED, {"owner": None, "due_at": now + wait, "reason": "sent again"}
        return State.IN_DOUBT, {"reason": outcome.reply or "the server did not answer"}
    if verdict is Verdict.DEFERRED or outcome.cause in OURS:
        again_at = None if retry_after is None else now + retry_after
        if again_at is None or again_at >= claimed.expires_at:
            return State.REJECTED, {"settled_at": now, "reason": "gave_up"}
        # An answer that is about us does not use up the lead's tries.
        tries = claimed.deferrals + (0 if outcome.cause in OURS else 1)
        return State.PLANNED, {"owner": None, "due_at": again_at, "deferrals": tries}
    return State.REJECTED, {"settled_at": now, "reason": str(outcome.cause)}


def _close_attempt(session: Session, claimed: Claimed, outcome: Outcome, *, now: datetime) -> None:
    session.execute(
        update(Attempt)
        .where(
            col(Attempt.message_id) == claimed.message_id,
            col(Attempt.number) == claimed.attempt,
            col(Attempt.result).is_(None),
        )
        .values(
            ended_at=now,
            result=str(outcome.verdict),
            phase=str(outcome.phase),
            code=outcome.code,
            enhanced=outcome.enhanced,
            reply=outcome.reply,
        )
        .execution_options(synchronize_session=False)
    )


def _tell(
    session: Session,
    claimed: Claimed,
    outcome: Outcome,
    state: State,
    *,
    now: datetime,
    sent: Sent | None,
    template: str,
) -> None:
    """The event on the lead's timeline; a hard bounce at the door also suppresses the address."""
    kind = {State.ACCEPTED: "sent", State.REJECTED: "rejected"}.get(state)
    if kind is None:
        return
    hard = state is State.REJECTED and outcome.cause is Cause.ADDRESS
    data: dict[str, Any] = {"reply": outcome.reply}
    if sent is not None:
        data["subject"] = sent.subject
    if state is State.REJECTED:
        data |= {"hard": hard, "cause": str(outcome.cause), "status": outcome.enhanced}
    record(
        session,
        claimed.recipient.lead_id,
        "bounced" if hard else kind,
        at=now,
        campaign=claimed.campaign,
        template=template,
        message_id=claimed.message_id,
        data=data,
    )
    if hard:
        key = session.scalar(
            select(col(Lead.address_key)).where(col(Lead.id) == claimed.recipient.lead_id)
        )
        if key is not None:
            suppress(session, key, reason="hard_bounce", at=now, by=claimed.campaign)


def skip_unmade(
    session: Session, claimed: Claimed, *, owner: str, now: datetime, why: str, day: date
) -> bool:
    """The text could not be made for this lead: the message never leaves, and says why."""
    done = session.execute(
        update(Message)
        .where(
            col(Message.id) == claimed.message_id,
            col(Message.state) == State.SENDING,
            col(Message.owner) == owner,
            col(Message.attempts) == claimed.attempt,
        )
        .values(state=State.SKIPPED, reason="cannot_render", reply=why, settled_at=now)
        .execution_options(synchronize_session=False)
    )
    assert isinstance(done, CursorResult)  # noqa: S101 - an UPDATE has a row count
    if done.rowcount != 1:
        return False
    session.execute(
        update(Attempt)
        .where(
            col(Attempt.message_id) == claimed.message_id,
            col(Attempt.number) == claimed.attempt,
        )
        .values(ended_at=now, result="skipped", reply=why)
        .execution_options(synchronize_session=False)
    )
    give_day(session, claimed.identity, day, count=1)
    return True


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
