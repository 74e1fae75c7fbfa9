"""A disk that is full and a database that is locked, in the middle of sending."""

import ctypes
import os
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from shutil import copy
from time import monotonic

import pytest
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from campaigns import verify
from console import database as databases
from console.database import Database
from console.demo.process import ReceiverProcess
from console.errors import explain
from tests.campaigns.test_worker import send, world_of
from tests.campaigns.world import World, rows
from tests.receiver import StartReceiver

#: Rows that may be under way at full speed.
WINDOW = 100
_LIBC = ctypes.CDLL(None, use_errno=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of some megabytes, which only root may make."""
    place = tmp_path / "disk"
    place.mkdir()
    made = _LIBC.mount(b"tmpfs", os.fsencode(place), b"tmpfs", 0, b"size=32m") == 0
    if not made:
        pytest.skip(f"no small disk here: {os.strerror(ctypes.get_errno())} (needs root)")
    yield place
    _LIBC.umount2(os.fsencode(place), 2)


@pytest.fixture
def receiver(start_receiver: StartReceiver) -> ReceiverProcess:
    return start_receiver(table='[provider."fine.test"]\nanswer_seconds = 0.005\n')


def fill(place: Path, *, leave: int) -> Path:
    """A file that takes all the room but `leave` bytes."""
    room = os.statvfs(place)
    ballast = place / "ballast"
    ballast.write_bytes(b"\0" * max(0, room.f_bavail * room.f_frsize - leave))
    return ballast


def nothing_lost(world: World, receiver: ReceiverProcess, *, doubt: int) -> None:
    """Each message is with the server once, and all but `doubt` are known to be."""
    states = world.states()
    assert states.get("in_doubt", 0) <= doubt
    assert set(states) <= {"accepted", "in_doubt"}
    arrived = Counter(receiver.accepted())
    assert set(arrived.values()) == {1}
    known = {r.rfc_message_id for r in rows(world.database, world.run_id) if r.state == "accepted"}
    assert known <= set(arrived)
    with world.database.reading() as session:
        assert verify(session, world.run_id) == []


def test_a_full_disk_stops_the_sender_with_a_sentence_and_room_brings_it_back(
    small_disk: Path, sqlite_template: Path, receiver: ReceiverProcess
) -> None:
    path = small_disk / "potok.db"
    copy(sqlite_template, path)
    database = Database(make_url(f"sqlite:///{path}"))
    world = world_of(database, "fine.test", leads=300)
    database.compact()
    ballast = fill(small_disk, leave=200_000)
    with pytest.raises(OperationalError) as broken:
        send(database, receiver.port)
    line, _ = explain(broken.value)
    assert "disk" in line
    assert "\n" not in line
    assert world.states().get("accepted", 0) < 300
    ballast.unlink()
    send(database, receiver.port)
    # What was under way when the disk was full: the server has it, and nobody could write it down.
    nothing_lost(world, receiver, doubt=WINDOW)
    database.close()


def _hold_the_lock(path: str, seconds: float, sending: threading.Event) -> threading.Thread:
    def hold() -> None:
        other = sqlite3.connect(path, isolation_level=None, timeout=60)
        assert sending.wait(20)
        other.execute("BEGIN IMMEDIATE")
        # As long as somebody else's long transaction takes.
        threading.Event().wait(seconds)
        other.execute("COMMIT")
        other.close()

    holder = threading.Thread(target=hold)
    holder.start()
    return holder


def _told(receiver: ReceiverProcess, sending: threading.Event) -> None:
    until = monotonic() + 20
    while not receiver.accepted() and monotonic() < until:
        threading.Event().wait(0.02)
    sending.set()


def _sent_beside_a_lock(
    sqlite_path: Path, receiver: ReceiverProcess, seconds: float
) -> tuple[World, BaseException | None]:
    database = Database(make_url(f"sqlite:///{sqlite_path}"))
    world = world_of(database, "fine.test", leads=150)
    sending = threading.Event()
    holder = _hold_the_lock(str(sqlite_path), seconds, sending)
    watcher = threading.Thread(target=_told, args=(receiver, sending))
    watcher.start()
    wrong: BaseException | None = None
    try:
        send(database, receiver.port)
    except OperationalError as error:
        wrong = error
    watcher.join()
    holder.join()
    return world, wrong


@pytest.fixture
def path(sqlite_template: Path, tmp_path: Path) -> Path:
    return Path(copy(sqlite_template, tmp_path / "potok.db"))


@pytest.mark.slow
def test_a_database_locked_by_somebody_else_is_waited_for(
    path: Path, receiver: ReceiverProcess, proof: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the long form for 30 seconds, with the patience a real sender has."""
    seconds = 30.0 if proof else 1.2
    if not proof:
        monkeypatch.setattr(databases, "BUSY_SECONDS", 1.0)
    world, wrong = _sent_beside_a_lock(path, receiver, seconds)
    assert wrong is None
    assert world.states() == {"accepted": 150}
    nothing_lost(world, receiver, doubt=0)


def test_a_lock_nobody_lifts_ends_the_sender_with_a_sentence_and_the_next_one_goes_on(
    path: Path, receiver: ReceiverProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databases, "BUSY_SECONDS", 0.2)
    world, wrong = _sent_beside_a_lock(path, receiver, 3.0)
    assert wrong is not None
    line, _ = explain(wrong)
    assert "locked" in line or "works on the database" in line or "busy" in line
    send(world.database, receiver.port)
    nothing_lost(world, receiver, doubt=WINDOW)
