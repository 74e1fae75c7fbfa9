"""A run planned to its end while others write."""

import random
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlmodel import Session, col

from campaigns import Beside, Message, begin, pause, plan_run, resume
from campaigns.openings import openings
from campaigns.planning import Planned, Rule, look_ahead, plan_range
from campaigns.tables import Run
from campaigns.window import Window, zone_of
from console.database import Database
from leads import Lead
from tests.campaigns.world import ZONE, add_leads, apply_campaign, prepared, rows, the_run
from tests.conftest import NOW


class Machine:
    """Time goes by as the test says: each row takes so long."""

    def __init__(self, per_id: float = 0.0) -> None:
        self.now = 0.0
        self.per_id = per_id
        self.tidied = 0
        self.slept: list[float] = []
        self.ranges: list[Planned] = []

    def beside(self) -> Beside:
        return Beside(stopwatch=lambda: self.now, sleep=self.sleep, tidy=self.tidy)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def tidy(self) -> None:
        self.tidied += 1


def _rule(session: Session) -> Rule:
    return prepared(session).rule(ZONE)


def _begin(database: Database, leads: int) -> int:
    if leads:
        database.write(lambda s: add_leads(s, leads))
    database.write(lambda s: apply_campaign(s))
    run = database.write(
        lambda s: begin(s, prepared(s), now=NOW, by="t", token="e" * 12, when_in_doubt="hold")
    )
    return run.id or 0


def _plan(database: Database, run_id: int, machine: Machine | None = None) -> list[Planned]:
    found: list[Planned] = []

    def write(work):  # type: ignore[no-untyped-def]
        planned = database.write(work)
        if machine is not None:
            machine.now += machine.per_id * planned.rows
        return planned

    plan_run(
        run_id,
        _rule,
        write=write,
        read=database.read,
        now=NOW,
        zone=ZONE,
        beside=machine and machine.beside(),
        progress=found.append,
    )
    return found


def test_a_run_is_planned_to_its_end(database: Database) -> None:
    run_id = _begin(database, 12)
    (only,) = _plan(database, run_id)
    assert (only.rows, only.up_to, only.done) == (12, 12, True)
    assert the_run(database, run_id).state == "running"


def test_ranges_are_cut_to_a_tenth_of_a_second_and_a_break_follows_each(
    database: Database,
) -> None:
    run_id = _begin(database, 9000)
    machine = Machine(per_id=0.0001)  # 4,000 at once take 0.4 s
    found = _plan(database, run_id, machine)
    assert [each.rows for each in found] == [4000, 1000, 1000, 1000, 1000, 1000]
    assert machine.tidied == len(found)
    # The first range was long, so whoever waited looks seldom by then.
    assert [round(each, 3) for each in machine.slept] == [0.105, 0.03, 0.03, 0.03, 0.03]
    assert [row.lead_id for row in rows(database, run_id)] == list(range(1, 9001))


def test_numbers_nobody_has_are_jumped_over(database: Database) -> None:
    run_id = _begin(database, 3)
    database.write(lambda s: add_leads(s, 1, first=5_000_000, id=5_000_000))
    found = _plan(database, run_id)
    assert [each.up_to for each in found] == [50_000, 5_000_000]
    assert sum(each.rows for each in found) == 4


def test_a_range_somebody_else_planned_is_not_planned_again(database: Database) -> None:
    run_id = _begin(database, 20)

    def look(session: Session, size: int):  # type: ignore[no-untyped-def]
        return look_ahead(session, session.get_one(Run, run_id), now=NOW, zone=ZONE, size=size)

    stale = database.read(lambda s: look(s, 15))
    for size, ahead in ((8, None), (15, stale)):
        planned = database.write(
            lambda s, size=size, ahead=ahead: plan_range(
                s, run_id, _rule(s), now=NOW, zone=ZONE, size=size, ahead=ahead
            )
        )
    assert (planned.rows, planned.up_to, planned.done) == (12, 20, True)
    assert [row.lead_id for row in rows(database, run_id)] == list(range(1, 21))


def test_a_pause_between_two_ranges_ends_planning_until_somebody_resumes(
    database: Database,
) -> None:
    run_id = _begin(database, 9000)
    machine = Machine()
    machine.sleep = lambda _: database.write(lambda s: pause(s, "hello", reason="wait"))  # type: ignore[method-assign, assignment]
    found = _plan(database, run_id, machine)
    assert [each.rows for each in found] == [4000, 0]
    assert the_run(database, run_id).state == "paused"
    database.write(lambda s: resume(s, "hello", now=NOW))
    assert sum(each.rows for each in _plan(database, run_id)) == 5000
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Message)) == 9000


def test_no_leads_at_all_is_a_run_without_messages(database: Database) -> None:
    run_id = _begin(database, 0)
    (only,) = _plan(database, run_id)
    assert (only.rows, only.done) == (0, True)
    assert the_run(database, run_id).state == "running"


_ZONES = ["Europe/Warsaw", "America/New_York", "Asia/Tokyo", "Pacific/Kiritimati", "", "Mars/X"]


@pytest.mark.slow
def test_every_zone_gets_the_moment_its_window_opens(database: Database, proof: bool) -> None:
    dice = random.Random(7)
    mixed = [dice.choice(_ZONES) for _ in range(60)]
    for number, name in enumerate(mixed, 1):
        database.write(lambda s, n=number, z=name: add_leads(s, 1, first=n, timezone=z))
    everybody = col(Lead.id) > 0

    @settings(max_examples=200 if proof else 40)
    @given(
        st.frozensets(st.integers(0, 6), min_size=1),
        st.integers(0, 1439),
        st.integers(1, 600),
        st.integers(0, 7 * 24 * 60),
        st.sampled_from(["UTC", "Asia/Kolkata", "Europe/Warsaw"]),
    )
    def holds(days: frozenset[int], begins: int, length: int, later: int, home: str) -> None:
        window = Window(days=days, from_minute=begins, to_minute=min(1440, begins + length))
        now, zone = NOW + timedelta(minutes=later), ZoneInfo(home)
        with database.reading() as session:
            due = openings(session, everybody, window, now=now, zone=zone)
            found = session.scalars(select(due).select_from(Lead).order_by(col(Lead.id))).all()
        assert found == [window.next_opening(now, zone_of(name, zone)) for name in mixed]

    holds()
