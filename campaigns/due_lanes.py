"""Which lanes have messages waiting, and from when on."""

from datetime import datetime

from sqlalchemy import and_, func, or_, select
from sqlmodel import Session, col

from campaigns.runs import Terms
from campaigns.states import RunState, State
from campaigns.tables import Message, Run
from deliverability import Lane


def lanes_with_work(session: Session, *, now: datetime) -> dict[int, datetime]:
    """{lane id: when its next message is due} over running runs; one index probe per run and lane.

    Lanes without waiting rows are absent.
    """
    head = (
        select(func.min(col(Message.due_at)))
        .where(
            col(Message.run_id) == col(Run.id),
            col(Message.lane_id) == col(Lane.id),
            col(Message.state) == State.PLANNED,
            (col(Run.released_to).is_(None)) | (col(Message.id) <= col(Run.released_to)),
        )
        .correlate(Run, Lane)
        .scalar_subquery()
    )
    writes = [col(Lane.identity) == col(Run.identity)]
    running = select(col(Run.id), col(Run.identity), col(Run.terms))
    for run_id, identity, terms in session.execute(
        running.where(col(Run.state) == RunState.RUNNING)
    ):
        # Where variants differ in who writes, the others have lanes of their own.
        for other in Terms.of_body(terms).senders(identity)[1:]:
            writes.append(and_(col(Run.id) == run_id, col(Lane.identity) == other))
    rows = session.execute(
        select(col(Lane.id), head)
        .select_from(Run)
        .join(Lane, or_(*writes))
        .where(col(Run.state) == RunState.RUNNING)
    ).all()
    due: dict[int, datetime] = {}
    for lane_id, moment in rows:
        if moment is not None and (lane_id not in due or moment < due[lane_id]):
            due[lane_id] = moment
    return due
