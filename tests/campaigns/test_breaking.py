"""Bounces and complaints stop what they came from, and somebody must say "I know"."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlmodel import col

from campaigns import RunState, Tripped, stands
from campaigns.breaking import act, look
from campaigns.runs import resume
from console.database import Database
from deliverability import (
    Breaker,
    Cause,
    Level,
    Outcome,
    Phase,
    Scope,
    Verdict,
    acknowledge,
    holding,
)
from deliverability.breaker import LISTEN
from leads import Event, record
from tests.campaigns.claims import ACCEPTED, end, take
from tests.campaigns.world import World, rows, small_world, the_run
from tests.conftest import NOW

UNKNOWN = Outcome(
    verdict=Verdict.REJECTED,
    phase=Phase.RCPT,
    cause=Cause.ADDRESS,
    code=550,
    enhanced="5.1.1",
    reply="5.1.1 No such user",
)
REFUSED = Outcome(
    verdict=Verdict.REJECTED,
    phase=Phase.MAIL,
    cause=Cause.AUTHENTICATION,
    code=550,
    reply="5.7.26 unauthenticated mail",
)


def sent(world: World, fine: int, bad: int, *, now: datetime = NOW) -> None:
    end(world, take(world, bad, now=now), UNKNOWN, now=now)
    end(world, take(world, fine, now=now), ACCEPTED, now=now)


def judge(world: World, *, after: int | None = None, now: datetime = NOW) -> list[str]:
    found = world.database.read(lambda s: look(s, after=after, again=(), now=now))
    return world.database.write(lambda s: act(s, found, now=now))


def state(world: World) -> tuple[str, str]:
    run = the_run(world.database, world.run_id)
    return run.state, run.reason


def held(world: World) -> list[tuple[str, str]]:
    return [(each.scope, each.state) for each in world.database.read(holding)]


def test_unknown_addresses_stop_the_campaign_and_who_writes(database: Database) -> None:
    world = small_world(database, 100)
    sent(world, fine=44, bad=6)
    said = judge(world)
    assert [each.split(" is stopped")[0] for each in said] == ["anna", "hello"]
    assert held(world) == [("identity", "open"), ("run", "open")]
    assert state(world) == (
        "paused",
        "6 of 50 addresses do not exist (within 24 hours): 12.0%, and above 5.0% sending stops",
    )
    assert take(world).claimed == ()
    # Judged once: the same numbers say nothing new.
    assert judge(world) == []


def test_few_bounces_of_few_messages_stop_nobody(database: Database) -> None:
    world = small_world(database, 60)
    sent(world, fine=9, bad=1)
    assert judge(world) == []
    sent(world, fine=38, bad=2)
    assert judge(world) == []
    names = [(Scope.RUN, str(world.run_id)), (Scope.IDENTITY, "anna")]
    found = world.database.read(lambda s: stands(s, names, now=NOW))
    assert [(each.name, each.level, each.bad, each.answered) for each in found] == [
        ("hello", Level.WARN, 3, 50),
        ("anna", Level.WARN, 3, 50),
    ]
    assert state(world)[0] == "running"


def test_bounces_that_come_back_by_mail_count_for_the_messages_they_belong_to(
    database: Database,
) -> None:
    world = small_world(database, 60)
    sent(world, fine=50, bad=0)
    assert judge(world) == []
    last = max_event(world)
    back = NOW + timedelta(hours=2)

    def bounce(session: object) -> None:
        for row in rows(database, world.run_id)[:6]:
            for _ in range(2):  # two reports of one message are one bounce
                record(
                    session,  # type: ignore[arg-type]
                    row.lead_id,
                    "bounced",
                    at=back,
                    campaign="hello",
                    message_id=row.id,
                    data={"hard": True},
                )

    database.write(bounce)
    assert len(judge(world, after=last, now=back)) == 2
    assert state(world)[1].startswith("6 of 50 addresses")


def test_a_full_mailbox_is_no_bounce_of_an_address(database: Database) -> None:
    world = small_world(database, 60)
    sent(world, fine=50, bad=0)

    def soft(session: object) -> None:
        for row in rows(database, world.run_id)[:30]:
            record(
                session,  # type: ignore[arg-type]
                row.lead_id,
                "bounced",
                at=NOW,
                campaign="hello",
                message_id=row.id,
                data={"hard": False},
            )

    database.write(soft)
    assert judge(world) == []


def test_the_second_complaint_stops_a_small_campaign(database: Database) -> None:
    world = small_world(database, 60)
    sent(world, fine=20, bad=0)
    for number, row in enumerate(rows(database, world.run_id)[:2], 1):
        database.write(
            lambda s, row=row: record(
                s, row.lead_id, "complained", at=NOW, campaign="hello", message_id=row.id
            )
        )
        assert len(judge(world)) == (2 if number == 2 else 0)
    assert "called the mail spam" in state(world)[1]


def test_yesterdays_bounces_are_over_when_two_hundred_good_ones_followed(
    database: Database,
) -> None:
    world = small_world(database, 300)
    sent(world, fine=40, bad=4)
    later = NOW + timedelta(hours=25)
    sent(world, fine=210, bad=0, now=later)
    assert judge(world, now=later) == []


def test_resuming_says_what_stopped_it_and_wants_to_hear_that_it_is_known(
    database: Database,
) -> None:
    world = small_world(database, 100)
    sent(world, fine=44, bad=6)
    judge(world)
    with pytest.raises(Tripped, match=r"6 of 50 addresses do not exist.*resume hello --i-know"):
        database.write(lambda s: resume(s, "hello", now=NOW))
    assert state(world)[0] == "paused"
    database.write(lambda s: resume(s, "hello", now=NOW, knowing="kasia"))
    assert state(world)[0] == "running"
    # The identity has its own word to say.
    assert take(world).held.startswith("6 of 50")
    with database.reading() as session:
        row = session.scalars(select(Breaker).where(col(Breaker.scope) == "run")).one()
    assert (row.acknowledged_by, row.acknowledged_at) == ("kasia", NOW)


def known(world: World, *, now: datetime) -> None:
    world.database.write(lambda s: resume(s, "hello", now=now, knowing="kasia"))
    world.database.write(lambda s: acknowledge(s, Scope.IDENTITY, "anna", now=now, by="kasia"))


def test_after_that_five_go_first_and_the_rest_when_they_went_well(database: Database) -> None:
    world = small_world(database, 100)
    sent(world, fine=44, bad=6)
    judge(world)
    now = NOW + timedelta(hours=1)
    known(world, now=now)
    first = take(world, 3, now=now)
    second = take(world, 20, now=now)
    assert (len(first.claimed), len(second.claimed)) == (3, 2)
    third = take(world, 20, now=now)
    assert third.claimed == () and "awaited" in third.held
    end(world, first, ACCEPTED, now=now)
    end(world, second, ACCEPTED, now=now)
    assert judge(world, now=now) == []  # a bounce may still be on its way
    assert take(world, 20, now=now).claimed == ()
    calm = now + LISTEN
    assert judge(world, now=calm) == [
        "anna: the first 5 went well, the rest follows",
        "hello: the first 5 went well, the rest follows",
    ]
    assert held(world) == []
    # What was looked at counts no more.
    assert len(take(world, 20, now=calm).claimed) == 20
    assert judge(world, now=calm) == []


def test_a_bounce_among_the_five_stops_it_again(database: Database) -> None:
    world = small_world(database, 100)
    sent(world, fine=44, bad=6)
    judge(world)
    now = NOW + timedelta(hours=1)
    known(world, now=now)
    sent(world, fine=4, bad=1, now=now)
    assert len(judge(world, now=now)) == 2
    assert state(world) == ("paused", "of the first few sent after it went on, 1 bounced")
    with database.reading() as session:
        states = session.scalars(select(col(Breaker.state)).order_by(col(Breaker.id))).all()
    assert states == ["closed", "closed", "open", "open"]


def test_one_answer_that_we_are_not_who_we_say_stops_the_identity(database: Database) -> None:
    world = small_world(database, 10)
    end(world, take(world, 1), REFUSED)
    claims = take(world)
    assert claims.claimed == ()
    assert claims.held == (
        "a server does not accept it as the sender: 550 5.7.26 unauthenticated mail"
    )
    assert held(world) == [("identity", "open")]
    assert state(world)[0] == RunState.RUNNING  # others may write it


def max_event(world: World) -> int:
    with world.database.reading() as session:
        return max(session.scalars(select(col(Event.id))).all(), default=0) or 0
