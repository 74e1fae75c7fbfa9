"""What becomes of a message by what the server said, and of a run by its messages."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlmodel import col

from campaigns import State, verify
from campaigns.finish import skip_unmade
from campaigns.runs import cancel, resume
from campaigns.settling import cancel_rows, settle_runs
from console.database import Database
from deliverability import Cause, Outcome, Phase, Verdict
from leads import Event, Suppression
from tests.campaigns.claims import ACCEPTED, TODAY, end, take
from tests.campaigns.world import rows, small_world, the_run
from tests.conftest import NOW


def test_an_accepted_message_is_settled_once_and_stands_on_the_timeline(
    database: Database,
) -> None:
    world = small_world(database, 1)
    claims = take(world)
    assert end(world, claims, ACCEPTED) == [State.ACCEPTED]
    assert end(world, claims, ACCEPTED) == [None]
    with database.reading() as session:
        assert [e.kind for e in session.scalars(select(Event))] == ["sent"]
        assert verify(session, world.run_id) == []
    (row,) = rows(database, world.run_id)
    assert (row.relay_id, row.subject, row.settled_at) == ("Q1", "Hi", NOW)


def test_a_deferred_message_comes_back_later_with_the_same_message_id(
    database: Database,
) -> None:
    world = small_world(database, 1)
    before = rows(database, world.run_id)[0].rfc_message_id
    deferred = Outcome(verdict=Verdict.DEFERRED, phase=Phase.RCPT, code=450, cause=Cause.GREYLIST)
    end(world, take(world), deferred)
    (row,) = rows(database, world.run_id)
    assert (row.state, row.deferrals, row.due_at) == ("planned", 1, NOW + timedelta(minutes=5))
    assert take(world).claimed == ()
    again = take(world, now=NOW + timedelta(minutes=6))
    assert again.claimed[0].rfc_message_id == before
    assert again.claimed[0].attempt == 2


def test_a_message_whose_retries_are_used_up_is_rejected_as_given_up(database: Database) -> None:
    world = small_world(database, 1)
    deferred = Outcome(verdict=Verdict.DEFERRED, phase=Phase.RCPT, code=450, cause=Cause.OTHER)
    assert end(world, take(world), deferred, retry_after=None) == [State.REJECTED]
    assert rows(database, world.run_id)[0].reason == "gave_up"


def test_an_unknown_user_is_rejected_and_the_address_suppressed(database: Database) -> None:
    world = small_world(database, 1)
    unknown = Outcome(
        verdict=Verdict.REJECTED,
        phase=Phase.RCPT,
        code=550,
        enhanced="5.1.1",
        cause=Cause.ADDRESS,
        reply="550 5.1.1 no such user",
    )
    assert end(world, take(world), unknown) == [State.REJECTED]
    with database.reading() as session:
        assert session.scalar(select(col(Suppression.reason))) == "hard_bounce"
        kinds = [e.kind for e in session.scalars(select(Event).order_by(col(Event.id)))]
        assert kinds == ["bounced", "suppressed"]
        assert verify(session, world.run_id) == []


@pytest.mark.parametrize("cause", [Cause.SENDER, Cause.AUTHENTICATION, Cause.BLOCKED])
def test_a_refusal_that_is_about_us_never_costs_the_lead(database: Database, cause: Cause) -> None:
    world = small_world(database, 1)
    refused = Outcome(verdict=Verdict.REJECTED, phase=Phase.MAIL, code=550, cause=cause)
    assert end(world, take(world), refused) == [State.PLANNED]
    with database.reading() as session:
        assert session.scalar(select(col(Suppression.reason))) is None
    assert rows(database, world.run_id)[0].deferrals == 0


def test_what_never_reached_the_server_is_given_back_at_once(database: Database) -> None:
    world = small_world(database, 1)
    lost = Outcome(verdict=Verdict.UNSENT, phase=Phase.MAIL, cause=Cause.NETWORK)
    assert end(world, take(world), lost) == [State.PLANNED]
    assert len(take(world).claimed) == 1


def test_a_text_that_cannot_be_made_settles_the_row_and_says_why(database: Database) -> None:
    world = small_world(database, 1)
    (claimed,) = take(world).claimed
    assert database.write(
        lambda s: skip_unmade(s, claimed, owner="me", now=NOW, why="no company", day=TODAY)
    )
    (row,) = rows(database, world.run_id)
    assert (row.state, row.reason, row.reply) == ("skipped", "cannot_render", "no company")
    with database.reading() as session:
        assert verify(session, world.run_id) == []


def test_a_finished_run_is_noticed_and_the_first_few_wait_for_a_person(
    database: Database,
) -> None:
    world = small_world(database, 4, first=2)
    claims = take(world)
    assert len(claims.claimed) == 2
    end(world, claims, ACCEPTED)
    assert take(world).claimed == ()
    database.write(lambda s: settle_runs(s, now=NOW))
    run = the_run(database, world.run_id)
    assert run.state == "paused"
    assert "first 2 are out" in run.reason
    database.write(lambda s: resume(s, "hello", now=NOW))
    end(world, take(world), ACCEPTED)
    database.write(lambda s: settle_runs(s, now=NOW))
    assert the_run(database, world.run_id).state == "finished"
    assert world.states() == {"accepted": 4}


def test_a_cancelled_run_settles_its_rows_in_portions(database: Database) -> None:
    world = small_world(database, 10)
    database.write(lambda s: cancel(s, "hello", reason="no"))
    moved = [
        database.write(lambda s: cancel_rows(s, world.run_id, now=NOW, limit=4)) for _ in range(4)
    ]
    assert moved == [4, 4, 2, 0]
    assert the_run(database, world.run_id).finished_at == NOW
