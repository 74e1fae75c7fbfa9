"""Counts of random rules over random leads are what plain Python counts, reason by reason."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, select, update
from sqlmodel import Session, col

from console.database import Database
from leads import (
    Consent,
    Deal,
    Event,
    FrequencyCap,
    Lead,
    Permission,
    Preference,
    Suppression,
    Task,
    suppress,
    unsuppress,
)
from segments import Audience, Facts, Rule, audience, fits, parse, say
from segments.tree import Condition, Did
from tests.laws import tried_on
from tests.segments import rules

#: Conditions that an index of one table answers alone, more often than chance would have them.
alone = (
    rules.conditions
    | st.sampled_from(["stage = demo", "stage in (demo, won)", "prefers.topic = a", "sent"]).map(
        lambda text: parse(text).condition
    )
    | st.builds(Did, kind=st.just("sent"), times=st.sampled_from([1, 2]))
)
permissions = st.builds(
    Permission, topic=st.sampled_from(["", "news"]), consent_required=st.booleans()
)
caps = st.none() | st.builds(
    FrequencyCap, messages=st.sampled_from([1, 2]), days=st.sampled_from([1, 30])
)
fates = st.sampled_from(["", "", "", "merged", "erased", "both"])


class _Undo(Exception):
    """Leaves the transaction without keeping its rows."""


def _why(facts: Facts, fate: str, permission: Permission, cap: FrequencyCap | None) -> str | None:
    said = [facts.consents.get(topic) for topic in {"", permission.topic}]
    if fate in ("merged", "both"):
        return "merged"
    if fate == "erased":
        return "erased"
    if facts.suppressed:
        return "suppressed" if facts.suppressed in ("manual", "imported") else facts.suppressed
    if "withdrawn" in said:
        return "consent_withdrawn"
    if permission.consent_required and "given" not in said:
        return "no_consent"
    if cap is not None:
        since = rules.NOW - timedelta(days=cap.days)
        sent = sum(event.kind == "sent" and event.at > since for event in facts.events)
        return "capped" if sent >= cap.messages else None
    return None


@given(
    st.lists(alone, min_size=1, max_size=6),
    st.lists(st.tuples(rules.leads, fates), min_size=1, max_size=6),
    permissions,
    caps,
    st.booleans(),
)
@tried_on(40, long=120)
def test_a_count_is_what_plain_python_counts(
    database: Database,
    conditions: list[Condition],
    world: list[tuple[rules.LeadRow, str]],
    permission: Permission,
    cap: FrequencyCap | None,
    staged: bool,
) -> None:
    stages = {"demo": ("sales", "partners"), "won": ("sales",)} if staged else {}

    def check(session: Session) -> None:
        for table in (Suppression, Consent, Deal, Task, Event, Preference, Lead):
            session.execute(delete(table))
        for number, (lead, fate) in enumerate(world, 1):
            row, *rest = lead.rows(number)
            row.merged_into = 1 if fate in ("merged", "both") else None
            row.erased_at = rules.NOW if fate in ("erased", "both") else None
            session.add(row)
            session.flush()
            session.add_all(rest)
        session.flush()
        for condition in conditions:
            rule = Rule(condition=condition, stages=stages)
            reasons = [
                _why(lead.facts, fate, permission, cap)
                for lead, fate in world
                if fits(rule, lead.facts, now=rules.NOW, zone=rules.ZONE)
            ]
            left_out = Counter(reason for reason in reasons if reason is not None)
            expected = Audience(
                matching=len(reasons), mailable=reasons.count(None), left_out=dict(left_out)
            )
            found = audience(session, rule, permission, now=rules.NOW, zone=rules.ZONE, cap=cap)
            assert found == expected, say(rule)
            assert list(found.left_out.values()) == sorted(left_out.values(), reverse=True)
        raise _Undo

    with pytest.raises(_Undo):
        database.write(check)


def _lead(number: int, key: str, now: datetime) -> dict[str, Any]:
    text = dict.fromkeys(
        ["name", "first_name", "last_name", "company", "job_title", "phone", "country"], ""
    ) | dict.fromkeys(["language", "timezone", "owner", "source"], "")
    return {
        **text,
        "id": number,
        "email": f"l{number}@example.com",
        "address_key": key,
        "domain": "example.com",
        "pipeline": "sales",
        "stage": "new",
        "score": 0.0,
        "attributes": {},
        "tags": [],
        "draw": number,
        "token": f"{number:016x}",
        "stage_at": now,
        "created_at": now,
        "updated_at": now,
    }


def test_a_lead_knows_its_suppression_whichever_came_first(
    database: Database, now: datetime
) -> None:
    def known(session: Session) -> list[str | None]:
        return list(session.scalars(select(col(Lead.suppressed)).order_by(col(Lead.id))))

    def live(session: Session) -> None:
        table = Lead.__table__  # type: ignore[attr-defined]
        session.execute(table.insert(), [_lead(1, "a", now), _lead(2, "b", now)])
        assert known(session) == [None, None]
        suppress(session, "b", reason="imported", at=now, by="test")
        suppress(session, "c", reason="complaint", at=now, by="test")
        assert known(session) == [None, "imported"]
        suppress(session, "b", reason="opted_out", at=now, by="test")
        session.execute(table.insert(), [_lead(3, "c", now)])
        assert known(session) == [None, "opted_out", "complaint"]
        session.execute(update(table).where(table.c.id == 1).values(address_key="d"))
        suppress(session, "a", reason="manual", at=now, by="test")
        assert known(session) == [None, "opted_out", "complaint"]
        session.execute(update(table).where(table.c.id == 3).values(address_key="a"))
        unsuppress(session, "b", at=now, by="test", why="asked for it")
        assert known(session) == [None, None, "manual"]

    database.write(live)
