"""How a new sender comes up to speed, day by day."""

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliverability import (
    DayFacts,
    Schedule,
    allowance,
    free_at,
    gap,
    next_step,
    own_schedule,
    shipped_schedules,
)
from tests.conftest import NOW

MAILBOX = shipped_schedules()["mailbox"]
DOMAIN = shipped_schedules()["domain"]


def test_the_shipped_schedules_go_up_and_name_their_source() -> None:
    assert set(shipped_schedules()) == {"mailbox", "domain", "domain-fast"}
    for schedule in shipped_schedules().values():
        assert all(a < b for a, b in pairwise(schedule.steps)), schedule.name
        assert schedule.source and schedule.title
    assert MAILBOX.steps == (5, 10, 15, 20, 25, 30, 35, 40, 45, 50)
    assert (DOMAIN.steps[0], DOMAIN.steps[-1], len(DOMAIN.steps)) == (50, 175_000, 30)


@pytest.mark.parametrize(
    ("day", "step", "why"),
    [
        (DayFacts(used=12, answered=12), 3, "a good day"),
        (DayFacts(used=11, answered=11), 2, "11 of 15 were used"),
        (DayFacts(used=15, answered=15, bounced=1), 2, "1 of 15 bounced"),
        (DayFacts(used=15, answered=15, complaints=1), 2, "1 complaint came"),
        (DayFacts(used=15, answered=15, trips=1), 0, "two steps back"),
        (DayFacts(used=0), 2, "0 of 15 were used"),
    ],
)
def test_only_a_good_day_leads_on(day: DayFacts, step: int, why: str) -> None:
    decision = next_step(MAILBOX, 2, day)
    assert decision.step == step
    assert why in decision.why


def test_two_of_a_hundred_are_too_many_and_one_is_not() -> None:
    wide = own_schedule((100, 200))
    assert next_step(wide, 0, DayFacts(used=100, answered=100, bounced=2)).step == 0
    assert next_step(wide, 0, DayFacts(used=100, answered=100, bounced=1)).step == 1


def test_a_mailbox_holds_its_last_step_and_a_domain_is_free_after_it() -> None:
    good = DayFacts(used=10**9, answered=10**9)
    assert next_step(MAILBOX, 9, good).step == 9
    assert MAILBOX.allowance(10) is None  # only a person's word leads there
    assert next_step(MAILBOX, 10, DayFacts(used=0, trips=1)).step == 10
    assert next_step(DOMAIN, 29, good).step == 30
    assert DOMAIN.allowance(30) is None
    assert allowance(DOMAIN, 30, None) is None
    assert allowance(DOMAIN, 30, 7) == 7
    assert allowance(MAILBOX, 0, 200) == 5
    assert allowance(MAILBOX, 9, 20) == 20
    assert allowance(None, 0, 20) == 20


facts = st.builds(
    DayFacts,
    used=st.integers(0, 400),
    answered=st.integers(0, 400),
    bounced=st.integers(0, 20),
    complaints=st.integers(0, 2),
    trips=st.integers(0, 2),
)
schedules = st.builds(
    Schedule,
    name=st.just("own"),
    steps=st.lists(st.integers(1, 300), min_size=1, max_size=8, unique=True).map(
        lambda each: tuple(sorted(each))
    ),
    holds=st.booleans(),
)


@given(schedules, st.lists(facts, max_size=30))
def test_it_never_jumps_and_never_leaves_its_steps(
    schedule: Schedule, days: list[DayFacts]
) -> None:
    step = 0
    for day in days:
        after = next_step(schedule, step, day).step
        assert 0 <= after <= len(schedule.steps)
        assert step - 2 <= after <= step + 1 or step >= len(schedule.steps)
        if after > step:
            allowed = schedule.allowance(step)
            assert allowed is not None and day.used >= 0.8 * allowed
            assert not day.complaints and not day.trips
        step = after


@given(st.integers(1, 5000), st.floats(1, 24), st.integers(2, 40))
def test_a_day_that_is_spread_out_leaves_no_hour_more_than_its_share(
    allowed: int, hours: float, count: int
) -> None:
    assert free_at(None, allowed, hours) is None
    at = NOW
    sent = [at]
    for _ in range(count):
        following = free_at(at, allowed, hours)
        assert following is not None and following - at == gap(allowed, hours)
        at = following
        sent.append(at)
    share = allowed / (hours * 0.8)
    for start in sent:
        within = sum(start <= each < start + timedelta(hours=1) for each in sent)
        assert within <= share * 1.0001 + 1
