"""A lead as it was: changing back what the timeline tells gives what was there, step by step."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlmodel import Session, col

from console.database import Database
from leads import Lead, merge
from segments import Facts, Happened
from segments.history import as_of, backwards
from segments.recall import recall
from tests.laws import tried_on
from tests.leads.files import taken_in, written
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
@tried_on(25, long=120)
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


@given(st.lists(lives.steps, max_size=8), st.lists(lives.steps, max_size=4), st.integers(1, 9))
@tried_on(20, long=80)
def test_a_merged_record_is_another_lead_until_then(
    database: Database, before: list[lives.Step], after: list[lives.Step], minutes: int
) -> None:
    def check(session: Session) -> None:
        at = lives.START
        keep, other = lives.be_born(session, [1, 2], at)
        snapshots: dict[datetime, Facts] = {}
        for step in before:
            at += step[0]
            lives.live(session, [keep, other], step, at)
            snapshots[at] = recall(session, [keep])[keep]
        at += timedelta(minutes=minutes)
        merge(session, keep, other, at=at, by="eva")
        snapshots[at] = recall(session, [keep])[keep]
        for step in after:
            at += step[0]
            lives.live(session, [keep], step, at)
            snapshots[at] = recall(session, [keep])[keep]
        present = recall(session, [keep])[keep]
        for when, known in snapshots.items():
            found = as_of(present, when)
            assert found is not None
            assert same(found) == same(known)
        raise _Undo

    with pytest.raises(_Undo):
        database.write(check)


FIRST = """\
email,company,country,stage,prefers.topic,size,tags,consent
anna@example.pl,Kot,PL,demo,pricing;x,9,vip,yes
jan@example.pl,,DE,new,,,,
"""
SECOND = """\
email,company,country,stage,prefers.topic,size,tags,consent
anna@example.pl,Kos,,won,y,10,new,no
jan@example.pl,Firma,PL,demo,a,5,,yes
"""


def test_what_files_changed_is_changed_back(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    later = now + timedelta(days=3)
    taken_in(database, written(tmp_path, FIRST), consent_source="fair")

    def known() -> dict[int, Facts]:
        return database.read(lambda s: recall(s, s.scalars(select(col(Lead.id))).all()))

    first = known()
    again = written(tmp_path, SECOND, "again.csv")
    taken_in(database, again, now=later, on_duplicate="overwrite", consent_source="fair")
    second = known()
    assert len(first) == 2
    for lead_id, facts in second.items():
        assert same(facts) != same(first[lead_id])
        back = as_of(facts, now)
        assert back is not None
        assert same(back) == same(first[lead_id])
        assert as_of(facts, later) == facts


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
