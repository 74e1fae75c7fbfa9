"""Outcomes written down together: what gathered while the last commit ran is one write.

Four statements for all messages that servers took, where `finish` needs three for each; what a
server refused goes through `finish`, one by one. Each change is guarded as it is there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, select
from sqlmodel import Session

from campaigns.finish import CLOSE_ATTEMPT, Sent, closing, finish, guarded
from campaigns.queue import Claimed
from campaigns.states import State
from campaigns.tables import Message
from deliverability import Outcome, Verdict
from leads import record_all


@dataclass(frozen=True, kw_only=True, slots=True)
class Finishing:
    """A claimed message that was dealt with, and all that is written down about it."""

    claimed: Claimed
    outcome: Outcome
    #: Aware UTC.
    at: datetime
    sent: Sent | None = None
    #: The retry plan's answer for a deferred message; None: given up.
    retry_after: timedelta | None = None
    #: The local day the claim was counted on.
    day: date
    #: The template's name; empty when nothing was written.
    template: str = ""


def finish_together(
    session: Session, batch: Sequence[Finishing], *, owner: str
) -> list[State | None]:
    """The new state of each, None for a row that was not ours any more, in the given order."""
    states: list[State | None] = [None] * len(batch)
    taken = [
        place
        for place, each in enumerate(batch)
        if each.outcome.verdict is Verdict.ACCEPTED and each.sent is not None
    ]
    if len(taken) > 1:
        ours = _ours(session, [batch[place].claimed for place in taken], owner)
        taken = [place for place in taken if batch[place].claimed.message_id in ours]
        _accept(session, [batch[place] for place in taken], owner)
        for place in taken:
            states[place] = State.ACCEPTED
    else:
        taken = []
    done = set(taken)
    for place, each in enumerate(batch):
        if place not in done:
            states[place] = finish(
                session,
                each.claimed,
                each.outcome,
                owner=owner,
                now=each.at,
                sent=each.sent,
                retry_after=each.retry_after,
                day=each.day,
                template=each.template,
            )
    return states


_MESSAGE = Message.__table__  # type: ignore[attr-defined]

#: Built once: SQLAlchemy takes longer to build them than a database to run them.
_HELD = (
    select(_MESSAGE.c.id, _MESSAGE.c.attempts)
    .where(
        _MESSAGE.c.id.in_(bindparam("ids", expanding=True)),
        _MESSAGE.c.state == State.SENDING.value,
        _MESSAGE.c.owner == bindparam("its_owner"),
    )
    .with_for_update()
)
_ACCEPTED = (
    "settled_at",
    "reason",
    "subject",
    "context",
    "identity_version_id",
    "state",
    "reply",
    "relay_id",
)
_ACCEPT = guarded(_ACCEPTED)


def _ours(session: Session, claims: Sequence[Claimed], owner: str) -> set[int]:
    """Those still ours: `sending`, our owner, this attempt; locked until the transaction ends."""
    rows = session.connection().execute(
        _HELD, {"ids": [each.message_id for each in claims], "its_owner": owner}
    )
    held = {(row.id, row.attempts) for row in rows}
    return {c.message_id for c in claims if (c.message_id, c.attempt) in held}


def _accept(session: Session, batch: Sequence[Finishing], owner: str) -> None:
    if not batch:
        return
    connection = session.connection()
    connection.execute(_ACCEPT, [_changes(each, owner) for each in batch])
    connection.execute(
        CLOSE_ATTEMPT, [closing(each.claimed, each.outcome, now=each.at) for each in batch]
    )
    record_all(
        session,
        [
            {
                "lead_id": each.claimed.recipient.lead_id,
                "at": each.at,
                "kind": "sent",
                "campaign": each.claimed.campaign,
                "template": each.template,
                "message_id": each.claimed.message_id,
                "by": "",
                "data": {
                    "reply": each.outcome.reply,
                    "subject": each.sent.subject if each.sent else "",
                },
            }
            for each in batch
        ],
    )


def _changes(each: Finishing, owner: str) -> dict[str, Any]:
    assert each.sent is not None  # noqa: S101 - chosen by it
    return {
        "its_id": each.claimed.message_id,
        "its_owner": owner,
        "its_attempt": each.claimed.attempt,
        "new_settled_at": each.at,
        "new_reason": "",
        "new_subject": each.sent.subject,
        "new_context": dict(each.sent.context),
        "new_identity_version_id": each.sent.identity_version_id,
        "new_state": State.ACCEPTED.value,
        "new_reply": each.outcome.reply,
        "new_relay_id": each.outcome.relay_id,
    }
