"""A start by schedule hears what a spam filter says of its mail, and waits for none in vain."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

import pytest

from campaigns import Finding
from campaigns.errors import UnknownCampaign
from campaigns.missed import occurrence_of
from campaigns.starter import Starter
from console.database import Database, Store
from tests.campaigns.starts import LATE, MONDAY, arm, newest, runs, starting
from tests.campaigns.world import ZONE

SPAM = Finding(
    id="spam-score",
    level="error",
    where="templates/hello/body.txt",
    what="SpamAssassin gives 9.9 points",
    do="Change it.",
)
SILENT = Finding(
    id="spamd-silent", level="warning", where="potok.toml", what="no spamd listens", do="start it"
)
FINE = Finding(id="spam-score", level="notice", where="x", what="0.0 points", do="nothing")


@pytest.fixture
def store(database: Database) -> Iterator[Store]:
    opened = Store(database)
    yield opened
    opened.close()


def turned(
    store: Store, now: datetime, opinions: Callable[[str, bool], Sequence[Finding]]
) -> list[str]:
    """What a worker whose clock shows `now` says at its next look."""
    said: list[str] = []

    class Observer:
        def said(self, text: str) -> None:
            said.append(text)

    class Clock:
        def now(self) -> datetime:
            return now

    async def work() -> None:
        given = starting(opinions=opinions)
        starter = Starter(store, Clock(), Observer(), ZONE, given)  # type: ignore[arg-type]
        starter.open()
        try:
            await starter.turn()
        finally:
            starter.close()

    asyncio.run(work())
    return said


def test_spam_does_not_leave_by_itself_and_waits_for_somebody(
    database: Database, store: Store
) -> None:
    arm(database)
    (words,) = turned(store, MONDAY, lambda *_: [FINE, SPAM])
    assert "could not start: SpamAssassin gives 9.9 points (templates/hello/body.txt)" in words
    assert "potok campaigns resume hello" in words
    assert runs(database) == [(occurrence_of(MONDAY), "paused")]
    assert newest(database).reason in words


def test_a_filter_that_does_not_answer_is_told_and_stops_nothing(
    database: Database, store: Store
) -> None:
    arm(database)
    warned, started = turned(store, MONDAY, lambda *_: [SILENT, FINE])
    assert warned == "campaign hello: no spamd listens (potok.toml)"
    assert started.startswith("campaign hello: starts (was due ")
    assert runs(database) == [(occurrence_of(MONDAY), "planning")]


def test_it_is_asked_about_what_starts_and_nothing_else(database: Database, store: Store) -> None:
    asked: list[tuple[str, bool]] = []

    def opinions(name: str, only_new: bool) -> list[Finding]:
        asked.append((name, only_new))
        return []

    arm(database, late="skip")
    turned(store, MONDAY - LATE, opinions)
    turned(store, MONDAY + LATE, opinions)
    assert asked == [] and [state for _, state in runs(database)] == ["cancelled"]


def test_what_is_wrong_with_the_campaign_is_told_by_the_start(
    database: Database, store: Store
) -> None:
    def opinions(_name: str, _only_new: bool) -> list[Finding]:
        raise UnknownCampaign("no such campaign")

    arm(database)
    (words,) = turned(store, MONDAY, opinions)
    assert words.startswith("campaign hello: starts (was due ")
