"""Variants: several templates in one campaign, each for its share of the leads.

    template = "welcome"          # the first variant
    [[variant]]
    template = "welcome-short"
    share = 0.5                   # left out: what is left, in equal parts

    [goal]                        # what would make one of them the better one
    what = "replied"              # or a stage: "demo"
    usual = 0.05                  # how many reach the goal as a rule
    detect = 0.03                 # the smallest difference worth knowing
    after = "3 days"              # how long a lead has time for it

Who gets which is drawn by the campaign's name, so the same lead gets the same variant each time.
"""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from campaigns.errors import DefinitionError
from campaigns.when import span

#: More would need more leads than anybody has.
MOST_VARIANTS = 6
#: Places a share is counted in: hundredths of a percent.
PLACES = 10_000
#: What is taken where the file says nothing: shares of leads.
USUAL, DETECT = 0.05, 0.03
_GOAL_KEYS = ("what", "usual", "detect", "after")


@dataclass(frozen=True, kw_only=True, slots=True)
class Variant:
    """One template and the share of the leads that get it."""

    template: str
    #: Hundredths of a percent; those of all variants are 10,000 together.
    places: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Goal:
    """What is compared, fixed before anything is sent."""

    #: `replied`, or the name of a stage.
    what: str = "replied"
    #: Share of the leads that reach it as a rule.
    usual: float = USUAL
    #: Difference of shares that should not be missed.
    detect: float = DETECT
    #: How long after its mail a lead has time for it.
    after: timedelta = timedelta(days=3)

    def body(self) -> dict[str, Any]:
        return {
            "what": self.what,
            "usual": self.usual,
            "detect": self.detect,
            "after": int(self.after.total_seconds()),
        }

    @staticmethod
    def of_body(body: Mapping[str, Any]) -> "Goal":
        return Goal(**{**body, "after": timedelta(seconds=body["after"])})


def label(campaign: str) -> str:
    """What the draw of a campaign's variants is called."""
    return f"variants/{campaign}"


def read_variants(data: Mapping[str, Any], first: str, where: str) -> tuple[Variant, ...]:
    """All variants, that of `template` first; empty when the file names no other.

    Raises DefinitionError.
    """
    tables = data.get("variant", [])
    if not isinstance(tables, list) or not all(isinstance(each, Mapping) for each in tables):
        raise DefinitionError(f'{where}: write [[variant]] and under it template = "NAME"')
    if not tables:
        return ()
    if len(tables) >= MOST_VARIANTS:
        raise DefinitionError(f"{where}: {MOST_VARIANTS} variants are the most, the first included")
    names: list[str] = [first]
    shares: list[int | None] = [None]
    for table in tables:
        for key in table:
            if key not in ("template", "share"):
                raise DefinitionError(f"{where}: [[variant]] knows template and share, not {key!r}")
        name = table.get("template")
        if not isinstance(name, str) or not name.strip():
            raise DefinitionError(f'{where}: a [[variant]] lacks template = "NAME"')
        if name in names:
            raise DefinitionError(f"{where}: the template {name!r} is in two variants")
        names.append(name.strip())
        shares.append(_part(table["share"], where) if "share" in table else None)
    return tuple(
        Variant(template=name, places=places)
        for name, places in zip(names, _divided(shares, where), strict=True)
    )


def _part(value: Any, where: str) -> int:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0 < value < 1:
        raise DefinitionError(f"{where}: share = {value!r} is no share; write share = 0.25")
    places: int = round(value * PLACES)
    return places


def _divided(shares: Sequence[int | None], where: str) -> list[int]:
    """What was left open gets what is left, in equal parts; the first takes the remainder."""
    left, among = PLACES - sum(filter(None, shares)), shares.count(None)
    if left < among:  # the first one's is always open
        raise DefinitionError(f"{where}: the shares of the variants leave nothing for the first")
    each = left // among
    divided = [each if share is None else share for share in shares]
    divided[0] += PLACES - sum(divided)
    return divided


def read_goal(data: Mapping[str, Any], where: str) -> Goal:
    """The table [goal]. Raises DefinitionError."""
    table = data.get("goal", {})
    if not isinstance(table, Mapping):
        raise DefinitionError(f"{where}: goal is a table: [goal] with {', '.join(_GOAL_KEYS)}")
    for key in table:
        if key not in _GOAL_KEYS:
            near = difflib.get_close_matches(key, _GOAL_KEYS, n=1)
            hint = (
                f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(_GOAL_KEYS)}"
            )
            raise DefinitionError(f"{where}: unknown key {key!r} in [goal]{hint}")
    what = table.get("what", "replied")
    if not isinstance(what, str) or not what.strip():
        raise DefinitionError(f'{where}: what = {what!r} is no goal; write what = "replied"')
    usual, detect = (_proportion(table.get(key, d), key, where) for key, d in _USUAL)
    if usual + detect >= 1:
        raise DefinitionError(f"{where}: usual and detect are shares, together below 1")
    return Goal(
        what=what.strip(),
        usual=usual,
        detect=detect,
        after=span(table.get("after", "3 days"), where, "after"),
    )


_USUAL = (("usual", USUAL), ("detect", DETECT))


def _proportion(value: Any, key: str, where: str) -> float:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0.001 <= value <= 0.999:
        raise DefinitionError(f"{where}: {key} = {value!r} is no share; write {key} = 0.05")
    return float(value)
