"""Random rules: printed and read back they are the same; SQL, the judge and a naive evaluator that
was written from the page of the language alone choose the same leads."""

from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select
from sqlmodel import Session, col

from console.database import Database
from leads import Consent, Deal, Event, Lead, Preference, Suppression, Task
from segments import Rule, fits, parse, say, where
from segments.tree import Condition
from tests.laws import tried_on
from tests.segments import rules
from tests.segments.naive import Naive


@given(rules.conditions)
@settings(max_examples=300, deadline=None)
def test_a_rule_printed_and_read_back_is_the_same(condition: Condition) -> None:
    text = say(condition)
    assert parse(text).condition == condition
    assert say(parse(text)) == text


class _Undo(Exception):
    """Leaves the transaction without keeping its rows."""


@given(
    st.lists(rules.conditions, min_size=1, max_size=8),
    st.lists(rules.leads, min_size=1, max_size=6),
    st.booleans(),
)
@tried_on(50, long=400)
def test_sql_judge_and_a_naive_evaluator_choose_the_same_leads(
    database: Database, conditions: list[Condition], leads: list[rules.LeadRow], staged: bool
) -> None:
    stages = {"demo": ("sales", "partners"), "won": ("sales",)} if staged else {}

    def check(session: Session) -> None:
        for table in (Suppression, Consent, Deal, Task, Event, Preference, Lead):
            session.execute(delete(table))
        for number, lead in enumerate(leads, 1):
            row, *rest = lead.rows(number)
            session.add(row)
            session.flush()
            session.add_all(rest)
        session.flush()
        for condition in conditions:
            rule = Rule(condition=condition, stages=stages)
            expected = [
                number
                for number, lead in enumerate(leads, 1)
                if fits(rule, lead.facts, now=rules.NOW, zone=rules.ZONE)
            ]
            naive = [
                number
                for number, lead in enumerate(leads, 1)
                if Naive(rule, lead.facts, rules.NOW, rules.ZONE).yes(condition)
            ]
            assert naive == expected, say(rule)
            for whole in (False, True):
                clause = where(rule, now=rules.NOW, zone=rules.ZONE, whole=whole)
                found = session.scalars(
                    select(col(Lead.id)).where(clause).order_by(col(Lead.id))
                ).all()
                assert list(found) == expected, say(rule)
        raise _Undo

    with pytest.raises(_Undo):
        database.write(check)


def test_no_condition_is_ever_unknown(database: Database, now: datetime) -> None:
    """`x or not x` is everybody, also where values are missing."""
    from segments.facts import Facts

    bare = rules.LeadRow(
        facts=Facts(
            columns={
                "email": "a@b.pl",
                "domain": "b.pl",
                "created_at": now,
                "stage_at": now,
                "draw": 7,
            }
        )
    )
    database.write(lambda session: session.add_all(bare.rows(1)))
    texts = ["company = x", "attr.x = 5", "attr.x > today", "prefers.y >= 5", "tag = z", "replied"]
    for text in texts:
        for rule in (f"{text} or not {text}", f"not ({text} and not {text})"):
            clause = where(parse(rule), now=now, zone=rules.ZONE)
            found = database.read(
                lambda s, c=clause: s.scalars(select(col(Lead.id)).where(c)).all()
            )
            assert list(found) == [1], rule
