"""What may be claimed, and in which turn."""

from datetime import timedelta

from sqlalchemy import select
from sqlmodel import Session, col

from campaigns import Message, Run
from campaigns.due_lanes import lanes_with_work
from campaigns.queue import claim
from campaigns.runs import pause, resume
from campaigns.tables import Attempt
from console.database import Database
from deliverability import Cause, IdentityDay, Outcome, Phase, Verdict
from leads import FrequencyCap, Lead, record, suppress
from tests.campaigns.claims import end, rules, take
from tests.campaigns.world import World, add_leads, apply_campaign, rows, small_world, start
from tests.conftest import NOW


def test_a_claim_writes_the_attempt_before_anybody_dials(database: Database) -> None:
    world = small_world(database, 3)
    claims = take(world, 2)
    assert [c.recipient.email for c in claims.claimed] == ["l1@d1.example", "l2@d2.example"]
    assert world.states() == {"sending": 2, "planned": 1}
    with database.reading() as session:
        tries = session.scalars(select(Attempt)).all()
        assert [(t.number, t.owner, t.result) for t in tries] == [(1, "me", None)] * 2


def test_a_suppression_after_planning_is_obeyed_by_the_claim(database: Database) -> None:
    world = small_world(database, 2)

    def opt_out(session: Session) -> None:
        key = session.scalar(select(col(Lead.address_key)).where(col(Lead.id) == 1))
        assert key
        suppress(session, key, reason="opted_out", at=NOW, by="link")

    database.write(opt_out)
    claims = take(world)
    assert [c.recipient.lead_id for c in claims.claimed] == [2]
    first = rows(database, world.run_id)[0]
    assert (first.state, first.reason, first.attempts) == ("skipped", "opted_out", 0)


def test_who_replied_to_this_campaign_gets_nothing_more_of_it(database: Database) -> None:
    world = small_world(database, 3)
    database.write(lambda s: record(s, 1, "replied", at=NOW, campaign="hello"))
    database.write(lambda s: record(s, 2, "replied", at=NOW, campaign="another"))
    assert [c.recipient.lead_id for c in take(world).claimed] == [2, 3]


def test_rows_of_a_paused_run_are_not_claimed_and_resume_frees_them(database: Database) -> None:
    world = small_world(database, 2)
    database.write(lambda s: pause(s, "hello", reason="wait"))
    assert take(world).claimed == ()
    assert world.states() == {"planned": 2}
    database.write(lambda s: resume(s, "hello", now=NOW))
    assert len(take(world).claimed) == 2


def test_expired_messages_do_not_leave(database: Database) -> None:
    world = small_world(database, 1)
    assert take(world, now=NOW + timedelta(days=6)).claimed == ()
    assert world.states() == {"expired": 1}


def test_the_day_cap_holds_over_claims_and_gives_back_what_did_not_leave(
    database: Database,
) -> None:
    world = small_world(database, 10)
    first = take(world, 3, per_day=4)
    assert len(first.claimed) == 3
    second = take(world, 3, per_day=4)
    assert (len(second.claimed), second.day_is_full) == (1, True)
    deferred = Outcome(verdict=Verdict.DEFERRED, phase=Phase.RCPT, code=450, cause=Cause.GREYLIST)
    end(world, second, deferred)
    with database.reading() as session:
        assert session.scalar(select(col(IdentityDay.used))) == 3


def test_a_frequency_cap_counts_messages_in_doubt_and_under_way(database: Database) -> None:
    world = small_world(database, 2)
    take(world, 1)
    database.write(lambda s: apply_campaign(s, name="second"))
    other = start(database, name="second", token="e" * 12)
    cap = FrequencyCap(messages=1, days=7)
    claims = take(other, cap=cap)
    assert [(c.campaign, c.recipient.lead_id) for c in claims.claimed] == [("hello", 2)]
    assert take(other, cap=cap).claimed == ()
    later = rows(database, other.run_id)
    # Lead 1 is under way in the first campaign; its second message expires before the cap ends.
    assert (later[0].state, later[0].reason) == ("skipped", "frequency_cap")


def test_campaigns_take_turns_in_a_lane(database: Database) -> None:
    world = small_world(database, 4)
    database.write(lambda s: apply_campaign(s, name="second"))
    start(database, name="second", token="e" * 12)
    served = []
    after = 0
    for _ in range(4):
        claims = take(world, 1, after_run=after)
        after = claims.last_run
        served += [c.campaign for c in claims.claimed]
    assert served == ["hello", "second", "hello", "second"]


def test_lanes_with_work_say_when_the_next_message_is_due(database: Database) -> None:
    world = small_world(database, 2)
    assert database.read(lambda s: lanes_with_work(s, now=NOW)) == {world.lane_id: NOW}
    database.write(lambda s: pause(s, "hello", reason="x"))
    assert database.read(lambda s: lanes_with_work(s, now=NOW)) == {}


def test_a_claim_visits_no_row_of_paused_runs(sqlite_url: object) -> None:
    """20,000 paused rows ahead must not cost a claim more steps than none at all."""
    database = Database(sqlite_url)  # type: ignore[arg-type]

    def steps(world: World) -> int:
        counted = 0

        def tick() -> int:
            nonlocal counted
            counted += 1
            return 0

        with database.writing() as session:
            raw = session.connection().connection.driver_connection
            assert raw is not None
            raw.set_progress_handler(tick, 100)
            claim(session, rules(world), owner="me", limit=5, after_run=0, now=NOW)
            raw.set_progress_handler(None, 0)
            session.rollback()
        return counted

    world = small_world(database, 50)
    before = steps(world)
    database.write(lambda s: apply_campaign(s, name="big", rule="everyone"))
    database.write(lambda s: add_leads(s, 200, first=1000, stage="new"))
    big = start(database, name="big", token="f" * 12)
    database.write(lambda s: pause(s, "big", reason="later"))

    def multiply(session: Session) -> None:
        # Copies of the paused rows, each under a step of its own, due before everything else.
        for step in range(100):
            session.connection().exec_driver_sql(
                "INSERT INTO message (run_id, lead_id, pass, step, lane_id, template_version_id,"
                " state, reason, due_at, expires_at, rfc_message_id, attempts, deferrals, reply)"
                " SELECT run_id, lead_id, pass, ?, lane_id, template_version_id, state, reason,"
                " '2020-01-01 00:00:00.000000', expires_at, rfc_message_id || ?, 0, 0, ''"
                " FROM message WHERE run_id = ? AND step = 'mail'",
                (f"s{step}", f"s{step}", big.run_id),
            )

    database.write(multiply)
    with database.reading() as session:
        paused = session.scalars(
            select(col(Message.id)).where(col(Message.run_id) == big.run_id).limit(20_001)
        ).all()
        assert len(paused) > 20_000
        assert session.scalar(select(col(Run.state)).where(col(Run.id) == big.run_id)) == "paused"
    assert steps(world) <= before * 1.5 + 5
    database.close()
