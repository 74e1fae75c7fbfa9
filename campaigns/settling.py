"""Noticing that a run is through, and settling the rows of one that was cancelled."""

from datetime import datetime

from sqlalchemy import CursorResult, exists, select, update
from sqlmodel import Session, col

from campaigns.choosing import reserved
from campaigns.enrolments import end_run
from campaigns.runs import Terms, move_run, released_is_done
from campaigns.sequence_runs import is_sequence, is_through
from campaigns.states import WAITING, RunState, State
from campaigns.tables import Message, Run


def cancel_rows(session: Session, run_id: int, *, now: datetime, limit: int = 20_000) -> int:
    """Settles up to `limit` waiting rows of a cancelled run; call again until it returns 0.

    Portions keep each transaction short for a sender beside it.
    """
    portion = (
        select(col(Message.id))
        .where(col(Message.run_id) == run_id, col(Message.state).in_(sorted(WAITING)))
        .limit(limit)
    )
    done = session.execute(
        update(Message)
        .where(
            col(Message.id).in_(portion),
            col(Message.state).in_(sorted(WAITING)),
            exists().where(col(Run.id) == run_id, col(Run.state) == RunState.CANCELLED),
        )
        .values(state=State.CANCELLED, reason="cancelled", settled_at=now)
        .execution_options(synchronize_session=False)
    )
    assert isinstance(done, CursorResult)  # noqa: S101 - an UPDATE has a row count
    if done.rowcount == 0:
        if session.scalar(
            select(exists().where(col(Run.id) == run_id, col(Run.state) == RunState.CANCELLED))
        ):
            end_run(session, run_id, reason="cancelled", now=now)
        sending = exists().where(col(Message.run_id) == run_id, col(Message.state) == State.SENDING)
        session.execute(
            update(Run)
            .where(col(Run.id) == run_id, col(Run.state) == RunState.CANCELLED, ~sending)
            .values(finished_at=now)
            .execution_options(synchronize_session=False)
        )
    return done.rowcount


def settle_runs(session: Session, *, now: datetime) -> list[tuple[str, RunState]]:
    """Notices runs that are through: finished, or paused after their first few.

    Returns (campaign, new state) of each run that changed. Reads the heads of two partial indexes
    per running run, so it costs the same with ten messages and ten million.
    """
    changed: list[tuple[str, RunState]] = []
    running = session.scalars(
        select(Run).where(col(Run.state) == RunState.RUNNING, col(Run.planned_at).is_not(None))
    ).all()
    for run in running:
        assert run.id is not None  # noqa: S101 - it came from the database
        sending = exists().where(col(Message.run_id) == run.id, col(Message.state) == State.SENDING)
        waiting = exists().where(col(Message.run_id) == run.id, col(Message.state) == State.PLANNED)
        if session.scalar(select(sending)):
            continue
        if not session.scalar(select(waiting)):
            # A sequence goes on as long as somebody may enter it.
            if is_sequence(run) and not is_through(session, run):
                continue
            # Nor is a campaign over while leads wait for the better of its variants.
            if Terms.of_body(run.terms).keeps_back and reserved(session, run.id):
                continue
            if move_run(
                session, run.id, (RunState.RUNNING,), state=RunState.FINISHED, finished_at=now
            ):
                changed.append((run.campaign, RunState.FINISHED))
        elif run.released_to is not None and released_is_done(session, run):
            first = run.terms.get("first")
            reason = (
                f"the first {first} are out: look at them, then "
                f"potok campaigns resume {run.campaign}"
            )
            if move_run(session, run.id, (RunState.RUNNING,), state=RunState.PAUSED, reason=reason):
                changed.append((run.campaign, RunState.PAUSED))
    return changed


def settle(session: Session, *, now: datetime) -> tuple[list[tuple[str, RunState]], int]:
    """Both of the above for every run: (campaign, new state) of runs that changed, rows moved."""
    cancelled = session.scalars(
        select(col(Run.id)).where(
            col(Run.state) == RunState.CANCELLED, col(Run.finished_at).is_(None)
        )
    ).all()
    moved = sum(cancel_rows(session, run_id, now=now) for run_id in cancelled if run_id)
    return settle_runs(session, now=now), moved
