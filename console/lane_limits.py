"""What limits a lane besides its rows: settings, warm-up, a day spread out, breakers."""

from collections.abc import Iterator
from datetime import datetime

from sqlmodel import Session

from campaigns import Hold, LaneLimits, Standing, turn_opens
from console.wiring import Workspace
from deliverability import OTHER, Scope, allowance_today, holding


def lane_limits(
    workspace: Workspace, session: Session, lane: Standing, sender: str | None, now: datetime
) -> LaneLimits:
    """Pace, day and breakers of a lane; `sender` is who sends now, if anybody does."""
    settings = workspace.settings
    identity = settings.identities.get(lane.identity)
    if identity is None:
        return LaneLimits(
            pace=settings.pace_of(lane.provider),
            per_day=None,
            absent="it is not in potok.toml any more",
            sender=sender,
        )
    limits = identity.limits
    allowance = allowance_today(session, identity.name, limits.warm_up, limits.per_day)
    others = list(_breakers(session, lane))
    if limits.spread and allowance is not None:
        opens = turn_opens(session, identity.name, allowance, now=now)
        if opens is not None:
            what = f"its {allowance:,} messages of today are spread over the day"
            others.append(Hold(kind="spread", what=what, until=opens))
    return LaneLimits(
        pace=settings.pace_of(lane.provider),
        per_day=allowance,
        absent=settings.secrets_missing.get(f"{lane.identity}.smtp", ""),
        sender=sender,
        company_per_hour=(settings.delivery.domain_per_hour if lane.provider == OTHER else None),
        others=tuple(others),
    )


def _breakers(session: Session, lane: Standing) -> Iterator[Hold]:
    """What tripped for the lane or for all of its identity's."""
    its = {(str(Scope.IDENTITY), lane.identity), (str(Scope.LANE), str(lane.lane_id))}
    for each in holding(session):
        if (each.scope, each.key) not in its:
            continue
        if each.open:
            yield Hold(
                kind="breaker",
                what=f"stopped by itself: {each.reason}",
                until=each.until,
                do=f"see why, put it right, then potok identity resume {lane.identity} --i-know",
            )
        else:
            yield Hold(
                kind="trial",
                what=f"a few messages go first, and what comes of them is awaited ({each.reason})",
            )
