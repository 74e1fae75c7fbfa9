"""The pace through the whole worker: a server that says "too fast", the rows, and a restart."""

from sqlmodel import select

from console.database import Database
from deliverability import Lane, LaneMove, PaceSettings, pace_state
from tests.campaigns.test_worker import send, world_of
from tests.receiver import StartReceiver

#: Takes three, and then nothing for hours.
TABLE = """
[provider."strict.test"]
per_second = 0.0001
burst = 3
"""
HOT = PaceSettings(per_minute=3600, at_most_per_minute=3600, jitter=0.1)


def test_a_lane_that_was_too_fast_pauses_and_knows_it_after_a_restart(
    database: Database, start_receiver: StartReceiver
) -> None:
    receiver = start_receiver(table=TABLE)
    world = world_of(database, "strict.test", leads=5)
    ended = send(database, receiver.port, patience=1.0, pace=HOT)
    (held,) = ended.held
    assert "451 4.7.0 Too many messages from you" in held
    assert world.states() == {"accepted": 3, "planned": ended.waiting}

    with database.reading() as session:
        lane = session.exec(select(Lane).where(Lane.id == world.lane_id)).one()
        state = pace_state(lane)
        moves = session.exec(select(LaneMove)).all()
    assert lane.rate is not None and lane.rate < 60
    assert lane.paused_until is not None and "4.7.0" in lane.reason
    assert state.strikes == 1 and state.learnt is not None and not state.learnt.slow_start
    assert [(move.rate_before, move.rate_after) for move in moves] == [(60, lane.rate)]

    # Another process finds the pause in the row and sends nothing before it is over.
    send(database, receiver.port, patience=0.5, pace=HOT)
    assert world.states()["accepted"] == 3
    assert len(receiver.accepted()) == 3
