"""What came of each variant, and whether one of them is the better one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, exists, func, or_, select
from sqlmodel import Session, col

from campaigns.definition import of_body
from campaigns.drawing import drew
from campaigns.runs import Terms
from campaigns.states import State
from campaigns.tables import Campaign, Message, Run
from campaigns.variants import Drawn, Goal
from campaigns.verdict import Arm, Verdict, judge, needed
from leads import Event, Lead
from templates import TemplateVersion


@dataclass(frozen=True, kw_only=True, slots=True)
class VariantResult:
    """One variant of a run in numbers, among the leads that drew it."""

    name: str
    template: str
    accepted: int
    #: Events that happened to its messages: messages by kind.
    events: Mapping[str, int]
    #: Leads that count for the verdict, and those of them who reached the goal.
    judged: Arm

    def document(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "template": self.template,
            "accepted": self.accepted,
            "events": dict(self.events),
            "judged": self.judged.leads,
            "reached": self.judged.reached,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class VariantResults:
    """All variants of a run, the first one first."""

    variants: tuple[VariantResult, ...]
    goal: Goal
    #: Leads each variant is judged by.
    planned: int
    verdict: Verdict
    #: When the verdict is due; None as long as that is not known.
    due_at: datetime | None

    def document(self) -> dict[str, Any]:
        """The JSON that scripts may rely on."""
        return {
            "goal": self.goal.what,
            "planned_for_each": self.planned,
            "verdict": self.verdict.state,
            "winner": self.verdict.winner or None,
            "p": round(self.verdict.p, 6),
            "why": self.verdict.why,
            "due_at": self.due_at,
            "variants": [each.document() for each in self.variants],
        }


def variant_results(session: Session, run: Run, *, now: datetime) -> VariantResults | None:
    """The variants of a run beside one another; None when all got the same mail.

    The verdict looks at the first leads of each variant whose mail was accepted, as many as were
    planned (all of them, when there are fewer and the last has left), and at nothing that came
    after the last of them had its time: whenever it is asked for, it says the same.
    """
    variants = Terms.of_body(run.terms).variants
    if not variants:
        return None
    named = _templates(session, variants)
    names = variant_names(session, variants)
    goal = _goal(session, run)
    plan = needed(goal.usual, goal.detect, len(variants))
    sides = [_Side(run=run, variants=variants, number=n) for n in range(len(variants))]
    due_at = _due_at(session, run, sides, plan, goal)
    # Before that moment they are only counted.
    look = due_at if due_at is not None and due_at <= now else None
    results = []
    for side, variant, name in zip(sides, variants, names, strict=True):
        accepted, events = _counted(session, side)
        reached = _reached(session, side, plan, goal, look or now)
        leads = min(accepted if look else _ripe(session, side, goal, now), plan)
        arm = Arm(name=name, leads=leads, reached=reached)
        results.append(
            VariantResult(
                name=name,
                template=named[variant.version],
                accepted=accepted,
                events=events,
                judged=arm,
            )
        )
    verdict = judge([each.judged for each in results], plan, through=look is not None)
    if due_at is not None and look is None:
        why = f"the last leads that count have time until {due_at:%Y-%m-%d %H:%M} UTC"
        verdict = replace(verdict, why=why)
    return VariantResults(
        variants=tuple(results), goal=goal, planned=plan, verdict=verdict, due_at=due_at
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Side:
    """The leads of one variant."""

    run: Run
    variants: Sequence[Drawn]
    number: int

    @property
    def mine(self) -> list[Any]:
        """Rows of the leads that drew it and whose mail was accepted; for a join with Lead."""
        return [
            col(Message.run_id) == self.run.id,
            col(Message.state) == State.ACCEPTED,
            drew(self.run.campaign, self.variants, self.number),
        ]

    def of(self, *columns: Any) -> Select[Any]:
        return (
            select(*columns)
            .select_from(Message)
            .join(Lead, col(Lead.id) == col(Message.lead_id))
            .where(*self.mine)
        )


def variant_names(session: Session, variants: Sequence[Drawn]) -> list[str]:
    """What they are called, in order; in runs of before variants had names, as their templates."""
    if all(each.name for each in variants):
        return [each.name for each in variants]
    named = _templates(session, variants)
    return [each.name or named[each.version] for each in variants]


def _templates(session: Session, variants: Sequence[Drawn]) -> dict[int, str]:
    versions = select(col(TemplateVersion.id), col(TemplateVersion.name)).where(
        col(TemplateVersion.id).in_({each.version for each in variants})
    )
    return dict(session.execute(versions).all())


def _goal(session: Session, run: Run) -> Goal:
    """The goal of the version the run started with."""
    campaign = session.get_one(Campaign, run.campaign_id)
    return of_body(run.campaign, campaign.body or {}).goal


def _due_at(
    session: Session, run: Run, sides: Sequence[_Side], plan: int, goal: Goal
) -> datetime | None:
    """When the last of the leads the variants are judged by has had its time.

    None as long as there are too few and more are to come.
    """
    last: list[datetime] = []
    for side in sides:
        nth = session.scalar(
            side.of(col(Message.settled_at))
            .order_by(col(Message.settled_at), col(Message.id))
            .offset(plan - 1)
            .limit(1)
        )
        if nth is not None:
            last.append(nth)
    if len(last) < len(sides):
        if run.planned_at is None or _to_come(session, run, sides):
            return None
        ends = (session.scalar(each.of(func.max(col(Message.settled_at)))) for each in sides)
        last = [run.planned_at, *filter(None, ends)]
    return max(last) + goal.after


def _to_come(session: Session, run: Run, sides: Sequence[_Side]) -> bool:
    """Whether a mail to somebody who drew a variant is still to leave."""
    drawn = or_(*(drew(run.campaign, each.variants, each.number) for each in sides))
    to_come = exists().where(
        col(Message.run_id) == run.id,
        col(Message.state).in_([State.PLANNED, State.SENDING]),
        col(Lead.id) == col(Message.lead_id),
        drawn,
    )
    return bool(session.scalar(select(to_come)))


def _ripe(session: Session, side: _Side, goal: Goal, now: datetime) -> int:
    """Leads of a variant that have had their time."""
    counted = side.of(func.count()).where(col(Message.settled_at) <= now - goal.after)
    return session.scalar(counted) or 0


def _reached(session: Session, side: _Side, plan: int, goal: Goal, until: datetime) -> int:
    judged = (
        side.of(
            col(Message.id).label("id"),
            col(Message.lead_id).label("lead_id"),
            col(Message.settled_at).label("at"),
        )
        .order_by(col(Message.settled_at), col(Message.id))
        .limit(plan)
        .subquery()
    )
    if goal.what in ("replied", "clicked"):
        came = [col(Event.message_id) == judged.c.id, col(Event.kind) == goal.what]
    else:
        came = [
            col(Event.lead_id) == judged.c.lead_id,
            col(Event.kind) == "stage",
            col(Event.data)["to"].as_string() == goal.what,
            col(Event.at) >= judged.c.at,
        ]
    found = select(func.count(judged.c.id.distinct())).join_from(judged, Event, and_(*came))
    return session.scalar(found.where(col(Event.at) <= until)) or 0


def _counted(session: Session, side: _Side) -> tuple[int, dict[str, int]]:
    accepted = session.scalar(side.of(func.count())) or 0
    events = session.execute(
        side.of(col(Event.kind), func.count(col(Event.message_id).distinct()))
        .join(Event, col(Message.id) == col(Event.message_id))
        .where(
            col(Event.kind).in_(("replied", "clicked", "opted_out", "complained", "bounced")),
            col(Event.campaign) == side.run.campaign,
        )
        .group_by(col(Event.kind))
    ).all()
    return accepted, dict(events)
