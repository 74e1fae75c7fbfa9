"""What is due and what the late policy makes of it, on a clock that the test turns."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from campaigns.missed import Decision, missed, occurrence_of
from campaigns.when import Late, When

WARSAW = ZoneInfo("Europe/Warsaw")
#: A Monday, 9:00 in Warsaw.
MONDAY = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
WEEKLY = When(cron="0 9 * * mon")
ONCE = When(at="2026-11-23 09:00:00")
WEEK = timedelta(days=7)


def due(
    when: When,
    now: datetime,
    *,
    applied_at: datetime = MONDAY - 8 * WEEK,
    ran: Sequence[datetime] = (),
) -> list[tuple[datetime, Decision]]:
    done = [occurrence_of(moment) for moment in ran]
    return missed(when, applied_at=applied_at, ran=done, now=now, zone=WARSAW)


@pytest.mark.parametrize("when", [WEEKLY, ONCE])
def test_nothing_is_due_a_moment_before(when: When) -> None:
    now = MONDAY - timedelta(seconds=1)
    assert due(when, now, ran=[MONDAY - WEEK]) == []


@pytest.mark.parametrize("when", [WEEKLY, ONCE])
@pytest.mark.parametrize("late", [timedelta(0), timedelta(minutes=7), timedelta(minutes=15)])
def test_within_the_grace_it_is_on_time(when: When, late: timedelta) -> None:
    assert due(when, MONDAY + late) == [(MONDAY, Decision.START)]


@pytest.mark.parametrize(
    ("late", "decision"),
    [
        (Late.SEND, Decision.START),
        (Late.SKIP, Decision.SKIP),
        (Late.ASK, Decision.ASK),
    ],
)
def test_after_it_the_late_policy_decides(late: Late, decision: Decision) -> None:
    now = MONDAY + timedelta(minutes=15, seconds=1)
    for when in (When(cron=WEEKLY.cron, late=late), When(at=ONCE.at, late=late)):
        assert due(when, now) == [(MONDAY, decision)]


def test_the_grace_is_the_campaigns_own() -> None:
    when = When(cron=WEEKLY.cron, late_after=timedelta(hours=3))
    assert due(when, MONDAY + timedelta(hours=3)) == [(MONDAY, Decision.START)]
    assert due(when, MONDAY + timedelta(hours=3, seconds=1)) == [(MONDAY, Decision.ASK)]


def test_what_ran_is_not_due_again() -> None:
    assert due(WEEKLY, MONDAY + timedelta(hours=1), ran=[MONDAY]) == []
    assert due(ONCE, MONDAY + timedelta(hours=1), ran=[MONDAY]) == []


def test_of_several_missed_ones_only_the_newest_counts() -> None:
    now = MONDAY + timedelta(hours=1)
    assert due(WEEKLY, now, ran=[MONDAY - 4 * WEEK]) == [(MONDAY, Decision.ASK)]
    # It was seen to: those before it are not dug out afterwards.
    assert due(WEEKLY, now, ran=[MONDAY - 4 * WEEK, MONDAY]) == []


def test_only_starts_after_it_was_applied_count() -> None:
    now = MONDAY + timedelta(minutes=5)
    for when in (WEEKLY, ONCE):
        assert due(when, now, applied_at=MONDAY) == []
        assert due(when, now, applied_at=MONDAY - timedelta(seconds=1)) == [
            (MONDAY, Decision.START)
        ]


def test_what_is_a_month_old_is_forgotten() -> None:
    send = When(at=ONCE.at, late=Late.SEND)
    assert due(send, MONDAY + timedelta(days=30, hours=23)) == [(MONDAY, Decision.START)]
    assert due(send, MONDAY + timedelta(days=31)) == []


def test_a_year_lived_day_by_day_starts_every_monday_once() -> None:
    ran: list[datetime] = []
    applied = datetime(2026, 1, 1, tzinfo=UTC)
    now = applied
    while now < applied + timedelta(days=365):
        ran += [moment for moment, _ in due(WEEKLY, now, applied_at=applied, ran=ran)]
        now += timedelta(hours=7)
    local = [moment.astimezone(WARSAW) for moment in ran]
    assert len(ran) == len(set(ran)) == 52
    assert all((m.weekday(), m.hour, m.minute) == (0, 9, 0) for m in local)
