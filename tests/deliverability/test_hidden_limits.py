"""The pace finds limits nobody tells it, on a virtual clock: the bars, and what must not matter.

Rates are per second, penalties in seconds. In their long form (`make proof`) the same tests take
all limits, eight hours and several seeds.
"""

import tracemalloc

import pytest

from benchmarks.hidden_limit import (
    GREYLISTED,
    HOUR,
    UNCLEAR,
    LeakyBucket,
    send,
)
from tests import laws

HOURS = 8 if laws.long_form else 5
SEEDS = range(1, 4 if laws.long_form else 2)
LIMITS = (0.1, 0.5, 1.0, 5.0, 20.0) if laws.long_form else (0.1, 0.5)

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize(("penalty", "share"), [(0, 0.9), (30, 0.9), (120, 0.85)])
def test_after_two_hours_a_lane_uses_its_limit_and_is_hardly_refused(
    limit: float, penalty: float, share: float
) -> None:
    for seed in SEEDS:
        day = send(LeakyBucket(lambda _: limit, penalty=penalty), hours=HOURS, seed=seed)
        assert day.taken(2) >= share * limit
        assert day.deferred(2) <= 0.02


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("penalty", [0, 120])
def test_greylisting_costs_its_own_messages_and_no_pace(limit: float, penalty: float) -> None:
    for seed in SEEDS:
        day = send(
            LeakyBucket(lambda _: limit, penalty=penalty),
            hours=HOURS,
            seed=seed,
            noise=(0.05, GREYLISTED),
        )
        assert day.taken(2) >= 0.85 * limit


@pytest.mark.parametrize("penalty", [0, 120])
def test_a_limit_that_falls_is_met_without_a_storm_of_refusals(penalty: float) -> None:
    for seed in SEEDS:
        bucket = LeakyBucket(lambda t: 5.0 if t < HOUR else 1.0, penalty=penalty)
        day = send(bucket, hours=4, seed=seed)
        assert day.deferred(1, 2) <= 0.02
        assert day.taken(2) >= 0.85


@pytest.mark.parametrize("penalty", [0, 120])
def test_a_limit_that_rises_is_found_again(penalty: float) -> None:
    for seed in SEEDS:
        bucket = LeakyBucket(lambda t: 0.2 if t < 2 * HOUR else 1.0, penalty=penalty)
        day = send(bucket, hours=8, seed=seed)
        assert day.taken(6) >= 0.85
        assert day.deferred(2) <= 0.02


@pytest.mark.parametrize("burst", [1, 3, 30, 100])
def test_another_bucket_than_the_one_thought_of_is_no_disaster(burst: int) -> None:
    for seed in SEEDS:
        day = send(LeakyBucket(lambda _: 0.5, burst=burst), hours=HOURS, seed=seed)
        assert day.taken(2) >= 0.65 * 0.5
        assert day.deferred(2) <= 0.02


def test_refusals_that_say_nothing_do_not_bring_a_lane_to_a_standstill() -> None:
    for seed in SEEDS:
        day = send(LeakyBucket(lambda _: 0.5), hours=6, seed=seed, noise=(0.05, UNCLEAR))
        assert day.taken(3) >= 0.6 * 0.5


def test_a_restart_goes_on_where_it_was() -> None:
    bucket = LeakyBucket(lambda _: 0.5, penalty=120)
    whole = send(bucket, hours=4, seed=1)
    again = send(LeakyBucket(lambda _: 0.5, penalty=120), hours=4, seed=1, restart_at=2.5 * HOUR)
    assert (again.accepted, again.refused) == (whole.accepted, whole.refused)
    assert whole.pacer is not None and again.pacer is not None
    assert again.pacer.state == whole.pacer.state


def test_hours_of_sending_take_no_more_memory_than_the_first_minute() -> None:
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        long = send(LeakyBucket(lambda _: 0.5), hours=HOURS, seed=1)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert long.pacer is not None
    assert after - before < 64_000
    assert long.pacer.state.learnt is not None
    assert len(long.pacer.state.learnt.marks) <= 33


def test_a_maximum_below_the_limit_is_never_passed() -> None:
    day = send(LeakyBucket(lambda _: 5.0), hours=2, seed=1, highest=0.5)
    assert sum(day.refused) == 0
    assert max(day.accepted) <= 0.5 * HOUR
    assert day.pacer is not None and day.pacer.rate == 0.5
