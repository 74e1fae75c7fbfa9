"""Who entered and who left: what SQL says at two moments, found without looking at everybody."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, event, select, update
from sqlalchemy.engine import URL
from sqlmodel import Session, col

from console.database import Database
from leads import Lead, add_task, move_stage, open_deal, record, set_fields
from segments import Rule, fits, parse, say, where
from segments.changes import Change, moved
from segments.history import as_of
from segments.touched import event_before, touched
from segments.tree import Condition
from tests.laws import tried_on
from tests.segments import lives, rules


class _Undo(Exception):
    """Leaves the transaction without keeping its rows."""


def members(session: Session, rule: Rule, now: datetime) -> set[int]:
    clause = where(rule, now=now, zone=rules.ZONE)
    return {lead_id for lead_id in session.scalars(select(col(Lead.id)).where(clause)) if lead_id}


def check_moment(rule: Rule, change: Change) -> None:
    """At its moment the lead is on the new side, and just before on the other."""
    there = as_of(change.facts, change.at)
    assert there is not None
    assert fits(rule, there, now=change.at, zone=rules.ZONE) == change.entered
    tick = timedelta(microseconds=1)
    before = as_of(change.facts, change.at - tick)
    if change.event is None:
        assert before is not None
        assert fits(rule, before, now=change.at - tick, zone=rules.ZONE) != change.entered
        assert change.conditions


@given(
    st.lists(rules.conditions, min_size=1, max_size=6),
    st.lists(lives.steps, max_size=6),
    st.lists(lives.steps, max_size=6),
    st.sampled_from([timedelta(0), timedelta(hours=15), timedelta(days=12), timedelta(days=40)]),
    st.booleans(),
)
@tried_on(50, long=300)
def test_moved_is_the_difference_between_two_moments(
    database: Database,
    conditions: list[Condition],
    before: list[lives.Step],
    after: list[lives.Step],
    pause: timedelta,
    late_arrival: bool,
) -> None:
    chosen = [Rule(condition=condition) for condition in conditions]

    def check(session: Session) -> None:
        since = lives.START
        ids = lives.be_born(session, [1, 2], since)
        for step in before:
            since += step[0]
            lives.live(session, ids, step, since)
        newest = lives.newest_event(session)
        then = [members(session, rule, since) for rule in chosen]
        now = since
        if late_arrival:
            now += timedelta(hours=1)
            ids += lives.be_born(session, [3], now)
        simultaneous = bool(after) and not late_arrival and after[0][0] == timedelta(0)
        for step in after:
            now += step[0]
            lives.live(session, ids, step, now)
        now += pause
        for rule, earlier in zip(chosen, then, strict=True):
            present = members(session, rule, now)
            known = {"since": since, "now": now, "zone": rules.ZONE}
            # What happened at `since` itself but later can only be told by its number.
            for number in [newest] if simultaneous else [newest, None]:
                first = event_before(session, since) if number is None else number
                found = session.scalars(touched(rule, after_event=first, **known)).all()
                assert len(set(found)) == len(found)
                assert earlier ^ present <= set(found), say(rule)
                changes = list(moved(session, rule, after_event=number, chunk=2, **known))
                assert {c.lead_id: c.entered for c in changes} == {
                    lead_id: lead_id in present for lead_id in earlier ^ present
                }, say(rule)
                assert [c.lead_id for c in changes] == sorted(c.lead_id for c in changes)
                for change in changes:
                    assert since <= change.at <= now
                    check_moment(rule, change)
        raise _Undo

    with pytest.raises(_Undo):
        database.write(check)


def test_what_is_written_down_late_is_new_by_its_number(database: Database, now: datetime) -> None:
    """A reply of yesterday that was read today."""
    rule = parse("replied within 14 days")
    day = timedelta(days=1)

    def work(session: Session) -> tuple[list[Change], list[Change], int]:
        (lead_id,) = lives.be_born(session, [1], now - 30 * day)
        seen = lives.newest_event(session)
        record(session, lead_id, "replied", at=now - 2 * day)
        known = {"since": now - day, "now": now, "zone": rules.ZONE}
        late = list(moved(session, rule, after_event=seen, **known))
        return late, list(moved(session, rule, **known)), lead_id

    late, by_time, lead_id = database.write(work)
    assert [(c.lead_id, c.entered, c.event and c.event.kind) for c in late] == [
        (lead_id, True, "replied")
    ]
    assert by_time == []


def test_time_alone_lets_a_lead_leave(database: Database, now: datetime) -> None:
    rule = parse("stage = demo and not stage_age > 30 days")
    day = timedelta(days=1)

    def work(session: Session) -> list[Change]:
        ids = lives.be_born(session, [1, 2, 3], now - 90 * day)
        move_stage(session, ids[0], "sales", "demo", at=now - 35 * day, by="eva")
        move_stage(session, ids[1], "sales", "demo", at=now - 5 * day, by="eva")
        move_stage(session, ids[2], "sales", "demo", at=now - 35 * day, by="eva")
        move_stage(session, ids[2], "sales", "won", at=now - 10 * day, by="eva")
        found = moved(session, rule, since=now - 25 * day, now=now, zone=rules.ZONE)
        return list(found)

    left, entered, gone = database.write(work)
    assert (left.entered, left.event) == (False, None)
    assert left.at == now - 5 * day + timedelta(microseconds=1)
    assert [say(each) for each in left.conditions] == ["stage_age > 30 days"]
    assert (entered.entered, entered.at) == (True, now - 5 * day)
    assert entered.event is not None
    # It had stood in its first stage for 85 days.
    assert [say(each) for each in entered.conditions] == ["stage = demo", "stage_age > 30 days"]
    assert (gone.entered, gone.at) == (False, now - 10 * day)
    assert gone.event is not None
    assert gone.event.data["to"] == "won"


def test_a_new_day_turns_attributes_and_deals(database: Database, now: datetime) -> None:
    """Midnight passes between the two moments, in the zone's own time."""
    rule = parse("attr.renewal < today or deal where (state = open and closes < today)")
    since = datetime(2026, 3, 9, 22, 0, tzinfo=UTC)

    def work(session: Session) -> tuple[list[int], list[Change]]:
        ids = lives.be_born(session, [1, 2, 3], now - timedelta(days=90))
        known = {"at": now - timedelta(days=80), "by": "eva"}
        day = since.date()
        set_fields(session, ids[0], {}, attributes={"renewal": day.isoformat()}, **known)
        set_fields(session, ids[1], {}, attributes={"renewal": "2026-03-10"}, **known)
        open_deal(session, ids[2], "Plan", expected_close=day, **known)
        return ids, list(moved(session, rule, since=since, now=now, zone=rules.ZONE))

    ids, changes = database.write(work)
    midnight = datetime(2026, 3, 9, 23, 0, tzinfo=UTC)
    assert [(c.lead_id, c.entered, c.at, c.event) for c in changes] == [
        (ids[0], True, midnight, None),
        (ids[2], True, midnight, None),
    ]


def test_a_task_becomes_overdue_while_nobody_looks(database: Database, now: datetime) -> None:
    rule = parse("next task overdue by 1 day")
    day = timedelta(days=1)

    def work(session: Session) -> list[Change]:
        (lead_id,) = lives.be_born(session, [1], now - 30 * day)
        add_task(session, lead_id, "Call", due=now - 3 * day, at=now - 9 * day, by="eva")
        return list(moved(session, rule, since=now - 5 * day, now=now, zone=rules.ZONE))

    (change,) = database.write(work)
    assert (change.entered, change.event) == (True, None)
    assert change.at == now - 2 * day + timedelta(microseconds=1)


def test_an_erased_lead_is_nobodys_change(database: Database, now: datetime) -> None:
    def work(session: Session) -> list[Change]:
        (lead_id,) = lives.be_born(session, [1], now - timedelta(days=9))
        record(session, lead_id, "erased", at=now)
        session.execute(update(Lead).where(col(Lead.id) == lead_id).values(erased_at=now))
        rule = parse("replied")
        return list(moved(session, rule, since=now - timedelta(days=1), now=now, zone=rules.ZONE))

    assert database.write(work) == []


@pytest.fixture
def sqlite_database(sqlite_url: URL) -> Iterator[Database]:
    database = Database(sqlite_url)
    yield database
    database.close()


def _plan(database: Database, text: str, now: datetime) -> list[str]:
    query = touched(
        parse(text), after_event=7, since=now - timedelta(days=2), now=now, zone=rules.ZONE
    )

    def explain(
        _c: Connection, _cursor: object, statement: str, parameters: object, *_rest: object
    ) -> tuple[str, object]:
        return f"EXPLAIN QUERY PLAN {statement}", parameters

    with database.reader.connect() as connection:
        event.listen(connection, "before_cursor_execute", explain, retval=True)
        rows = connection.execute(query)
        return [row[-1] for row in rows.cursor.fetchall()]  # type: ignore[union-attr]


BY_PLACE = "lead USING COVERING INDEX ix_lead_pipeline_stage_stage_at"
BY_KIND = "event USING COVERING INDEX ix_event_kind_at_lead_id"
BY_CAMPAIGN = "event USING COVERING INDEX ix_event_kind_campaign_at"


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("country = PL", ["event USING INTEGER PRIMARY KEY (rowid>?)"]),
        (
            "stage_age > 30 days",
            [f"{BY_PLACE} (pipeline=? AND stage=? AND stage_at>? AND stage_at<?)"],
        ),
        ("created within 2 weeks", [f"{BY_KIND} (kind=? AND at>? AND at<?)"]),
        ("created < today", [f"{BY_KIND} (kind=? AND at>? AND at<?)"]),
        ('sent "a" within 9 days', [f"{BY_CAMPAIGN} (kind=? AND campaign=? AND at>? AND at<?)"]),
        ("not sent any in 7 days", [f"{BY_KIND} (kind=? AND at>? AND at<?)"]),
        ("was in demo within 9 days", [f"{BY_KIND} (kind=? AND at>? AND at<?)"]),
        (
            'event "a.b" where plan = pro within 9 days',
            [f"{BY_KIND} (kind=? AND at>? AND at<?)"],
        ),
        ('event "a.b" where until < today', ["event USING COVERING INDEX ix_event_kind_"]),
        (
            "deal where (state = open and closes < today)",
            ["ix_deal_state_expected_close_lead_id (state=? AND expected_close>?"],
        ),
        (
            "deal where opened < 30 days ago",
            [f"{BY_KIND} (kind=? AND at>? AND at<?)"],
        ),
        ("next task overdue by 3 days", ["ix_task_open_due_at_lead_id (due_at>? AND due_at<?)"]),
    ],
)
def test_those_touched_are_found_by_index(
    sqlite_database: Database, now: datetime, text: str, steps: list[str]
) -> None:
    plan = _plan(sqlite_database, text, now)
    for step in steps:
        assert any(step in line for line in plan), plan
    scans = [
        line for line in plan if line.startswith("SCAN") and ("event" in line or "lead" in line)
    ]
    assert not scans, plan
