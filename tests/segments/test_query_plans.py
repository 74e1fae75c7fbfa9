"""The searches SQLite makes of rules: without statistics its choice depends on the words alone."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, event, func, select
from sqlalchemy.engine import URL

from console.database import Database
from leads import Lead, Permission
from segments import parse, where
from segments.counting import counts
from segments.putting_off import moments

STAGES = {"sales": ("new", "demo", "proposal")}


@pytest.fixture
def sqlite_database(sqlite_url: URL) -> Iterator[Database]:
    database = Database(sqlite_url)
    yield database
    database.close()


def _plan(database: Database, text: str, now: datetime, *, whole: bool) -> str:
    rule = parse(text, stages=STAGES)
    clause = where(rule, now=now, zone=ZoneInfo("Europe/Warsaw"), whole=whole)
    return _explained(database, select(func.count()).select_from(Lead).where(clause))


def _explained(database: Database, statement: Any, **values: Any) -> str:
    def explain(
        _c: Connection, _cursor: object, statement: str, parameters: object, *_rest: object
    ) -> tuple[str, object]:
        return f"EXPLAIN QUERY PLAN {statement}", parameters

    with database.reader.connect() as connection:
        event.listen(connection, "before_cursor_execute", explain, retval=True)
        rows = connection.execute(statement, values)
        return "\n".join(row[-1] for row in rows.cursor.fetchall())  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "whole", "step"),
    [
        ("stage = demo", False, "ix_lead_pipeline_stage_stage_at (pipeline=? AND stage=?)"),
        (
            "stage in (demo, proposal) and not stage_age > 30 days",
            False,
            "ix_lead_pipeline_stage_stage_at (pipeline=? AND stage=? AND stage_at>?)",
        ),
        ("domain = wp.pl", False, "ix_lead_domain (domain=?)"),
        ("prefers.topic = pricing", True, "_folded_lead_id (name=? AND <expr>=?)"),
        ("prefers.topic = pricing", False, "(name=? AND <expr>=? AND lead_id=?)"),
        ("prefers.budget >= 5", False, "(name=? AND lead_id=? AND number>?)"),
        ("replied within 9 days", True, "ix_event_kind_at_lead_id (kind=? AND at>?)"),
        ("replied within 9 days", False, "ix_event_lead_id_at (lead_id=? AND at>?)"),
        ('sent "a" within 9 days', True, "at (kind=? AND campaign=? AND at>?)"),
        ('sent "a"', True, "ix_event_kind_campaign_at (kind=? AND campaign=?)"),
        ('sent "a"', False, "ix_event_lead_id_at (lead_id=?)"),
        ('sent "a" within 9 days', False, "ix_event_lead_id_at (lead_id=? AND at>?)"),
        ('sent "a" at least 2 times', False, "ix_event_lead_id_at (lead_id=?)"),
    ],
)
def test_a_rule_searches_by_its_index(
    sqlite_database: Database, now: datetime, text: str, whole: bool, step: str
) -> None:
    assert step in _plan(sqlite_database, text, now, whole=whole)


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        (
            "stage = demo",
            [
                "COVERING INDEX ix_lead_pipeline_stage_stage_at (pipeline=? AND stage=?)",
                "COVERING INDEX ix_lead_barred (pipeline=? AND stage=?)",
                "ix_consent_withdrawn (topic=?)",
            ],
        ),
        (
            "prefers.topic = pricing",
            [
                "_folded_lead_id (name=? AND <expr>=?)",
                "SCAN lead USING COVERING INDEX ix_lead_barred",
            ],
        ),
        (
            'sent "a" at least 2 times',
            ["COVERING INDEX ix_event_kind_campaign_at (kind=? AND campaign=?)"],
        ),
    ],
)
def test_a_count_reads_indexes_alone(
    sqlite_database: Database, now: datetime, text: str, steps: list[str]
) -> None:
    rule = parse(text, stages=STAGES)
    statement = counts(
        rule,
        Permission(topic="news"),
        now=now,
        zone=ZoneInfo("Europe/Warsaw"),
        cap=None,
        dialect="sqlite",
    )
    plan = _explained(sqlite_database, statement, **moments(None, now))
    for step in steps:
        assert step in plan
    assert "SCAN lead\n" not in f"{plan}\n"
