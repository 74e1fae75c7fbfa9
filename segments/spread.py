"""How numbers lie: lowest, middle, highest, and a few ranges with as many in each as can be."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Select, cast, func, select
from sqlmodel import Session

#: Numbers are counted in about so many ranges.
RANGES = 5
#: An edge may lie so many hundredths of all numbers away from where equal shares would put it.
LEEWAY = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Range:
    """Numbers from `lowest` up to `highest`, both included, and how many there are."""

    lowest: float
    highest: float
    count: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Spread:
    """How numbers lie."""

    lowest: float
    #: As many are below as above; of two in the middle, the lower one.
    median: float
    highest: float
    ranges: tuple[Range, ...]


class Slice(NamedTuple):
    """The numbers that begin within one hundredth of all, in their order."""

    part: int
    lowest: float
    highest: float
    times: int


def spread(session: Session, numbers: Select[Any]) -> Spread:
    """The spread of rows of `number` and `times`; there must be one at least.

    One query; at most a hundred rows of it come here.
    """
    spelt = numbers.subquery()
    # 5 and 5.0 are one number.
    each = (
        select(spelt.c.number, func.sum(spelt.c.times).label("times"))
        .group_by(spelt.c.number)
        .subquery()
    )
    total = func.sum(each.c.times).over()
    upto = func.sum(each.c.times).over(order_by=each.c.number)
    part = cast((upto - each.c.times) * 100, BigInteger()) // cast(total, BigInteger())
    laid = select(each.c.number, each.c.times, part.label("part")).subquery()
    rows = session.execute(
        select(
            laid.c.part, func.min(laid.c.number), func.max(laid.c.number), func.sum(laid.c.times)
        )
        .group_by(laid.c.part)
        .order_by(laid.c.part)
    )
    return laid_out([Slice(int(p), float(low), float(high), int(n)) for p, low, high, n in rows])


def sliced(numbers: Iterable[tuple[float, int]]) -> list[Slice]:
    """The slices of (number, how often): what the query of `spread` gives."""
    counted: dict[float, int] = defaultdict(int)
    for number, times in numbers:
        counted[number] += times
    total, below = sum(counted.values()), 0
    found: list[Slice] = []
    for number, times in sorted(counted.items()):
        part = below * 100 // total
        if found and found[-1].part == part:
            found[-1] = found[-1]._replace(highest=number, times=found[-1].times + times)
        else:
            found.append(Slice(part, number, number, times))
        below += times
    return found


def laid_out(slices: Sequence[Slice]) -> Spread:
    """The spread of numbers that were cut into slices."""
    starts = [0]
    for number in range(1, RANGES):
        ideal = 100 * number // RANGES
        near = [
            place
            for place, each in enumerate(slices)
            if abs(each.part - ideal) <= LEEWAY and place > starts[-1]
        ]
        if near:
            starts.append(min(near, key=lambda place: _awkward(slices[place], ideal)))
    groups = [slices[a:b] for a, b in zip(starts, [*starts[1:], len(slices)], strict=True)]
    return Spread(
        lowest=slices[0].lowest,
        # What begins before the middle and is the last to do so reaches it.
        median=[each for each in slices if each.part < 50][-1].highest,
        highest=slices[-1].highest,
        ranges=tuple(
            Range(
                lowest=group[0].lowest,
                highest=group[-1].highest,
                count=sum(each.times for each in group),
            )
            for group in groups
        ),
    )


def _awkward(each: Slice, ideal: int) -> tuple[int, int]:
    """People prefer an edge of few digits, then one that cuts equal shares."""
    digits = f"{each.lowest:.15g}".strip("-0").replace(".", "").strip("0")
    return len(digits), abs(each.part - ideal)
