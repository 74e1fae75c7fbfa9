"""Sequences that a segment starts, on a clock moved by hand: who comes to fit it, and when."""

from collections.abc import Sequence as Many
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlmodel import Session, col

from campaigns import DefinitionError, exit_lead, pause, read_sequence, resume, segment_entries
from campaigns import verify as verify_run
from campaigns.advancing import follow
from console.database import Database
from leads import Event, prefer, record, set_fields
from tests.campaigns.stroll import FILE, PIPELINES, Stroll, apply_sequence, stroll
from tests.campaigns.world import ZONE, add_leads
from tests.conftest import NOW

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


def sound(walk: Stroll) -> None:
    with walk.database.reading() as session:
        for run in walk.runs():
            assert verify_run(session, run.id or 0) == []


def test_a_preference_starts_it_and_it_goes_to_the_end(database: Database) -> None:
    walk = hot(database, leads=2)
    assert walk.go() == 0
    walk.later(hours=1)
    wants(walk, leads=walk.leads[:1])
    walk.later(seconds=30)
    walk.go()
    (way,) = walk.enrolments()
    (event,) = events(walk, "preference")
    assert (way.lead_id, way.event_id) == (walk.leads[0], event.id)
    assert way.enrolled_at == event.at == walk.now - timedelta(seconds=30)
    for _ in range(2):
        assert walk.send() == 1
        walk.later(days=3, hours=1)
        walk.go()
    assert [state for state, _, _ in walk.stands()] == ["done"]
    assert walk.go() == 0
    sound(walk)


def test_a_stage_starts_it(database: Database) -> None:
    walk = hot(database, "stage in (demo, proposal) and tag = vip", leads=2)
    walk.to("demo")
    assert walk.go() == 0
    walk.database.write(
        lambda s: set_fields(s, walk.leads[1], {}, add_tags=["vip"], at=walk.now, by="test")
    )
    walk.go()
    # From one stage of the rule to another is no coming.
    walk.to("proposal")
    walk.go()
    assert ways(walk) == [(walk.leads[1], 1, "active")]
    sound(walk)


def test_time_alone_starts_it_while_nobody_does_anything(database: Database) -> None:
    # They came to the stage three days before now.
    walk = hot(database, "stage_age > 30 days")
    for days in (0, 20, 6):
        walk.later(days=days)
        assert walk.go() == 0
    walk.later(days=1, hours=5)
    walk.go()
    (way,) = walk.enrolments()
    crossed = NOW + timedelta(days=27)
    assert timedelta(0) <= way.enrolled_at - crossed <= timedelta(seconds=1)
    assert walk.send() == 1
    walk.later(minutes=1)
    # A reply after that moment ends it.
    walk.database.write(lambda s: record(s, walk.leads[0], "replied", at=walk.now))
    for _ in range(3):
        walk.later(minutes=10)
        walk.go()
    assert walk.stands() == [("exited", "replied", "hello")]
    sound(walk)


def test_a_reply_between_the_moment_and_the_look_ends_it_before_its_first_mail(
    database: Database,
) -> None:
    walk = hot(database, "stage_age > 30 days")
    walk.later(days=27, hours=2)
    walk.database.write(lambda s: record(s, walk.leads[0], "replied", at=walk.now))
    walk.later(hours=9)
    walk.go()
    assert walk.stands() == [("exited", "replied", "hello")]
    assert walk.send() == 0
    sound(walk)


def test_who_fitted_before_it_was_applied_enters_only_by_coming_back(database: Database) -> None:
    ids = database.write(lambda s: add_leads(s, 2, stage="new"))
    walk = Stroll(database=database, leads=ids)
    wants(walk)
    walk.later(minutes=1)
    database.write(lambda s: apply_sequence(s, now=walk.now, rule=PRICES, **HOT))
    walk.later(seconds=1)
    assert walk.go() == 0
    # Another fact that the rule reads, but fits as well as before.
    walk.database.write(lambda s: prefer(s, ids[1], "topic", ["trial"], at=walk.now, by="test"))
    assert walk.go() == 0
    wants(walk, "other", leads=ids[:1])
    walk.later(seconds=1)
    assert walk.go() == 0
    wants(walk, leads=ids[:1])
    walk.go()
    assert ways(walk) == [(ids[0], 1, "active")]


@pytest.mark.parametrize("seen", [True, False], ids=["seen", "unseen"])
@pytest.mark.parametrize("pause", [timedelta(seconds=1), timedelta(hours=1)], ids=str)
def test_leaving_the_segment_ends_nothing_and_coming_back_after_the_end_starts_again(
    database: Database, seen: bool, pause: timedelta
) -> None:
    walk = hot(database)

    def turn(topic: str) -> None:
        walk.now += pause
        wants(walk, topic)
        if seen:
            walk.go()

    walk.go()
    turn("pricing")
    walk.go()
    for topic in ("other", "pricing"):
        turn(topic)
    walk.go()
    assert ways(walk) == [(walk.leads[0], 1, "active")]
    walk.now += pause
    take_out(walk, walk.leads[0])
    for _ in range(3):
        walk.now += pause
        assert walk.go() == 0
    for topic in ("other", "pricing"):
        turn(topic)
    walk.go()
    assert ways(walk) == [(walk.leads[0], 1, "exited"), (walk.leads[0], 2, "active")]
    for _ in range(4):
        walk.later(minutes=1)
        walk.go()
    assert len(ways(walk)) == 2
    sound(walk)


def test_a_new_lead_that_fits_enters(database: Database) -> None:
    walk = hot(database, "stage = demo")
    walk.later(hours=1)

    def arrive(session: Session) -> int:
        (number,) = add_leads(session, 1, first=50, created_at=walk.now, stage_at=walk.now)
        record(session, number, "imported", at=walk.now)
        return number

    number = database.write(arrive)
    walk.go()
    assert ways(walk) == [(number, 1, "active")]
    assert walk.enrolments()[0].event_id == events(walk, "imported")[0].id


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


def test_a_wider_rule_takes_nobody_in_who_has_not_moved(database: Database) -> None:
    walk = hot(database, leads=2)
    wants(walk, "trial")
    walk.go()
    walk.later(minutes=10)
    walk.go()
    wider = f'{PRICES} or prefers.topic = "trial"'
    database.write(lambda s: apply_sequence(s, now=walk.now, rule=wider, **HOT))
    assert walk.go() == 0
    wants(walk, "other", leads=walk.leads[:1])
    wants(walk, "trial", leads=walk.leads[:1])
    walk.go()
    assert ways(walk) == [(walk.leads[0], 1, "active")]
    assert len(walk.runs()) == 1


#: the file's changes -> words of the one-line answer
WRONG: dict[str, tuple[dict[str, object], tuple[str, ...]]] = {
    "both": ({"trigger": {"stage": "demo", "segment": "hot"}}, ("[trigger]", "one of them")),
    "filter": ({**HOT, "segment": "warm"}, ("'warm'", "take the line away")),
    "key": ({"trigger": {"segmnt": "hot"}}, ("'segmnt'", "'segment'")),
    "no name": ({"trigger": {"segment": ""}}, ("[trigger]: segment",)),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_answered_in_one_line(name: str) -> None:
    changes, words = WRONG[name]
    with pytest.raises(DefinitionError) as raised:
        read_sequence("after-demo", {**FILE, **changes}, PIPELINES)
    said = str(raised.value)
    assert said.startswith("sequences/after-demo.toml: ")
    assert "\n" not in said
    for word in words:
        assert word in said
