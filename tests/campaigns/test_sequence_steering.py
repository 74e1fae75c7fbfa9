"""Sequences that are changed, paused, cancelled or taken away while leads walk."""

from sqlmodel import Session

from campaigns import Sequence, cancel, cancel_rows, exit_lead, pause, resume, sequence_status
from console.database import Database
from leads import freeze
from templates import TemplateVersion
from tests.campaigns.stroll import Stroll, apply_sequence, opened, stroll
from tests.campaigns.walking import sound
from tests.conftest import NOW


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
