from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlmodel import Session, col

from campaigns import Message, Run, State, verify
from campaigns.candidates import LaneRules
from campaigns.doubt import recover, resolve
from campaigns.finish import Sent, finish, skip_unmade
from campaigns.queue import Claims, claim, lanes_with_work
from campaigns.runs import cancel, pause, resume
from campaigns.settling import cancel_rows, settle_runs
from campaigns.tables import Attempt
from console.database import Database
from deliverability import Cause, IdentityDay, Outcome, Phase, Verdict
from leads import Event, FrequencyCap, Lead, Suppression, record, suppress
from tests.campaigns.world import (
    ZONE,
    World,
    add_leads,
    apply_campaign,
    rows,
    small_world,
    start,
    the_run,
)
from tests.conftest import NOW

TODAY = NOW.astimezone(ZONE).date()
SENT = Sent(subject="Hi", context={"read": {}, "envelope": {}}, identity_version_id=1)


def rules(world: World, **more: object) -> LaneRules:
    facts: dict[str, object] = {
        "lane_id": world.lane_id,
        "identity": "anna",
        "per_day": None,
        "zone": ZONE,
    }
    return LaneRules(**(facts | more))  # type: ignore[arg-type]


def take(world: World, limit: int = 10, *, owner: str = "me", **more: object) -> Claims:
    after = more.pop("after_run", 0)
    now = more.pop("now", NOW)
    return world.database.write(
        lambda s: claim(
            s,
            rules(world, **more),
            owner=owner,
            limit=limit,
            after_run=after,  # type: ignore[arg-type]
            now=now,  # type: ignore[arg-type]
        )
    )


def end(
    world: World, claims: Claims, outcome: Outcome, *, owner: str = "me", **more: object
) -> list[State | None]:
    facts: dict[str, object] = {
        "now": NOW,
        "sent": SENT,
        "retry_after": timedelta(minutes=5),
        "day": TODAY,
        "template": "hello",
    }
    facts |= more
    return [
        world.database.write(
            lambda s, c=c: finish(s, c, outcome, owner=owner, **facts)  # type: ignore[misc]
        )
        for c in claims.claimed
    ]


ACCEPTED = Outcome(
    verdict=Verdict.ACCEPTED, phase=Phase.DONE, code=250, reply="250 ok", relay_id="Q1"
)


def test_a_claim_writes_the_attempt_before_anybody_dials(database: Database) -> None:
    world = small_world(database, 3)
    claims = take(world, 2)
    assert [c.recipient.email for c in claims.claimed] == ["l1@d1.example", "l2@d2.example"]
    assert world.states() == {"sending": 2, "planned": 1}
    with database.reading() as session:
        tries = session.scalars(select(Attempt)).all()
        assert [(t.number, t.owner, t.result) for t in tries] == [(1, "me", None)] * 2


def test_an_accepted_message_is_settled_once_and_stands_on_the_timeline(
    database: Database,
) -> None:
    world = small_world(database, 1)
    claims = take(world)
    assert end(world, claims, ACCEPTED) == [State.ACCEPTED]
    assert end(world, claims, ACCEPTED) == [None]
    with database.reading() as session:
        assert [e.kind for e in session.scalars(select(Event))] == ["sent"]
        assert verify(session, world.run_id) == []
    (row,) = rows(database, world.run_id)
    assert (row.relay_id, row.subject, row.settled_at) == ("Q1", "Hi", NOW)


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


def test_a_deferred_message_comes_back_later_with_the_same_message_id(
    database: Database,
) -> None:
    world = small_world(database, 1)
    before = rows(database, world.run_id)[0].rfc_message_id
    deferred = Outcome(verdict=Verdict.DEFERRED, phase=Phase.RCPT, code=450, cause=Cause.GREYLIST)
    end(world, take(world), deferred)
    (row,) = rows(database, world.run_id)
    assert (row.state, row.deferrals, row.due_at) == ("planned", 1, NOW + timedelta(minutes=5))
    assert take(world).claimed == ()
    again = take(world, now=NOW + timedelta(minutes=6))
    assert again.claimed[0].rfc_message_id == before
    assert again.claimed[0].attempt == 2


def test_a_message_whose_retries_are_used_up_is_rejected_as_given_up(database: Database) -> None:
    world = small_world(database, 1)
    deferred = Outcome(verdict=Verdict.DEFERRED, phase=Phase.RCPT, code=450, cause=Cause.OTHER)
    assert end(world, take(world), deferred, retry_after=None) == [State.REJECTED]
    assert rows(database, world.run_id)[0].reason == "gave_up"


def test_an_unknown_user_is_rejected_and_the_address_suppressed(database: Database) -> None:
    world = small_world(database, 1)
    unknown = Outcome(
        verdict=Verdict.REJECTED,
        phase=Phase.RCPT,
        code=550,
        enhanced="5.1.1",
        cause=Cause.ADDRESS,
        reply="550 5.1.1 no such user",
    )
    assert end(world, take(world), unknown) == [State.REJECTED]
    with database.reading() as session:
        assert session.scalar(select(col(Suppression.reason))) == "hard_bounce"
        kinds = [e.kind for e in session.scalars(select(Event).order_by(col(Event.id)))]
        assert kinds == ["bounced", "suppressed"]
        assert verify(session, world.run_id) == []


@pytest.mark.parametrize("cause", [Cause.SENDER, Cause.AUTHENTICATION, Cause.BLOCKED])
def test_a_refusal_that_is_about_us_never_costs_the_lead(database: Database, cause: Cause) -> None:
    world = small_world(database, 1)
    refused = Outcome(verdict=Verdict.REJECTED, phase=Phase.MAIL, code=550, cause=cause)
    assert end(world, take(world), refused) == [State.PLANNED]
    with database.reading() as session:
        assert session.scalar(select(col(Suppression.reason))) is None
    assert rows(database, world.run_id)[0].deferrals == 0


def test_what_never_reached_the_server_is_given_back_at_once(database: Database) -> None:
    world = small_world(database, 1)
    lost = Outcome(verdict=Verdict.UNSENT, phase=Phase.MAIL, cause=Cause.NETWORK)
    assert end(world, take(world), lost) == [State.PLANNED]
    assert len(take(world).claimed) == 1


@pytest.mark.parametrize(("rule", "state"), [("hold", "in_doubt"), ("resend", "planned")])
def test_silence_after_354_follows_the_runs_rule(database: Database, rule: str, state: str) -> None:
    world = small_world(database, 1, when_in_doubt=rule)
    silent = Outcome(verdict=Verdict.IN_DOUBT, phase=Phase.BODY, cause=Cause.NETWORK)
    end(world, take(world), silent)
    assert world.states() == {state: 1}


@pytest.mark.parametrize(("rule", "state"), [("hold", "in_doubt"), ("resend", "planned")])
def test_rows_of_a_dead_sender_are_in_doubt_at_the_next_start(
    database: Database, rule: str, state: str
) -> None:
    world = small_world(database, 5, when_in_doubt=rule)
    take(world, 2, owner="dead")
    found = database.write(lambda s: recover(s, owner="me", now=NOW))
    assert found[rule] == 2
    expected = {"planned": 3}
    expected[state] = expected.get(state, 0) + 2
    assert world.states() == expected
    assert database.write(lambda s: recover(s, owner="me", now=NOW)) == {"hold": 0, "resend": 0}
    with database.reading() as session:
        assert [a.result for a in session.scalars(select(Attempt))] == ["in_doubt"] * 2
        assert verify(session, world.run_id) == []


def test_a_late_finish_of_a_lost_row_changes_nothing(database: Database) -> None:
    world = small_world(database, 1)
    claims = take(world, owner="dead")
    database.write(lambda s: recover(s, owner="me", now=NOW))
    assert end(world, claims, ACCEPTED, owner="dead") == [None]
    assert world.states() == {"in_doubt": 1}


@pytest.mark.parametrize(
    ("verdict", "state"), [("sent", "accepted"), ("resend", "planned"), ("give-up", "cancelled")]
)
def test_a_person_settles_doubt(database: Database, verdict: str, state: str) -> None:
    world = small_world(database, 1)
    take(world, owner="dead")
    database.write(lambda s: recover(s, owner="me", now=NOW))
    database.write(lambda s: settle_runs(s, now=NOW))
    assert the_run(database, world.run_id).state == "finished"
    assert (
        database.write(lambda s: resolve(s, world.run_id, verdict=verdict, now=NOW, by="ola")) == 1
    )
    assert world.states() == {state: 1}
    assert the_run(database, world.run_id).state == (
        "running" if verdict == "resend" else "finished"
    )
    with database.reading() as session:
        assert verify(session, world.run_id) == []


def test_a_text_that_cannot_be_made_settles_the_row_and_says_why(database: Database) -> None:
    world = small_world(database, 1)
    (claimed,) = take(world).claimed
    assert database.write(
        lambda s: skip_unmade(s, claimed, owner="me", now=NOW, why="no company", day=TODAY)
    )
    (row,) = rows(database, world.run_id)
    assert (row.state, row.reason, row.reply) == ("skipped", "cannot_render", "no company")
    with database.reading() as session:
        assert verify(session, world.run_id) == []


def test_a_finished_run_is_noticed_and_the_first_few_wait_for_a_person(
    database: Database,
) -> None:
    world = small_world(database, 4, first=2)
    claims = take(world)
    assert len(claims.claimed) == 2
    end(world, claims, ACCEPTED)
    assert take(world).claimed == ()
    database.write(lambda s: settle_runs(s, now=NOW))
    run = the_run(database, world.run_id)
    assert run.state == "paused"
    assert "first 2 are out" in run.reason
    database.write(lambda s: resume(s, "hello", now=NOW))
    end(world, take(world), ACCEPTED)
    database.write(lambda s: settle_runs(s, now=NOW))
    assert the_run(database, world.run_id).state == "finished"
    assert world.states() == {"accepted": 4}


def test_a_cancelled_run_settles_its_rows_in_portions(database: Database) -> None:
    world = small_world(database, 10)
    database.write(lambda s: cancel(s, "hello", reason="no"))
    moved = [
        database.write(lambda s: cancel_rows(s, world.run_id, now=NOW, limit=4)) for _ in range(4)
    ]
    assert moved == [4, 4, 2, 0]
    assert the_run(database, world.run_id).finished_at == NOW


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


def test_finish_refuses_a_row_that_changed_hands(database: Database) -> None:
    world = small_world(database, 1)
    claims = take(world)
    database.write(
        lambda s: s.execute(
            update(Message).values(attempts=5).execution_options(synchronize_session=False)
        )
    )
    assert end(world, claims, ACCEPTED) == [None]
