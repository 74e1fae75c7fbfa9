"""Sequences on a clock moved by hand: who enters, who walks on, who leaves."""

from dataclasses import replace
from datetime import timedelta

from campaigns.advancing import next_step
from console.database import Database
from tests.campaigns.stroll import Stroll, apply_sequence, lead_of, stroll
from tests.campaigns.walking import kinds, reply, sound
from tests.campaigns.world import add_leads
from tests.conftest import NOW


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
