"""Who followed a tracked link: a person, or a machine that looks at links before people do. Pure.

Security scanners open every link of a mail, many of them as an ordinary browser from an ordinary
address. What gives them away is their name, their haste and that they open several links at once;
`click_judge.toml` has the figures and where each is known from.

A template may hold a trap, a link people do not see: who follows it is a machine, and so is what
followed other links of the message in the same moment.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from importlib.resources import files
from typing import Any

#: Characters of a User-Agent that are looked at.
LONGEST_AGENT = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class Visit:
    """One request for a tracked link."""

    at: datetime
    #: Where it leads: two links to one page are one.
    target: str
    method: str = "GET"
    agent: str = ""
    #: Header fields by lower-case name, as far as `click_headers()` names them.
    headers: Mapping[str, str]
    #: The link is one that people do not see.
    trap: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class EarlierVisit:
    """A visit to a link of the same message that was written down."""

    number: int
    at: datetime
    target: str
    #: Why it was taken for a machine's; empty when it was taken for a person's.
    machine: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """What is to be thought of a visit, and of earlier ones in its light."""

    #: `head`, `ahead`, `agent`, `soon`, `sweep` or `trap`; empty for a person.
    machine: str
    #: It is an earlier visit over again and nothing new.
    again: bool = False
    #: Numbers of earlier visits that are now known to be a machine's.
    turned: tuple[int, ...] = ()


def click_headers() -> tuple[str, ...]:
    """The header fields a judgement depends on, lower case."""
    return tuple(row["header"] for row in _table()["ahead"])


def judge_click(
    visit: Visit, earlier: Sequence[EarlierVisit], *, accepted_at: datetime | None
) -> Judgement:
    """Who that was. `earlier` are visits to links of the same message, in any order.

    `accepted_at` is when the receiving server took the mail; None when it has not yet.
    """
    alone = by_looks(visit) or by_haste(visit, accepted_at)
    swept: tuple[int, ...] = ()
    machine = alone
    if alone in ("", "soon"):
        # A scanner that says its name proves nothing about what a browser did at the same moment.
        nameless = [each for each in earlier if each.machine not in _BY_LOOKS]
        trapped = _trapped(visit, nameless)
        swept = (*_swept(visit, nameless), *trapped)
        caught = "trap" if visit.trap or trapped else "sweep" if swept else ""
        machine = "trap" if visit.trap else alone or caught
    turned = tuple(
        each.number for each in earlier if each.number in set(swept) and not each.machine
    )
    return Judgement(machine=machine, again=_again(visit, earlier, machine), turned=turned)


_BY_LOOKS = ("head", "ahead", "agent")


def by_looks(visit: Visit) -> str:
    """Why the request itself is a machine's; empty when it looks like a person's."""
    if visit.method == "HEAD":
        return "head"
    if any(
        (said := visit.headers.get(name)) and pattern.search(said[:LONGEST_AGENT])
        for name, pattern in _ahead()
    ):
        return "ahead"
    # RFC 9110 10.1.5: every program that acts for a person says what it is.
    if not visit.agent.strip() or _agents().search(visit.agent[:LONGEST_AGENT]):
        return "agent"
    return ""


def by_haste(visit: Visit, accepted_at: datetime | None) -> str:
    """`soon` when nobody reads that fast; else empty."""
    soon = timedelta(seconds=_table()["soon"]["seconds"])
    return "soon" if accepted_at is None or visit.at < accepted_at + soon else ""


def _swept(visit: Visit, earlier: Sequence[EarlierVisit]) -> tuple[int, ...]:
    """The earlier visits that were one sweep with this one; none when there was no sweep."""
    found: dict[int, None] = {}
    for rule in _table()["sweep"]:
        reach = timedelta(seconds=rule["seconds"])
        near = [each for each in earlier if abs(visit.at - each.at) <= reach]
        if len({visit.target, *(each.target for each in near)}) >= rule["links"]:
            found.update((each.number, None) for each in near)
    return tuple(found)


def _trapped(visit: Visit, earlier: Sequence[EarlierVisit]) -> tuple[int, ...]:
    """The visits of the moment in which the trap was followed, now or before; none when not."""
    reach = timedelta(seconds=_table()["trap"]["seconds"])
    near = [each for each in earlier if abs(visit.at - each.at) <= reach]
    if visit.trap:
        return tuple(each.number for each in near)
    return tuple(each.number for each in near if each.machine == "trap")


def _again(visit: Visit, earlier: Sequence[EarlierVisit], machine: str) -> bool:
    """A person's visit is not over again because a machine was there before."""
    reach = timedelta(seconds=_table()["again"]["seconds"])
    return any(
        each.target == visit.target
        and abs(visit.at - each.at) <= reach
        and (machine != "" or each.machine == "")
        for each in earlier
    )


@lru_cache(maxsize=1)
def _table() -> dict[str, Any]:
    return tomllib.loads(files("deliverability").joinpath("click_judge.toml").read_text("utf-8"))


@lru_cache(maxsize=1)
def _agents() -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{row['matches']})" for row in _table()["agent"]), re.IGNORECASE)


@lru_cache(maxsize=1)
def _ahead() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple(
        (row["header"], re.compile(row["matches"], re.IGNORECASE)) for row in _table()["ahead"]
    )


@lru_cache(maxsize=1)
def click_memory() -> timedelta:
    """How far back earlier visits matter."""
    table = _table()
    return timedelta(
        seconds=max(table["again"]["seconds"], *(rule["seconds"] for rule in table["sweep"]))
    )
