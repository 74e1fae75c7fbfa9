"""What came of each variant, and whether one of them is the better one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, select
from sqlmodel import Session, col

from campaigns.definition import of_body
from campaigns.states import State
from campaigns.tables import Campaign, Message, Run
from campaigns.variants import Goal
from campaigns.verdict import Arm, Verdict, judge, needed
from leads import Event
from templates import TemplateVersion


@dataclass(frozen=True, kw_only=True, slots=True)
class VariantResult:
    """One template of a run in numbers."""

    template: str
    accepted: int
    #: Events that happened to its messages: messages by kind.
    events: Mapping[str, int]
    #: Leads that count for the verdict, and those of them who reached the goal.
    judged: Arm


@dataclass(frozen=True, kw_only=True, slots=True)
class VariantResults:
    """All variants of a run, the first one first."""

    variants: tuple[VariantResult, ...]
    goal: Goal
    #: Leads each variant is judged by.
    planned: int
    verdict: Verdict

    def document(self) -> dict[str, Any]:
        """The JSON that scripts may rely on."""
        return {
            "goal": self.goal.what,
            "planned_for_each": self.planned,
            "verdict": self.verdict.state,
            "winner": self.verdict.winner or None,
            "p": round(self.verdict.p, 6),
            "why": self.verdict.why,
            "variants": [
                {
                    "template": each.template,
                    "accepted": each.accepted,
                    "events": dict(each.events),
                    "judged": each.judged.leads,
                    "reached": each.judged.reached,
                }
                for each in self.variants
            ],
        }


def variant_results(session: Session, run: Run, *, now: datetime) -> VariantResults | None:
    """The variants of a run beside one another; None when all got the same template.

    The verdict looks at the first leads of each variant whose mail was accepted, as many as were
    planned, and at nothing that came after the last of them had its time: whenever it is asked
    for, it says the same.
    """
    versions = [version for version, _ in run.terms.get("variants", ())]
    if not versions:
        return None
    named = dict(
        session.execute(
            select(col(TemplateVersion.id), col(TemplateVersion.name)).where(
                col(TemplateVersion.id).in_(versions)
            )
        ).all()
    )
    goal = _goal(session, run)
    plan = needed(goal.usual, goal.detect, len(versions))
    until = _until(session, run, versions, plan, goal)
    # Before that moment they are only counted.
    look = until if until is not None and until <= now else None
    results = []
    for version in versions:
        accepted, events = _counted(session, run, version)
        reached = _reached(session, run, version, plan, goal, look or now)
        leads = plan if look else min(_ripe(session, run, version, goal, now), plan)
        arm = Arm(name=named[version], leads=leads, reached=reached)
        results.append(
            VariantResult(template=arm.name, accepted=accepted, events=events, judged=arm)
        )
    arms = [each.judged for each in results]
    verdict = judge(arms, plan)
    if until is not None and look is None:
        why = f"the last of the {plan:,} leads of each have time until {until:%Y-%m-%d %H:%M} UTC"
        verdict = replace(verdict, why=why)
    return VariantResults(variants=tuple(results), goal=goal, planned=plan, verdict=verdict)


def _goal(session: Session, run: Run) -> Goal:
    """The goal of the version the run started with."""
    campaign = session.get_one(Campaign, run.campaign_id)
    return of_body(run.campaign, campaign.body or {}).goal


def _mine(run: Run, version: int) -> list[Any]:
    return [
        col(Message.run_id) == run.id,
        col(Message.template_version_id) == version,
        col(Message.state) == State.ACCEPTED,
    ]


def _until(
    session: Session, run: Run, versions: Sequence[int], plan: int, goal: Goal
) -> datetime | None:
    """When the last of the leads the variants are judged by has had its time; None: too few."""
    last = []
    for version in versions:
        nth = session.scalar(
            select(col(Message.settled_at))
            .where(*_mine(run, version))
            .order_by(col(Message.settled_at), col(Message.id))
            .offset(plan - 1)
            .limit(1)
        )
        if nth is None:
            return None
        last.append(nth)
    return max(last) + goal.after


def _ripe(session: Session, run: Run, version: int, goal: Goal, now: datetime) -> int:
    """Leads of a variant that have had their time."""
    counted = select(func.count()).where(
        *_mine(run, version), col(Message.settled_at) <= now - goal.after
    )
    return session.scalar(counted) or 0


def _reached(
    session: Session, run: Run, version: int, plan: int, goal: Goal, until: datetime
) -> int:
    judged = (
        select(
            col(Message.id).label("id"),
            col(Message.lead_id).label("lead_id"),
            col(Message.settled_at).label("at"),
        )
        .where(*_mine(run, version))
        .order_by(col(Message.settled_at), col(Message.id))
        .limit(plan)
        .subquery()
    )
    if goal.what == "replied":
        came = [col(Event.message_id) == judged.c.id, col(Event.kind) == "replied"]
    else:
        came = [
            col(Event.lead_id) == judged.c.lead_id,
            col(Event.kind) == "stage",
            col(Event.data)["to"].as_string() == goal.what,
            col(Event.at) >= judged.c.at,
        ]
    found = select(func.count(judged.c.id.distinct())).join_from(judged, Event, and_(*came))
    return session.scalar(found.where(col(Event.at) <= until)) or 0


def _counted(session: Session, run: Run, version: int) -> tuple[int, dict[str, int]]:
    accepted = session.scalar(select(func.count()).where(*_mine(run, version))) or 0
    events = session.execute(
        select(col(Event.kind), func.count(col(Event.message_id).distinct()))
        .join(Message, col(Message.id) == col(Event.message_id))
        .where(
            col(Event.kind).in_(("replied", "opted_out", "complained", "bounced")),
            col(Event.campaign) == run.campaign,
            col(Message.run_id) == run.id,
            col(Message.template_version_id) == version,
        )
        .group_by(col(Event.kind))
    ).all()
    return accepted, dict(events)
