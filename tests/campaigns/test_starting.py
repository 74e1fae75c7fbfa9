"""Starts by schedule as rows, on both databases: once an occurrence, late by policy."""

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from sqlalchemy import select, update
from sqlmodel import Session, col

from campaigns import AlreadyRan, cancel, pause, plan_range, renew, resume, verify
from campaigns.errors import NotPossible
from campaigns.missed import occurrence_of
from campaigns.rules import frozen_rule
from campaigns.runs import SCHEDULE, latest_run
from campaigns.settling import settle
from campaigns.starter import Starter
from campaigns.starting import Starting, due_starts, next_starts, start_due
from campaigns.tables import Campaign, Message, Run
from console.database import Database, Store
from console.wiring import SystemClock
from deliverability import SmtpServer
from leads import Lead, freeze
from tests.campaigns.world import ANNA, ZONE, add_leads, apply_campaign, prepared, start, the_run
from tests.conftest import NOW

#: Monday after the world's Tuesday, 9:00 in Warsaw.
MONDAY = datetime(2026, 3, 16, 8, 0, tzinfo=UTC)
WEEK = timedelta(days=7)
LATE = timedelta(hours=2)
_tokens = count(1)


def starting(**changes: object) -> Starting:
    given = Starting(
        identities={"anna": ANNA},
        consent_required=False,
        base_url="",
        when_in_doubt="hold",
        token=lambda: f"{next(_tokens):012x}",
    )
    return replace(given, **changes)  # type: ignore[arg-type]


def arm(database: Database, *, leads: int = 3, **when: object) -> None:
    """`leads` leads and the campaign `hello`, which starts on Mondays unless `when` says else."""
    if leads:
        database.write(lambda s: add_leads(s, leads))
    given = when if "at" in when else {"cron": "0 9 * * mon"} | when
    database.write(lambda s: apply_campaign(s, when=given))


def turn(database: Database, now: datetime, **changes: object) -> list[str]:
    """What the worker does at `now`: starts, plans, settles. The words it says."""
    said = database.write(lambda s: start_due(s, starting(**changes), now=now, zone=ZONE))
    plan(database, now)
    return [words for _, words in said]


def plan(database: Database, now: datetime) -> None:
    def work(session: Session) -> None:
        for run_id in session.scalars(select(col(Run.id)).where(col(Run.state) == "planning")):
            assert run_id is not None
            plan_range(session, run_id, frozen_rule(session, run_id, zone=ZONE), now=now, zone=ZONE)

    database.write(work)


def accept_all(database: Database, now: datetime) -> None:
    """Everything that waits has arrived."""

    def work(session: Session) -> None:
        session.execute(
            update(Message)
            .where(col(Message.state) == "planned")
            .values(state="accepted", settled_at=now)
        )
        settle(session, now=now)

    database.write(work)


def runs(database: Database) -> list[tuple[str, str]]:
    with database.reading() as session:
        found = session.execute(select(col(Run.occurrence), col(Run.state)).order_by(col(Run.id)))
        return [(occurrence, state) for occurrence, state in found]


def newest(database: Database) -> Run:
    with database.reading() as session:
        run = latest_run(session, "hello")
        assert run is not None
        return run


def waiting(database: Database, run: Run) -> int:
    with database.reading() as session:
        rows = session.scalars(
            select(col(Message.state)).where(col(Message.run_id) == run.id)
        ).all()
        return rows.count("planned")


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


def test_late_and_send_starts_now_under_its_own_occurrence(database: Database) -> None:
    arm(database, late="send")
    turn(database, MONDAY + LATE)
    assert runs(database) == [(occurrence_of(MONDAY), "running")]
    assert newest(database).started_at == MONDAY + LATE


def test_late_and_skip_leaves_a_row_that_says_why(database: Database) -> None:
    arm(database, late="skip")
    turn(database, MONDAY + LATE)
    run = newest(database)
    assert (run.state, run.occurrence) == ("cancelled", occurrence_of(MONDAY))
    assert run.reason == (
        'was due 2026-03-16 09:00 CET, nothing ran here then, and it says late = "skip"'
    )
    assert waiting(database, run) == 0
    assert turn(database, MONDAY + LATE) == []
    # The week after it starts as if nothing had been.
    turn(database, MONDAY + WEEK)
    assert newest(database).state == "running"


def test_late_and_ask_waits_for_a_word_and_then_counts_from_it(database: Database) -> None:
    arm(database, at="2026-03-16 09:00")
    turn(database, MONDAY + LATE)
    asked = newest(database)
    assert asked.state == "paused"
    assert asked.reason == (
        "was due 2026-03-16 09:00 CET; potok campaigns resume hello sends it now, "
        "potok campaigns cancel hello drops it"
    )
    assert turn(database, MONDAY + LATE) == []
    answer = MONDAY + timedelta(days=4)

    def yes(session: Session) -> None:
        run = latest_run(session, "hello")
        assert run is not None
        renew(session, run, prepared(session), when_in_doubt="hold")
        resume(session, "hello", now=answer)

    database.write(yes)
    plan(database, answer)
    run = newest(database)
    assert (run.state, run.started_at, run.reason) == ("running", answer, "")
    assert waiting(database, run) == 3
    with database.reading() as session:
        expiry = set(session.scalars(select(col(Message.expires_at))))
        assert verify(session, run.id or 0) == []
    assert expiry == {answer + timedelta(days=5)}


def test_a_missed_start_can_be_dropped(database: Database) -> None:
    arm(database)
    turn(database, MONDAY + LATE)
    database.write(lambda s: cancel(s, "hello", reason="cancelled by test"))
    database.write(lambda s: settle(s, now=MONDAY + LATE))
    assert runs(database) == [(occurrence_of(MONDAY), "cancelled")]
    assert newest(database).finished_at is not None
    assert turn(database, MONDAY + LATE) == []


def test_an_unanswered_question_does_not_stop_the_week_after(database: Database) -> None:
    arm(database)
    turn(database, MONDAY + LATE)
    turn(database, MONDAY + WEEK)
    assert runs(database) == [
        (occurrence_of(MONDAY), "cancelled"),
        (occurrence_of(MONDAY + WEEK), "running"),
    ]


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


def test_a_campaign_changed_in_something_else_keeps_its_missed_start(database: Database) -> None:
    arm(database)
    later = MONDAY + timedelta(hours=1)

    def touch(description: str, cron: str) -> None:
        def work(session: Session) -> None:
            definition = prepared(session).definition
            body = definition.body() | {"description": description}
            body["when"] = body["when"] | {"cron": cron}
            freeze(session, Campaign, "hello", body, now=later)

        database.write(work)

    touch("a typo put right", "0 9 * * mon")
    with database.reading() as session:
        assert [d.moment for d in due_starts(session, now=later, zone=ZONE)] == [MONDAY]
    # Another schedule is a new one: what the old one missed is over.
    touch("earlier", "0 8 * * mon")
    with database.reading() as session:
        assert due_starts(session, now=later, zone=ZONE) == []


def test_without_its_file_it_starts_no_more(database: Database) -> None:
    arm(database)
    database.write(lambda s: freeze(s, Campaign, "hello", None, now=NOW))
    assert turn(database, MONDAY) == []
    with database.reading() as session:
        assert next_starts(session, now=NOW, zone=ZONE) == []


def test_by_hand_it_still_starts_once(database: Database) -> None:
    arm(database)
    world = start(database)
    assert the_run(database, world.run_id).occurrence == "once"
    accept_all(database, NOW)
    # The scheduled one then finds nobody who has not had it.
    turn(database, MONDAY)
    assert waiting(database, newest(database)) == 0
    accept_all(database, MONDAY)
    with pytest.raises(AlreadyRan):
        start(database, token="aaaaaaaaaaaa", now=MONDAY + LATE)


def test_by_hand_nobody_is_written_to_who_has_had_it_by_schedule(database: Database) -> None:
    arm(database)
    turn(database, MONDAY)
    with pytest.raises(AlreadyRan, match="--again"):
        start(database, token="aaaaaaaaaaaa", now=MONDAY + LATE)
    with pytest.raises(NotPossible):
        start(database, token="aaaaaaaaaaaa", now=MONDAY + LATE, again=True)
    accept_all(database, MONDAY)
    world = start(database, token="aaaaaaaaaaaa", now=MONDAY + LATE, again=True)
    assert world.states() == {"skipped": 3}


def test_by_hand_answers_an_open_question(database: Database) -> None:
    arm(database)
    turn(database, MONDAY + LATE)
    start(database, now=MONDAY + LATE)
    assert [state for _, state in runs(database)] == ["cancelled", "running"]


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
    local = at.astimezone(ZONE).strftime("%Y-%m-%d %H:%M:%S")
    database.write(lambda s: apply_campaign(s, when={"at": local}))
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
