"""A look at who fits loses nobody and takes nobody twice, whatever happens beside it."""

from collections.abc import Sequence as Many
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import Session, col

from campaigns import pause, resume, segment_entries
from campaigns.advancing import follow
from console.database import Database
from leads import Event, record, set_fields
from tests.campaigns.hot_leads import PRICES, events, hot, wants, ways
from tests.campaigns.stroll import stroll
from tests.campaigns.walking import sound
from tests.campaigns.world import ZONE


def test_what_is_written_down_late_counts_from_when_it_is_seen(database: Database) -> None:
    walk = hot(database, 'event "demo.requested" within 30 days', leads=2)
    walk.later(hours=1)
    walk.go()
    early = walk.now - timedelta(days=5)
    walk.database.write(lambda s: record(s, walk.leads[0], "demo.requested", at=early))
    # So old that it never brought the lead in.
    older = walk.now - timedelta(days=50)
    walk.database.write(lambda s: record(s, walk.leads[1], "demo.requested", at=older))
    walk.later(minutes=1)
    walk.go()
    (way,) = walk.enrolments()
    assert way.lead_id == walk.leads[0]
    assert walk.now - timedelta(hours=2) < way.enrolled_at <= walk.now
    assert walk.send() == 1
    for _ in range(5):
        walk.later(minutes=1)
        walk.go()
    assert len(ways(walk)) == 1


@pytest.mark.parametrize("trigger", ["segment", "stage"])
def test_an_event_that_is_committed_late_with_a_lower_number_is_not_lost(
    database: Database, trigger: str
) -> None:
    walk = hot(database, "stage = demo", leads=2) if trigger == "segment" else stroll(database, 2)

    def number(old: int | None, new: int) -> None:
        walk.database.write(
            lambda s: s.execute(update(Event).where(col(Event.id) == old).values(id=new))
        )

    walk.to("demo", walk.leads[0])
    (event,) = events(walk, "stage")
    number(event.id, 1000)
    walk.go()
    walk.later(seconds=20)
    walk.go()
    walk.to("demo", walk.leads[1])
    late = next(each for each in events(walk, "stage") if each.lead_id == walk.leads[1])
    number(late.id, 500)
    for _ in range(6):
        walk.later(seconds=50)
        walk.go()
    assert ways(walk) == [(lead_id, 1, "active") for lead_id in walk.leads]


class _Killed(Exception):
    """The process dies before it commits."""


def test_a_process_that_dies_between_look_and_commit_loses_nobody_and_takes_nobody_twice(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segment_entries, "PAGE", 2)
    walk = hot(database, leads=7)
    wants(walk)

    def die(session: Session) -> None:
        assert follow(session, now=walk.now, zone=ZONE)
        raise _Killed

    for _ in range(6):
        with pytest.raises(_Killed):
            database.write(die)
        walk.later(seconds=1)
        database.write(lambda s: follow(s, now=walk.now, zone=ZONE))
    walk.go()
    assert ways(walk) == [(lead_id, 1, "active") for lead_id in walk.leads]
    assert len(walk.messages()) == 7
    sound(walk)


def test_who_comes_during_a_long_look_is_seen_by_the_next(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segment_entries, "PAGE", 2)
    walk = hot(database, leads=6)
    wants(walk, leads=walk.leads[1:])
    database.write(lambda s: follow(s, now=walk.now, zone=ZONE))
    assert walk.runs()[0].terms["look"]["lead"] == walk.leads[2]
    # Behind the place where the look is.
    wants(walk, leads=walk.leads[:1])
    walk.later(minutes=5)
    walk.go()
    assert {lead_id for lead_id, _, _ in ways(walk)} == set(walk.leads)
    walk.later(minutes=5)
    assert walk.go() == 0
    assert walk.runs()[0].terms["look"]["lead"] == 0


def test_more_than_a_page_all_enter_once(database: Database) -> None:
    walk = hot(database, leads=1100)
    wants(walk)
    walk.go()
    assert ways(walk) == [(lead_id, 1, "active") for lead_id in walk.leads]
    sound(walk)


def test_a_look_reads_only_the_leads_to_whom_something_happened(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    real = segment_entries.entered

    def watched(session: Session, rule: Any, lead_ids: Many[int], **more: Any) -> Any:
        read.extend(lead_ids)
        return real(session, rule, lead_ids, **more)

    monkeypatch.setattr(segment_entries, "entered", watched)
    walk = hot(database, f"{PRICES} and stage_age > 1 day", leads=2000)
    for _ in range(3):
        walk.later(minutes=10)
        assert walk.go() == 0
    for lead_id in walk.leads[:50]:
        walk.database.write(lambda s, lead_id=lead_id: record(s, lead_id, "opened", at=walk.now))
    walk.go()
    assert read == []
    wants(walk, leads=walk.leads[7:8])
    walk.go()
    assert set(read) == {walk.leads[7]}
    assert ways(walk) == [(walk.leads[7], 1, "active")]


def test_a_paused_sequence_catches_up_when_it_is_resumed(database: Database) -> None:
    walk = hot(database, f"{PRICES} or (stage = new and stage_age > 30 days)", leads=2)
    walk.database.write(lambda s: set_fields(s, walk.leads[1], {}, at=walk.now, by="test"))
    walk.to("demo", walk.leads[0])
    walk.go()
    database.write(lambda s: pause(s, "after-demo", reason="wrong link"))
    wants(walk, leads=walk.leads[:1])
    walk.later(days=27, hours=1)
    assert walk.go() == 0
    database.write(lambda s: resume(s, "after-demo", now=walk.now))
    walk.go()
    assert [lead_id for lead_id, _, _ in ways(walk)] == walk.leads
    sound(walk)
