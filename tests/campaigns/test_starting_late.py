"""Starts that were missed: sent, skipped or asked about, by policy."""

from datetime import timedelta

from sqlalchemy import select
from sqlmodel import Session, col

from campaigns import cancel, renew, resume, verify
from campaigns.missed import occurrence_of
from campaigns.runs import latest_run
from campaigns.settling import settle
from campaigns.starting import due_starts
from campaigns.tables import Campaign, Message
from console.database import Database
from leads import freeze
from tests.campaigns.starts import LATE, MONDAY, WEEK, arm, newest, plan, runs, turn, waiting
from tests.campaigns.world import ZONE, prepared


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
