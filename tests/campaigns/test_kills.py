"""What a crash can do: the sender dies at every point that matters, and at random ones."""

from collections import Counter
from multiprocessing.process import BaseProcess
from random import Random
from time import monotonic, sleep

import pytest
from sqlalchemy import func, select
from sqlmodel import col

from campaigns import Message, verify
from console.database import Database
from console.demo.process import ReceiverProcess
from tests.campaigns.sender_process import DIED, send_on
from tests.campaigns.test_worker import send, world_of
from tests.campaigns.world import World, rows
from tests.processes import begin, end
from tests.receiver import StartReceiver

#: Takes everything, a little slowly, so that a kill finds messages under way.
UNHURRIED = '[provider."fine.test"]\nanswer_seconds = 0.01\n'


def sender(database: Database, receiver: ReceiverProcess, **options: object) -> BaseProcess:
    return begin(send_on, database.url, receiver.port, **options)


def under_way(database: Database) -> int:
    with database.reading() as session:
        return (
            session.scalar(
                select(func.count()).select_from(Message).where(col(Message.state) == "sending")
            )
            or 0
        )


def ids(world: World, state: str | None = None) -> set[str]:
    return {
        row.rfc_message_id
        for row in rows(world.database, world.run_id)
        if state is None or row.state == state
    }


#: fault point -> how often the message under way is received under (hold, resend).
#: None: the receiver had everything but its answer was not awaited, so once or not at all.
POINTS: dict[str, tuple[int | None, int | None]] = {
    "claiming": (1, 1),
    "claimed": (0, 1),
    "data": (0, 1),
    "body": (None, None),
    "reply": (1, 2),
    "finishing": (1, 2),
}


@pytest.mark.parametrize("rule", ["hold", "resend"])
@pytest.mark.parametrize("point", POINTS)
def test_dying_at_a_point_has_exactly_the_stated_result(
    sqlite_url: object, receiver: ReceiverProcess, point: str, rule: str
) -> None:
    database = Database(sqlite_url)  # type: ignore[arg-type]
    world = world_of(database, "fine.test", leads=12, when_in_doubt=rule)
    assert end(sender(database, receiver, fault=point, nth=5, window=1)) == DIED
    held = ids(world, "sending")
    assert len(held) == (0 if point == "claiming" else 1)

    send(database, receiver.port)

    received = Counter(receiver.accepted())
    others = ids(world) - held
    assert {received[name] for name in others} == {1}
    expected = POINTS[point][rule == "resend"]
    for name in held:
        if expected is not None:
            assert received[name] == expected
        else:
            assert received[name] <= (2 if rule == "resend" else 1)
    if rule == "hold":
        assert ids(world, "in_doubt") == held
        assert world.states().get("accepted") == 12 - len(held)
    else:
        assert world.states() == {"accepted": 12}
    with database.reading() as session:
        assert verify(session, world.run_id) == []
    database.close()


@pytest.mark.slow
@pytest.mark.parametrize("rule", ["hold", "resend"])
def test_many_kills_lose_nothing_and_double_at_most_what_was_under_way(
    database: Database, start_receiver: StartReceiver, rule: str, proof: bool
) -> None:
    """20 seeded SIGKILLs inside one run of 2,000 messages (5 inside 500 in the short form)."""
    kills, count = (20, 2000) if proof else (5, 500)
    receiver = start_receiver(table=UNHURRIED)
    world = world_of(database, "fine.test", leads=count, when_in_doubt=rule)
    dice = Random(rule)
    doubtful = 0
    for kill in range(kills):
        process = sender(database, receiver, window=20)
        step = count // (kills + 2)
        goal = len(receiver.accepted()) + dice.randint(step // 3, step)
        deadline = monotonic() + 60
        while len(receiver.accepted()) < goal and process.is_alive():
            assert monotonic() < deadline
            sleep(0.005)
        assert process.is_alive(), f"the run ended before kill {kill}"
        process.kill()
        end(process)
        doubtful += under_way(database)
    assert doubtful > 0, "no kill met a message under way: the test would prove nothing"

    send(database, receiver.port, patience=10.0)

    received = Counter(receiver.accepted())
    planned = ids(world)
    doubled = sum(times - 1 for times in received.values())
    assert set(received) <= planned
    if rule == "resend":
        assert set(received) == planned
        assert doubled <= doubtful
        assert world.states() == {"accepted": count}
    else:
        assert doubled == 0
        in_doubt = ids(world, "in_doubt")
        assert len(in_doubt) == doubtful
        assert planned - set(received) <= in_doubt
        assert world.states() == {"accepted": count - doubtful, "in_doubt": doubtful}
    with database.reading() as session:
        assert verify(session, world.run_id) == []
