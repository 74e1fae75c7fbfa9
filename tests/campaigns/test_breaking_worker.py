"""Real mail to a real server that says no: the worker stops by itself."""

from sqlalchemy import select
from sqlmodel import col

from console.database import Database
from console.demo.process import ReceiverProcess
from deliverability import Breaker, holding
from tests.campaigns.test_worker import send, world_of
from tests.campaigns.world import the_run
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
