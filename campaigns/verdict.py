"""Which variant is better: one look, at a moment and with a number of leads fixed beforehand.

Looking again and again until a difference shows finds one in every third pair of equal mails.
So the number of leads is planned from the difference worth knowing, each variant is judged by as
many, once, and "not decided" is an answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, comb, sqrt
from statistics import NormalDist
from typing import Literal

#: A difference that is none is called one at most so often.
LEVEL = 0.05
#: A difference as large as planned is found so often.
POWER = 0.8
#: Below so many expected in a field of the table the normal distribution is no good guide.
_FEW = 5

_NORMAL = NormalDist()


@dataclass(frozen=True, kw_only=True, slots=True)
class Arm:
    """One variant: leads that had their time, and how many of them reached the goal."""

    name: str
    leads: int
    reached: int

    @property
    def share(self) -> float:
        return self.reached / self.leads if self.leads else 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """`won` names the winner; `undecided` is final, `early` is not."""

    state: Literal["won", "undecided", "early"]
    winner: str
    #: The largest of the chances that the best one is no better than another, 0 to 1.
    p: float
    #: In words for a marketer.
    why: str


def needed(usual: float, detect: float, variants: int = 2) -> int:
    """Leads each variant needs so that a difference of `detect` is found four times in five.

    Fleiss, Levin, Paik 2003, Statistical Methods for Rates and Proportions, formula 4.14, at
    the level that `judge` uses for so many variants.
    """
    first, second = usual, usual + detect
    middle = (first + second) / 2
    sure = _NORMAL.inv_cdf(1 - _level(variants) / 2) * sqrt(2 * middle * (1 - middle))
    found = _NORMAL.inv_cdf(POWER) * sqrt(first * (1 - first) + second * (1 - second))
    return ceil(((sure + found) / detect) ** 2)


def _level(variants: int) -> float:
    # The best has to beat each of the others: Bonferroni 1936.
    return LEVEL / max(variants - 1, 1)


def judge(arms: Sequence[Arm], plan: int, *, through: bool = False) -> Verdict:
    """The better one of at least two variants, each with `plan` leads; earlier there is none.

    `through` says that there will be no more leads than these: they are judged as they are.
    """
    late = [arm for arm in arms if arm.leads < plan]
    if through and any(arm.leads == 0 for arm in arms):
        return Verdict(state="undecided", winner="", p=1.0, why="a variant reached nobody")
    if late and not through:
        behind = min(late, key=lambda arm: arm.leads)
        why = f"{behind.name} has {behind.leads:,} of the {plan:,} leads planned for each"
        return Verdict(state="early", winner="", p=1.0, why=why)
    best, *others = sorted(arms, key=lambda arm: -arm.share)
    p = max(chance(best, other) for other in others)
    if p < _level(len(arms)):
        nearest = others[0]
        why = (
            f"{best.name} reached {best.share:.1%}, {nearest.name} {nearest.share:.1%}; "
            f"by chance alone so much would differ once in {min(1 / p, 1e6):,.0f} times"
        )
        return Verdict(state="won", winner=best.name, p=p, why=why)
    why = f"the variants differ no more than chance would let equal ones differ (p = {p:.2f})"
    if late:
        least = min(arm.leads for arm in arms)
        why += f"; {least:,} leads instead of the {plan:,} planned for each can hide a difference"
    return Verdict(state="undecided", winner="", p=p, why=why)


def chance(first: Arm, second: Arm) -> float:
    """How often two equal variants would differ at least so much: two-sided, 0 to 1.

    The pooled z test of two proportions; with few Fisher's exact test instead.
    """
    reached, leads = first.reached + second.reached, first.leads + second.leads
    pooled = reached / leads
    if min(first.leads, second.leads) * min(pooled, 1 - pooled) < _FEW:
        return _exact(first, second)
    spread = sqrt(pooled * (1 - pooled) * (1 / first.leads + 1 / second.leads))
    return 2 * _NORMAL.cdf(-abs(first.share - second.share) / spread)


def _exact(first: Arm, second: Arm) -> float:
    """Fisher 1935: the tables no likelier than the one found, sums being what they are."""
    reached, leads = first.reached + second.reached, first.leads + second.leads
    ways = [
        comb(first.leads, hits) * comb(second.leads, reached - hits)
        for hits in range(max(0, reached - second.leads), min(first.leads, reached) + 1)
    ]
    found = comb(first.leads, first.reached) * comb(second.leads, second.reached)
    return sum(way for way in ways if way <= found) / comb(leads, reached)
