"""The smallest change that puts a lead in, or out: the fewest single conditions to turn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from datetime import tzinfo as Zone  # noqa: N812
from itertools import combinations

from segments.facts import Facts
from segments.judge import Judge
from segments.leaves import below, leaves
from segments.tree import AllOf, AnyOf, Condition, InSegment, Not, Rule
from segments.ways import Way, way

#: Sets of conditions that are tried where one condition stands in a rule more than once.
_TRIES = 20_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One single condition to turn, and how."""

    condition: Condition
    #: What it becomes.
    holds: bool
    way: Way


#: (how many, how much effort, which)
_Price = tuple[int, int, tuple[Condition, ...]]


def remedy(rule: Rule, facts: Facts, *, now: datetime, zone: Zone) -> tuple[Step, ...] | None:
    """The fewest steps that turn the rule for the lead; of as few, the easiest. None: no way.

    Each single condition is turned by itself, whatever turning it means for the others.
    """
    judge = Judge(rule=rule, facts=facts, now=now, zone=zone)
    every = list(leaves(rule))
    present = {leaf: judge.holds(leaf) for leaf in dict.fromkeys(every)}
    steps = {
        leaf: Step(condition=leaf, holds=not holds, way=found)
        for leaf, holds in present.items()
        if (found := way(leaf, not holds, rule, facts, now=now, zone=zone)) is not None
    }
    efforts = {leaf: step.way.effort for leaf, step in steps.items()}
    chosen = fewest(rule.condition, rule.segments, present, efforts)
    return None if chosen is None else tuple(steps[leaf] for leaf in chosen)


def fewest(
    condition: Condition,
    segments: Mapping[str, Condition],
    present: Mapping[Condition, bool],
    efforts: Mapping[Condition, int],
) -> tuple[Condition, ...] | None:
    """Which single conditions to turn, so that the whole one turns; None when no set does.

    `present` says what each is now, `efforts` what turning it costs; one without cannot be turned.
    """
    wanted = not worth(condition, segments, present)
    best = _Prices(segments, present, efforts).of(condition, wanted)
    if not _shared(condition, segments):
        return None if best is None else best[2]
    # A condition that stands in several places turns in all of them at once, for better or worse:
    # the sum over the places says little then, and sets are tried from the smallest on.

    def turns(chosen: Sequence[Condition]) -> bool:
        turned = {**present, **{leaf: not present[leaf] for leaf in chosen}}
        return worth(condition, segments, turned) == wanted

    tries = 0
    for size in range(1, len(efforts) + 1):
        right = []
        for place, chosen in enumerate(combinations(efforts, size)):
            tries += 1
            if tries > _TRIES:
                break
            if turns(chosen):
                right.append((sum(efforts[leaf] for leaf in chosen), place, chosen))
        if right:
            return min(right)[2]
    if best is None:
        return None
    chosen = tuple(dict.fromkeys(best[2]))
    return chosen if turns(chosen) else None


def _shared(condition: Condition, segments: Mapping[str, Condition]) -> bool:
    """Whether a single condition, or a segment, stands in more than one place."""
    waiting, seen = [condition], set[Condition]()
    while waiting:
        here = waiting.pop()
        parts = below(here, segments)
        if not parts or isinstance(here, InSegment):
            if here in seen:
                return True
            seen.add(here)
        waiting.extend(parts)
    return False


def worth(
    condition: Condition, segments: Mapping[str, Condition], leaf: Mapping[Condition, bool]
) -> bool:
    """Whether the condition holds when its single ones are what `leaf` says."""
    known: dict[str, bool] = {}

    def holds(here: Condition) -> bool:
        match here:
            case AllOf(conditions=conditions):
                return all(map(holds, conditions))
            case AnyOf(conditions=conditions):
                return any(map(holds, conditions))
            case Not(condition=inner):
                return not holds(inner)
            case InSegment(name=name):
                if name not in known:
                    known[name] = holds(below(here, segments)[0])
                return known[name]
            case _:
                return leaf[here]

    return holds(condition)


class _Prices:
    """The least it takes to make a condition true, or false, place by place."""

    def __init__(
        self,
        segments: Mapping[str, Condition],
        present: Mapping[Condition, bool],
        efforts: Mapping[Condition, int],
    ) -> None:
        self.segments, self.present, self.efforts = segments, present, efforts
        self._known: dict[tuple[str, bool], _Price | None] = {}

    def of(self, here: Condition, wanted: bool) -> _Price | None:
        match here:
            case Not(condition=inner):
                return self.of(inner, not wanted)
            case AllOf(conditions=parts):
                return self._all(parts, True) if wanted else self._one(parts, False)
            case AnyOf(conditions=parts):
                return self._one(parts, True) if wanted else self._all(parts, False)
            case InSegment(name=name):
                if (name, wanted) not in self._known:
                    self._known[name, wanted] = self.of(below(here, self.segments)[0], wanted)
                return self._known[name, wanted]
            case _ if self.present[here] == wanted:
                return 0, 0, ()
            case _ if here in self.efforts:
                return 1, self.efforts[here], (here,)
            case _:
                return None

    def _all(self, parts: Sequence[Condition], wanted: bool) -> _Price | None:
        many, effort, chosen = 0, 0, list[Condition]()
        for part in parts:
            price = self.of(part, wanted)
            if price is None:
                return None
            many, effort = many + price[0], effort + price[1]
            chosen += price[2]
        return many, effort, tuple(chosen)

    def _one(self, parts: Sequence[Condition], wanted: bool) -> _Price | None:
        prices = [price for part in parts if (price := self.of(part, wanted)) is not None]
        return min(prices, key=lambda price: price[:2], default=None)
