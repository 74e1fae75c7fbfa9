"""LIST-1 and REP-1: what our own rows say of a list and of a sender's last week."""

from datetime import timedelta

import pytest
from sqlalchemy import insert, update
from sqlmodel import Session, col

from campaigns.list_check import ListFacts, judged, list_facts, list_row, reputation_row
from campaigns.tables import Message
from console.database import Database
from deliverability import Domain
from leads import Event, Lead
from tests.campaigns.world import ZONE, prepared, rows, small_world
from tests.conftest import NOW


@pytest.mark.parametrize(
    ("sent", "bounced", "complained", "level"),
    [
        (10, 9, 3, "ok"),  # too few to say anything
        (1000, 10, 0, "ok"),
        (1000, 25, 0, "warn"),
        (1000, 40, 0, "error"),
        (5000, 0, 4, "ok"),
        (5000, 0, 6, "warn"),
        (5000, 0, 16, "error"),
        (400, 0, 1, "warn"),
        (400, 0, 2, "error"),  # below a thousand two are enough
    ],
)
def test_a_week_is_judged_by_its_rates(
    sent: int, bounced: int, complained: int, level: str
) -> None:
    row = judged(sent=sent, bounced=bounced, complained=complained)
    assert row.level == level
    assert f"{sent:,} sent, {bounced:,} came back, {complained:,} complained" in row.evidence[0]
    assert bool(row.remedy) is (level in ("warn", "error"))


def test_only_the_identitys_own_last_week_counts(database: Database) -> None:
    world = small_world(database, 60)
    ids = [(row.id, row.lead_id) for row in rows(database, world.run_id)]

    def happen(session: Session) -> None:
        at = NOW - timedelta(days=1)
        events = [("sent", at, pair) for pair in ids]
        events += [("bounced", at, pair) for pair in ids[:3]]
        events += [("complained", at, pair) for pair in ids[:2]]
        events += [("bounced", NOW - timedelta(days=8), pair) for pair in ids]
        session.execute(
            insert(Event),
            [
                {"kind": kind, "at": when, "message_id": m, "lead_id": lead, "by": "", "data": {}}
                for kind, when, (m, lead) in events
            ],
        )

    database.write(happen)
    row = database.read(lambda session: reputation_row(session, "anna", now=NOW))
    assert row.evidence == ("last 7 days: 60 sent, 3 came back, 2 complained",)
    assert row.level == "error"
    row = database.read(lambda session: reputation_row(session, "ben", now=NOW))
    assert row.evidence == ("last 7 days: 0 sent, 0 came back, 0 complained",)


def test_a_sample_of_the_list_is_looked_at(database: Database) -> None:
    world = small_world(database, 40)
    first = rows(database, world.run_id)[:10]

    def happen(session: Session) -> None:
        session.add(Domain(name="d1.example", provider="other", route="null_mx"))
        session.add(Domain(name="d2.example", provider="other", route="mx"))
        session.execute(
            update(Message)
            .where(col(Message.id).in_([row.id for row in first]))
            .values(state="accepted")
        )
        session.execute(
            update(Lead).where(col(Lead.id) == first[0].lead_id).values(email="Info@d3.example")
        )
        session.add(Event(lead_id=first[1].lead_id, at=NOW, kind="bounced"))

    database.write(happen)

    def look(session: Session) -> ListFacts:
        plan = prepared(session)
        return list_facts(session, plan, of=40, rule=plan.rule(ZONE)(NOW))

    # Leads 1, 8, 15, 22, 29, 36 are at d1.example.
    assert database.read(look) == ListFacts(sampled=40, closed=6, roles=1, new=30, bounced=1)


def test_shares_of_a_list_become_one_row() -> None:
    good = ListFacts(sampled=100, closed=0, roles=3, new=10, bounced=0)
    row = list_row(good, matching=120, left_out={"opted_out": 20})
    assert (row.level, row.what) == ("ok", "nothing speaks against this list")
    assert row.evidence[:2] == ("120 leads match", "20 left out: opted out")
    bad = ListFacts(sampled=100, closed=8, roles=40, new=90, bounced=3)
    row = list_row(bad, matching=100, left_out={})
    assert row.level == "error"
    for words in ("8% (8 of 100) are at domains", "3% (3 of 100) came back", "40%", "90%"):
        assert words in row.what
    few = ListFacts(sampled=10, closed=5, roles=9, new=10, bounced=5)
    assert list_row(few, matching=10, left_out={}).level == "info"
