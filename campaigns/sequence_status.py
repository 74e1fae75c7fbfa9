"""Sequences as people look at them: how many leads are where, one lead's way, taking one out."""

from collections.abc import Sequence as Many
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session, col

from campaigns.enrolments import Ending, end
from campaigns.runs import Terms
from campaigns.sequence_definition import SequenceDefinition, sequence_of
from campaigns.sequence_runs import OCCURRENCE, require_sequence
from campaigns.sequences import EnrolmentState
from campaigns.tables import Enrolment, Message, Run, Sequence
from leads import current_version, current_versions


@dataclass(frozen=True, kw_only=True, slots=True)
class Enrolled:
    """One lead's way through one sequence."""

    sequence: str
    times: int
    step: str
    state: str
    reason: str
    enrolled_at: datetime
    ended_at: datetime | None
    #: When it moves on, while it is on the way.
    due_at: datetime | None
    #: The state of its latest message; empty before the first.
    message: str

    def document(self) -> dict[str, Any]:
        """The form for scripts."""
        return {
            "sequence": self.sequence,
            "pass": self.times,
            "state": self.state,
            "reason": self.reason,
            "step": self.step,
            "due_at": self.due_at,
            "message": self.message or None,
            "enrolled_at": self.enrolled_at,
            "ended_at": self.ended_at,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class SequenceStatus:
    """One sequence in numbers: `enrolled` = `active` + `done` + the sum of `exited`."""

    definition: SequenceDefinition | None
    name: str
    state: str
    reason: str
    enrolled: int
    #: Step -> leads that stand there.
    active: dict[str, int]
    done: int
    exited: dict[str, int]
    #: Step -> message state -> messages.
    messages: dict[str, dict[str, int]]

    def document(self) -> dict[str, Any]:
        """The form for scripts."""
        return {
            "sequence": self.name,
            "state": self.state,
            "reason": self.reason,
            "enrolled": self.enrolled,
            "active": self.active,
            "done": self.done,
            "exited": self.exited,
            "messages": self.messages,
        }


def applied_sequences(session: Session) -> list[tuple[SequenceDefinition, str, int]]:
    """(definition, state of its run, leads on the way) of every applied sequence, by name."""
    return [
        (
            sequence_of(version.name, version.body or {}),
            require_sequence(session, version.name).state,
            session.scalar(
                select(func.count())
                .select_from(Enrolment)
                .where(
                    col(Enrolment.sequence) == version.name,
                    col(Enrolment.state) == EnrolmentState.ACTIVE,
                )
            )
            or 0,
        )
        for version in current_versions(session, Sequence)
    ]


def sequence_status(session: Session, name: str) -> SequenceStatus:
    """How the sequence stands, over all its versions. Raises UnknownCampaign."""
    run = require_sequence(session, name)
    active: dict[str, int] = {}
    exited: dict[str, int] = {}
    done = 0
    rows = session.execute(
        select(col(Enrolment.state), col(Enrolment.step), col(Enrolment.reason), func.count())
        .where(col(Enrolment.sequence) == name)
        .group_by(col(Enrolment.state), col(Enrolment.step), col(Enrolment.reason))
    )
    for state, step, reason, count in rows:
        if state == EnrolmentState.ACTIVE:
            active[step] = active.get(step, 0) + count
        elif state == EnrolmentState.DONE:
            done += count
        else:
            exited[reason] = exited.get(reason, 0) + count
    runs = select(col(Run.id)).where(
        col(Run.campaign) == name, col(Run.occurrence).startswith(OCCURRENCE)
    )
    messages: dict[str, dict[str, int]] = {}
    for step, state, count in session.execute(
        select(col(Message.step), col(Message.state), func.count())
        .where(col(Message.run_id).in_(runs))
        .group_by(col(Message.step), col(Message.state))
    ):
        messages.setdefault(step, {})[state] = count
    version = current_version(session, Sequence, name)
    return SequenceStatus(
        definition=sequence_of(name, version.body or {}) if version else None,
        name=name,
        state=run.state,
        reason=run.reason or _why_new_leads_stay_out(version, run),
        enrolled=sum(active.values()) + done + sum(exited.values()),
        active=active,
        done=done,
        exited=dict(sorted(exited.items())),
        messages=messages,
    )


def _why_new_leads_stay_out(version: Sequence | None, run: Run) -> str:
    if version is None:
        return "its file was removed: nobody enters any more"
    if version.id != Terms.of_body(run.terms).sequence_id:
        return "nobody enters: type potok apply"
    return ""


def enrolments_of(session: Session, lead_id: int) -> Many[Enrolled]:
    """Every way of one lead through any sequence, newest last."""
    rows = session.execute(
        select(Enrolment, col(Message.state))
        .outerjoin(Message, col(Message.id) == col(Enrolment.message_id))
        .where(col(Enrolment.lead_id) == lead_id)
        .order_by(col(Enrolment.id))
    )
    return [
        Enrolled(
            sequence=row.sequence,
            times=row.pass_,
            step=row.step,
            state=row.state,
            reason=row.reason,
            enrolled_at=row.enrolled_at,
            ended_at=row.ended_at,
            due_at=row.due_at if row.state == EnrolmentState.ACTIVE else None,
            message=message or "",
        )
        for row, message in rows
    ]


def exit_lead(
    session: Session, name: str, lead_id: int, *, why: str, now: datetime, by: str
) -> bool:
    """A person takes the lead out; its waiting message is skipped. False when it is not in it.

    Raises UnknownCampaign for a sequence nobody applied.
    """
    require_sequence(session, name)
    ids = session.scalars(
        select(col(Enrolment.id)).where(
            col(Enrolment.sequence) == name,
            col(Enrolment.lead_id) == lead_id,
            col(Enrolment.state) == EnrolmentState.ACTIVE,
        )
    ).all()
    endings = [Ending(enrolment_id=number, reason=why) for number in ids if number is not None]
    return end(session, endings, now=now, by=by) > 0
