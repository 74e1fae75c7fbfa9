"""Each invariant is broken by hand, in SQL, and must be named; nothing else may be."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlmodel import Session

from campaigns import verify
from campaigns.candidates import LaneRules
from campaigns.finish import Sent, finish
from campaigns.queue import claim
from campaigns.settling import settle_runs
from campaigns.verify import INVARIANTS
from console.database import Database
from deliverability import Cause, Outcome, Phase, Verdict
from leads import suppress
from tests.campaigns.world import ZONE, World, add_leads, apply_campaign, start
from tests.conftest import NOW

#: invariant -> statements that break it in a run where message 1 was accepted, 2 rejected, 3
#: skipped, 4 is under way and 5 waits.
BREAKS: dict[str, list[str]] = {
    "known-state": ["UPDATE message SET state = 'delivered' WHERE id = 5"],
    "settled-time": ["UPDATE message SET settled_at = NULL WHERE id = 3"],
    "skipped-reason": ["UPDATE message SET reason = '' WHERE id = 3"],
    "attempts-counted": ["UPDATE message SET attempts = 1 WHERE id = 5"],
    "accepted-attempt": ["UPDATE attempt SET result = 'deferred' WHERE message_id = 1"],
    "sent-event": ["DELETE FROM event WHERE message_id = 1"],
    "sending-owner": ["UPDATE message SET owner = NULL WHERE id = 4"],
    "kept-text": ["UPDATE message SET subject = NULL WHERE id = 1"],
    "suppressed-before": [
        "INSERT INTO suppression (address_key, reason, at, by)"
        " SELECT address_key, 'manual', '2020-01-01 00:00:00.000000', ''"
        " FROM lead WHERE id = 1"
    ],
    "message-id": ["UPDATE message SET rfc_message_id = 'x.mail.0.y@z' WHERE id = 5"],
    "one-identity": [
        "INSERT INTO lane (id, identity, provider, reason) VALUES (999, 'ola', 'other', '')",
        "UPDATE message SET lane_id = 999 WHERE id = 5",
    ],
    "finished-run": ["UPDATE run SET state = 'finished'"],
    "planned-whole": ["UPDATE run SET planned_at = NULL"],
    "stray-sent-event": [
        "UPDATE event SET lead_id = 5 WHERE kind = 'sent'",
    ],
}


@pytest.fixture
def world(database: Database) -> World:
    database.write(lambda s: add_leads(s, 5))

    def forbid(session: Session) -> None:
        key = session.scalar(text("SELECT address_key FROM lead WHERE id = 3"))  # type: ignore[call-overload]
        suppress(session, key, reason="manual", at=NOW, by="test")

    database.write(forbid)
    database.write(lambda s: apply_campaign(s))
    made = start(database)
    rules = LaneRules(lane_id=made.lane_id, identity="anna", per_day=None, zone=ZONE)
    accepted = Outcome(verdict=Verdict.ACCEPTED, phase=Phase.DONE, code=250)
    content = Outcome(verdict=Verdict.REJECTED, phase=Phase.DONE, code=554, cause=Cause.CONTENT)

    def live(session: Session) -> None:
        three = claim(session, rules, owner="me", limit=3, after_run=0, now=NOW).claimed
        for claimed, outcome in zip(three, (accepted, content), strict=False):
            finish(
                session,
                claimed,
                outcome,
                owner="me",
                now=NOW + timedelta(seconds=1),
                sent=Sent(subject="x", context={}, identity_version_id=1),
                retry_after=None,
                day=NOW.date(),
                template="hello",
            )
        settle_runs(session, now=NOW)

    database.write(live)
    assert made.states() == {
        "accepted": 1,
        "rejected": 1,
        "skipped": 1,
        "sending": 1,
        "planned": 1,
    }
    return made


def test_a_sound_run_has_no_contradiction(world: World) -> None:
    with world.database.reading() as session:
        assert verify(session, world.run_id) == []


def test_every_invariant_is_broken_by_a_test() -> None:
    assert set(BREAKS) | {"lead-exists"} == set(INVARIANTS)


@pytest.mark.parametrize("name", BREAKS)
def test_a_broken_invariant_is_named(world: World, name: str) -> None:
    def damage(session: Session) -> None:
        for statement in BREAKS[name]:
            session.connection().exec_driver_sql(statement)

    world.database.write(damage)
    with world.database.reading() as session:
        found = {c.id: c for c in verify(session, world.run_id)}
    assert name in found
    assert found[name].count == 1
    assert found[name].should


def test_a_message_without_a_lead_is_named_where_the_database_lets_it_happen(
    sqlite_url: object,
) -> None:
    database = Database(sqlite_url)  # type: ignore[arg-type]
    database.write(lambda s: add_leads(s, 2))
    database.write(lambda s: apply_campaign(s))
    made = start(database)
    with database.writer.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        connection.exec_driver_sql("DELETE FROM lead WHERE id = 2")
        connection.commit()
    with database.reading() as session:
        assert "lead-exists" in {c.id for c in verify(session, made.run_id)}
    database.close()
