"""A split test with leads kept back, and what can happen to it."""

import asyncio
from datetime import datetime, timedelta

from sqlalchemy import insert, update
from sqlmodel import Session, col

from campaigns import Message, read_definition, status_of, verify
from campaigns.chooser import Chooser
from campaigns.observe import Silent
from campaigns.tables import Campaign, Run
from campaigns.verdict import needed
from console.database import Database, Store
from leads import Event, freeze
from segments import place_of
from templates import TemplateVersion, compile_template
from tests.campaigns.world import (
    MESSAGE,
    TEXT,
    ZONE,
    World,
    add_leads,
    apply_campaign,
    rows,
    start,
)
from tests.conftest import NOW

GOAL = {"usual": 0.3, "detect": 0.4, "after": "2 days", "test": 0.5}
PLAN = needed(0.3, 0.4)
LATER = NOW + timedelta(days=4)
BASE = {"segment": "hello", "template": "hello", "identity": "anna"}


class Standing:
    """A clock that is set by hand."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def now(self) -> datetime:
        return self.moment


class Heard(Silent):
    def __init__(self) -> None:
        self.words: list[str] = []

    def said(self, words: str) -> None:
        self.words.append(words)


def world(database: Database, leads: int = 5 * PLAN, first: int = 1, **more: object) -> World:
    """A split test with a rest, planned."""

    def work(session: Session) -> None:
        add_leads(session, leads, first=first)
        apply_campaign(session)
        files = {"message.toml": MESSAGE.encode(), "body.txt": f"Short. {TEXT}".encode()}
        freeze(session, TemplateVersion, "short", compile_template("short", files).body(), now=NOW)
        said = BASE | {"variant": [{"template": "short"}], "goal": GOAL} | more
        freeze(session, Campaign, "hello", read_definition("hello", said).body(), now=NOW)

    database.write(work)
    return start(database, size=70)


def place(row: Message) -> int:
    return place_of((row.lead_id * 48271) % 2147483647, "variants/hello")


def template(row: Message, run: Run) -> int:
    """Which variant the row's template is, counted from 0."""
    return [each[0] for each in run.terms["variants"]].index(row.template_version_id)


def sample(database: Database, at: World) -> list[Message]:
    return [each for each in rows(database, at.run_id) if each.state == "planned"]


def sent(database: Database, messages: list[Message]) -> None:
    """They left, one a minute."""

    def work(session: Session) -> None:
        for number, row in enumerate(messages):
            settled = {"state": "accepted", "settled_at": NOW + timedelta(minutes=number)}
            session.execute(update(Message).where(col(Message.id) == row.id).values(**settled))

    database.write(work)


def replied(database: Database, messages: list[Message]) -> None:
    facts = {"at": NOW + timedelta(days=1), "campaign": "hello", "kind": "replied", "by": ""}
    made = [{"lead_id": m.lead_id, "message_id": m.id, "data": {}, **facts} for m in messages]
    database.write(lambda session: session.execute(insert(Event), made))


def turned(database: Database, at: datetime = LATER, turns: int = 40) -> list[str]:
    """What a worker's chooser does until nothing changes any more, and says."""
    heard = Heard()
    store = Store(database)

    async def work() -> None:
        chooser = Chooser(store, Standing(at), heard, ZONE)
        for _ in range(turns):
            if not await chooser.turn():
                break

    try:
        asyncio.run(work())
    finally:
        store.close()
    return heard.words


def sound(database: Database, at: World, *, but: frozenset[str] = frozenset()) -> None:
    with database.reading() as session:
        assert {each.id for each in verify(session, at.run_id)} <= but
        assert status_of(session, session.get_one(Run, at.run_id)).check()


#: Rows made `accepted` by hand have no attempts, events and texts.
BY_HAND = frozenset({"accepted-attempt", "sent-event", "kept-text"})
