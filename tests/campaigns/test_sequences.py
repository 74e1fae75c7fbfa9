"""Sequences on a clock moved by hand: who enters, who walks on, who leaves."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlmodel import Session, col

from campaigns import Sequence, cancel, cancel_rows, exit_lead, pause, resume, sequence_status
from campaigns import verify as verify_run
from campaigns.advancing import next_step
from campaigns.doubt import resolve
from console.database import Database
from leads import Event, freeze, record, suppress
from templates import TemplateVersion
from tests.campaigns.stroll import (
    REJECTED,
    UNKNOWN,
    Stroll,
    apply_sequence,
    lead_of,
    opened,
    stroll,
)
from tests.campaigns.world import add_leads
from tests.conftest import NOW


def reply(walk: Stroll, lead_id: int) -> None:
    walk.database.write(
        lambda s: record(s, lead_id, "replied", at=walk.now, campaign="something-else")
    )


def sound(walk: Stroll) -> None:
    with walk.database.reading() as session:
        for run in walk.runs():
            assert verify_run(session, run.id or 0) == []


def kinds(walk: Stroll) -> list[str]:
    with walk.database.reading() as session:
        return list(session.scalars(select(col(Event.kind)).order_by(col(Event.id))))


def test_a_lead_walks_from_the_first_step_to_the_last(database: Database) -> None:
    walk = stroll(database)
    assert walk.go() == 0
    walk.to("demo")
    walk.later(seconds=1)
    walk.go()
    assert walk.messages() == [(1, "hello", "planned", "")]
    assert walk.send() == 1
    walk.later(seconds=1)
    walk.go()
    assert walk.stands() == [("active", "", "pause")]
    # The wait counts from the acceptance, not from the survey that noticed it.
    assert walk.enrolments()[0].due_at == walk.now - timedelta(seconds=1) + timedelta(days=3)
    walk.later(days=2)
    assert walk.go() == 0
    walk.later(days=1)
    walk.go()
    assert walk.messages()[-1] == (1, "more", "planned", "")
    walk.send()
    walk.go()
    assert walk.stands() == [("done", "", "more")]
    assert kinds(walk) == ["stage", "enrolled", "sent", "sent", "sequence_done"]
    assert walk.runs()[0].state == "running"
    sound(walk)


def test_message_ids_name_run_step_pass_and_lead(database: Database) -> None:
    walk = stroll(database)
    walk.to("demo")
    walk.go()
    claimed = walk.claim()[0]
    token, lead = walk.runs()[0].token, lead_of(database, walk.leads[0])
    assert claimed.rfc_message_id == f"{token}.hello.1.{lead.token}@sender.example"


def test_only_entering_the_stage_after_it_was_applied_starts_it(database: Database) -> None:
    ids = database.write(lambda s: add_leads(s, 2, stage="new"))
    walk = Stroll(database=database, leads=ids)
    walk.to("demo", ids[0])
    database.write(lambda s: apply_sequence(s))
    # One that was imported straight into the stage has entered nothing.
    database.write(lambda s: add_leads(s, 1, first=3, stage="demo"))
    assert walk.go() == 0
    walk.to("demo", ids[1])
    walk.go()
    assert [each.lead_id for each in walk.enrolments()] == [ids[1]]


def test_nobody_is_enrolled_twice_at_a_time_and_again_after_the_end(database: Database) -> None:
    walk = stroll(database)
    for stage in ("demo", "proposal", "demo"):
        walk.to(stage)
        walk.later(seconds=1)
    walk.go()
    walk.to("proposal")
    walk.to("demo")
    walk.go()
    assert len(walk.enrolments()) == 1
    reply(walk, walk.leads[0])
    walk.later(seconds=5)
    walk.go()
    assert walk.stands() == [("exited", "replied", "hello")]
    # Entering the stage while on the way counts for that way, however often it is read again.
    assert walk.go() == 0
    walk.later(minutes=1)
    walk.to("proposal")
    walk.to("demo")
    walk.later(minutes=10)
    walk.go()
    assert [(each.pass_, each.state) for each in walk.enrolments()] == [
        (1, "exited"),
        (2, "active"),
    ]
    # The reply belongs to the first time: the second one may be written to.
    assert walk.send() == 1
    sound(walk)


def test_leaving_and_coming_back_unseen_counts_as_both(database: Database) -> None:
    walk = stroll(database)
    walk.to("demo")
    walk.go()
    for stage in ("won", "demo"):
        walk.later(seconds=1)
        walk.to(stage)
    walk.go()
    assert [(each.pass_, each.state) for each in walk.enrolments()] == [
        (1, "exited"),
        (2, "active"),
    ]
    walk.to("lost")
    walk.go()
    assert {each.state for each in walk.enrolments()} == {"exited"}


@pytest.mark.parametrize("way", ["replied", "left_stage"])
def test_a_reply_or_an_exit_stage_ends_it_and_skips_what_waits(
    database: Database, way: str
) -> None:
    walk = stroll(database, leads=2)
    walk.to("demo")
    walk.go()
    if way == "replied":
        reply(walk, walk.leads[0])
    else:
        walk.to("won", walk.leads[0])
    walk.go()
    assert walk.messages() == [(1, "hello", "skipped", way), (1, "hello", "planned", "")]
    assert [each.state for each in walk.enrolments()] == ["exited", "active"]
    assert "sequence_exited" in kinds(walk)
    assert walk.send() == 1
    sound(walk)


@pytest.mark.parametrize("way", ["replied", "left_stage"])
def test_the_claim_itself_refuses_who_answered_or_left(database: Database, way: str) -> None:
    walk = stroll(database)
    walk.to("demo")
    walk.go()
    if way == "replied":
        reply(walk, walk.leads[0])
    else:
        walk.to("lost")
    assert walk.claim() == ()
    assert walk.messages() == [(1, "hello", "skipped", way)]
    walk.go()
    assert walk.stands() == [("exited", way, "hello")]
    sound(walk)


def test_a_deferred_message_does_not_leave_after_its_enrolment_ended(database: Database) -> None:
    walk = stroll(database)
    walk.to("demo")
    walk.go()
    claimed = walk.claim()
    reply(walk, walk.leads[0])
    walk.go()
    assert walk.stands()[0][0] == "exited"
    # The server asked us to come back: the row waits once more, and the claim refuses it.
    database.write(
        lambda s: s.connection().exec_driver_sql(
            f"UPDATE message SET state = 'planned' WHERE id = {claimed[0].message_id}"
        )
    )
    assert walk.claim() == ()
    assert walk.messages() == [(1, "hello", "skipped", "replied")]


def test_a_message_that_does_not_reach_the_lead_ends_the_way(database: Database) -> None:
    walk = stroll(database, leads=3)

    def forbid(session: Session) -> None:
        key = lead_of(database, walk.leads[0]).address_key
        suppress(session, key, reason="opted_out", at=NOW, by="test")

    database.write(forbid)
    walk.to("demo")
    walk.go()
    assert walk.send(REJECTED) == 2
    walk.go()
    assert walk.stands() == [
        ("exited", "opted_out", "hello"),
        ("exited", "content", "hello"),
        ("exited", "content", "hello"),
    ]
    sound(walk)


def test_what_a_sleeping_machine_missed_is_not_sent_late(database: Database) -> None:
    walk = stroll(database)
    walk.to("demo")
    walk.later(days=3)
    walk.go()
    assert walk.claim() == ()
    walk.go()
    assert walk.stands() == [("exited", "too_late", "hello")]


def test_doubt_stops_the_way_until_somebody_settles_it(database: Database) -> None:
    walk = stroll(database)
    walk.to("demo")
    walk.go()
    walk.send(UNKNOWN)
    walk.later(days=9)
    assert walk.go() == 0
    assert walk.stands() == [("active", "", "hello")]
    run_id = walk.runs()[0].id or 0
    database.write(lambda s: resolve(s, run_id, verdict="sent", now=walk.now, by="anna"))
    walk.go()
    assert walk.stands() == [("active", "", "pause")]
    sound(walk)


def test_a_window_moves_the_due_time_and_the_expiry_with_it(database: Database) -> None:
    walk = stroll(database, window={"days": "mon-fri", "from": "09:00", "to": "17:00"})
    walk.now = NOW + timedelta(days=3, hours=8)  # Friday evening
    walk.to("demo")
    walk.go()
    assert walk.claim() == ()
    walk.now = NOW + timedelta(days=6)  # Monday noon
    assert walk.send() == 1


def test_only_leads_of_the_segment_enter(database: Database) -> None:
    walk = stroll(database, leads=2, rule='company = "Firma 2"')
    walk.to("demo")
    walk.go()
    assert [each.lead_id for each in walk.enrolments()] == [walk.leads[1]]


def test_a_new_version_is_for_new_leads_and_its_templates_for_all(database: Database) -> None:
    walk = stroll(database, leads=2)
    walk.to("demo", walk.leads[0])
    walk.go()
    walk.send()
    walk.later(minutes=5)
    database.write(
        lambda s: apply_sequence(s, now=walk.now, step=[{"name": "only", "send": "second"}])
    )
    walk.to("demo", walk.leads[1])
    walk.go()
    walk.send()
    walk.go()
    assert walk.stands() == [("active", "", "pause"), ("done", "", "only")]
    walk.later(days=3)
    walk.go()
    assert walk.messages()[-1] == (1, "more", "planned", "")
    assert len(walk.runs()) == 1
    assert opened_again(walk) == []
    sound(walk)


def opened_again(walk: Stroll) -> list[str]:
    return walk.database.write(lambda s: opened(s, now=walk.now))


def test_a_removed_sequence_sees_its_last_leads_through_and_ends(database: Database) -> None:
    walk = stroll(database, leads=2)
    walk.to("demo", walk.leads[0])
    walk.go()
    database.write(lambda s: freeze(s, Sequence, "after-demo", None, now=walk.now))
    walk.to("demo", walk.leads[1])
    walk.go()
    assert len(walk.enrolments()) == 1
    assert walk.runs()[0].state == "running"
    walk.send()
    walk.go()
    walk.later(days=3)
    walk.go()
    walk.send()
    walk.go()
    assert walk.runs()[0].state == "finished"
    # Written anew it begins anew: who entered meanwhile starts nothing.
    walk.later(minutes=10)
    database.write(lambda s: apply_sequence(s, now=walk.now, description="anew"))
    assert walk.go() == 0
    assert [run.state for run in walk.runs()] == ["finished", "running"]


def test_a_missing_template_ends_the_way_with_that_reason(database: Database) -> None:
    walk = stroll(database)
    walk.to("demo")
    database.write(lambda s: freeze(s, TemplateVersion, "first", None, now=NOW))
    walk.go()
    assert walk.stands() == [("exited", "template_removed", "hello")]


def test_pausing_holds_everybody_and_resuming_forgets_nobody(database: Database) -> None:
    walk = stroll(database, leads=2)
    walk.to("demo", walk.leads[0])
    walk.go()
    database.write(lambda s: pause(s, "after-demo", reason="wrong link"))
    walk.to("demo", walk.leads[1])
    assert (walk.go(), walk.claim()) == (0, ())
    database.write(lambda s: resume(s, "after-demo", now=walk.now))
    walk.go()
    assert walk.send() == 2


def test_cancelling_ends_everybody_with_that_reason(database: Database) -> None:
    walk = stroll(database, leads=3)
    walk.to("demo", *walk.leads[:2])
    walk.go()
    walk.send()
    walk.go()
    walk.to("demo", walk.leads[2])
    walk.go()
    run = database.write(lambda s: cancel(s, "after-demo", reason="no more"))
    while database.write(lambda s: cancel_rows(s, run.id or 0, now=walk.now)):
        pass
    assert {(state, reason) for state, reason, _ in walk.stands()} == {("exited", "cancelled")}
    assert walk.messages()[-1] == (1, "hello", "cancelled", "cancelled")
    sound(walk)


def test_taking_one_lead_out_by_hand(database: Database) -> None:
    walk = stroll(database, leads=2)
    walk.to("demo")
    walk.go()
    lead = walk.leads[0]

    def take_out(session: Session) -> bool:
        return exit_lead(session, "after-demo", lead, why="called her", now=walk.now, by="anna")

    assert database.write(take_out)
    assert not database.write(take_out)
    assert walk.messages()[0] == (1, "hello", "skipped", "called her")
    with database.reading() as session:
        status = sequence_status(session, "after-demo")
    assert (status.enrolled, status.active, status.exited) == (2, {"hello": 1}, {"called her": 1})


def test_waits_may_follow_one_another_and_come_first(database: Database) -> None:
    steps = [
        {"name": "a", "wait": "1 hour"},
        {"name": "b", "wait": "1 hour"},
        {"name": "c", "send": "first"},
        {"name": "d", "send": "second"},
    ]
    walk = stroll(database, step=steps)
    walk.to("demo")
    walk.later(minutes=90)
    walk.go()
    assert walk.stands() == [("active", "", "b")]
    with database.reading() as session:
        assert next_step(session, now=walk.now) == NOW + timedelta(hours=2)
    walk.later(minutes=31)
    walk.go()
    walk.send()
    with database.reading() as session:
        assert next_step(session, now=walk.now) == walk.now
    walk.go()
    assert [step for _, step, _, _ in walk.messages()] == ["c", "d"]


def test_more_leads_than_a_batch_all_enter_and_walk(database: Database) -> None:
    walk = stroll(database, leads=1100)
    walk.to("demo")
    walk.go()
    assert len(walk.messages()) == 1100
    while walk.send():
        pass
    walk.go()
    assert {state for state, _, _ in walk.stands()} == {"active"}
    assert {step for _, _, step in walk.stands()} == {"pause"}
    assert replace(walk, now=NOW).go() == 0
