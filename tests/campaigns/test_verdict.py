"""The better variant: found when it is planned to be found, seldom where there is none."""

from math import comb
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.verdict import LEVEL, Arm, chance, judge, needed


def _arm(name: str, reached: int, leads: int) -> Arm:
    return Arm(name=name, leads=leads, reached=reached)


def test_the_planned_number_is_the_usual_one() -> None:
    # R's power.prop.test(p1 = .05, p2 = .10, power = .8) says 434.4.
    assert needed(0.05, 0.05) == 435
    assert needed(0.05, 0.05, variants=3) > needed(0.05, 0.05)


def test_two_shares_are_compared_by_their_pooled_spread() -> None:
    # 0.15 against 0.30, pooled 0.225: 0.15 / sqrt(0.225 * 0.775 * 0.02) = 2.540 standard errors.
    assert round(chance(_arm("a", 15, 100), _arm("b", 30, 100)), 4) == 0.0111


def test_few_are_judged_exactly() -> None:
    # Fisher's tea: 3 of 4 against 1 of 4 has p = 34/70.
    assert chance(_arm("a", 3, 4), _arm("b", 1, 4)) == pytest.approx(34 / 70)


# With ten and more on both sides it is the z test.
@given(st.integers(1, 9), st.integers(1, 12), st.data())
def test_the_exact_test_adds_up(first: int, second: int, data: st.DataObject) -> None:
    a, b = data.draw(st.integers(0, first)), data.draw(st.integers(0, second))
    p = chance(_arm("a", a, first), _arm("b", b, second))
    assert 0 < p <= 1 + 1e-9
    assert p == pytest.approx(chance(_arm("b", b, second), _arm("a", a, first)))
    one = comb(first, a) * comb(second, b) / comb(first + second, a + b)
    assert p >= one - 1e-9


def test_nothing_is_said_before_every_variant_has_its_leads() -> None:
    verdict = judge([_arm("short", 90, 100), _arm("long", 0, 99)], 100)
    assert (verdict.state, verdict.winner) == ("early", "")
    assert verdict.why == "long has 99 of the 100 leads planned for each"


def test_equal_variants_are_not_decided() -> None:
    verdict = judge([_arm("short", 10, 200), _arm("long", 12, 200)], 200)
    assert verdict.state == "undecided"
    assert judge([_arm("a", 0, 200), _arm("b", 0, 200)], 200).state == "undecided"


def _wins(shares: list[float], plan: int, rounds: int, seed: int) -> list[str]:
    random, found = Random(seed), []
    for _ in range(rounds):
        arms = [
            _arm(f"v{n}", random.binomialvariate(plan, share), plan)
            if hasattr(random, "binomialvariate")
            else _arm(f"v{n}", sum(random.random() < share for _ in range(plan)), plan)
            for n, share in enumerate(shares)
        ]
        found.append(judge(arms, plan).winner)
    return found


@pytest.mark.parametrize("variants", [2, 3, 4])
def test_a_winner_where_there_is_none_is_rare(variants: int) -> None:
    wins = _wins([0.2] * variants, 200, 1500, seed=variants)
    called = sum(bool(winner) for winner in wins) / len(wins)
    # Three standard errors above the level.
    assert called <= LEVEL + 3 * (LEVEL * (1 - LEVEL) / len(wins)) ** 0.5


def test_the_planned_difference_is_found_four_times_in_five() -> None:
    plan = needed(0.2, 0.1)
    wins = _wins([0.2, 0.3], plan, 800, seed=7)
    assert wins.count("v1") / len(wins) >= 0.75
    assert wins.count("v0") == 0
