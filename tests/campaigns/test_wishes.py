"""What a lead chose is obeyed at the claim, whatever was planned before."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlmodel import Session, col

from campaigns import (
    PREFERENCES,
    Message,
    choose_by_link,
    come_back,
    findings_of,
    look,
    opt_out,
    verify,
    who_chooses,
)
from campaigns.admit import Candidate, Chosen, Claim, Expire, Later, Skip, admit
from campaigns.candidates import LaneRules
from campaigns.queue import Claims, claim
from console.database import Database
from deliverability import Limits, Ticket
from leads import PAUSE, Choice, Event, Evidence, FrequencyCap, Lead, choose
from tests.campaigns.stroll import stroll
from tests.campaigns.world import (
    ZONE,
    World,
    add_leads,
    apply_campaign,
    prepared,
    rows,
    small_world,
    start,
)
from tests.conftest import NOW

WEEK = timedelta(days=7)


def say(database: Database, lead: int, *, at: datetime = NOW, **choice: object) -> None:
    page = Evidence(source="preference page")
    made = Choice(**choice)  # type: ignore[arg-type]
    database.write(lambda s: choose(s, lead, made, page, at=at, by="page"))


def take(world: World, *, now: datetime = NOW, cap: FrequencyCap | None = None) -> Claims:
    rules = LaneRules(lane_id=world.lane_id, identity="anna", per_day=None, zone=ZONE, cap=cap)

    def work(session: Session) -> Claims:
        return claim(session, rules, owner="me", limit=10, after_run=0, now=now)

    return world.database.write(work)


def who(claims: Claims) -> list[int]:
    return [each.recipient.lead_id for each in claims.claimed]


def outcomes(world: World) -> list[tuple[int, str, str]]:
    return [(row.lead_id, row.state, row.reason) for row in rows(world.database, world.run_id)]


def ticket_of(database: Database, lead: int) -> Ticket:
    with database.reading() as session:
        token = session.get_one(Lead, lead).token
        message_id = session.scalars(
            select(col(Message.id)).where(col(Message.lead_id) == lead)
        ).first()
    return Ticket(purpose=PREFERENCES, lead_token=token, message_id=message_id or 0)


def test_who_pauses_after_planning_gets_nothing(database: Database) -> None:
    world = small_world(database, 3)
    say(database, 2, pause="begin")
    assert who(take(world)) == [1, 3]
    assert outcomes(world)[1] == (2, "skipped", "paused_by_lead")
    with database.reading() as session:
        assert verify(session, world.run_id) == []


def test_a_pause_that_ends_in_time_puts_the_mail_off(database: Database) -> None:
    world = small_world(database, 1)
    begun = NOW - PAUSE + timedelta(days=2)
    say(database, 1, pause="begin", at=begun)
    assert who(take(world)) == []
    (row,) = rows(database, world.run_id)
    assert (row.state, row.due_at) == ("planned", begun + PAUSE)
    assert who(take(world, now=begun + PAUSE)) == [1]


def test_a_pause_ended_early_lets_go_of_what_waited(database: Database) -> None:
    world = small_world(database, 1)
    say(database, 1, pause="begin", at=NOW - PAUSE + timedelta(days=2))
    take(world)
    ticket, later = ticket_of(database, 1), NOW + timedelta(hours=1)
    end = Choice(pause="end")
    database.write(lambda s: choose_by_link(s, ticket, end, text="en x", now=later))
    assert who(take(world, now=later)) == [1]


@pytest.mark.parametrize("cap", [None, FrequencyCap(messages=3, days=2)])
def test_one_mail_a_week_is_one_whatever_the_workspace_allows(
    database: Database, cap: FrequencyCap | None
) -> None:
    world = small_world(database, 2)
    database.write(lambda s: apply_campaign(s, name="second", expires_after="9 days"))
    other = start(database, name="second", token="e" * 12)
    say(database, 1, frequency="weekly")
    assert who(take(world, cap=cap)) == [1, 2]
    # What is under way counts too: the second campaign's mail to lead 1 waits a week.
    assert who(take(other, cap=cap)) == [2]
    row = rows(database, other.run_id)[0]
    assert (row.state, row.due_at) == ("planned", NOW + WEEK)
    assert who(take(other, now=NOW + WEEK, cap=cap)) == [1]


def test_a_weekly_mail_that_cannot_wait_is_left_out_like_by_the_workspaces_cap(
    database: Database,
) -> None:
    world = small_world(database, 1)
    database.write(lambda s: apply_campaign(s, name="second"))
    other = start(database, name="second", token="e" * 12)
    say(database, 1, frequency="weekly")
    take(world)
    assert who(take(other)) == []
    assert outcomes(other) == [(1, "skipped", "frequency_cap")]


def test_a_topic_switched_off_after_planning_is_obeyed_and_before_it_too(
    database: Database,
) -> None:
    world = small_world(database, 3)
    say(database, 2, topics={"news": False})
    assert who(take(world)) == [1, 3]
    assert outcomes(world)[1] == (2, "skipped", "consent_withdrawn")
    database.write(lambda s: apply_campaign(s, name="second"))
    other = start(database, name="second", token="e" * 12)
    assert [each[1:] for each in outcomes(other)] == [
        *(("planned", ""), ("skipped", "consent_withdrawn"), ("planned", "")),
    ]


def test_a_sequence_goes_on_after_the_pause(database: Database) -> None:
    walk = stroll(database)
    walk.to("demo")
    walk.later(seconds=1)
    walk.go()
    say(database, walk.leads[0], pause="begin", at=walk.now)
    until = walk.now + PAUSE
    assert walk.send() == 0
    assert walk.stands() == [("active", "", "hello")]
    walk.later(days=29)
    assert (walk.go(), walk.send()) == (0, 0)
    walk.now = until
    assert walk.send() == 1
    walk.go()
    assert walk.stands() == [("active", "", "pause")]


def test_a_sequence_goes_on_at_one_mail_a_week(database: Database) -> None:
    walk = stroll(
        database,
        step=[
            {"name": "hello", "send": "first"},
            {"name": "pause", "wait": "1 hour"},
            {"name": "more", "send": "second"},
        ],
    )
    walk.to("demo")
    walk.later(seconds=1)
    walk.go()
    say(database, walk.leads[0], frequency="weekly", at=walk.now)
    assert walk.send() == 1
    sent_at = walk.now
    walk.later(hours=2)
    walk.go()
    assert walk.send() == 0
    walk.now = sent_at + WEEK
    assert walk.send() == 1
    walk.go()
    assert walk.stands() == [("done", "", "more")]


def test_a_plan_says_how_many_paused(database: Database) -> None:
    database.write(lambda s: add_leads(s, 3))
    database.write(lambda s: apply_campaign(s))

    def findings() -> list[str]:
        with database.reading() as session:
            made = prepared(session)
            plan = look(
                session,
                made.definition,
                made.terms,
                made.rule(ZONE),
                versions=(),
                now=NOW,
                zone=ZONE,
                per_minute=lambda _writer, _provider: 60.0,
                limits={"anna": Limits()},
                findings=(),
            )
        assert plan.mailable == 3
        return [each.what.partition(":")[0] for each in plan.findings]

    assert findings() == []
    say(database, 2, pause="begin")
    assert findings() == ["1 of these leads paused their mail"]


def test_a_link_that_would_be_empty_stops_a_start(database: Database) -> None:
    text = "{{ links.preferences }} {{ links.unsubscribe }} {{ sender.postal_address }}"
    database.write(lambda s: apply_campaign(s, text=text))
    with database.reading() as session:
        made = prepared(session)
    without = findings_of(made, base_url="")
    assert [(each.id, each.level) for each in without if "web" in each.id] == [
        ("no-web-address", "error")
    ]
    with_one = findings_of(made, base_url="https://mail.example.com")
    assert "no-web-address" not in {each.id for each in with_one}


# The decision ------------------------------------------------------------------------------------


def decide(chosen: Chosen, *, days: float, cap: FrequencyCap | None = None, **more: object):  # type: ignore[no-untyped-def]
    facts: dict[str, object] = {"zone": "", "replied": False, "left_out": chosen, **more}
    candidate = Candidate(expires_at=NOW + timedelta(days=days), **facts)  # type: ignore[arg-type]
    return admit(candidate, now=NOW, window=None, fallback_zone=ZONE, cap=cap)


def test_the_decision_weighs_a_pause_and_both_limits() -> None:
    in_two = NOW + timedelta(days=2)
    assert decide(Chosen(paused_until=NOW), days=1) == Claim()
    assert decide(Chosen(paused_until=in_two), days=3) == Later(in_two)
    assert decide(Chosen(paused_until=in_two), days=2) == Skip("paused_by_lead")
    assert decide(Chosen(paused_until=in_two), days=0) == Expire()
    assert decide(Chosen(paused_until=in_two), days=9, replied=True) == Skip("replied")
    assert decide(Chosen(per_week=1), days=1) == Claim()
    week = Chosen(per_week=1, recent=1, oldest_recent=NOW - timedelta(days=5))
    assert decide(week, days=3) == Later(in_two)
    assert decide(week, days=2) == Skip("frequency_cap")
    cap = FrequencyCap(messages=1, days=9)
    full = {"recent": 1, "oldest_recent": NOW - timedelta(days=5)}
    assert decide(week, days=9, cap=cap, **full) == Later(NOW + timedelta(days=4))


# What the page knows -----------------------------------------------------------------------------


def test_the_page_offers_the_topics_written_about_and_those_the_lead_spoke_of(
    database: Database,
) -> None:
    small_world(database, 2)
    say(database, 1, topics={"prices": False})
    for lead, topics in ((1, (("news", True), ("prices", False))), (2, (("news", True),))):
        ticket = ticket_of(database, lead)
        with database.reading() as session:
            known = who_chooses(session, ticket, now=NOW)
        assert known is not None
        assert known.topics == topics
        assert (known.sender, known.languages, known.out) == ("", ("en",), False)


def test_an_opt_out_is_taken_back_once_and_only_by_its_lead(database: Database) -> None:
    small_world(database, 2)
    one, two = ticket_of(database, 1), ticket_of(database, 2)
    database.write(lambda s: opt_out(s, one, now=NOW, by="link"))
    database.write(lambda s: come_back(s, two, text="en x", now=NOW))
    with database.reading() as session:
        assert session.get_one(Lead, 1).suppressed == "opted_out"
    for _ in range(2):
        database.write(lambda s: come_back(s, one, text="en x", now=NOW))
    with database.reading() as session:
        assert session.get_one(Lead, 1).suppressed is None
        kinds = session.scalars(select(col(Event.kind)).where(col(Event.lead_id) == 1)).all()
    assert kinds.count("unsuppressed") == 1


def test_an_erased_lead_has_nothing_to_choose(database: Database) -> None:
    small_world(database, 1)
    ticket = ticket_of(database, 1)
    database.write(lambda s: s.execute(update(Lead).values(erased_at=NOW)))
    off = Choice(topics={"news": False})
    assert database.write(lambda s: choose_by_link(s, ticket, off, text="x", now=NOW)) is None
    assert database.write(lambda s: come_back(s, ticket, text="x", now=NOW)) is None
