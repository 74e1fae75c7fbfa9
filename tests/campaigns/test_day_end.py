"""A warm-up follows what the rows say of each day that is over."""

from datetime import UTC, date, datetime, timedelta

from campaigns.day_end import turn_days
from console.database import Database
from deliverability import (
    Limits,
    Measure,
    Scope,
    begin_warm_up,
    own_schedule,
    progress,
    set_step,
    shipped_schedules,
    trip,
)
from tests.campaigns.claims import ACCEPTED, end, take
from tests.campaigns.test_breaking import UNKNOWN
from tests.campaigns.world import ZONE, World, small_world
from tests.conftest import NOW

OWN = own_schedule((5, 10, 20, 40))
DAY = timedelta(days=1)


def turn(world: World, now: datetime) -> list[str]:
    limits = {"anna": Limits(warm_up=OWN), "ben": Limits(per_day=3)}
    return world.database.write(lambda s: turn_days(s, limits, now=now, zone=ZONE))


def send(world: World, count: int, *, now: datetime, bad: int = 0) -> int:
    """As many of `count` as the warm-up lets leave, `bad` of them to nobody."""
    facts = {"warm_up": OWN, "now": now}
    day = now.astimezone(ZONE).date()
    dead = take(world, bad, **facts)
    end(world, dead, UNKNOWN, now=now, day=day)
    claims = take(world, count - bad, **facts)
    end(world, claims, ACCEPTED, now=now, day=day)
    return len(claims.claimed)


def at(world: World) -> tuple[int, str]:
    found = world.database.read(lambda s: progress(s, "anna"))
    assert found is not None
    return found.step, found.why


def test_good_days_lead_on_one_step_a_day(database: Database) -> None:
    world = small_world(database, 100)
    assert turn(world, NOW) == []
    assert at(world) == (0, "")
    assert send(world, 50, now=NOW) == 5
    assert turn(world, NOW + timedelta(hours=2)) == []  # the day is not over
    tomorrow = NOW + DAY
    (said,) = turn(world, tomorrow)
    assert said == "anna may write 10 a day now. 2026-03-10: a good day: one step on"
    assert turn(world, tomorrow) == []
    assert send(world, 50, now=tomorrow) == 10
    found = world.database.read(lambda s: progress(s, "anna"))
    assert found is not None and found.started == date(2026, 3, 10)


def test_a_day_with_a_bounce_a_half_used_day_and_days_asleep_lead_nowhere(
    database: Database,
) -> None:
    world = small_world(database, 100)
    turn(world, NOW)
    send(world, 6, now=NOW, bad=1)
    assert turn(world, NOW + DAY) == []
    assert at(world) == (0, "2026-03-10: 1 of 6 bounced; a good day has below 2%")
    send(world, 3, now=NOW + DAY)
    # The laptop slept for days: the used day is judged, and the last one says why it stands still.
    assert turn(world, NOW + 5 * DAY) == []
    assert at(world) == (0, "2026-03-14: 0 of 5 were used; a good day uses 80%")


def test_days_are_judged_in_order_when_nobody_looked_for_a_while(database: Database) -> None:
    world = small_world(database, 100)
    turn(world, NOW)
    send(world, 50, now=NOW)
    send(world, 50, now=NOW + DAY)  # step 1 still: nobody judged
    assert turn(world, NOW + 2 * DAY)[0].startswith("anna may write 10 a day now")
    assert at(world) == (1, "2026-03-11: 5 of 10 were used; a good day uses 80%")


def test_a_breaker_leads_two_steps_back_whoever_of_its_runs_it_stopped(
    database: Database,
) -> None:
    world = small_world(database, 10)
    turn(world, NOW)

    def stop(session: object) -> None:
        set_step(session, "anna", step=3, why="", now=NOW)  # type: ignore[arg-type]
        trip(
            session,  # type: ignore[arg-type]
            Scope.RUN,
            str(world.run_id),
            Measure.BOUNCES,
            reason="x",
            seen={},
            now=NOW,
        )

    database.write(stop)
    (said,) = turn(world, NOW + DAY)
    assert said.startswith("anna may write 10 a day now")


def test_a_local_day_of_25_hours_is_one_day(database: Database) -> None:
    world = small_world(database, 40)
    before = datetime(2026, 10, 24, 20, tzinfo=UTC)
    turn(world, before)
    database.write(lambda s: set_step(s, "anna", step=0, why="", now=before))
    late = datetime(2026, 10, 25, 22, 30, tzinfo=UTC)  # 23:30 in Warsaw, winter time
    assert late.astimezone(ZONE).date() == date(2026, 10, 25)
    start = small_world_again(world, late)
    assert send(start, 50, now=late) == 5
    assert turn(world, late + timedelta(hours=1))[0].startswith("anna may write 10")


def small_world_again(world: World, now: datetime) -> World:
    """The same leads once more, for a start at another time."""
    from tests.campaigns.world import apply_campaign, start

    world.database.write(lambda s: apply_campaign(s, name="again"))
    return start(world.database, name="again", token="c" * 12, now=now)


def test_another_schedule_goes_on_where_as_much_is_allowed(database: Database) -> None:
    mailbox, domain = shipped_schedules()["mailbox"], shipped_schedules()["domain"]
    today = date(2026, 3, 10)
    database.write(lambda s: begin_warm_up(s, "anna", mailbox, today=today, now=NOW))
    database.write(lambda s: set_step(s, "anna", step=9, why="", now=NOW))
    found = database.write(lambda s: begin_warm_up(s, "anna", domain, today=today, now=NOW))
    assert (found.schedule, found.step, found.started) == ("domain", 0, today)
    back = database.write(lambda s: begin_warm_up(s, "anna", mailbox, today=today, now=NOW))
    assert back.step == 9


def test_a_day_spread_out_keeps_its_distance_over_lanes_and_midnight(database: Database) -> None:
    world = small_world(database, 40)
    facts = {"per_day": 12, "spread": True}
    # Twelve hours, four fifths of them used: one every 48 minutes.
    assert len(take(world, 10, **facts).claimed) == 1
    early = take(world, 10, **facts, now=NOW + timedelta(minutes=47))
    assert early.claimed == () and early.opens_at == NOW + timedelta(minutes=48)
    assert early.held == "its 12 messages of today are spread over the day"
    late = datetime(2026, 3, 10, 22, 50, tzinfo=UTC)  # ten to midnight in Warsaw
    assert len(take(world, 10, **facts, now=late).claimed) == 1
    after = take(world, 10, **facts, now=late + timedelta(minutes=20))
    assert after.opens_at == late + timedelta(minutes=48)
