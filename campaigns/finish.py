"""The queue's tail: what the server said, written down (T3). `doubt.py` has the unhappy end.

Every update is guarded by state, owner and attempt: one that lost its row changes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Update, bindparam, select, update
from sqlmodel import Session, col

from campaigns.queue import Claimed
from campaigns.states import State
from campaigns.tables import Attempt
from deliverability import Cause, Measure, Outcome, Scope, Verdict, give_day, trip
from leads import Lead, Row, record, suppress

#: Refusals that are about us, not about the lead: the message waits until we are in order again,
#: and nobody is suppressed for our block listing.
OURS = frozenset({Cause.SENDER, Cause.AUTHENTICATION, Cause.BLOCKED, Cause.TLS, Cause.RATE})


_MESSAGE = Row.metadata.tables["message"]
_ATTEMPT = Row.metadata.tables["attempt"]


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
    changes |= {"state": state, "reply": outcome.reply, "relay_id": outcome.relay_id}
    if not _change(session, claimed, owner, changes):
        return None
    _close_attempt(session, claimed, outcome, now=now)
    if outcome.verdict not in (Verdict.ACCEPTED, Verdict.IN_DOUBT):
        give_day(session, claimed.identity, day, count=1)
    if outcome.cause is Cause.AUTHENTICATION:
        refuse_identity(session, claimed.identity, f"{outcome.code} {outcome.reply}", now=now)
    _tell(session, claimed, outcome, state, now=now, sent=sent, template=template)
    return state


def refuse_identity(session: Session, identity: str, words: str, *, now: datetime) -> bool:
    """A server did not believe who we are: one such answer stops the identity.

    Every further try would cost it more of its name, or lock its account.
    """
    return trip(
        session,
        Scope.IDENTITY,
        identity,
        Measure.AUTHENTICATION,
        reason=f"a server does not accept it as the sender: {words}",
        seen={"reply": words[:300]},
        now=now,
    )


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


def _change(session: Session, claimed: Claimed, owner: str, changes: dict[str, Any]) -> bool:
    """Changes the row if it is still ours: `sending`, our owner, this attempt."""
    done = session.connection().execute(
        guarded(tuple(sorted(changes))),
        {
            "its_id": claimed.message_id,
            "its_owner": owner,
            "its_attempt": claimed.attempt,
            **{f"new_{name}": value for name, value in changes.items()},
        },
    )
    return done.rowcount == 1


# Statements of the hot path are built once and given values: building them anew for every message
# took 3 of the 4 ms that a message cost.
@cache
def guarded(names: tuple[str, ...]) -> Update:
    """The update of these columns, as `new_NAME`, of a row that is ours (`its_id`, `its_owner`,
    `its_attempt`)."""
    return (
        update(_MESSAGE)
        .where(
            _MESSAGE.c.id == bindparam("its_id"),
            _MESSAGE.c.state == State.SENDING.value,
            _MESSAGE.c.owner == bindparam("its_owner"),
            _MESSAGE.c.attempts == bindparam("its_attempt"),
        )
        .values({name: bindparam(f"new_{name}", type_=_MESSAGE.c[name].type) for name in names})
    )


CLOSE_ATTEMPT = (
    update(_ATTEMPT)
    .where(
        _ATTEMPT.c.message_id == bindparam("its_message"),
        _ATTEMPT.c.number == bindparam("its_number"),
        _ATTEMPT.c.result.is_(None),
    )
    .values(
        {
            name: bindparam(f"new_{name}", type_=_ATTEMPT.c[name].type)
            for name in ("ended_at", "result", "phase", "code", "enhanced", "reply")
        }
    )
)


def _close_attempt(session: Session, claimed: Claimed, outcome: Outcome, *, now: datetime) -> None:
    session.connection().execute(CLOSE_ATTEMPT, closing(claimed, outcome, now=now))


def closing(claimed: Claimed, outcome: Outcome, *, now: datetime) -> dict[str, Any]:
    """What `CLOSE_ATTEMPT` is given."""
    return {
        "its_message": claimed.message_id,
        "its_number": claimed.attempt,
        "new_ended_at": now,
        "new_result": str(outcome.verdict),
        "new_phase": str(outcome.phase),
        "new_code": outcome.code,
        "new_enhanced": outcome.enhanced,
        "new_reply": outcome.reply,
    }


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
    changes = {
        "state": State.SKIPPED,
        "reason": "cannot_render",
        "reply": why,
        "settled_at": now,
    }
    if not _change(session, claimed, owner, changes):
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
