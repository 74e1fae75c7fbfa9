"""A lead as it was: changing back what the timeline tells gives what was there, step by step."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from console.database import Database
from segments import Facts, Happened
from segments.history import as_of, backwards
from segments.recall import recall
from tests.segments import lives


def same(facts: Facts) -> Any:
    """What counts of a lead: an empty attribute is none, preferences and tags are sets."""
    columns = {k: v for k, v in facts.columns.items() if k != "updated_at"}
    return replace(
        facts,
        columns=columns,
        attributes={k: v for k, v in facts.attributes.items() if v not in ("", None)},
        tags=tuple(sorted(facts.tags)),
        preferences=tuple(sorted(facts.preferences, key=lambda s: (s.name, s.value))),
    )


class _Undo(Exception):
    """Leaves the transaction without keeping its rows."""


@given(st.lists(lives.steps, min_size=1, max_size=12))
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_lead_as_of_any_step_is_what_it_was_then(
    database: Database, steps: list[lives.Step]
) -> None:
    def check(session: Session) -> None:
        at = lives.START
        ids = lives.be_born(session, [1, 2], at)
        snapshots: list[tuple[datetime, int, dict[int, Facts]]] = []
        for step in steps:
            at += step[0]
            lives.live(session, ids, step, at)
            snapshots.append((at, lives.newest_event(session), recall(session, ids)))
        present = recall(session, ids)
        # Two steps of one moment: by the time only the last of them can be told.
        by_time = {when: known for when, _, known in snapshots}
        for when, known in by_time.items():
            for lead_id in ids:
                found = as_of(present[lead_id], when)
                assert found is not None
                assert same(found) == same(known[lead_id])
        for when, newest, known in snapshots:
            for lead_id in ids:
                found = as_of(present[lead_id], when, after_event=newest)
                assert found is not None
                assert same(found) == same(known[lead_id])
        for lead_id in ids:
            assert as_of(present[lead_id], lives.START - timedelta(seconds=1)) is None
            walked = [facts for _, facts in backwards(present[lead_id])]
            assert walked[-1].events == ()
        raise _Undo

    with pytest.raises(_Undo):
        database.write(check)


def test_what_an_event_does_not_tell_stays_as_it_is(now: datetime) -> None:
    """Entries of older versions say less; a merged record's entries are about another lead."""
    columns = {"created_at": now, "stage": "demo", "stage_at": now, "pipeline": "sales"}
    later = now + timedelta(days=1)
    events = (
        Happened(id=1, kind="consent", at=later, data={"topic": "", "state": "given"}),
        Happened(id=2, kind="suppressed", at=later, data={"reason": "manual"}),
        Happened(id=3, kind="stage", at=later, data={"from": "new", "to": "won"}),
        Happened(id=4, kind="changed", at=later, data={"changed": {"attr.x": ["a", "b"]}}),
    )
    facts = Facts(
        columns=columns,
        attributes={"x": "c"},
        consents={"": "given"},
        suppressed="manual",
        events=events,
    )
    assert as_of(facts, now) == replace(facts, events=())
