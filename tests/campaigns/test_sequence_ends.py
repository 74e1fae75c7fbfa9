"""What ends a lead's way through a sequence before its last step."""

import pytest
from sqlmodel import Session

from campaigns.doubt import resolve
from console.database import Database
from leads import suppress
from tests.campaigns.stroll import REJECTED, UNKNOWN, lead_of, stroll
from tests.campaigns.walking import kinds, reply, sound
from tests.conftest import NOW


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
