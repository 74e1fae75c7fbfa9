"""Warm-up: a new sender writes a little more on each day that goes well. Pure.

A day is good when most of its step was used, hardly anything bounced and nobody complained. After
a day on which a breaker stopped the sender it goes back two steps.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType

#: Shares of a good day: so much of the step used, fewer hard bounces than that.
USED = 0.8
BOUNCED = 0.02
#: Steps it goes back after a day on which a breaker tripped.
BACK = 2
#: The name of a schedule that stands in `potok.toml` itself.
OWN = "own"


@dataclass(frozen=True, kw_only=True, slots=True)
class Schedule:
    """Messages a day, step by step."""

    name: str
    steps: tuple[int, ...]
    #: The last step is never left by itself; else only the day cap counts after it.
    holds: bool = True
    title: str = ""
    source: str = ""

    def allowance(self, step: int) -> int | None:
        """Messages a day at this step, counted from 0; None behind the last one: it is over."""
        return self.steps[max(step, 0)] if step < len(self.steps) else None

    def over(self, step: int) -> bool:
        """Whether nothing more is to come: the last step is behind, or held."""
        return step >= len(self.steps) - (1 if self.holds else 0)


@lru_cache(maxsize=1)
def shipped_schedules() -> Mapping[str, Schedule]:
    """The shipped table by name."""
    data = tomllib.loads(files("deliverability").joinpath("warm_up.toml").read_text("utf-8"))
    return MappingProxyType(
        {
            name: Schedule(**row | {"name": name, "steps": tuple(row["steps"])})
            for name, row in data.items()
        }
    )


def own_schedule(steps: tuple[int, ...]) -> Schedule:
    """A schedule from `potok.toml`; its last step holds."""
    return Schedule(name=OWN, steps=steps)


@dataclass(frozen=True, kw_only=True, slots=True)
class DayFacts:
    """One local day of an identity that is over."""

    #: Messages that left.
    used: int
    #: Of those answered that day: how many there were, and how many bounced for good.
    answered: int = 0
    bounced: int = 0
    #: Complaints that came that day.
    complaints: int = 0
    #: How often a breaker stopped it, or a campaign it writes.
    trips: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """The step of the next day, and why."""

    step: int
    why: str


def next_step(schedule: Schedule, step: int, day: DayFacts) -> Decision:
    """What follows from a day that is over: one step on, none, or two back."""
    allowance = schedule.allowance(step)
    if allowance is None:
        return Decision(step=step, why="the warm-up is over")
    if day.trips:
        back = max(0, step - BACK)
        return Decision(step=back, why="sending was stopped that day: two steps back")
    if day.complaints:
        said = "complaint" if day.complaints == 1 else "complaints"
        return Decision(step=step, why=f"{day.complaints} {said} came that day")
    if day.used < USED * allowance:
        return Decision(
            step=step, why=f"{day.used:,} of {allowance:,} were used; a good day uses {USED:.0%}"
        )
    if day.bounced and day.bounced >= BOUNCED * day.answered:
        return Decision(
            step=step,
            why=f"{day.bounced:,} of {day.answered:,} bounced; a good day has below {BOUNCED:.0%}",
        )
    if schedule.holds and step >= len(schedule.steps) - 1:
        return Decision(step=len(schedule.steps) - 1, why="the last step: it holds")
    return Decision(step=step + 1, why="a good day: one step on")
