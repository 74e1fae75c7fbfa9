"""Sequences that a segment starts, on a clock moved by hand: who comes to fit it, and when."""

from datetime import timedelta

import pytest
from sqlmodel import Session

from campaigns import DefinitionError, read_sequence
from console.database import Database
from leads import prefer, record, set_fields
from tests.campaigns.hot_leads import HOT, PRICES, events, hot, take_out, wants, ways
from tests.campaigns.stroll import FILE, PIPELINES, Stroll, apply_sequence
from tests.campaigns.walking import sound
from tests.campaigns.world import add_leads
from tests.conftest import NOW


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
