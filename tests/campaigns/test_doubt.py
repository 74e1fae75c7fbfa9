"""A message of which nobody can know, and rows that changed hands."""

import pytest
from sqlalchemy import select, update

from campaigns import Message, verify
from campaigns.doubt import recover, resolve
from campaigns.settling import settle_runs
from campaigns.tables import Attempt
from console.database import Database
from deliverability import Cause, Outcome, Phase, Verdict
from tests.campaigns.claims import ACCEPTED, end, take
from tests.campaigns.world import small_world, the_run
from tests.conftest import NOW


@pytest.mark.parametrize(("rule", "state"), [("hold", "in_doubt"), ("resend", "planned")])
def test_silence_after_354_follows_the_runs_rule(database: Database, rule: str, state: str) -> None:
    world = small_world(database, 1, when_in_doubt=rule)
    silent = Outcome(verdict=Verdict.IN_DOUBT, phase=Phase.BODY, cause=Cause.NETWORK)
    end(world, take(world), silent)
    assert world.states() == {state: 1}


@pytest.mark.parametrize(("rule", "state"), [("hold", "in_doubt"), ("resend", "planned")])
def test_rows_of_a_dead_sender_are_in_doubt_at_the_next_start(
    database: Database, rule: str, state: str
) -> None:
    world = small_world(database, 5, when_in_doubt=rule)
    take(world, 2, owner="dead")
    found = database.write(lambda s: recover(s, owner="me", now=NOW))
    assert found[rule] == 2
    expected = {"planned": 3}
    expected[state] = expected.get(state, 0) + 2
    assert world.states() == expected
    assert database.write(lambda s: recover(s, owner="me", now=NOW)) == {"hold": 0, "resend": 0}
    with database.reading() as session:
        assert [a.result for a in session.scalars(select(Attempt))] == ["in_doubt"] * 2
        assert verify(session, world.run_id) == []


def test_a_late_finish_of_a_lost_row_changes_nothing(database: Database) -> None:
    world = small_world(database, 1)
    claims = take(world, owner="dead")
    database.write(lambda s: recover(s, owner="me", now=NOW))
    assert end(world, claims, ACCEPTED, owner="dead") == [None]
    assert world.states() == {"in_doubt": 1}


@pytest.mark.parametrize(
    ("verdict", "state"), [("sent", "accepted"), ("resend", "planned"), ("give-up", "cancelled")]
)
def test_a_person_settles_doubt(database: Database, verdict: str, state: str) -> None:
    world = small_world(database, 1)
    take(world, owner="dead")
    database.write(lambda s: recover(s, owner="me", now=NOW))
    database.write(lambda s: settle_runs(s, now=NOW))
    assert the_run(database, world.run_id).state == "finished"
    assert (
        database.write(lambda s: resolve(s, world.run_id, verdict=verdict, now=NOW, by="ola")) == 1
    )
    assert world.states() == {state: 1}
    assert the_run(database, world.run_id).state == (
        "running" if verdict == "resend" else "finished"
    )
    with database.reading() as session:
        assert verify(session, world.run_id) == []


def test_finish_refuses_a_row_that_changed_hands(database: Database) -> None:
    world = small_world(database, 1)
    claims = take(world)
    database.write(
        lambda s: s.execute(
            update(Message).values(attempts=5).execution_options(synchronize_session=False)
        )
    )
    assert end(world, claims, ACCEPTED) == [None]
