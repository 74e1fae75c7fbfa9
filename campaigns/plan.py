"""A send looked at before it happens: who, who not and why, when, and what is wrong with it."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, func, select
from sqlmodel import Session, col

from campaigns import drawing
from campaigns.definition import CampaignDefinition
from campaigns.ends import Ends
from campaigns.finding import Finding
from campaigns.forecast import Forecast
from campaigns.planning import left_out
from campaigns.runs import Terms
from campaigns.states import State
from campaigns.variants import PLACES
from campaigns.verdict import needed
from deliverability import OTHER, Domain, Limits
from leads import Lead, who_paused


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What `start` would do now."""

    plan_id: str
    matching: int
    mailable: int
    #: Of those: kept back until the better of the variants is known.
    kept_back: int
    left_out: dict[str, int]
    #: (provider, messages, messages per minute)
    lanes: tuple[tuple[str, int, float], ...]
    forecast: Forecast
    findings: tuple[Finding, ...]

    @property
    def sound(self) -> bool:
        """Nothing forbids starting."""
        return not any(finding.level == "error" for finding in self.findings)

    def document(self) -> dict[str, Any]:
        """The JSON that scripts may rely on."""
        return {
            "matching": self.matching,
            "mailable": self.mailable,
            "kept_back": self.kept_back,
            "left_out": self.left_out,
            "lanes": [
                {"provider": provider, "messages": count, "per_minute": per_minute}
                for provider, count, per_minute in self.lanes
            ],
            "finish_at": self.forecast.finish_at,
            "per_day": [
                {"day": day.isoformat(), "messages": count} for day, count in self.forecast.per_day
            ],
            "findings": [finding.document() for finding in self.findings],
            "plan_id": self.plan_id,
        }


def look(
    session: Session,
    definition: CampaignDefinition,
    terms: Terms,
    rule: Callable[[datetime], ColumnElement[bool]],
    *,
    versions: tuple[str, ...],
    now: datetime,
    zone: ZoneInfo,
    per_minute: Callable[[str, str], float],
    limits: Mapping[str, Limits],
    findings: tuple[Finding, ...],
    domain_per_hour: int | None = None,
) -> Plan:
    """Counts the audience as planning would, in one query, and walks the calendar.

    `versions` are the hashes of campaign, segment and template: with the audience they make the
    `plan_id`, so that `start --plan` refuses what was not looked at. `per_minute` is the expected
    rate of an identity's lane to a provider, `limits` are those of each identity that writes,
    `domain_per_hour` what one company gets.
    """
    reason = left_out(terms, definition.name)
    provider = func.coalesce(col(Domain.provider), OTHER)
    sender = drawing.sender(definition.name, definition.identity, terms)
    state = drawing.state(definition.name, terms)
    rows = session.execute(
        select(
            reason,
            provider,
            sender,
            state,
            func.count(),
            func.sum(col(Lead.id)),
            func.sum(col(Lead.draw)),
        )
        .select_from(Lead)
        .outerjoin(Domain, col(Domain.name) == col(Lead.domain))
        .where(rule(now))
        .group_by(reason, provider, sender, state)
    ).all()
    out: dict[str, int] = {}
    lanes: dict[tuple[str, str], int] = {}
    kept_back = 0
    audience = [0, 0, 0]
    for why, name, writer, kept, count, ids, draws in rows:
        if why is None and kept == State.RESERVED:
            kept_back += count
        elif why is None:
            lanes[writer, name] = lanes.get((writer, name), 0) + count
        if why is None:
            audience = [audience[0] + count, audience[1] + int(ids), audience[2] + int(draws)]
        else:
            out[why] = out.get(why, 0) + count
    mailable = sum(lanes.values()) + kept_back
    fits = and_(rule(now), reason.is_(None))
    ends = Ends.of(
        session,
        definition,
        fits,
        lanes,
        limits,
        per_minute=per_minute,
        domain_per_hour=domain_per_hour,
        now=now,
        zone=zone,
    )
    several = len(limits) > 1
    return Plan(
        plan_id=_fingerprint(*versions, definition.identity, *map(str, audience)),
        matching=mailable + sum(out.values()),
        mailable=mailable,
        kept_back=kept_back,
        left_out=dict(sorted(out.items())),
        lanes=tuple(
            (f"{writer} to {name}" if several else name, count, per_minute(writer, name))
            for (writer, name), count in sorted(lanes.items())
        ),
        forecast=ends.forecast,
        findings=(
            *findings,
            *ends.findings(),
            *_too_few(definition, mailable),
            *_pausing(session, definition, rule(now), reason, now),
        ),
    )


def _pausing(
    session: Session,
    definition: CampaignDefinition,
    fits: ColumnElement[bool],
    reason: ColumnElement[str | None],
    now: datetime,
) -> Iterator[Finding]:
    """Leads that want no mail for a while: a claim decides whether theirs can wait."""
    paused = session.scalar(
        select(func.count())
        .select_from(Lead)
        .where(col(Lead.id).in_(who_paused(now)), fits, reason.is_(None))
    )
    if paused:
        yield Finding(
            id="paused-by-lead",
            level="info",
            where=f"campaigns/{definition.name}.toml",
            what=f"{paused:,} of these leads paused their mail: a mail that expires before the "
            "pause ends is not sent to them",
            do="nothing: it is their wish",
        )


def _too_few(definition: CampaignDefinition, mailable: int) -> Iterator[Finding]:
    """Variants that cannot be told apart by so many leads."""
    if not definition.variants:
        return
    goal = definition.goal
    plan = needed(goal.usual, goal.detect, len(definition.variants))
    trying = round(mailable * goal.test)
    least = min(trying * each.places // PLACES for each in definition.variants)
    if least < plan:
        yield Finding(
            id="variants-too-few",
            level="warning",
            where=f"campaigns/{definition.name}.toml",
            what=f"a difference of {goal.detect:.1%} beside {goal.usual:.1%} takes {plan:,} leads a"
            f" variant to see, and the smallest gets about {least:,}",
            do="expect no verdict, or write to more leads, try fewer variants, or set a larger "
            f"detect{' or test' if goal.test < 1 else ''} in [goal]",
        )


def _fingerprint(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]
