"""What holds mail back, read from the rows of both databases."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlmodel import Session, select

from campaigns import (
    Hold,
    LaneLimits,
    Waiting,
    closer,
    holds_of,
    pause,
    rates_by_hour,
    standings,
    state_of,
    waiting_of,
)
from campaigns.lane_standing import Standing
from campaigns.tables import Message
from console.database import Database
from deliverability import (
    UNTIL_SOMEBODY_LOOKS,
    Cause,
    Outcome,
    Pacer,
    PaceSettings,
    PaceState,
    Phase,
    Verdict,
    save_pace,
    take_day,
)
from leads import FrequencyCap, Lead, Wish, record
from tests.campaigns.claims import take
from tests.campaigns.world import ZONE, World, rows, small_world
from tests.conftest import NOW

PACE = PaceSettings(per_minute=60, at_most_per_minute=240)
LIMITS = LaneLimits(pace=PACE, per_day=None, sender="process 1 on host")
SLOWER = Outcome(
    verdict=Verdict.DEFERRED, phase=Phase.RCPT, cause=Cause.RATE, code=451, reply="4.7.0 slow"
)


def standing(world: World, now: datetime = NOW) -> Standing:
    found = world.database.read(lambda s: standings(s, now=now, zone=ZONE))
    (busy,) = [each for each in found if each.lane_id == world.lane_id]
    return busy


def kinds(lane: Standing, limits: LaneLimits = LIMITS, now: datetime = NOW) -> list[str]:
    return [hold.kind for hold in holds_of(lane, limits, now=now, zone=ZONE)]


def learn(world: World, now: datetime = NOW) -> None:
    pacer = Pacer(PACE, seed="x")
    pacer.on_outcome(now, SLOWER)
    lessons = pacer.take_lessons()
    assert lessons is not None
    world.database.write(lambda s: save_pace(s, world.lane_id, lessons, now=now))


def test_a_lane_that_only_has_its_pace_says_so(database: Database) -> None:
    world = small_world(database, leads=8)
    lane = standing(world)
    assert (lane.name, lane.waiting, lane.accepted_today) == ("anna/other", 8, 0)
    assert state_of(lane, LIMITS, now=NOW) == "sending"
    assert state_of(lane, replace(LIMITS, sender=None), now=NOW) == "due"
    (only,) = holds_of(lane, LIMITS, now=NOW, zone=ZONE)
    assert only.kind == "rate" and "60 a minute to begin with, at most 240" in only.what
    assert kinds(lane, replace(LIMITS, sender=None)) == ["sender", "rate"]


def test_what_the_server_said_is_there_with_the_end_of_the_pause(database: Database) -> None:
    world = small_world(database, leads=3)
    learn(world)
    lane = standing(world)
    assert state_of(lane, LIMITS, now=NOW) == "paused"
    first, *_, rate = holds_of(lane, LIMITS, now=NOW, zone=ZONE)
    assert first.kind == "pause" and "451 4.7.0 slow" in first.what
    assert first.until == NOW + timedelta(seconds=30)
    assert "30 a minute: learnt from its answers" in rate.what
    later = NOW + timedelta(minutes=1)
    assert state_of(lane, LIMITS, now=later) == "sending"
    (move,) = database.read(lambda s: closer(s, lane, moves=20)).newest
    assert (move.rate_before, move.rate_after, move.words) == (1, 0.5, "rate: 451 4.7.0 slow")


def test_the_rate_of_the_day_follows_the_moves(database: Database) -> None:
    world = small_world(database, leads=3)
    assert rates_by_hour(standing(world), 1.0, now=NOW, bins=4) == [1, 1, 1, 1]
    learn(world)
    now = NOW + timedelta(hours=8)
    assert rates_by_hour(standing(world, now), 1.0, now=now, bins=4) == [1, 1, 0.5, 0.5]


def test_a_stop_for_a_person_names_the_command() -> None:
    stopped = PaceState(paused_until=UNTIL_SOMEBODY_LOOKS, reason="authentication: 535 no")
    lane = Standing(lane_id=1, identity="anna", provider="wp", pace=stopped, held={}, waiting=1)
    assert state_of(lane, LIMITS, now=NOW) == "stopped"
    first = next(iter(holds_of(lane, LIMITS, now=NOW, zone=ZONE)))
    assert "until somebody looks" in first.what and "campaigns resume" in first.do


def test_a_used_up_day_ends_at_the_workspace_s_midnight(database: Database) -> None:
    world = small_world(database, leads=3)
    limits = replace(LIMITS, per_day=5)
    database.write(lambda s: take_day(s, "anna", NOW.date(), wanted=5, cap=5, now=NOW))
    lane = standing(world)
    assert state_of(lane, limits, now=NOW) == "full"
    first = next(iter(holds_of(lane, limits, now=NOW, zone=ZONE)))
    assert first.kind == "day"
    assert first.until == datetime(2026, 3, 10, 23, 0, tzinfo=UTC)


def test_a_paused_campaign_is_named_with_its_reason(database: Database) -> None:
    world = small_world(database, leads=3)
    database.write(lambda s: pause(s, "hello", reason="wrong price"))
    lane = standing(world)
    assert lane.waiting == 0 and state_of(lane, LIMITS, now=NOW) == "held"
    first = next(iter(holds_of(lane, LIMITS, now=NOW, zone=ZONE)))
    assert first == Hold(
        kind="run",
        what="3 of hello wait: it is not running (wrong price)",
        do="potok campaigns resume hello",
    )


def test_messages_that_are_due_later_say_when(database: Database) -> None:
    world = small_world(database, leads=2)
    later = NOW + timedelta(minutes=15)

    def put_off(session: Session) -> None:
        for message in session.exec(select(Message)).all():
            message.due_at, message.deferrals, message.reply = later, 2, "450 come back"
            session.add(message)

    database.write(put_off)
    lane = standing(world)
    lane = database.read(lambda s: closer(s, lane, moves=20))
    assert (lane.due, lane.deferred) == (later, 2)
    assert state_of(lane, LIMITS, now=NOW) == "waiting"
    first = next(iter(holds_of(lane, LIMITS, now=NOW, zone=ZONE)))
    assert first.until == later and "asked to bring 2 of them later" in first.what
    companies = replace(LIMITS, company_per_hour=5)
    first = next(iter(holds_of(lane, companies, now=NOW, zone=ZONE)))
    assert "at most 5 an hour to one company" in first.what
    (told,) = [each for each in waiting(world, 1) if each.state == "planned"]
    assert told.holds[-1].until == later and "450 come back" in told.holds[-1].what


def waiting(world: World, lead_id: int, cap: FrequencyCap | None = None) -> list[Waiting]:
    return world.database.read(
        lambda s: waiting_of(s, s.get_one(Lead, lead_id), now=NOW, zone=ZONE, cap=cap)
    )


def told(world: World, lead_id: int, cap: FrequencyCap | None = None) -> list[str]:
    (message,) = waiting(world, lead_id, cap)
    return [hold.what for hold in message.holds]


def test_a_lead_s_message_says_what_the_claim_would_say(database: Database) -> None:
    world = small_world(database, leads=4)
    first, second, third, _ = (row.lead_id for row in rows(database, world.run_id))
    assert told(world, first) == []

    def change(session: Session) -> None:
        session.get_one(Lead, second).erased_at = NOW
        wish = Wish(lead_id=third, paused_until=NOW + timedelta(days=3), at=NOW)
        session.add(wish)

    database.write(change)
    assert told(world, second)[0].startswith("it will not leave:")
    assert told(world, third) == ["the lead paused its mail"]
    assert told(world, first, FrequencyCap(messages=3, days=7)) == []
    database.write(lambda s: pause(s, "hello", reason="wrong price"))
    assert told(world, first) == ["hello is paused: wrong price"]


def test_a_limit_of_frequency_says_when_it_ends(database: Database) -> None:
    world = small_world(database, leads=1)
    (row,) = rows(database, world.run_id)
    sent = NOW - timedelta(days=1)

    def earlier(session: Session) -> None:
        message = session.get_one(Message, row.id)
        facts = message.model_dump(exclude={"id"})
        facts |= {"step": "before", "state": "accepted", "settled_at": sent}
        session.add(Message(**facts))

    database.write(earlier)
    found = waiting(world, row.lead_id, FrequencyCap(messages=1, days=7))
    (hold,) = found[0].holds
    assert hold.until == sent + timedelta(days=7)
    assert found[1].state == "accepted"


def test_what_was_accepted_today_counts_by_lane(database: Database) -> None:
    world = small_world(database, leads=3)
    message = rows(database, world.run_id)[0]
    for at in (NOW, NOW - timedelta(days=2)):
        database.write(
            lambda s, at=at: record(  # type: ignore[misc]
                s, message.lead_id, "sent", at=at, campaign="hello", message_id=message.id
            )
        )
    assert standing(world).accepted_today == 1
    assert len(take(world, 2).claimed) == 2
    lane = standing(world)
    assert (lane.sending, lane.waiting) == (2, 1)
    only = database.read(lambda s: standings(s, now=NOW, zone=ZONE, run_id=world.run_id))
    assert [each.name for each in only] == ["anna/other"]
