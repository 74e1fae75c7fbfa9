from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlmodel import Session, col

from campaigns import Run, prepare
from campaigns.errors import AlreadyRan
from campaigns.planning import plan_range
from campaigns.rfc_message_id import find_names
from campaigns.runs import Terms, pause, resume
from campaigns.start import begin
from campaigns.tables import Message
from console.database import Database
from deliverability import seed_domains
from leads import Lead, give_consent, suppress, withdraw_consent
from leads.consent import ask_consent
from tests.campaigns.claims import take
from tests.campaigns.world import (
    ANNA,
    ZONE,
    add_leads,
    apply_campaign,
    prepared,
    rows,
    small_world,
    start,
    the_run,
)
from tests.conftest import NOW


def test_every_matching_lead_gets_exactly_one_row(database: Database) -> None:
    database.write(lambda s: add_leads(s, 25))
    database.write(lambda s: add_leads(s, 5, first=26, stage="lost"))
    database.write(lambda s: apply_campaign(s))
    world = start(database, size=7)
    found = rows(database, world.run_id)
    assert [row.lead_id for row in found] == list(range(1, 26))
    assert world.states() == {"planned": 25}
    run = the_run(database, world.run_id)
    assert run.state == "running"
    assert run.planned_at == NOW


def test_the_message_id_made_in_sql_is_the_one_parsing_finds(database: Database) -> None:
    world = small_world(database, 3)
    for row in rows(database, world.run_id):
        (name,) = find_names(row.rfc_message_id)
        assert str(name) == row.rfc_message_id
        assert name.lead_token == f"{row.lead_id:016x}"
        assert name.domain == "sender.example"


def test_who_must_not_be_written_to_has_a_row_that_says_why(database: Database) -> None:
    database.write(lambda s: add_leads(s, 4))

    def forbid(session: object) -> None:
        key = session.scalar(select(col(Lead.address_key)).where(col(Lead.id) == 2))  # type: ignore[attr-defined]
        suppress(session, key, reason="complaint", at=NOW, by="test")  # type: ignore[arg-type]

    database.write(forbid)
    database.write(lambda s: apply_campaign(s))
    world = start(database)
    by_lead = {row.lead_id: row for row in rows(database, world.run_id)}
    assert (by_lead[2].state, by_lead[2].reason) == ("skipped", "complaint")
    assert by_lead[2].settled_at == NOW
    assert world.states() == {"planned": 3, "skipped": 1}


def test_a_lane_is_chosen_by_the_domains_provider_and_other_is_the_default(
    database: Database,
) -> None:
    database.write(lambda s: seed_domains(s, {"slowmail": ["d1.example"]}))
    world = small_world(database, 14)
    lanes = {row.lead_id: row.lane_id for row in rows(database, world.run_id)}
    slow = {lane for lead, lane in lanes.items() if lead % 7 == 1}
    assert len(slow) == 1
    assert slow.isdisjoint({lane for lead, lane in lanes.items() if lead % 7 != 1})


def test_due_times_follow_the_window_in_each_leads_zone(database: Database) -> None:
    database.write(lambda s: add_leads(s, 1, timezone="Europe/Warsaw"))
    database.write(lambda s: add_leads(s, 1, first=2, timezone="America/New_York"))
    database.write(lambda s: add_leads(s, 1, first=3, timezone="Mars/Olympus"))
    database.write(
        lambda s: apply_campaign(s, window={"days": "mon-fri", "from": "09:00", "to": "17:00"})
    )
    world = start(database)
    due = [row.due_at for row in rows(database, world.run_id)]
    assert due == [NOW, NOW + timedelta(hours=2), NOW]  # 09:00 in New York is 13:00 UTC


def test_planning_goes_on_where_it_was_cut_off(database: Database) -> None:
    database.write(lambda s: add_leads(s, 20))
    database.write(lambda s: apply_campaign(s))

    def first_range(session: object) -> int:
        run = begin(
            session,  # type: ignore[arg-type]
            prepared(session),  # type: ignore[arg-type]
            now=NOW,
            by="t",
            token="a" * 12,
            when_in_doubt="hold",
        )
        rule = prepared(session).rule(ZONE)  # type: ignore[arg-type]
        assert not plan_range(session, run.id or 0, rule, now=NOW, zone=ZONE, size=8).done  # type: ignore[arg-type]
        return run.id or 0

    run_id = database.write(first_range)
    assert the_run(database, run_id).state == "planning"
    world = start(database, size=8)
    assert world.run_id == run_id
    assert len(rows(database, run_id)) == 20


def test_a_second_start_is_refused_and_again_leaves_out_who_was_written_to(
    database: Database,
) -> None:
    world = small_world(database, 5)
    with pytest.raises(AlreadyRan, match="--again"):
        start(database, token="b" * 12)

    def settle(session: object) -> None:
        from sqlalchemy import update

        session.execute(  # type: ignore[attr-defined]
            update(Message).where(col(Message.id) <= 2).values(state="accepted", settled_at=NOW)
        )
        session.execute(  # type: ignore[attr-defined]
            update(Run).where(col(Run.id) == world.run_id).values(state="cancelled")
        )

    database.write(settle)
    later = NOW + timedelta(hours=1)
    second = start(database, token="b" * 12, again=True, now=later)
    found = rows(database, second.run_id)
    assert [(r.state, r.reason) for r in found[:2]] == [("skipped", "already_written")] * 2
    assert [r.state for r in found[2:]] == ["planned"] * 3


def test_the_first_few_are_released_and_the_rest_wait(database: Database) -> None:
    world = small_world(database, 10, first=3)
    run = the_run(database, world.run_id)
    assert run.released_to == rows(database, world.run_id)[2].id


def test_a_pause_during_planning_stops_it_and_resume_goes_on(database: Database) -> None:
    database.write(lambda s: add_leads(s, 5))
    database.write(lambda s: apply_campaign(s))
    run_id = database.write(
        lambda s: begin(s, prepared(s), now=NOW, by="t", token="c" * 12, when_in_doubt="hold").id
    )
    assert run_id is not None
    database.write(lambda s: pause(s, "hello", reason="wait"))
    assert database.write(
        lambda s: plan_range(s, run_id, prepared(s).rule(ZONE), now=NOW, zone=ZONE).done
    )
    assert rows(database, run_id) == []
    database.write(lambda s: resume(s, "hello", now=NOW))
    start(database)
    assert len(rows(database, run_id)) == 5


def test_preparing_says_what_is_missing(database: Database) -> None:
    database.write(lambda s: apply_campaign(s))
    with pytest.raises(Exception, match="names the identity 'anna', which does not exist"):
        database.read(lambda s: prepare(s, "hello", identities={}, consent_required=False))
    with pytest.raises(Exception, match="There is no campaign 'helo'"):
        database.read(
            lambda s: prepare(s, "helo", identities={"anna": ANNA}, consent_required=False)
        )


def test_no_row_is_written_twice_when_two_planners_take_turns(database: Database) -> None:
    database.write(lambda s: add_leads(s, 30))
    database.write(lambda s: apply_campaign(s))
    run_id = database.write(
        lambda s: begin(s, prepared(s), now=NOW, by="t", token="d" * 12, when_in_doubt="hold").id
    )
    assert run_id is not None
    for _ in range(10):
        database.write(
            lambda s: plan_range(s, run_id, prepared(s).rule(ZONE), now=NOW, zone=ZONE, size=10)
        )
    with database.reading() as session:
        count = session.scalar(select(func.count()).select_from(Message))
    assert count == 30


def test_a_campaign_that_asks_for_double_opt_in_writes_to_those_who_confirmed(
    database: Database,
) -> None:
    def people(session: Session) -> None:
        one, two, three = add_leads(session, 3)
        give_consent(session, one, source="fair", at=NOW, by="ewa")
        give_consent(session, two, source="form", confirmed=True, at=NOW, by="link")
        ask_consent(session, three, topic="news", source="form", at=NOW, by="form")
        apply_campaign(session, consent="double")
        apply_campaign(session, name="single", consent="single")

    database.write(people)
    world = start(database)
    assert [(r.state, r.reason) for r in rows(database, world.run_id)] == [
        ("skipped", "no_consent"),
        ("planned", ""),
        ("skipped", "no_consent"),
    ]
    assert Terms.of_body(the_run(database, world.run_id).terms).permission.double
    # Asked once more when it is about to leave: what was withdrawn meanwhile holds.
    database.write(lambda s: withdraw_consent(s, 2, at=NOW, by="page"))
    database.write(lambda s: give_consent(s, 2, source="card", at=NOW, by="ewa"))
    assert take(world).claimed == ()
    assert {r.reason for r in rows(database, world.run_id)} == {"no_consent"}
    single = start(database, name="single", token="fedcba987654")
    assert [r.state for r in rows(database, single.run_id)] == ["planned", "planned", "skipped"]
