"""A sequence that a segment starts, and leads who come to fit it."""

from collections.abc import Sequence as Many

from sqlalchemy import select
from sqlmodel import Session, col

from campaigns import exit_lead
from console.database import Database
from leads import Event, prefer
from tests.campaigns.stroll import Stroll, stroll

PRICES = 'prefers.topic = "pricing"'

HOT = {"trigger": {"segment": "hot"}}


def hot(database: Database, rule: str = PRICES, leads: int = 1) -> Stroll:
    """`leads` leads in stage new and an applied sequence that fitting `rule` starts."""
    return stroll(database, leads, rule=rule, **HOT)


def wants(walk: Stroll, topic: str = "pricing", leads: Many[int] | None = None) -> None:
    """These leads (all of them when none is named) now prefer this topic only."""

    def work(session: Session) -> None:
        for lead_id in walk.leads if leads is None else leads:
            prefer(session, lead_id, "topic", [topic], at=walk.now, by="test", replace=True)

    walk.database.write(work)


def take_out(walk: Stroll, lead_id: int) -> None:
    walk.database.write(
        lambda s: exit_lead(s, "after-demo", lead_id, why="called", now=walk.now, by="anna")
    )


def events(walk: Stroll, kind: str) -> list[Event]:
    with walk.database.reading() as session:
        return list(session.scalars(select(Event).where(col(Event.kind) == kind)))


def ways(walk: Stroll) -> list[tuple[int, int, str]]:
    """(lead, pass, state) of every enrolment."""
    return [(each.lead_id, each.pass_, each.state) for each in walk.enrolments()]
