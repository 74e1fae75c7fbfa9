"""Evidence settles doubt: who answers a message, complains of it or sends it back has had it.

SMTP leaves the sender without an answer now and then (RFC 1047). A message in doubt for which
something comes back was taken by the server: it becomes `accepted`, as if the 250 had come. What
came back is an event of its own.
"""

from datetime import datetime

from sqlalchemy import CursorResult, select, update
from sqlmodel import Session, col

from campaigns.states import State
from campaigns.tables import Message, Run
from leads import record
from templates import TemplateVersion


def settle_by_evidence(session: Session, message_id: int, *, because: str, now: datetime) -> bool:
    """Settles the message when it is in doubt; `because` is what came back: `a reply`.

    Writes the `sent` event that the sender could not write. True when it was in doubt.
    """
    done = session.execute(
        update(Message)
        .where(col(Message.id) == message_id, col(Message.state) == State.IN_DOUBT)
        .values(state=State.ACCEPTED, reason=f"settled by {because}", settled_at=now)
        .execution_options(synchronize_session=False)
    )
    assert isinstance(done, CursorResult)  # noqa: S101 - an UPDATE has a row count
    if done.rowcount != 1:
        return False
    lead_id, subject, claimed_at, campaign, template = session.execute(
        select(
            col(Message.lead_id),
            col(Message.subject),
            col(Message.claimed_at),
            col(Run.campaign),
            col(TemplateVersion.name),
        )
        .join(Run, col(Run.id) == col(Message.run_id))
        .join(TemplateVersion, col(TemplateVersion.id) == col(Message.template_version_id))
        .where(col(Message.id) == message_id)
    ).one()
    record(
        session,
        lead_id,
        "sent",
        # It left when it was claimed, before the answer to it was written.
        at=claimed_at or now,
        campaign=campaign,
        template=template,
        message_id=message_id,
        by=because,
        data={"subject": subject, "settled_by": because},
    )
    return True
