"""Counts that add up, previews, and injection that stays text."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select
from sqlmodel import Session

from console.database import Database
from leads import Lead, Permission, Preference, Suppression
from segments import Audience, SegmentError, audience, parse, preview

ZONE = ZoneInfo("Europe/Warsaw")
HOSTILE = ["'; DROP TABLE lead; --", '" OR 1=1 --', "%", "_", "\\", "{}", "%s", ":x", "?", "$.a"]


def _lead(number: int, now: datetime, **columns: Any) -> Lead:
    given: dict[str, Any] = {
        "id": number,
        "email": f"lead{number}@example.com",
        "address_key": f"key{number}",
        "domain": "example.com",
        "stage_at": now - timedelta(days=number),
        "draw": number * 7919,
        "token": f"{number:016x}",
        "created_at": now,
        "updated_at": now,
    }
    return Lead(**given | columns)


def _fill(session: Session, now: datetime) -> None:
    session.add_all(
        [
            _lead(1, now, country="PL", stage="demo", attributes={"size": "50"}, tags=["vip"]),
            _lead(2, now, country="PL"),
            _lead(3, now, country="PL"),
            _lead(4, now, country="PL", erased_at=now),
            _lead(5, now, country="DE"),
            _lead(6, now, country="PL", merged_into=1),
        ]
    )
    session.add_all(
        [
            Suppression(address_key="key2", reason="opted_out", at=now),
            Suppression(address_key="key3", reason="manual", at=now),
            Suppression(address_key="key5", reason="hard_bounce", at=now),
        ]
    )
    session.flush()
    session.add_all(
        [
            Preference(lead_id=1, name="topic", value="pricing", said_at=now),
            Preference(lead_id=1, name="topic", value="api", said_at=now),
        ]
    )


def test_everyone_a_rule_fits_is_mailable_or_left_out_for_a_reason(
    database: Database, now: datetime
) -> None:
    database.write(lambda session: _fill(session, now))

    def count(text: str) -> Audience:
        rule = parse(text, stages={"sales": ("new", "demo")})
        return database.read(lambda s: audience(s, rule, Permission(), now=now, zone=ZONE))

    assert count("country = PL") == Audience(
        matching=5,
        mailable=1,
        left_out={"opted_out": 1, "suppressed": 1, "erased": 1, "merged": 1},
    )
    assert count("stage = demo and prefers.topic = Pricing").mailable == 1
    assert count("country = XX") == Audience(matching=0, mailable=0, left_out={})


def test_a_preview_shows_what_was_asked_for_and_who_is_left_out(
    database: Database, now: datetime
) -> None:
    database.write(lambda session: _fill(session, now))
    columns = ["email", "stage_age", "attr.size", "prefers.topic", "tag"]

    def look(names: list[str]) -> list[dict[str, Any]]:
        return database.read(
            lambda s: preview(
                s,
                parse("country = PL"),
                Permission(),
                names,
                limit=2,
                now=now,
                zone=ZONE,
            )
        )

    assert look(columns) == [
        {
            "email": "lead1@example.com",
            "stage_age": 1,
            "attr.size": "50",
            "prefers.topic": ["pricing", "api"],
            "tag": ["vip"],
            "left_out": None,
        },
        {
            "email": "lead2@example.com",
            "stage_age": 2,
            "attr.size": None,
            "prefers.topic": [],
            "tag": [],
            "left_out": "opted_out",
        },
    ]
    with pytest.raises(SegmentError, match="did you mean company"):
        look(["compny"])


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_of_a_rule_reaches_sql_as_sql(database: Database, now: datetime, text: str) -> None:
    database.write(lambda session: _fill(session, now))
    quoted = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    name = text.replace("\\", "").replace('"', "") or "x"
    rules = [f"name {sign} {quoted}" for sign in ("=", "contains", "starts with", "ends with")] + [
        f"company in ({quoted}, {quoted})",
        f"attr.size = {quoted}",
        f'attr."{name}" = {quoted}',
        f'attr."{name}" >= 5',
        f'has attr."{name}"',
        f'prefers."{name}" = {quoted}',
        f"tag = {quoted}",
        f"stage = {quoted}",
        f"domain = {quoted}",
        f"sent {quoted} at least 2 times",
    ]
    for rule in rules:
        found = database.read(
            lambda s, r=rule: audience(s, parse(r), Permission(), now=now, zone=ZONE)
        )
        assert found.matching == 0, rule
    assert database.read(lambda s: s.scalar(select(func.count()).select_from(Lead))) == 6
