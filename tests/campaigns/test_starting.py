"""Starts by schedule as rows, on both databases: once an occurrence."""

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update
from sqlmodel import Session

from campaigns import pause, resume
from campaigns.missed import occurrence_of
from campaigns.runs import SCHEDULE
from campaigns.starter import Starter
from campaigns.starting import due_starts, next_starts, start_due
from campaigns.tables import Campaign
from console.database import Database, Store
from console.wiring import SystemClock
from deliverability import SmtpServer
from leads import Lead, freeze
from tests.campaigns.starts import (
    LATE,
    MONDAY,
    WEEK,
    accept_all,
    arm,
    newest,
    runs,
    starting,
    turn,
    waiting,
)
from tests.campaigns.world import ANNA, ZONE, add_leads, apply_campaign
from tests.conftest import NOW


def test_it_starts_at_its_moment_and_no_sooner(database: Database) -> None:
    arm(database)
    assert turn(database, MONDAY - timedelta(seconds=1)) == []
    assert runs(database) == []
    assert turn(database, MONDAY) == ["starts (was due 2026-03-16 09:00 CET)"]
    assert runs(database) == [("2026-03-16T08:00:00+00:00", "running")]
    assert waiting(database, newest(database)) == 3
    assert newest(database).by == SCHEDULE


def test_one_occurrence_is_one_run_however_often_it_is_asked(database: Database) -> None:
    arm(database)
    for seconds in (0, 1, 30, 60):
        turn(database, MONDAY + timedelta(seconds=seconds))
    assert len(runs(database)) == 1
    accept_all(database, MONDAY)
    assert turn(database, MONDAY + LATE) == []
    assert len(runs(database)) == 1


def test_two_processes_at_the_same_moment_make_one_run(database: Database) -> None:
    arm(database)
    other = Database(database.url)
    gate = threading.Barrier(2)
    failed: list[BaseException] = []

    def work(mine: Database) -> None:
        def fire(session: Session) -> None:
            start_due(session, starting(), now=MONDAY, zone=ZONE)

        gate.wait()
        try:
            mine.write(fire)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(each,)) for each in (database, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.close()
    assert failed == []
    assert len(runs(database)) == 1


def test_a_transaction_that_runs_again_after_a_lost_commit_starts_once(database: Database) -> None:
    arm(database)

    def twice(session: Session) -> int:
        first = start_due(session, starting(), now=MONDAY, zone=ZONE)
        return len(first) + len(start_due(session, starting(), now=MONDAY, zone=ZONE))

    assert database.write(twice) == 1
    assert len(runs(database)) == 1


def test_the_next_time_only_those_it_has_not_written_to_are_written_to(database: Database) -> None:
    arm(database, leads=3)
    turn(database, MONDAY)
    accept_all(database, MONDAY)
    database.write(lambda s: add_leads(s, 2, first=4))
    turn(database, MONDAY + WEEK)
    assert waiting(database, newest(database)) == 2


def test_everyone_means_everyone(database: Database) -> None:
    arm(database, leads=3, to="everyone")
    turn(database, MONDAY)
    accept_all(database, MONDAY)
    turn(database, MONDAY + WEEK)
    assert waiting(database, newest(database)) == 3


def test_a_start_waits_until_the_run_before_it_is_over(database: Database) -> None:
    arm(database, late="send")
    turn(database, MONDAY)
    now = MONDAY + WEEK
    assert turn(database, now) == []
    with database.reading() as session:
        (due,) = due_starts(session, now=now, zone=ZONE)
        assert due.behind is not None and due.behind.state == "running"
    database.write(lambda s: pause(s, "hello", reason="stop"))
    assert turn(database, now) == []
    database.write(lambda s: resume(s, "hello", now=now))
    accept_all(database, now)
    turn(database, now + LATE)
    assert runs(database)[-1] == (occurrence_of(now), "running")


def test_a_finding_keeps_it_back_and_says_so(database: Database) -> None:
    arm(database)
    public = replace(ANNA, smtp=SmtpServer(host="mail.example.com", port=587, tls="starttls"))
    turn(database, MONDAY, identities={"anna": public}, base_url="http://127.0.0.1:8000")
    run = newest(database)
    assert run.state == "paused"
    assert "could not start: the opt-out link leads to http://127.0.0.1:8000" in run.reason
    assert "potok campaigns resume hello" in run.reason


def test_an_identity_that_has_gone_keeps_it_back_and_says_so(database: Database) -> None:
    arm(database)
    turn(database, MONDAY, identities={})
    run = newest(database)
    assert run.state == "paused"
    assert "names the identity 'anna', which does not exist" in run.reason
    assert turn(database, MONDAY + timedelta(minutes=1)) == []


def test_nobody_to_write_to_is_a_run_that_ends(database: Database) -> None:
    arm(database, leads=0)
    turn(database, MONDAY)
    accept_all(database, MONDAY)
    assert runs(database) == [(occurrence_of(MONDAY), "finished")]


def test_without_its_file_it_starts_no_more(database: Database) -> None:
    arm(database)
    database.write(lambda s: freeze(s, Campaign, "hello", None, now=NOW))
    assert turn(database, MONDAY) == []
    with database.reading() as session:
        assert next_starts(session, now=NOW, zone=ZONE) == []


def test_what_comes_next_is_said_on_the_campaigns_own_clock(database: Database) -> None:
    arm(database, zone="Asia/Tokyo")
    with database.reading() as session:
        (coming,) = next_starts(session, now=NOW, zone=ZONE)
    assert (coming.campaign, coming.at) == ("hello", datetime(2026, 3, 16, tzinfo=UTC))
    assert coming.local() == "Mon 2026-03-16 09:00 JST"


@pytest.fixture
def store(database: Database) -> Iterator[Store]:
    opened = Store(database)
    yield opened
    opened.close()


def test_the_starter_rings_at_the_moment(database: Database, store: Store) -> None:
    """With the real clock: two seconds ahead, and the alarm wakes it, not the half minute."""
    now = datetime.now(UTC)
    at = now.replace(microsecond=0) + timedelta(seconds=2)
    database.write(lambda s: add_leads(s, 1))
    # In UTC, which has no hour that comes twice.
    when = {"at": f"{at:%Y-%m-%d %H:%M:%S}", "zone": "UTC"}
    database.write(lambda s: apply_campaign(s, when=when))
    said: list[str] = []

    class Observer:
        def said(self, text: str) -> None:
            said.append(text)

    async def work() -> None:
        starter = Starter(store, SystemClock(), Observer(), ZONE, starting())  # type: ignore[arg-type]
        starter.open()
        try:
            assert not await starter.turn()
            assert [each.campaign for each in starter.coming] == ["hello"]
            assert starter.idle(now, timedelta(0))
            assert not starter.idle(now, timedelta(seconds=5))
            while not await starter.turn():
                await asyncio.sleep(0.05)
                assert datetime.now(UTC) < at + timedelta(seconds=5)
        finally:
            starter.close()

    asyncio.run(work())
    assert datetime.now(UTC) >= at
    assert runs(database) == [(occurrence_of(at), "planning")]
    assert len(said) == 1 and said[0].startswith("campaign hello: starts (was due ")


def test_leads_are_those_of_the_moment_it_starts(database: Database) -> None:
    arm(database, leads=2)
    database.write(lambda s: s.execute(update(Lead).values(stage="won")))
    turn(database, MONDAY)
    assert waiting(database, newest(database)) == 0
