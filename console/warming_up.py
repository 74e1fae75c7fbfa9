"""Warm-ups of the workspace's identities: how far, how much today, and a person's word."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlmodel import Session

from campaigns import turn_days
from console.errors import Refused
from console.wiring import Workspace
from deliverability import (
    Schedule,
    allowance,
    progress,
    set_step,
    used_today,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class WarmingUp:
    """One identity's warm-up, as people and scripts read it."""

    identity: str
    schedule: str
    steps: tuple[int, ...]
    started: date
    #: Counted from 1; one more than there are when it is over.
    step: int
    #: Messages today, `per_day` considered; None: no limit.
    allowed: int | None
    used: int
    #: What the last day that is over said.
    why: str
    over: bool

    def document(self) -> dict[str, Any]:
        """The form for scripts."""
        return {
            "identity": self.identity,
            "schedule": self.schedule,
            "steps": list(self.steps),
            "started": self.started.isoformat(),
            "step": self.step,
            "allowed_today": self.allowed,
            "used_today": self.used,
            "why": self.why,
            "over": self.over,
        }


def warm_ups(workspace: Workspace, name: str | None = None) -> list[WarmingUp]:
    """Every identity with a warm-up, or this one, its days judged up to yesterday.

    Raises Refused for an identity that is unknown or has none.
    """
    return workspace.database.write(lambda session: _all(workspace, session, name))


def _all(workspace: Workspace, session: Session, name: str | None) -> list[WarmingUp]:
    settings, now = workspace.settings, workspace.now()
    if name is not None:
        _schedule(workspace, name)
    limits = {each.name: each.limits for each in settings.identities.values()}
    turn_days(session, limits, now=now, zone=settings.time_zone)
    today = now.astimezone(settings.time_zone).date()
    found = []
    for each in settings.identities.values():
        schedule = each.limits.warm_up
        if schedule is None or name not in (None, each.name):
            continue
        at = progress(session, each.name)
        assert at is not None  # noqa: S101 - turning the day begins it
        found.append(
            WarmingUp(
                identity=each.name,
                schedule=schedule.name,
                steps=schedule.steps,
                started=at.started,
                step=at.step + 1,
                allowed=allowance(schedule, at.step, each.limits.per_day),
                used=used_today(session, each.name, today),
                why=at.why,
                over=schedule.over(at.step),
            )
        )
    return found


def move_warm_up(workspace: Workspace, name: str, step: int | None, *, by: str) -> WarmingUp:
    """Sets the step (counted from 1) an identity stands at; None ends its warm-up.

    Raises Refused for an identity without one, or a step it does not have.
    """
    schedule = _schedule(workspace, name)
    most = len(schedule.steps)
    if step is not None and not 1 <= step <= most:
        raise Refused(f"The warm-up {schedule.name} has the steps 1 to {most}, and no {step}")

    def work(session: Session) -> WarmingUp:
        _all(workspace, session, name)
        to = most if step is None else step - 1
        why = f"ended by {by}" if step is None else f"set by {by}"
        set_step(session, name, step=to, why=why, now=workspace.now())
        (found,) = _all(workspace, session, name)
        return found

    return workspace.database.write(work)


def _schedule(workspace: Workspace, name: str) -> Schedule:
    identities = workspace.settings.identities
    if name not in identities:
        known = ", ".join(identities) or "none yet"
        raise Refused(f"There is no identity {name!r} in potok.toml; there is: {known}")
    schedule = identities[name].limits.warm_up
    if schedule is None:
        raise Refused(
            f'{name} has no warm-up: write warm_up = "mailbox" into [identity.{name}.limits]'
        )
    return schedule
