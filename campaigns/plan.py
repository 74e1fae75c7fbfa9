"""A send looked at before it happens: who, who not and why, when, and what is wrong with it."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, func, select
from sqlmodel import Session, col

from campaigns.definition import CampaignDefinition
from campaigns.forecast import Forecast, LaneLoad, forecast
from campaigns.planning import left_out
from campaigns.runs import Terms
from campaigns.variants import PLACES
from campaigns.verdict import needed
from deliverability import OTHER, Domain, IdentityDay
from leads import Lead


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """Something that is wrong or worth knowing before sending."""

    id: str
    #: error | warning | info; an error stops `start`.
    level: str
    where: str
    what: str
    do: str

    def document(self) -> dict[str, str]:
        return {
            "id": self.id,
            "level": self.level,
            "where": self.where,
            "what": self.what,
            "do": self.do,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What `start` would do now."""

    plan_id: str
    matching: int
    mailable: int
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
    per_minute: Callable[[str], float],
    per_day: int | None,
    findings: tuple[Finding, ...],
) -> Plan:
    """Counts the audience as planning would, in one query, and walks the calendar.

    `versions` are the hashes of campaign, segment and template: with the audience they make the
    `plan_id`, so that `start --plan` refuses what was not looked at.
    """
    reason = left_out(terms, definition.name)
    provider = func.coalesce(col(Domain.provider), OTHER)
    rows = session.execute(
        select(
            reason,
            provider,
            func.count(),
            func.sum(col(Lead.id)),
            func.sum(col(Lead.draw)),
        )
        .select_from(Lead)
        .outerjoin(Domain, col(Domain.name) == col(Lead.domain))
        .where(rule(now))
        .group_by(reason, provider)
    ).all()
    out: dict[str, int] = {}
    lanes: dict[str, int] = {}
    audience = [0, 0, 0]
    for why, name, count, ids, draws in rows:
        if why is None:
            lanes[name] = lanes.get(name, 0) + count
            audience = [audience[0] + count, audience[1] + int(ids), audience[2] + int(draws)]
        else:
            out[why] = out.get(why, 0) + count
    used = session.scalar(
        select(col(IdentityDay.used)).where(
            col(IdentityDay.identity) == definition.identity,
            col(IdentityDay.day) == now.astimezone(zone).date(),
        )
    )
    loads = [
        LaneLoad(provider=name, messages=count, rate=per_minute(name) / 60.0)
        for name, count in sorted(lanes.items())
    ]
    mailable = sum(lanes.values())
    return Plan(
        plan_id=_fingerprint(*versions, definition.identity, *map(str, audience)),
        matching=mailable + sum(out.values()),
        mailable=mailable,
        left_out=dict(sorted(out.items())),
        lanes=tuple((load.provider, load.messages, load.rate * 60.0) for load in loads),
        forecast=forecast(
            loads,
            now=now,
            zone=zone,
            window=definition.window,
            per_day=per_day,
            used_today=used or 0,
        ),
        findings=(*findings, *_too_few(definition, mailable)),
    )


def _too_few(definition: CampaignDefinition, mailable: int) -> Iterator[Finding]:
    """Variants that cannot be told apart by so many leads."""
    if not definition.variants:
        return
    goal = definition.goal
    plan = needed(goal.usual, goal.detect, len(definition.variants))
    least = min(mailable * each.places // PLACES for each in definition.variants)
    if least < plan:
        yield Finding(
            id="variants-too-few",
            level="warning",
            where=f"campaigns/{definition.name}.toml",
            what=f"a difference of {goal.detect:.1%} beside {goal.usual:.1%} takes {plan:,} leads a"
            f" variant to see, and the smallest gets about {least:,}",
            do="expect no verdict, or write to more leads, try fewer variants, or set a larger "
            "detect in [goal]",
        )


def _fingerprint(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]
