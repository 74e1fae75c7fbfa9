"""Planned messages brought to the lane their domain belongs to, in small batches."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import CursorResult, case, func, select, tuple_, update
from sqlmodel import Session, col

from campaigns.states import RunState, State
from campaigns.tables import Message, Run
from deliverability import OTHER, Domain, Lane, lanes
from leads import Lead

#: Messages looked at, and leads moved, in one transaction: a few milliseconds.
PAGE, BATCH = 1_000, 500


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiting:
    """What a page of planned messages says about their domains."""

    #: Nobody asked DNS about these, or what it said is too old; soonest due first.
    to_ask: tuple[str, ...]
    #: Messages to these stand in another lane than their domain's.
    misplaced: tuple[str, ...]
    #: Where the next page begins; None at the end.
    last: tuple[datetime, int] | None


def lanes_to_walk(session: Session, identities: frozenset[str]) -> list[tuple[int, int]]:
    """(run, lane) of running runs whose messages wait, for lanes of these identities."""
    waits = (
        select(col(Message.id))
        .where(
            col(Message.run_id) == col(Run.id),
            col(Message.lane_id) == col(Lane.id),
            col(Message.state) == State.PLANNED,
        )
        .correlate(Run, Lane)
        .exists()
    )
    rows = session.execute(
        select(col(Run.id), col(Lane.id))
        .select_from(Run)
        .join(Lane, col(Lane.identity).in_(sorted(identities)))
        .where(col(Run.state) == RunState.RUNNING, waits)
        .order_by(col(Run.id), col(Lane.id))
    )
    return [(run_id, lane_id) for run_id, lane_id in rows]


def waiting_domains(
    session: Session,
    run_id: int,
    lane_id: int,
    after: tuple[datetime, int] | None,
    *,
    now: datetime,
    size: int = PAGE,
) -> Waiting:
    """The next page of a lane's planned messages, in the order they are due: one walk along
    `ix_message_due`."""
    due = [
        col(Message.run_id) == run_id,
        col(Message.lane_id) == lane_id,
        col(Message.state) == State.PLANNED,
    ]
    if after is not None:
        due.append(tuple_(col(Message.due_at), col(Message.id)) > tuple_(*after))
    rows = session.execute(
        select(
            col(Message.due_at),
            col(Message.id),
            col(Lead.domain),
            col(Domain.provider),
            col(Domain.due_at),
            col(Lane.provider),
        )
        .join(Lead, col(Lead.id) == col(Message.lead_id))
        .join(Lane, col(Lane.id) == col(Message.lane_id))
        .outerjoin(Domain, col(Domain.name) == col(Lead.domain))
        .where(*due)
        .order_by(col(Message.due_at), col(Message.id))
        .limit(size)
    ).all()
    to_ask: dict[str, None] = {}
    misplaced: dict[str, None] = {}
    for _, _, name, provider, ask_at, lane in rows:
        if name and (provider is None or (ask_at is not None and ask_at <= now)):
            to_ask[name] = None
        if (provider or OTHER) != lane:
            misplaced[name] = None
    more = len(rows) == size
    return Waiting(
        to_ask=tuple(to_ask),
        misplaced=tuple(misplaced),
        last=(rows[-1][0], rows[-1][1]) if more else None,
    )


def move_planned(
    session: Session, domain: str, *, after: int = 0, size: int = BATCH
) -> tuple[int, int | None]:
    """Brings the planned messages of the next `size` leads at a domain into its provider's lanes.

    Returns how many moved, and after which lead the next batch begins; None at the end. What is
    under way or settled stays where it was. Safe to repeat.
    """
    provider = session.scalar(select(col(Domain.provider)).where(col(Domain.name) == domain))
    ids = session.scalars(
        select(col(Lead.id))
        .where(col(Lead.domain) == domain, col(Lead.id) > after)
        .order_by(col(Lead.id))
        .limit(size)
    ).all()
    if not ids:
        return 0, None
    moves: dict[int, int] = {}
    for identity in session.scalars(select(func.distinct(col(Lane.identity)))).all():
        own = lanes(session, identity)
        to = own[provider or OTHER]
        moves.update({lane: to for lane in own.values() if lane != to})
    done = session.execute(
        update(Message)
        .where(
            col(Message.lead_id).in_(ids),
            col(Message.state) == State.PLANNED,
            col(Message.lane_id).in_(sorted(moves)),
        )
        .values(lane_id=case(moves, value=col(Message.lane_id), else_=col(Message.lane_id)))
        .execution_options(synchronize_session=False)
    )
    assert isinstance(done, CursorResult)  # noqa: S101 - an UPDATE has a row count
    return done.rowcount, ids[-1] if len(ids) == size else None
