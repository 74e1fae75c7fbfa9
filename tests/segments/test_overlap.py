"""Rules held against each other: regions that add up, and the leads in them."""

from datetime import datetime
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session

from console.database import Database
from leads import Permission
from segments import Rule, audience, examples, parse, regions
from segments.tree import Condition
from tests.laws import tried_on
from tests.segments.rules import NOW, ZONE, LeadRow, conditions, leads
from tests.segments.test_audience import _fill

RULES = ["country = PL", "tag = vip", "prefers.topic = api"]


def test_each_region_holds_the_leads_of_exactly_its_rules(
    database: Database, now: datetime
) -> None:
    database.write(lambda session: _fill(session, now))
    rules = [parse(text) for text in RULES]
    found = database.read(lambda s: regions(s, rules, Permission(), now=now, zone=ZONE))
    assert [(r.inside, r.matching, r.mailable) for r in found] == [
        ((True, True, True), 1, 1),
        ((True, False, False), 4, 0),
    ]


def test_nobody_stands_outside_and_examples_say_who_is_where(
    database: Database, now: datetime
) -> None:
    database.write(lambda session: _fill(session, now))
    one, other = parse("everyone"), parse("country = PL")
    found = database.read(lambda s: regions(s, [one, other], Permission(), now=now, zone=ZONE))
    assert [(r.inside, r.matching) for r in found] == [((True, True), 5), ((True, False), 1)]

    def show(fitting: list[Rule], outside: list[Rule], limit: int) -> list[tuple[str, str | None]]:
        rows = database.read(
            lambda s: examples(s, fitting, outside, Permission(), limit=limit, now=now, zone=ZONE)
        )
        return [(row.email, row.left_out) for row in rows]

    assert show([one], [other], 9) == [("lead5@example.com", "hard_bounce")]
    assert show([one, other], [], 2) == [
        ("lead1@example.com", None),
        ("lead2@example.com", "opted_out"),
    ]
    assert show([other], [one], 9) == []


class _Undo(Exception):
    """Takes the leads of one example out again."""


@tried_on(15, long=100)
@given(world=st.lists(leads, max_size=4), asked=st.lists(conditions, min_size=2, max_size=4))
def test_random_rules_over_random_leads_have_regions_that_add_up(
    database: Database, world: list[LeadRow], asked: list[Condition]
) -> None:
    rules = [Rule(condition=each) for each in asked]
    moment: dict[str, Any] = {"now": NOW, "zone": ZONE}

    def check(session: Session) -> None:
        for number, lead in enumerate(world, 1):
            row, *rest = lead.rows(number)
            session.add(row)
            session.flush()
            session.add_all(rest)
        session.flush()
        found = regions(session, rules, Permission(), **moment)
        for place, rule in enumerate(rules):
            alone = audience(session, rule, Permission(), **moment)
            inside = [region for region in found if region.inside[place]]
            assert sum(region.matching for region in inside) == alone.matching
            assert sum(region.mailable for region in inside) == alone.mailable
        by_region = {region.inside: region.matching for region in found}
        for marks in product((True, False), repeat=len(rules)):
            fitting = [rule for rule, yes in zip(rules, marks, strict=True) if yes]
            outside = [rule for rule, yes in zip(rules, marks, strict=True) if not yes]
            if fitting:
                here = examples(session, fitting, outside, Permission(), limit=9, **moment)
                assert len(here) == by_region.get(marks, 0)
        raise _Undo

    with pytest.raises(_Undo):
        database.write(check)
