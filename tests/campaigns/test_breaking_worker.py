"""Real mail to a real server that says no: the worker stops by itself."""

import asyncio
from dataclasses import replace
from time import monotonic

from sqlalchemy import select, update
from sqlmodel import Session, col

from campaigns import Message
from console.database import Database, Store
from console.demo.process import ReceiverProcess
from deliverability import Breaker, Domain, PaceSettings, holding, lanes
from leads import Lead
from tests.campaigns.sender_process import Fault, build
from tests.campaigns.test_worker import send, world_of
from tests.campaigns.world import ANNA, the_run
from tests.receiver import StartReceiver

_BUSY = """
[provider."busy.test"]
full_percent = 100
full_answer = "451 4.3.0 Something is wrong here, try again"
"""


def test_a_server_that_knows_nobody_stops_the_run_before_the_list_is_through(
    database: Database, receiver: ReceiverProcess
) -> None:
    world = world_of(database, "unknown.test", leads=400)
    ended = send(database, receiver.port, patience=0)
    assert the_run(database, world.run_id).state == "paused"
    states = world.states()
    assert states["rejected"] >= 50 and states["planned"] >= 100, states
    # A paused run counts no messages as waiting, and says why elsewhere.
    assert ended.waiting == 0
    assert {(each.scope, each.measure) for each in database.read(holding)} == {
        ("run", "bounces"),
        ("identity", "bounces"),
    }
    # It stays so over a restart.
    send(database, receiver.port, patience=0)
    assert world.states() == states


def test_a_lane_whose_server_puts_everybody_off_rests(
    database: Database, start_receiver: StartReceiver
) -> None:
    receiver = start_receiver(table=_BUSY)
    world = world_of(database, "busy.test", leads=200)
    ended = send(database, receiver.port, patience=0)
    assert world.states() == {"planned": 200}
    with database.reading() as session:
        (row,) = session.scalars(select(Breaker).order_by(col(Breaker.id))).all()
    assert (row.scope, row.measure, row.state) == ("lane", "deferrals", "open")
    assert row.until is not None and "451 4.3.0 Something is wrong here" in row.reason
    assert len(ended.held) == 1 and "asked us to come back" in ended.held[0]


def test_a_lane_that_hangs_costs_the_others_nothing(
    database: Database, start_receiver: StartReceiver
) -> None:
    """Paced, with fewer connections than the hanging lane would like to have."""
    receiver = start_receiver(table='[provider."asleep.test"]\nanswer_seconds = 60.0\n')
    world = world_of(database, "asleep.test", "awake.test", leads=12)

    def part(session: Session) -> None:
        session.add(Domain(name="asleep.test", provider="sleepy"))
        session.flush()
        sleepy = lanes(session, "anna")["sleepy"]
        asleep = select(col(Lead.id)).where(col(Lead.domain) == "asleep.test")
        session.execute(
            update(Message).where(col(Message.lead_id).in_(asleep)).values(lane_id=sleepy)
        )

    database.write(part)
    store = Store(database)

    async def work() -> dict[str, int]:
        worker = build(
            database,
            store,
            receiver.port,
            fault=Fault(None, 0),
            pace=PaceSettings(per_minute=6000, at_most_per_minute=6000, connections=5),
            smtp=replace(ANNA.smtp, port=receiver.port, timeout=2.0),
        )
        running = asyncio.create_task(worker.run())
        for _ in range(400):
            if world.states().get("accepted", 0) == 12:
                break
            await asyncio.sleep(0.05)
        states = world.states()
        worker.stop()
        await running
        return states

    began = monotonic()
    states = asyncio.run(work())
    store.close()
    # The lane that is awake is through while the other one hangs with what it has taken.
    assert states["accepted"] == 12
    assert states["planned"] + states["sending"] == 12
    assert monotonic() - began < 30
