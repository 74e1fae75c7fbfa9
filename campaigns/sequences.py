"""Where a lead goes next in a sequence: one pure decision over the steps it started with.

    enrolled -> step -> step -> ... -> done
                  |
                  +-> exited(reason)     answered, left, or a message that did not reach it

A wait counts from the moment the message before it was accepted (at the start: from the moment the
lead entered the stage or the segment), never from the moment somebody looked: a machine that slept
is not late for ever.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from campaigns.sequence_definition import Step
from campaigns.states import SETTLED, State


class EnrolmentState(StrEnum):
    """Where one lead's way through a sequence stands."""

    ACTIVE = "active"
    DONE = "done"
    EXITED = "exited"


@dataclass(frozen=True, kw_only=True, slots=True)
class Newcomer:
    """One lead that enters a sequence now."""

    lead_id: int
    #: The event it entered by; what happens after it can end its way.
    event_id: int
    at: datetime
    #: Its ways through this sequence so far.
    passes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Last:
    """The latest message of an enrolment."""

    step: str
    state: str
    reason: str
    settled_at: datetime | None


@dataclass(frozen=True, slots=True)
class Wait:
    """Stand at this step until then."""

    step: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Send:
    """Write this step's message; it was due at `due_at`, perhaps a while ago."""

    step: str
    template: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Done:
    """The last step is behind the lead."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Exit:
    """It ends before its last step."""

    reason: str


Move = Wait | Send | Done | Exit


def first(steps: Sequence[Step], entered: datetime) -> Wait | Send:
    """What a lead that entered the stage or the segment at `entered` meets first."""
    move = _arrive(steps, 0, entered)
    assert isinstance(move, Wait | Send)  # noqa: S101 - a sequence has a step
    return move


def advance(
    steps: Sequence[Step], step: str, due_at: datetime, last: Last | None, *, now: datetime
) -> Move | None:
    """The next move of a lead that stands at `step`; None while there is nothing to do yet.

    `due_at` is the end of the wait it stands in, or when its message was to be written.
    """
    names = [each.name for each in steps]
    index = names.index(step)
    here = steps[index]
    if here.send is None:
        return None if now < due_at else _arrive(steps, index + 1, due_at)
    if last is None or last.step != step:
        return None if now < due_at else Send(step, here.send, due_at)
    if last.state not in SETTLED:
        return None
    if last.state == State.ACCEPTED:
        return _arrive(steps, index + 1, last.settled_at or due_at)
    return Exit(last.reason or last.state)


def _arrive(steps: Sequence[Step], index: int, at: datetime) -> Wait | Send | Done:
    if index == len(steps):
        return Done(at)
    step = steps[index]
    if step.send is not None:
        return Send(step.name, step.send, at)
    assert step.wait is not None  # noqa: S101 - a step sends or waits
    return Wait(step.name, at + step.wait)
