"""Facts out of the database: all that a rule can ask, in few queries however many leads."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.engine import URL
from sqlmodel import Session

from console.database import Database
from leads import (
    add_note,
    add_task,
    give_consent,
    move_stage,
    note_event,
    open_deal,
    prefer,
    record,
    set_fields,
    suppress,
)
from segments import DealFacts, Facts, Happened, Stated, TaskFacts, recall
from tests.segments import lives


def test_everything_a_rule_can_ask_is_there(database: Database, now: datetime) -> None:
    day = timedelta(days=1)

    def work(session: Session) -> tuple[int, int, dict[int, Facts]]:
        full, bare = lives.be_born(session, [1, 2], now)
        by = {"at": now + day, "by": "eva"}
        set_fields(
            session, full, {"company": "Kot"}, attributes={"size": "9"}, add_tags=["vip"], **by
        )
        move_stage(session, full, "sales", "demo", **by)
        prefer(session, full, "budget", ["5000", "much"], **by)
        give_consent(session, full, topic="news", source="fair", **by)
        suppress(session, f"{1:032x}", reason="manual", **by)
        add_note(session, full, "called", **by)
        open_deal(
            session,
            full,
            "Plan",
            amount=Decimal("12.50"),
            currency="PLN",
            expected_close=date(2026, 4, 1),
            **by,
        )
        add_task(session, full, "Call", due=now + 3 * day, **by)
        note_event(session, full, "demo.requested", {"plan": "pro"}, **by)
        record(session, full, "sent", campaign="spring", at=now + 2 * day)
        # Read late, happened early.
        record(session, full, "replied", campaign="spring", at=now + day)
        return full, bare, recall(session, [full, bare, 10**9])

    full, bare, known = database.write(work)
    assert set(known) == {full, bare}
    facts = known[full]
    assert {name: facts.columns[name] for name in ("company", "stage", "pipeline", "stage_at")} == {
        "company": "Kot",
        "stage": "demo",
        "pipeline": "sales",
        "stage_at": now + day,
    }
    assert (facts.attributes, facts.tags) == ({"size": "9"}, ("vip",))
    assert set(facts.preferences) == {
        Stated(name="budget", value="5000", number=5000.0),
        Stated(name="budget", value="much", number=None),
    }
    assert (facts.consents, facts.suppressed) == ({"news": "given"}, "manual")
    (deal,) = facts.deals
    assert deal == DealFacts(
        id=deal.id,
        name="Plan",
        amount=Decimal("12.50"),
        currency="PLN",
        expected_close=date(2026, 4, 1),
        created_at=now + day,
    )
    (task,) = facts.tasks
    assert task == TaskFacts(id=task.id, title="Call", due_at=now + 3 * day)
    kinds = [each.kind for each in facts.events]
    assert (kinds[0], kinds[-2:]) == ("imported", ["replied", "sent"])
    own = next(each for each in facts.events if each.kind == "demo.requested")
    assert own == Happened(
        id=own.id, kind="demo.requested", at=now + day, data={"properties": {"plan": "pro"}}
    )
    assert facts.events[-1].campaign == "spring"
    empty = known[bare]
    assert (empty.preferences, empty.consents, empty.suppressed) == ((), {}, None)
    assert (empty.deals, empty.tasks, len(empty.events)) == ((), (), 1)


def test_only_kinds_that_count_and_what_is_new_are_read(database: Database, now: datetime) -> None:
    day = timedelta(days=1)

    def work(session: Session) -> list[list[str]]:
        (lead_id,) = lives.be_born(session, [1], now)
        for number, kind in enumerate(["sent", "stage", "replied", "bounced"], 1):
            record(session, lead_id, kind, at=now + number * day)
        last = lives.newest_event(session)
        asked = [
            {"kinds": ["sent"]},
            {"kinds": ["sent"], "since": now + 3 * day},
            {"kinds": ["sent"], "after_event": last - 1},
            {"kinds": []},
        ]
        found = (recall(session, [lead_id], **each)[lead_id] for each in asked)  # type: ignore[arg-type]
        return [[each.kind for each in facts.events] for facts in found]

    assert database.write(work) == [
        ["sent", "stage"],
        ["sent", "stage", "bounced"],
        ["sent", "stage", "bounced"],
        ["stage"],
    ]


def test_side_tables_are_read_where_a_rule_asks(database: Database, now: datetime) -> None:
    def work(session: Session) -> list[Facts]:
        (lead_id,) = lives.be_born(session, [1], now)
        by = {"at": now, "by": "eva"}
        prefer(session, lead_id, "topic", ["a"], **by)
        give_consent(session, lead_id, source="fair", **by)
        add_task(session, lead_id, "Call", **by)
        asked = ["preference"], ["consent"], ["task"], ["sent"]
        return [recall(session, [lead_id], kinds=kinds)[lead_id] for kinds in asked]

    found = database.write(work)
    assert [(len(f.preferences), len(f.consents), len(f.tasks)) for f in found] == [
        (1, 0, 0),
        (0, 1, 0),
        (0, 0, 1),
        (0, 0, 0),
    ]


def test_a_thousand_leads_take_as_many_queries_as_one(database: Database, now: datetime) -> None:
    def work(session: Session) -> list[int]:
        ids = lives.be_born(session, range(1, 1001), now)
        statements: list[int] = []
        for some in (ids[:1], ids):
            asked: list[str] = []

            def count(_c: Connection, _cursor: object, text: str, *_rest: object) -> None:
                asked.append(text)  # noqa: B023 - called before the next round

            event.listen(session.connection(), "before_cursor_execute", count)
            assert len(recall(session, some)) == len(some)
            event.remove(session.connection(), "before_cursor_execute", count)
            statements.append(len(asked))
        return statements

    few, many = database.write(work)
    assert few == many <= 7


def test_events_are_found_by_their_lead(sqlite_url: URL, now: datetime) -> None:
    """By the kind SQLite would read every mail ever sent: 3 seconds for 500 leads of a million."""
    opened = Database(sqlite_url)
    plans: list[str] = []

    def work(session: Session) -> None:
        def explain(_c: Connection, _cursor: object, text: str, given: Any, *_rest: object) -> None:
            if "FROM event" in text:
                raw = session.connection().connection.driver_connection
                rows = raw.execute(f"EXPLAIN QUERY PLAN {text}", given)  # type: ignore[union-attr]
                plans.extend(row[-1] for row in rows)

        (lead_id,) = lives.be_born(session, [1], now)
        event.listen(session.connection(), "before_cursor_execute", explain)
        recall(session, [lead_id], kinds=["sent"], since=now)
        recall(session, [lead_id], kinds=["sent"], after_event=7)
        recall(session, [lead_id])

    opened.write(work)
    opened.close()
    searches = [line for line in plans if "event" in line]
    assert len(searches) == 3
    assert all("ix_event_lead_id_at (lead_id=?" in line for line in searches), plans
