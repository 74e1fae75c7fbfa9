"""Runs: starting one, pausing, resuming, cancelling, stopping everything, noticing the end.

Every verb is one guarded update of run rows. Message rows do not move when a run is paused: the
claim walks running runs only. Cancelling settles the rows in portions (`settling.py`), because
nobody waits for that.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CursorResult, select, update
from sqlmodel import Session, col

from campaigns.errors import AlreadyRan, NotPossible, Tripped, UnknownCampaign
from campaigns.states import RunState, State
from campaigns.tables import Message, Run
from campaigns.variants import PLACES, Drawn
from campaigns.window import Window
from deliverability import Scope, acknowledge, held, lift_pauses
from leads import Permission

#: `occurrence` of a campaign that is started by hand.
ONCE = "once"
#: `by` of a run that the schedule opened.
SCHEDULE = "schedule"
_OPEN = (RunState.PLANNING, RunState.RUNNING, RunState.PAUSED)


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """What was fixed when the run started and both planning and claiming go by."""

    permission: Permission
    window: Window | None
    expires_after: timedelta
    #: Domain of the identity: the right-hand side of Message-IDs.
    domain: str
    #: Only this many leave until somebody resumes the run; None means all.
    first: int | None = None
    #: Leads this campaign has already written to are left out.
    again: bool = False
    #: Of a sequence: the version in force, and the (pipeline, stage) places that end it.
    sequence_id: int | None = None
    exits: tuple[tuple[str, str], ...] = ()
    #: Share of those who match that gets nothing.
    holdout: float = 0.0
    #: With several mails: each with its places, in order.
    variants: tuple[Drawn, ...] = ()

    @property
    def keeps_back(self) -> bool:
        """Whether some leads wait until it is known which variant is the better one."""
        return bool(self.variants) and self.variants[-1].below < PLACES

    def senders(self, identity: str) -> list[str]:
        """Every identity that writes, the run's own, `identity`, first."""
        return list(dict.fromkeys((identity, *(v.identity for v in self.variants if v.identity))))

    def body(self) -> dict[str, Any]:
        return {
            "topic": self.permission.topic,
            "consent_required": self.permission.consent_required,
            "consent_double": self.permission.double,
            "window": self.window.body() if self.window else None,
            "expires_after": int(self.expires_after.total_seconds()),
            "domain": self.domain,
            "first": self.first,
            "again": self.again,
            "sequence_id": self.sequence_id,
            "exits": [list(place) for place in self.exits],
            "holdout": self.holdout,
            "variants": [each.body() for each in self.variants],
        }

    @staticmethod
    def of_body(body: Mapping[str, Any]) -> "Terms":
        return Terms(
            permission=Permission(
                topic=body["topic"],
                consent_required=body["consent_required"],
                double=body.get("consent_double", False),
            ),
            window=Window.of_body(body["window"]) if body["window"] else None,
            expires_after=timedelta(seconds=body["expires_after"]),
            domain=body["domain"],
            first=body["first"],
            again=body["again"],
            sequence_id=body.get("sequence_id"),
            exits=tuple((pipeline, stage) for pipeline, stage in body.get("exits", ())),
            holdout=body.get("holdout", 0.0),
            variants=tuple(map(Drawn.of_body, body.get("variants", ()))),
        )


def latest_run(session: Session, campaign: str) -> Run | None:
    """The newest run of a campaign; None when it never started."""
    return session.scalars(
        select(Run).where(col(Run.campaign) == campaign).order_by(col(Run.id).desc()).limit(1)
    ).first()


def open_run(
    session: Session,
    *,
    campaign: str,
    campaign_id: int | None,
    segment_version_id: int | None,
    template_version_id: int | None,
    identity: str,
    when_in_doubt: str,
    terms: Terms,
    occurrence: str,
    token: str,
    now: datetime,
    by: str,
    state: RunState = RunState.PLANNING,
    reason: str = "",
) -> Run:
    """Writes the run down; planning fills it. The unique occurrence refuses a second start.

    In another `state` it is a note of a start that did not happen, and `reason` says why.

    Raises AlreadyRan when this occurrence exists.
    """
    earlier = session.scalars(
        select(Run).where(col(Run.campaign) == campaign, col(Run.occurrence) == occurrence)
    ).first()
    if earlier is not None:
        raise already_ran(earlier)
    run = Run(
        campaign=campaign,
        occurrence=occurrence,
        token=token,
        campaign_id=campaign_id,
        segment_version_id=segment_version_id,
        template_version_id=template_version_id,
        identity=identity,
        state=state,
        reason=reason,
        when_in_doubt=when_in_doubt,
        started_at=now,
        finished_at=now if state == RunState.CANCELLED else None,
        by=by,
        terms=terms.body(),
    )
    session.add(run)
    session.flush()
    return run


def already_ran(run: Run) -> AlreadyRan:
    """Why it does not start once more, and what to type instead."""
    return AlreadyRan(
        f"Campaign {run.campaign!r} was started on {run.started_at:%Y-%m-%d %H:%M} UTC and is "
        f"{run.state}; to write to those it has not reached yet: "
        f"potok campaigns start {run.campaign} --again"
    )


def move_run(session: Session, run_id: int, allowed: tuple[RunState, ...], **changes: Any) -> bool:
    done = session.execute(
        update(Run)
        .where(col(Run.id) == run_id, col(Run.state).in_(allowed))
        .values(**changes)
        .execution_options(synchronize_session=False)
    )
    assert isinstance(done, CursorResult)  # noqa: S101 - an UPDATE has a row count
    return done.rowcount == 1


def require_run(session: Session, campaign: str) -> Run:
    """The newest run, or UnknownCampaign with what to type."""
    run = latest_run(session, campaign)
    if run is None:
        raise UnknownCampaign(
            f"Campaign {campaign!r} has not been started; start it with: "
            f"potok campaigns start {campaign}"
        )
    return run


def unanswered(run: Run) -> bool:
    """Whether this is a scheduled start that nothing was planned for: it waits for a person."""
    return run.state == RunState.PAUSED and run.by == SCHEDULE and _untouched(run)


def _untouched(run: Run) -> bool:
    return run.planned_at is None and run.planned_to == 0


def run_to(session: Session, campaign: str, *states: RunState) -> Run:
    """The newest run in one of `states`, else the newest: a noted start hides no run before it."""
    found = session.scalars(
        select(Run)
        .where(col(Run.campaign) == campaign, col(Run.state).in_(states))
        .order_by(col(Run.id).desc())
        .limit(1)
    ).first()
    return found or require_run(session, campaign)


def pause(session: Session, campaign: str, *, reason: str) -> Run:
    """Nothing of this run is claimed any more; what is on the wire is finished."""
    run = run_to(session, campaign, RunState.RUNNING, RunState.PLANNING)
    assert run.id is not None  # noqa: S101 - it came from the database
    if run.state == RunState.PAUSED:
        return run
    going = (RunState.RUNNING, RunState.PLANNING)
    if not move_run(session, run.id, going, state=RunState.PAUSED, reason=reason):
        raise NotPossible(f"Campaign {campaign!r} is {run.state}: there is nothing to pause")
    session.refresh(run)
    return run


def stop_everything(session: Session, *, reason: str) -> list[str]:
    """Pauses every run that could send; returns the campaigns' names."""
    names = session.scalars(
        select(col(Run.campaign))
        .where(col(Run.state).in_([RunState.RUNNING, RunState.PLANNING]))
        .order_by(col(Run.id))
    ).all()
    session.execute(
        update(Run)
        .where(col(Run.state).in_([RunState.RUNNING, RunState.PLANNING]))
        .values(state=RunState.PAUSED, reason=reason)
        .execution_options(synchronize_session=False)
    )
    return list(names)


def resume(session: Session, campaign: str, *, now: datetime, knowing: str = "") -> Run:
    """Goes on where it stopped; also the approval after `--first`, and the sign that a person saw
    why the identity's lanes were paused. A run that nothing was planned for begins now: what
    expires, expires counted from here.

    Raises Tripped when a breaker stopped it, unless `knowing` names who has seen why.
    """
    run = run_to(session, campaign, RunState.PAUSED)
    assert run.id is not None  # noqa: S101 - it came from the database
    why = "; ".join(each.reason for each in held(session, Scope.RUN, str(run.id)) if each.open)
    if why and not knowing:
        raise Tripped(
            f"{campaign} was stopped: {why}. When you know why and have put it right: "
            f"potok campaigns resume {campaign} --i-know"
        )
    acknowledge(session, Scope.RUN, str(run.id), now=now, by=knowing)
    state = RunState.RUNNING if run.planned_at is not None else RunState.PLANNING
    for identity in Terms.of_body(run.terms).senders(run.identity):
        lift_pauses(session, identity, now=now)
    if run.state == state:
        return run
    changes: dict[str, Any] = {"state": state, "reason": ""}
    if _untouched(run):
        changes["started_at"] = now
    if run.released_to is not None and released_is_done(session, run):
        changes["released_to"] = None
    if not move_run(session, run.id, (RunState.PAUSED,), **changes):
        raise NotPossible(f"Campaign {campaign!r} is {run.state}: there is nothing to resume")
    session.refresh(run)
    return run


def released_is_done(session: Session, run: Run) -> bool:
    waiting = (
        select(col(Message.id))
        .where(
            col(Message.run_id) == run.id,
            col(Message.state).in_([State.PLANNED, State.SENDING]),
            col(Message.id) <= run.released_to,
        )
        .limit(1)
    )
    return session.scalar(waiting) is None


def cancel(session: Session, campaign: str, *, reason: str) -> Run:
    """Ends the run for good: nothing is claimed any more; `settling.cancel_rows` does the rest."""
    run = run_to(session, campaign, *_OPEN)
    assert run.id is not None  # noqa: S101 - it came from the database
    if run.state != RunState.CANCELLED and not move_run(
        session,
        run.id,
        _OPEN,
        state=RunState.CANCELLED,
        reason=reason,
    ):
        raise NotPossible(f"Campaign {campaign!r} is {run.state}: there is nothing to cancel")
    session.refresh(run)
    return run


def reopen(session: Session, run_id: int) -> None:
    """A finished run with a row to send again is running again."""
    move_run(session, run_id, (RunState.FINISHED,), state=RunState.RUNNING, finished_at=None)
