"""A reader that dies at any point neither loses nor doubles an event."""

import signal
import subprocess
import sys
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
from tests.campaigns.world import World, rows, small_world
from tests.deliverability.mails import complaint, reply, report

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


def command(database: Database, box: Path, *options: str) -> list[str]:
    url = database.url.render_as_string(hide_password=False)
    return [sys.executable, "-m", "tests.campaigns.reader_process", url, str(box), *options]


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
    died = subprocess.run(
        command(database, box, "--fault", point, "--nth", "3"), check=False, timeout=60
    )
    assert died.returncode == -signal.SIGKILL
    subprocess.run(command(database, box), check=True, timeout=60)
    right(world)


@pytest.mark.slow
def test_many_kills_at_any_moment(database: Database, tmp_path: Path, proof: bool) -> None:
    world, box = world_with_answers(database, tmp_path)
    dice = Random(7)
    for _ in range(20 if proof else 3):
        process = subprocess.Popen(command(database, box, "--slow", "0.05"))
        sleep(1.0 + dice.random())
        process.kill()
        process.wait()
    subprocess.run(command(database, box), check=True, timeout=60)
    right(world)


def test_two_readers_of_one_mailbox_take_turns(database: Database, tmp_path: Path) -> None:
    world, box = world_with_answers(database, tmp_path)
    both = [subprocess.Popen(command(database, box, "--slow", "0.01")) for _ in range(2)]
    assert [process.wait(60) for process in both] == [0, 0]
    right(world)
