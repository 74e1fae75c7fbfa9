"""Lanes for people: how they stand, and what holds one, a lead's mail or a campaign back."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlmodel import Session

from campaigns import (
    Hold,
    LaneLimits,
    Standing,
    Waiting,
    closer,
    company_hold,
    holds_of,
    latest_run,
    rates_by_hour,
    reserved,
    standings,
    state_of,
    waiting_of,
)
from console.errors import Refused
from console.lane_limits import lane_limits
from console.pacing import provider_named
from console.sending import at_work
from console.wiring import Workspace
from deliverability import OTHER, LaneMove
from leads import address_key, find_lead, parse_address

#: Moves shown with one lane.
MOVES_SHOWN = 20
#: Parts of the last day in a lane's little chart.
BINS = 24


@dataclass(frozen=True, kw_only=True, slots=True)
class LaneView:
    """A lane with all that is said about it. Rates are per minute."""

    standing: Standing
    state: str
    per_minute: float
    ceiling: float | None
    at_most: float
    #: Its rate over the last 24 hours.
    day: tuple[float, ...]
    holds: tuple[Hold, ...] = ()
    moves: tuple[LaneMove, ...] = ()

    def document(self) -> dict[str, Any]:
        """The JSON that scripts may rely on."""
        lane = self.standing
        return {
            "lane": lane.name,
            "state": self.state,
            "per_minute": self.per_minute,
            "learnt": lane.pace.rate is not None,
            "ceiling_per_minute": self.ceiling,
            "at_most_per_minute": self.at_most,
            "paused_until": lane.pace.paused_until,
            "reason": lane.pace.reason,
            "waiting": lane.waiting,
            "next_due": lane.due,
            "sending": lane.sending,
            "accepted_today": lane.accepted_today,
            "last_day_per_minute": list(self.day),
        }

    def story(self) -> dict[str, Any]:
        """The same with what holds it back and what moved it."""
        return {
            **self.document(),
            "holds": [hold.document() for hold in self.holds],
            "moves": [
                {
                    "at": move.at,
                    "before_per_minute": round(move.rate_before * 60, 3),
                    "after_per_minute": round(move.rate_after * 60, 3),
                    "cause": move.cause,
                    "words": move.words,
                }
                for move in self.moves
            ],
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Explained:
    """What was asked about and all that holds it back."""

    #: lane | lead | campaign.
    about: str
    name: str
    lanes: tuple[LaneView, ...] = ()
    messages: tuple[Waiting, ...] = ()
    holds: tuple[Hold, ...] = ()

    def document(self) -> dict[str, Any]:
        """The JSON that scripts may rely on."""
        return {
            "about": self.about,
            "name": self.name,
            "holds": [hold.document() for hold in self.holds],
            "lanes": [lane.story() for lane in self.lanes],
            "messages": [
                {
                    "message": each.message_id,
                    "campaign": each.campaign,
                    "lane": each.lane,
                    "state": each.state,
                    "reason": each.reason,
                    "due_at": each.due_at,
                    "holds": [hold.document() for hold in each.holds],
                }
                for each in self.messages
            ],
        }


def lanes_now(workspace: Workspace, *, everything: bool = False) -> list[LaneView]:
    """Every lane that has or had something to do today, or all of them."""
    now, zone, sender = workspace.now(), workspace.settings.time_zone, at_work(workspace)

    def work(session: Session) -> list[LaneView]:
        return [
            _view(lane, lane_limits(workspace, session, lane, sender, now), now)
            for lane in standings(session, now=now, zone=zone)
            if everything or not lane.quiet
        ]

    return workspace.database.read(work)


def explain(workspace: Workspace, name: str) -> Explained:
    """What holds `name` back: a lane (anna/google), an address, a campaign or an identity.

    Raises Refused when there is nothing of that name, leads.AddressError.
    """
    if "@" in name:
        return workspace.database.read(lambda session: _lead(workspace, session, name))
    return workspace.database.read(lambda session: _lane_or_campaign(workspace, session, name))


def _lane_or_campaign(workspace: Workspace, session: Session, name: str) -> Explained:
    now, zone = workspace.now(), workspace.settings.time_zone
    identity, slash, provider = name.partition("/")
    if slash:
        known = provider_named(provider, workspace.settings.provider_table)
        lanes = standings(session, now=now, zone=zone, identity=identity, provider=known)
        if not lanes:
            raise Refused(
                f"There is no lane {name}: potok deliverability lanes --all lists them; a lane is "
                "written identity/provider"
            )
        return Explained(about="lane", name=lanes[0].name, lanes=_told(workspace, session, lanes))
    run = latest_run(session, name)
    if run is None and name in workspace.settings.identities:
        lanes = standings(session, now=now, zone=zone, identity=name)
        busy = [lane for lane in lanes if not lane.quiet]
        return Explained(about="lane", name=name, lanes=_told(workspace, session, busy))
    if run is None:
        raise Refused(
            f"{name} is no lane (anna/google), no address, no identity, and no campaign of that "
            "name was started: potok deliverability lanes shows the lanes"
        )
    holds = []
    if run.state not in ("running", "finished"):
        why = f": {run.reason}" if run.reason else ""
        do = f"potok campaigns resume {name}" if run.state == "paused" else ""
        holds.append(Hold(kind="run", what=f"{name} is {run.state}{why}", do=do))
    if run.released_to is not None:
        holds.append(
            Hold(
                kind="run",
                what="only its first messages may leave until somebody has looked",
                do=f"potok campaigns resume {name}",
            )
        )
    back = reserved(session, run.id or 0)
    if back:
        holds.append(
            Hold(
                kind="run",
                what=f"{back:,} leads are kept back until the better variant is known",
                do=f"potok campaigns results {name}",
            )
        )
    lanes = standings(session, now=now, zone=zone, run_id=run.id)
    return Explained(
        about="campaign",
        name=name,
        holds=tuple(holds),
        lanes=_told(workspace, session, lanes, moves=3),
    )


def _lead(workspace: Workspace, session: Session, email: str) -> Explained:
    now, settings = workspace.now(), workspace.settings
    lead = find_lead(session, address_key(parse_address(email), workspace.keys.address))
    if lead is None:
        raise Refused(f"There is no lead {email}: potok leads list shows who is there")
    messages = waiting_of(
        session, lead, now=now, zone=settings.time_zone, cap=settings.delivery.frequency
    )
    lanes = standings(session, now=now, zone=settings.time_zone)
    names = {each.lane for each in messages if each.state in ("planned", "sending")}
    its = [lane for lane in lanes if lane.name in names]
    holds: tuple[Hold, ...] = ()
    if any(each.state == "planned" and each.lane.endswith(f"/{OTHER}") for each in messages):
        full = company_hold(session, lead, settings.delivery.domain_per_hour, now=now)
        holds = (full,) if full is not None else ()
    if not messages:
        holds = (
            Hold(
                kind="message",
                what=f"no campaign has a message for {lead.email}",
                do=f"potok segments why NAME {lead.email}",
            ),
        )
    return Explained(
        about="lead",
        name=lead.email,
        messages=tuple(messages),
        holds=holds,
        lanes=_told(workspace, session, its, moves=3),
    )


def _told(
    workspace: Workspace, session: Session, lanes: Sequence[Standing], *, moves: int = MOVES_SHOWN
) -> tuple[LaneView, ...]:
    now, zone, sender = workspace.now(), workspace.settings.time_zone, at_work(workspace)
    told = []
    for lane in lanes:
        full = closer(session, lane, moves=moves)
        limits = lane_limits(workspace, session, full, sender, now)
        view = _view(full, limits, now)
        told.append(
            replace(
                view,
                holds=tuple(holds_of(full, limits, now=now, zone=zone)),
                moves=full.newest,
            )
        )
    return tuple(told)


def _view(lane: Standing, limits: LaneLimits, now: datetime) -> LaneView:
    pace = limits.pace
    learnt = lane.pace.learnt if lane.pace.taught else None
    rate = min(learnt.rate, pace.highest) if learnt else pace.start
    day = rates_by_hour(lane, pace.start, now=now, bins=BINS)
    return LaneView(
        standing=lane,
        state=state_of(lane, limits, now=now),
        per_minute=round(rate * 60, 3),
        ceiling=round(learnt.ceiling * 60, 3) if learnt and learnt.ceiling else None,
        at_most=round(pace.highest * 60, 3),
        day=tuple(round(rate * 60, 3) for rate in day),
    )
