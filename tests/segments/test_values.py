"""What stands in a field, and what a rule can speak of."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import literal, select
from sqlmodel import Session, col

from console.database import Database
from leads import Deal, Event, Lead, Preference
from segments import (
    SegmentError,
    Values,
    Vocabulary,
    column_of,
    parse,
    require_known,
    values,
    vocabulary,
)
from segments.spread import laid_out, sliced, spread
from tests.segments.rules import ZONE
from tests.segments.test_audience import _lead


def _fill(session: Session, now: datetime) -> None:
    ago = timedelta(days=1)
    session.add_all(
        [
            _lead(1, now, country="PL", score=1, attributes={"size": 5, "b%": ["x", "y"]}),
            _lead(2, now, country="PL", score=2, attributes={"size": "7", "vip": True}),
            _lead(3, now - 40 * ago, country="DE", score=2.5, attributes={"size": "", "b%": "x"}),
            _lead(4, now, score=100, tags=["vip", "fair"], attributes={"renewal": "2026-05-01"}),
        ]
    )
    session.flush()
    session.add_all(
        [
            Preference(lead_id=1, name="topic", value="Pricing", said_at=now),
            Preference(lead_id=1, name="topic", value="api", said_at=now),
            Preference(lead_id=2, name="topic", value="api", said_at=now),
            Preference(lead_id=2, name="budget", value="500", number=500, said_at=now),
            Event(lead_id=1, kind="demo.requested", at=now, data={"properties": {"plan": "pro"}}),
            Event(lead_id=2, kind="demo.requested", at=now, data={"properties": {"plan": 3}}),
            Event(lead_id=2, kind="sent", at=now),
            Deal(lead_id=1, name="A", amount=99.5, currency="EUR", created_at=now, updated_at=now),
            Deal(lead_id=1, name="B", created_at=now, updated_at=now, state="won"),
        ]
    )


@pytest.fixture
def filled(database: Database, now: datetime) -> Database:
    database.write(lambda session: _fill(session, now))
    return database


def _look(database: Database, now: datetime, name: str, **more: Any) -> Values:
    return database.read(lambda s: values(s, column_of(name), now=now, zone=ZONE, **more))


@pytest.mark.parametrize(
    ("name", "counted", "expected"),
    [
        ("country", "leads", {"PL": 2, "DE": 1}),
        ("attr.size", "leads", {"5": 1, "7": 1}),
        ('attr."b%"', "leads", {"x": 2, "y": 1}),
        ("attr.vip", "leads", {"yes": 1}),
        ("attr.none", "leads", {}),
        ("prefers.topic", "leads", {"api": 2, "Pricing": 1}),
        ("tag", "leads", {"fair": 1, "vip": 1}),
        ("event", "events", {"demo.requested": 2, "sent": 1}),
        ('event."demo.requested"', "events", {"plan": 2}),
        ('event."demo.requested".plan', "events", {"3": 1, "pro": 1}),
        ("deal.state", "deals", {"open": 1, "won": 1}),
        ("deal.amount", "deals", {"99.5": 1}),
    ],
)
def test_values_are_counted_most_frequent_first(
    filled: Database, now: datetime, name: str, counted: str, expected: dict[str, int]
) -> None:
    found = _look(filled, now, name)
    assert {each.value: each.count for each in found.values} == expected
    assert [each.count for each in found.values] == sorted(expected.values(), reverse=True)
    assert (found.counted, found.filled) == (counted, sum(expected.values()))
    assert found.distinct == len(expected)


def test_values_of_some_leads_and_with_some_text_only(filled: Database, now: datetime) -> None:
    poles = _look(filled, now, "prefers.topic", within=parse("attr.size = 7"))
    assert [(each.value, each.count) for each in poles.values] == [("api", 1)]
    like = _look(filled, now, "prefers.topic", like="PRI")
    assert [(each.value, like.filled) for each in like.values] == [("Pricing", 1)]
    assert _look(filled, now, 'attr."b%"', like="%").values == ()
    one = _look(filled, now, "country", limit=1)
    assert ([each.value for each in one.values], one.filled, one.distinct) == (["PL"], 3, 2)


def test_numbers_come_with_their_spread_and_texts_that_are_none_do_not(
    filled: Database, now: datetime
) -> None:
    spread = _look(filled, now, "score").spread
    assert spread is not None
    assert (spread.lowest, spread.median, spread.highest) == (1, 2, 100)
    assert sum(each.count for each in spread.ranges) == 4
    assert _look(filled, now, "attr.size").spread is not None
    assert _look(filled, now, "country").spread is None


def test_times_are_counted_by_how_long_ago(filled: Database, now: datetime) -> None:
    ages = {each.value: each.count for each in _look(filled, now, "created").ages}
    assert (ages["the last 24 hours"], ages["30 to 90 days ago"]) == (3, 1)
    assert sum(ages.values()) == 4


@pytest.mark.parametrize("numbers", [[1], [1, 2], [5, 5, 5], list(range(1000)), [1] * 99 + [7]])
def test_ranges_hold_every_number_once_and_the_median_is_the_middle(numbers: list[int]) -> None:
    found = laid_out(sliced((float(number), 1) for number in numbers))
    assert found.median == sorted(numbers)[(len(numbers) - 1) // 2]
    assert sum(each.count for each in found.ranges) == len(numbers)
    for each in found.ranges:
        assert each.count == sum(each.lowest <= number <= each.highest for number in numbers)


def test_the_database_cuts_numbers_as_python_does(database: Database, now: datetime) -> None:
    numbers = [0.5, -3, 12, 12, 12, 7, 1e6, 0, 0, 41, 42, 43] * 3
    database.write(
        lambda s: s.add_all([_lead(n, now, score=score) for n, score in enumerate(numbers, 1)])
    )
    asked = select(col(Lead.score).label("number"), literal(1).label("times"))
    found = database.read(lambda s: spread(s, asked))
    assert found == laid_out(sliced((number, 1) for number in numbers))


def test_what_a_rule_can_speak_of(filled: Database) -> None:
    found: Vocabulary = filled.read(vocabulary)
    kinds = {each.name: (each.holds, each.filled) for each in found.attributes}
    assert kinds == {
        'attr."b%"': ("list or text", 2),
        "attr.size": ("number", 2),
        "attr.vip": ("yes or no", 1),
        "attr.renewal": ("date", 1),
    }
    said = {each.name: (each.holds, each.filled) for each in found.preferences}
    assert said == {"prefers.budget": ("number", 1), "prefers.topic": ("text", 2)}
    assert (found.tags.filled, found.leads, found.looked_at) == (1, 4, 4)
    assert {each.name: each.filled for each in found.events} == {"demo.requested": 2, "sent": 1}
    assert {each.name: each.filled for each in found.fields}["country"] == 3
    assert {each.name: each.filled for each in found.deals}["deal.amount"] == 1


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("attr.sise", 'did you mean "size"?'),
        ("prefers.topics", 'did you mean "topic"?'),
        ('event."demo.request"', 'did you mean "demo.requested"?'),
        ('event."demo.requested".plam', 'did you mean "plan"?'),
        ("event.demo.requested", "stands in quotes"),
    ],
)
def test_a_name_nobody_has_is_refused_with_the_nearest(
    filled: Database, name: str, said: str
) -> None:
    with pytest.raises(SegmentError, match=said.replace("?", r"\?")):
        filled.read(lambda s: require_known(s, column_of(name)))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("contry", "there is no field"),
        ("deal.stat", "a deal has no"),
        ("event.", "names no event"),
    ],
)
def test_a_name_the_language_does_not_have_is_refused(name: str, said: str) -> None:
    with pytest.raises(SegmentError, match=said):
        column_of(name)
