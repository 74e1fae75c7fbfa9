"""What lanes share: nobody has it all, and nobody waits for ever."""

import asyncio
from datetime import timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from campaigns.slots import Slots, Turns
from tests.conftest import NOW


def test_one_lane_never_has_every_connection_of_an_identity() -> None:
    async def work() -> None:
        slots = Slots(3)
        await slots.take(1)
        await slots.take(1)
        assert not slots.may_open(1)
        assert slots.may_open(2)
        await slots.take(2)
        # A third lane waits in line for its first one, and gets the one that is given back.
        waiting = asyncio.create_task(slots.take(3))
        await asyncio.sleep(0)
        assert slots.crowded and not slots.may_open(2)
        slots.give(1)
        await waiting
        assert not slots.crowded

    asyncio.run(work())


def test_a_single_connection_is_shared_and_without_pace_a_lane_may_have_all() -> None:
    assert Slots(1).may_open(1)

    async def work() -> None:
        slots = Slots(2, shared=False)
        await slots.take(1)
        assert slots.may_open(1)
        await slots.take(1)
        assert not slots.may_open(1)

    asyncio.run(work())


@given(st.integers(1, 8), st.randoms(use_true_random=False))
def test_with_n_lanes_each_has_every_nth_turn(lanes: int, dice: object) -> None:
    turns, now = Turns(), NOW
    served: list[int] = []
    for _ in range(6 * lanes):
        asking = list(range(lanes))
        dice.shuffle(asking)  # type: ignore[attr-defined]
        # All are awake at the same moment, in any order, and ask until one may.
        winner = None
        while winner is None:
            winner = next((lane for lane in asking if turns.mine(lane, now)), None)
        turns.had(winner)
        served.append(winner)
        for lane in asking:
            turns.mine(lane, now)
        now += timedelta(minutes=14)
        turns.wait_until(now)
    for lane in range(lanes):
        places = [n for n, each in enumerate(served) if each == lane]
        assert places and places[0] < 2 * lanes
        assert all(b - a <= lanes for a, b in pairwise(places[1:]))


def test_a_lane_that_does_not_come_for_its_turn_holds_up_nobody() -> None:
    turns = Turns()
    assert turns.mine(1, NOW)
    assert not turns.mine(2, NOW)
    assert not turns.mine(2, NOW + timedelta(seconds=2))
    assert turns.mine(2, NOW + timedelta(seconds=3))
