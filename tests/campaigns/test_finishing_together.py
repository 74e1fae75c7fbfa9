"""Outcomes that are written down in one go: the same rows as one by one, and each on its own."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

import pytest
from sqlalchemy import select, update
from sqlmodel import Session, col

from campaigns import State, verify
from campaigns.finish_together import Finishing, finish_together
from campaigns.finisher import Finisher
from campaigns.queue import Claimed
from campaigns.tables import Attempt, Message
from console.database import Database, Store
from deliverability import Cause, Outcome, Phase, Verdict
from leads import Event
from tests.campaigns.claims import ACCEPTED, SENT, TODAY, take
from tests.campaigns.world import rows, small_world
from tests.conftest import NOW

T = TypeVar("T")
GREYLISTED = Outcome(verdict=Verdict.DEFERRED, phase=Phase.RCPT, code=450, cause=Cause.GREYLIST)
UNKNOWN = Outcome(verdict=Verdict.REJECTED, phase=Phase.RCPT, code=550, cause=Cause.ADDRESS)


def finishing(claimed: Claimed, outcome: Outcome = ACCEPTED) -> Finishing:
    accepted = outcome.verdict is Verdict.ACCEPTED
    return Finishing(
        claimed=claimed,
        outcome=outcome,
        at=NOW,
        sent=SENT if accepted else None,
        retry_after=timedelta(minutes=5),
        day=TODAY,
        template="hello",
    )


def test_each_outcome_of_a_batch_ends_as_it_would_alone(database: Database) -> None:
    world = small_world(database, 6)
    claims = take(world, limit=6).claimed
    outcomes = [ACCEPTED, GREYLISTED, ACCEPTED, UNKNOWN, ACCEPTED, ACCEPTED]
    batch = [finishing(*each) for each in zip(claims, outcomes, strict=True)]
    states = database.write(lambda s: finish_together(s, batch, owner="me"))
    accepted, planned, rejected = State.ACCEPTED, State.PLANNED, State.REJECTED
    assert states == [accepted, planned, accepted, rejected, accepted, accepted]
    assert world.states() == {"accepted": 4, "planned": 1, "rejected": 1}
    with database.reading() as session:
        assert verify(session, world.run_id) == []
        kinds = sorted(event.kind for event in session.scalars(select(Event)))
        assert kinds == ["bounced", *["sent"] * 4, "suppressed"]
        closed = session.scalars(select(Attempt).where(col(Attempt.result) == "accepted")).all()
        assert {(each.code, each.reply, each.ended_at) for each in closed} == {
            (ACCEPTED.code, ACCEPTED.reply, NOW)
        }
    taken = [row for row in rows(database, world.run_id) if row.state == "accepted"]
    assert {(row.relay_id, row.subject, row.settled_at) for row in taken} == {("Q1", "Hi", NOW)}


def test_a_row_that_is_not_ours_any_more_is_left_alone(database: Database) -> None:
    world = small_world(database, 4)
    claims = take(world, limit=4).claimed
    stolen, again = claims[1].message_id, claims[2].message_id

    def steal(session: Session) -> None:
        session.execute(
            update(Message).where(col(Message.id) == stolen).values(owner="somebody else")
        )
        session.execute(update(Message).where(col(Message.id) == again).values(attempts=2))

    database.write(steal)
    batch = [finishing(each) for each in claims]
    states = database.write(lambda s: finish_together(s, batch, owner="me"))
    assert states == [State.ACCEPTED, None, None, State.ACCEPTED]
    assert world.states() == {"accepted": 2, "sending": 2}
    with database.reading() as session:
        assert len(session.scalars(select(Event)).all()) == 2
        assert database.write(lambda s: finish_together(s, batch, owner="me")) == [None] * 4


class Fragile:
    """A store in which a write that holds one certain message raises."""

    def __init__(self, store: Store, poison: int) -> None:
        self._store, self._poison = store, poison
        self.writes = 0

    async def write(self, work: Callable[[Session], T]) -> T:
        self.writes += 1

        def poisoned(session: Session) -> T:
            done = work(session)
            row = session.get_one(Message, self._poison)
            session.refresh(row)
            if row.state == State.ACCEPTED:
                raise ValueError("this one cannot be written")
            return done

        return await self._store.write(poisoned)

    async def read(self, work: Callable[[Session], T]) -> T:
        return await self._store.read(work)


@pytest.mark.parametrize("place", [0, 2])
def test_what_cannot_be_written_takes_nothing_else_down(database: Database, place: int) -> None:
    world = small_world(database, 4)
    claims = take(world, limit=4).claimed
    told: dict[int, State | BaseException | None] = {}

    async def work() -> None:
        store = Store(database)
        finisher = Finisher(Fragile(store, claims[place].message_id), "me", lambda point: None)
        done = asyncio.Event()

        def note(message_id: int, state: State | None, error: BaseException | None) -> None:
            told[message_id] = error or state
            if len(told) == len(claims):
                done.set()

        for each in claims:
            finisher.put(
                finishing(each),
                None,
                lambda state, error, key=each.message_id: note(key, state, error),  # type: ignore[misc]
            )
        await asyncio.wait_for(done.wait(), 20)
        store.close()

    asyncio.run(work())
    failed = [key for key, end in told.items() if isinstance(end, ValueError)]
    assert failed == [claims[place].message_id]
    assert world.states() == {"accepted": 3, "sending": 1}
