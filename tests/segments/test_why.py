"""Why a lead is in or out: agrees with membership, and the smallest change is the smallest."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlmodel import Session, col

from console.database import Database
from leads import Lead, move_stage, prefer, record, set_fields
from segments import Facts, Rule, fits, parse, say, where
from segments.recall import recall
from segments.remedy import fewest, worth
from segments.terms import Attribute
from segments.tree import AllOf, AnyOf, Condition, Has, InSegment, Not
from segments.why import Explanation, Reason, why
from tests.laws import tried_on
from tests.segments import lives, rules


class _Undo(Exception):
    """Leaves the transaction without keeping its rows."""


def every(reason: Reason) -> Iterator[Reason]:
    yield reason
    for each in reason.below:
        yield from every(each)


def check_reason(reason: Reason) -> None:
    """A condition is what its parts make of it."""
    parts = [each.holds for each in reason.below]
    if not parts:
        return
    made = {"and": all(parts), "or": any(parts), "not": not parts[0], "segment": parts[0]}
    assert reason.holds == made[reason.joined], reason.text
    for each in reason.below:
        check_reason(each)


@given(
    st.lists(rules.conditions, min_size=1, max_size=5),
    st.lists(lives.steps, max_size=8),
    st.sampled_from([timedelta(0), timedelta(hours=15), timedelta(days=40)]),
)
@tried_on(50, long=200)
def test_why_agrees_with_membership(
    database: Database, conditions: list[Condition], steps: list[lives.Step], pause: timedelta
) -> None:
    chosen = [Rule(condition=condition) for condition in conditions]
    inner = {"inner": conditions[0]}
    chosen.append(Rule(condition=Not(condition=InSegment(name="inner")), segments=inner))

    def check(session: Session) -> None:
        now = lives.START
        ids = lives.be_born(session, [1, 2], now)
        for step in steps:
            now += step[0]
            lives.live(session, ids, step, now)
        now += pause
        known = recall(session, ids)
        for rule in chosen:
            clause = where(rule, now=now, zone=rules.ZONE)
            members = set(session.scalars(select(col(Lead.id)).where(clause)))
            for lead_id in ids:
                found = why(rule, known[lead_id], now=now, zone=rules.ZONE)
                assert found.holds == (lead_id in members), say(rule)
                check_reason(found.reason)
                check_times(rule, known[lead_id], found, now)
        raise _Undo

    with pytest.raises(_Undo):
        database.write(check)


def check_times(rule: Rule, facts: Facts, found: Explanation, now: datetime) -> None:
    for reason in every(found.reason):
        assert facts.columns["created_at"] <= reason.turn.at <= now
        assert (reason.because == "") == (reason.turn.always or reason.turn.event is not None)
    if found.turns_at is not None:
        assert found.turns_at > now
        tick = timedelta(microseconds=1)
        there = fits(rule, facts, now=found.turns_at, zone=rules.ZONE)
        assert there != found.holds
        assert fits(rule, facts, now=found.turns_at - tick, zone=rules.ZONE) == found.holds


@given(rules.leads, st.lists(rules.conditions, min_size=1, max_size=4))
@settings(max_examples=100, deadline=None)
def test_any_lead_can_be_explained(lead: rules.LeadRow, conditions: list[Condition]) -> None:
    """Also one whose timeline tells things of before it came in, or of days to come."""
    for condition in conditions:
        rule = Rule(condition=condition)
        found = why(rule, lead.facts, now=rules.NOW, zone=rules.ZONE)
        assert found.holds == fits(rule, lead.facts, now=rules.NOW, zone=rules.ZONE)
        check_reason(found.reason)
        for step in found.steps or ():
            assert step.way.text


_leaves = st.sampled_from("abcdef").map(lambda name: Has(operand=Attribute(name=name)))
_trees = st.recursive(
    _leaves | st.just(InSegment(name="inner")),
    lambda parts: st.one_of(
        st.builds(Not, condition=parts),
        st.builds(AllOf, conditions=st.lists(parts, min_size=2, max_size=3).map(tuple)),
        st.builds(AnyOf, conditions=st.lists(parts, min_size=2, max_size=3).map(tuple)),
    ),
    max_leaves=8,
)


@given(
    _trees,
    st.recursive(_leaves, lambda parts: st.builds(Not, condition=parts), max_leaves=1),
    st.lists(st.booleans(), min_size=6, max_size=6),
    st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 3)),
)
@settings(max_examples=300, deadline=None)
def test_no_smaller_change_turns_a_rule(
    tree: Condition, inner: Condition, values: list[bool], priced: dict[str, int]
) -> None:
    """Against trying every set of conditions that can be turned."""
    segments = {"inner": inner}
    there = [Has(operand=Attribute(name=name)) for name in "abcdef"]
    present: dict[Condition, bool] = dict(zip(there, values, strict=True))
    efforts: dict[Condition, int] = {
        leaf: priced[leaf.operand.name]  # type: ignore[union-attr]
        for leaf in there
        if leaf.operand.name in priced  # type: ignore[union-attr]
    }

    def turned(chosen: tuple[Condition, ...]) -> bool:
        return worth(tree, segments, {**present, **{leaf: not present[leaf] for leaf in chosen}})

    before = worth(tree, segments, present)
    right = [
        (size, sum(efforts[leaf] for leaf in chosen))
        for size in range(len(efforts) + 1)
        for chosen in combinations(efforts, size)
        if turned(chosen) != before
    ]
    found = fewest(tree, segments, present, efforts)
    if not right:
        assert found is None
        return
    assert found is not None
    assert turned(found) != before
    assert (len(found), sum(efforts[leaf] for leaf in found)) == min(right)


STAGES = {"sales": ("new", "demo", "won")}


def told(
    database: Database, text: str, now: datetime, segment: str = "everyone", number: int = 1
) -> Explanation:
    """A lead of a hundred days: demo for 12 days, replied 3 days ago, from Poland since then."""
    day = timedelta(days=1)

    def work(session: Session) -> Facts:
        (lead_id,) = lives.be_born(session, [number], now - 100 * day)
        move_stage(session, lead_id, "sales", "demo", at=now - 12 * day, by="eva")
        prefer(session, lead_id, "topic", ["pricing"], at=now - 50 * day, by="eva")
        record(session, lead_id, "replied", at=now - 3 * day, by="mail")
        set_fields(session, lead_id, {"country": "PL"}, at=now - 2 * day, by="eva")
        return recall(session, [lead_id])[lead_id]

    facts = database.write(work)
    rule = parse(text, stages=STAGES, segments={"inner": segment})
    return why(rule, facts, now=now, zone=rules.ZONE)


@pytest.mark.parametrize(
    ("text", "holds", "found", "kind", "because", "days"),
    [
        ("stage_age > 10 days", True, "12 days", None, "10 days passed", 2),
        ("stage_age > 30 days", False, "12 days", "stage", "", 12),
        ("stage = demo", True, "demo (sales)", "stage", "", 12),
        ("country = PL", True, "PL", "changed", "", 2),
        ("has company", False, "nothing", None, "", 100),
        ('prefers.topic = "pricing"', True, "pricing", "preference", "", 50),
        ("prefers.budget > 5", False, "nothing stated", None, "", 100),
        (
            "replied within 14 days",
            True,
            "last reply 2026-03-07, 1 within 14 days",
            "replied",
            "",
            3,
        ),
        (
            "replied within 1 day",
            False,
            "last reply 2026-03-07, 0 within 1 day",
            None,
            "1 day passed",
            2,
        ),
        ("bounced", False, "never", None, "", 100),
        ("created < 30 days ago", True, "2025-11-30 (100 days ago)", None, "30 days passed", 70),
    ],
)
def test_each_condition_says_what_the_lead_has_and_since_when(
    database: Database,
    now: datetime,
    text: str,
    holds: bool,
    found: str,
    kind: str | None,
    because: str,
    days: int,
) -> None:
    reason = told(database, text, now).reason
    event = reason.turn.event
    assert (reason.holds, reason.found) == (holds, found)
    assert (event.kind if event else None, reason.because) == (kind, because)
    assert abs(now - timedelta(days=days) - reason.turn.at) < timedelta(seconds=1)


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("country = PL and stage = demo", ["set country to something other than PL"]),
        ("country = DE", ["set country to DE"]),
        ("country in (DE, IN) and tag = vip", ["set country to DE or IN", "add the tag vip"]),
        ("country = DE or country = IN or tag = vip and replied", ["set country to DE"]),
        ("stage = won", ["move to stage won"]),
        ("stage_age > 30 days", ["wait until 2026-03-28 12:00"]),
        ('company contains "soft"', ["set company to something that contains soft"]),
        ("not prefers.topic = pricing and stage = demo", ["forget the preference topic pricing"]),
        ("prefers.budget >= 5000", ["note the preference budget 5000 or more"]),
        ("stage = demo and stage_age < 5 days", ["move to another stage and back"]),
        ("bounced", ["the lead has to have bounced"]),
        ("replied", None),
        ("not replied within 14 days", ["wait until 2026-03-21 12:00"]),
        ("bounced and country = DE or tag = vip", ["add the tag vip"]),
        ("domain = other.example", None),
        ("not in segment inner", ["move out of stage demo"]),
        ('has consent for "news"', ["note the lead's consent for news"]),
        ("suppressed", ["suppress the address"]),
        ("has deal", ["open a deal"]),
        ("next task overdue", None),
    ],
)
def test_the_smallest_change_is_said_in_words(
    database: Database, now: datetime, text: str, steps: list[str] | None
) -> None:
    found = told(database, text, now, "stage = demo and created < 3 days ago").steps
    assert (None if found is None else [step.way.text for step in found]) == steps


def test_a_rule_that_time_alone_turns_says_when(database: Database, now: datetime) -> None:
    found = told(database, "stage = demo and not stage_age > 30 days", now)
    assert found.turns_at is not None
    assert abs(found.turns_at - (now + timedelta(days=18))) < timedelta(seconds=1)
    assert told(database, "country = PL", now, number=2).turns_at is None
