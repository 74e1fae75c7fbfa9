"""The queue by hand: claims, and what a server says to them."""

from datetime import timedelta

from campaigns import State
from campaigns.candidates import LaneRules
from campaigns.finish import Sent, finish
from campaigns.queue import Claims, claim
from deliverability import Outcome, Phase, Verdict
from tests.campaigns.world import ZONE, World
from tests.conftest import NOW

TODAY = NOW.astimezone(ZONE).date()

SENT = Sent(subject="Hi", context={"read": {}, "envelope": {}}, identity_version_id=1)


def rules(world: World, **more: object) -> LaneRules:
    facts: dict[str, object] = {
        "lane_id": world.lane_id,
        "identity": "anna",
        "per_day": None,
        "zone": ZONE,
    }
    return LaneRules(**(facts | more))  # type: ignore[arg-type]


def take(world: World, limit: int = 10, *, owner: str = "me", **more: object) -> Claims:
    after = more.pop("after_run", 0)
    now = more.pop("now", NOW)
    return world.database.write(
        lambda s: claim(
            s,
            rules(world, **more),
            owner=owner,
            limit=limit,
            after_run=after,  # type: ignore[arg-type]
            now=now,  # type: ignore[arg-type]
        )
    )


def end(
    world: World, claims: Claims, outcome: Outcome, *, owner: str = "me", **more: object
) -> list[State | None]:
    facts: dict[str, object] = {
        "now": NOW,
        "sent": SENT,
        "retry_after": timedelta(minutes=5),
        "day": TODAY,
        "template": "hello",
    }
    facts |= more
    return [
        world.database.write(
            lambda s, c=c: finish(s, c, outcome, owner=owner, **facts)  # type: ignore[misc]
        )
        for c in claims.claimed
    ]


ACCEPTED = Outcome(
    verdict=Verdict.ACCEPTED, phase=Phase.DONE, code=250, reply="250 ok", relay_id="Q1"
)
