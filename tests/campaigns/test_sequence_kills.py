"""What a crash can do to a sequence: the sender dies at random while leads walk through it."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random
from time import monotonic, sleep

import pytest
from sqlalchemy import select, update
from sqlmodel import Session, col

from campaigns import Message, verify
from campaigns.tables import Run
from console.database import Database
from console.demo.process import ReceiverProcess
from leads import Lead, move_stage, record
from tests.campaigns.sender_process import DIED
from tests.campaigns.stroll import Stroll, stroll
from tests.campaigns.test_kills import UNHURRIED, sender, under_way
from tests.campaigns.test_worker import send
from tests.processes import end
from tests.receiver import StartReceiver

STEPS = [
    {"name": "hello", "send": "first"},
    {"name": "pause", "wait": "1 second"},
    {"name": "more", "send": "second"},
]


def walkers(
    database: Database, count: int, *, rule: str = "hold", wait: str = "1 second"
) -> Stroll:
    """`count` leads at a domain of the receiver who enter the stage now."""
    steps = [STEPS[0], {"name": "pause", "wait": wait}, STEPS[2]]
    walk = stroll(database, leads=count, step=steps, when_in_doubt=rule)
    database.write(
        lambda s: s.execute(
            update(Lead).values(email=col(Lead.first_name) + "@fine.test", domain="fine.test")
        )
    )
    walk.now = datetime.now(UTC)
    walk.to("demo")
    return walk


def ids(walk: Stroll, *states: str) -> dict[tuple[int, str], str]:
    """(lead, step) -> Message-ID."""
    with walk.database.reading() as session:
        return {
            (row.lead_id, row.step): row.rfc_message_id
            for row in session.scalars(select(Message))
            if not states or row.state in states
        }


def sound(walk: Stroll) -> None:
    with walk.database.reading() as session:
        for run_id in session.scalars(select(col(Run.id))):
            assert verify(session, run_id or 0) == []


def test_every_lead_gets_every_step_once(database: Database, receiver: ReceiverProcess) -> None:
    walk = walkers(database, 30)
    ended = send(database, receiver.port)
    assert (ended.waiting, ended.enrolled, ended.next_due) == (0, 0, None)
    assert {state for state, _, _ in walk.stands()} == {"done"}
    assert Counter(receiver.accepted()) == Counter(ids(walk).values())
    assert len(ids(walk)) == 60
    sound(walk)


def test_the_worker_ends_idle_and_says_when_the_next_step_is_due(
    database: Database, receiver: ReceiverProcess
) -> None:
    walkers(database, 3, wait="2 days")
    ended = send(database, receiver.port)
    assert (ended.waiting, ended.enrolled) == (0, 3)
    assert ended.next_due is not None
    assert timedelta(days=1.9) < ended.next_due - datetime.now(UTC) < timedelta(days=2)


def test_a_reply_in_between_stops_before_the_next_message(
    database: Database, receiver: ReceiverProcess
) -> None:
    walk = walkers(database, 4, wait="3 seconds")
    send(database, receiver.port, patience=0.0)
    assert {step for _, _, step in walk.stands()} == {"pause"}

    def answer(session: Session) -> None:
        now = datetime.now(UTC)
        record(session, walk.leads[0], "replied", at=now, campaign="after-demo")
        move_stage(session, walk.leads[1], "sales", "lost", at=now, by="test")

    database.write(answer)
    send(database, receiver.port)
    assert [(state, reason) for state, reason, _ in walk.stands()] == [
        ("exited", "replied"),
        ("exited", "left_stage"),
        ("done", ""),
        ("done", ""),
    ]
    assert len(receiver.accepted()) == 6
    sound(walk)


#: fault point -> how often the message under way is received under (hold, resend).
POINTS = {"claiming": (1, 1), "claimed": (0, 1), "reply": (1, 2), "finishing": (1, 2)}


@pytest.mark.parametrize("rule", ["hold", "resend"])
@pytest.mark.parametrize("point", POINTS)
def test_dying_at_a_point_stops_one_way_at_most(
    sqlite_url: object, receiver: ReceiverProcess, point: str, rule: str
) -> None:
    database = Database(sqlite_url)  # type: ignore[arg-type]
    walk = walkers(database, 6, rule=rule)
    assert end(sender(database, receiver, fault=point, nth=9, window=1)) == DIED
    held = set(ids(walk, "sending").values())
    send(database, receiver.port)
    received = Counter(receiver.accepted())
    assert {received[name] for name in ids(walk).values() if name not in held} == {1}
    assert all(received[name] == POINTS[point][rule == "resend"] for name in held)
    assert len(ids(walk)) == 12
    stuck = sum(state == "active" for state, _, _ in walk.stands())
    assert stuck == (len(held) if rule == "hold" else 0)
    sound(walk)
    database.close()


@pytest.mark.slow
@pytest.mark.parametrize("rule", ["hold", "resend"])
def test_many_kills_lose_nobody_and_double_at_most_what_was_under_way(
    database: Database, start_receiver: StartReceiver, rule: str, proof: bool
) -> None:
    """20 seeded SIGKILLs while 300 leads walk (4 and 100 in the short form)."""
    kills, count = (20, 300) if proof else (4, 100)
    receiver = start_receiver(table=UNHURRIED)
    walk = walkers(database, count, rule=rule)
    dice = Random(rule)
    doubtful = 0
    for kill in range(kills):
        process = sender(database, receiver, window=5)
        step = 2 * count // (kills + 2)
        goal = len(receiver.accepted()) + dice.randint(step // 3, step)
        deadline = monotonic() + 60
        while len(receiver.accepted()) < goal and process.is_alive():
            assert monotonic() < deadline
            sleep(0.003)
        assert process.is_alive(), f"everything was over before kill {kill}"
        process.kill()
        end(process)
        doubtful += under_way(database)
    assert doubtful > 0, "no kill met a message under way: the test would prove nothing"

    send(database, receiver.port, patience=10.0)

    received = Counter(receiver.accepted())
    written = ids(walk)
    doubled = sum(times - 1 for times in received.values())
    assert set(received) <= set(written.values())
    states = Counter(state for state, _, _ in walk.stands())
    if rule == "resend":
        assert set(written) == {(lead, step) for lead in walk.leads for step in ("hello", "more")}
        assert set(received) == set(written.values())
        assert doubled <= doubtful
        assert states == {"done": count}
    else:
        assert doubled == 0
        in_doubt = ids(walk, "in_doubt")
        assert len(in_doubt) == doubtful
        assert set(written.values()) - set(received) <= set(in_doubt.values())
        # A way in doubt waits for a person; every other one was walked to its end.
        assert states["active"] == len({lead for lead, _ in in_doubt}) == doubtful
        assert states["done"] == count - doubtful
    sound(walk)
