"""Each invariant of sequences is broken by hand, in SQL, and must be named; nothing else may be."""

import pytest
from sqlmodel import Session

from campaigns import verify
from campaigns.verify import INVARIANTS
from campaigns.verify_sequences import SEQUENCE_INVARIANTS
from console.database import Database
from tests.campaigns.stroll import Stroll, stroll
from tests.campaigns.world import small_world

#: invariant -> statements that break it where lead 1 is through, 2 stands in a wait, 3 has left,
#: and the message of lead 4 waits.
BREAKS: dict[str, list[str]] = {
    "one-way-at-a-time": [
        "DROP INDEX ix_enrolment_active",
        "INSERT INTO enrolment (id, sequence, sequence_id, run_id, lead_id, pass, event_id, step,"
        " due_at, state, reason, enrolled_at) SELECT 99, sequence, sequence_id, run_id, lead_id, 2,"
        " event_id, step, due_at, state, reason, enrolled_at FROM enrolment WHERE lead_id = 2",
    ],
    "way-s-message": [
        "UPDATE enrolment SET message_id = (SELECT message_id FROM enrolment WHERE lead_id = 1)"
        " WHERE lead_id = 2"
    ],
    "way-s-end": ["UPDATE enrolment SET reason = '' WHERE lead_id = 3"],
    "done-accepted": [
        "UPDATE enrolment SET message_id = NULL WHERE lead_id = 1",
    ],
    "nothing-waits-after-the-end": [
        "UPDATE enrolment SET state = 'exited', reason = 'x', ended_at = due_at WHERE lead_id = 4"
    ],
    "message-of-a-way": ["UPDATE enrolment SET pass = 7, message_id = NULL WHERE lead_id = 2"],
    "only-the-next": ["UPDATE enrolment SET message_id = NULL WHERE lead_id = 4"],
    "end-on-the-timeline": ["DELETE FROM event WHERE kind = 'sequence_done'"],
}

#: What a broken row breaks besides.
ALSO = {"nothing-waits-after-the-end": {"end-on-the-timeline"}}


@pytest.fixture
def walk(database: Database) -> Stroll:
    steps = [
        {"name": "hello", "send": "first"},
        {"name": "pause", "wait": "3 days"},
        {"name": "more", "send": "second"},
    ]
    made = stroll(database, leads=4, step=steps)
    made.to("demo", made.leads[0])
    made.go()
    made.send()
    made.later(days=4)
    made.go()
    made.send()
    made.to("demo", made.leads[1], made.leads[2])
    made.go()
    made.send()
    made.go()
    made.to("won", made.leads[2])
    made.to("demo", made.leads[3])
    made.go()
    assert [state for state, _, _ in made.stands()] == ["done", "active", "exited", "active"]
    return made


def test_a_sound_sequence_has_no_contradiction(walk: Stroll) -> None:
    with walk.database.reading() as session:
        assert verify(session, walk.runs()[0].id or 0) == []


def test_every_invariant_is_broken_by_a_test() -> None:
    assert set(BREAKS) == set(SEQUENCE_INVARIANTS)
    assert not set(SEQUENCE_INVARIANTS) & set(INVARIANTS)


@pytest.mark.parametrize("name", BREAKS)
def test_a_broken_invariant_is_named(walk: Stroll, name: str) -> None:
    def damage(session: Session) -> None:
        for statement in BREAKS[name]:
            session.connection().exec_driver_sql(statement)

    walk.database.write(damage)
    with walk.database.reading() as session:
        found = {c.id: c for c in verify(session, walk.runs()[0].id or 0)}
    assert set(found) == {name} | ALSO.get(name, set())
    assert found[name].count == 1
    assert found[name].should


def test_a_campaign_is_not_asked_about_sequences(database: Database) -> None:
    world = small_world(database, leads=2)
    with database.reading() as session:
        assert verify(session, world.run_id) == []
