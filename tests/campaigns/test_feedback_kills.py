"""A reader that dies at any point neither loses nor doubles an event."""

import signal
from collections import Counter
from pathlib import Path
from random import Random
from time import sleep

import pytest
from sqlalchemy import func, select
from sqlmodel import col

from campaigns import verify
from console.database import Database
from deliverability import Inbound
from leads import Event
from tests.campaigns.answering import inbox, send_all, suppressed
from tests.campaigns.reader_process import read_on
from tests.campaigns.world import World, rows, small_world
from tests.deliverability.mails import complaint, reply, report
from tests.processes import begin, end

MAILS = 24


def world_with_answers(database: Database, tmp_path: Path) -> tuple[World, Path]:
    """Every lead gets a mail, and every mail an answer of one kind or another."""
    world = small_world(database, MAILS)
    send_all(world)
    mails = []
    for number, row in enumerate(rows(database, world.run_id), 1):
        name = row.rfc_message_id
        address = f"l{number}@d{number % 7}.example"
        mails.append(
            (
                reply(f"Yes {number}", to=name),
                reply("Away", to=name, subject="Automatic reply: x"),
                report(original=name, recipient=address, number=number),
                complaint(original=name, recipient=address),
            )[number % 4]
        )
    return world, inbox(tmp_path, mails)


def right(world: World) -> None:
    """Every answer is there exactly once, and everything that follows from it."""
    quarter = MAILS // 4
    with world.database.reading() as session:
        told = Counter(
            session.scalars(
                select(col(Event.kind)).where(
                    col(Event.kind).in_(["replied", "autoreplied", "bounced", "complained"])
                )
            )
        )
        assert told == dict.fromkeys(["replied", "autoreplied", "bounced", "complained"], quarter)
        assert session.scalar(select(func.count()).select_from(Inbound)) == MAILS
        assert verify(session, world.run_id) == []
    assert Counter(suppressed(world.database).values()) == {
        "hard_bounce": quarter,
        "complaint": quarter,
    }


@pytest.mark.parametrize("point", ["read", "applied", "moved", "committed"])
def test_dying_between_two_steps_changes_nothing(
    database: Database, tmp_path: Path, point: str
) -> None:
    world, box = world_with_answers(database, tmp_path)
    died = begin(read_on, database.url, box, fault=point, nth=3)
    assert end(died) == -signal.SIGKILL
    assert end(begin(read_on, database.url, box)) == 0
    right(world)


@pytest.mark.slow
def test_many_kills_at_any_moment(database: Database, tmp_path: Path, proof: bool) -> None:
    world, box = world_with_answers(database, tmp_path)
    dice = Random(7)
    met = 0
    for _ in range(20 if proof else 4):
        process = begin(read_on, database.url, box, slow=0.02)
        sleep(dice.uniform(0.2, 0.8))
        met += process.is_alive()
        process.kill()
        end(process)
    assert met, "every reader was through before its kill: the test would prove nothing"
    assert end(begin(read_on, database.url, box)) == 0
    right(world)


def test_two_readers_of_one_mailbox_take_turns(database: Database, tmp_path: Path) -> None:
    world, box = world_with_answers(database, tmp_path)
    both = [begin(read_on, database.url, box, slow=0.01) for _ in range(2)]
    assert [end(process) for process in both] == [0, 0]
    right(world)
