"""What one company gets within an hour, over all lanes and restarts."""

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update
from sqlmodel import col

from campaigns.domain_cap import HOUR, DomainCap, last_hour, read_back
from console.database import Database
from deliverability import Outcome, Phase, Verdict
from leads import Lead
from tests.campaigns.claims import ACCEPTED, end, take
from tests.campaigns.world import World, add_leads, apply_campaign, rows, small_world, start
from tests.conftest import NOW


def one_company(database: Database, leads: int, others: int = 0, **campaign: object) -> World:
    """`leads` at big.example and after them some at companies of their own."""

    def add(session: object) -> None:
        ids = add_leads(session, leads + others)  # type: ignore[arg-type]
        session.execute(  # type: ignore[attr-defined]
            update(Lead).where(col(Lead.id).in_(ids[:leads])).values(domain="big.example")
        )
        for number in ids[leads:]:
            session.execute(  # type: ignore[attr-defined]
                update(Lead).where(col(Lead.id) == number).values(domain=f"c{number}.example")
            )

    database.write(add)
    database.write(lambda s: apply_campaign(s, **campaign))  # type: ignore[arg-type]
    return start(database)


def test_a_company_gets_five_and_the_others_are_not_kept_waiting(database: Database) -> None:
    world = one_company(database, 40, others=4)
    cap = DomainCap(5)
    claims = take(world, 9, domains=cap)
    domains = sorted(each.recipient.email.rpartition("@")[2] for each in claims.claimed)
    assert len(domains) == 9
    with database.reading() as session:
        found = [session.get_one(Lead, each.recipient.lead_id).domain for each in claims.claimed]
    assert found.count("big.example") == 5
    assert claims.refused == 35
    # Those turned away have slots of their own, five an hour, and are not looked at before.
    waiting = [r.due_at for r in rows(database, world.run_id) if r.state == "planned"]
    assert len(waiting) == len(set(waiting)) == 35
    assert min(waiting) == NOW + HOUR and max(waiting) == NOW + HOUR + 34 * HOUR / 5
    assert take(world, 9, domains=cap, now=NOW + timedelta(minutes=59)).claimed == ()
    assert len(take(world, 9, domains=cap, now=NOW + HOUR).claimed) == 1


def test_one_at_a_time_finds_those_behind_a_full_company(database: Database) -> None:
    world = one_company(database, 150, others=1)
    cap = DomainCap(1)
    assert len(take(world, 1, domains=cap).claimed) == 1
    claims = take(world, 1, domains=cap)
    assert [each.recipient.lead_id for each in claims.claimed] == [151]
    assert claims.refused == 149


def test_what_did_not_leave_counts_not_and_the_rows_say_the_rest_after_a_restart(
    database: Database,
) -> None:
    world = one_company(database, 6)
    cap = DomainCap(3)
    claims = take(world, 3, domains=cap)
    assert len(claims.claimed) == 3
    for each in claims.claimed[:1]:
        cap.gave_back((each.message_id, each.attempt))
    assert cap.free_at("big.example", NOW) is None
    unsent = Outcome(verdict=Verdict.UNSENT, phase=Phase.CONNECT, reply="away")
    one, two = claims.claimed[:1], claims.claimed[1:]
    end(world, type(claims)(claimed=one), unsent)
    end(world, type(claims)(claimed=two), ACCEPTED)
    again = DomainCap(2)
    later = NOW + timedelta(minutes=30)
    read_back(again, database.read(lambda s: last_hour(s, now=later)))
    assert again.free_at("big.example", later) == NOW + HOUR
    past = NOW + timedelta(minutes=61)
    assert database.read(lambda s: last_hour(s, now=past)) == []


def test_a_company_that_is_full_until_a_message_expires_loses_it_with_a_reason(
    database: Database,
) -> None:
    short = one_company(database, 4, expires_after="90 minutes")
    cap = DomainCap(1)
    assert len(take(short, 4, domains=cap).claimed) == 1
    assert short.states() == {"sending": 1, "planned": 1, "skipped": 2}
    reasons = {r.reason for r in rows(database, short.run_id) if r.state == "skipped"}
    assert reasons == {"domain_cap"}


claims_of = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(0, 40), st.booleans()), max_size=120
)


@given(st.integers(1, 6), claims_of)
def test_no_hour_of_any_company_ever_holds_more_than_the_cap(
    most: int, asked: list[tuple[str, int, bool]]
) -> None:
    """On a virtual clock: messages come up minute by minute, some never leave after all."""
    cap, now = DomainCap(most), NOW
    left: list[tuple[str, datetime]] = []
    waiting: list[tuple[datetime, int, str]] = []
    for number, (domain, minutes, unsent) in enumerate(asked):
        now += timedelta(minutes=minutes)
        waiting.append((now, number, domain))
        for due, which, its in sorted(waiting):
            if due > now:
                continue
            waiting.remove((due, which, its))
            if cap.free_at(its, now) is not None:
                slot = cap.promise(its, now)
                assert slot > now
                waiting.append((slot, which, its))
                continue
            cap.took((which, 1), its, now)
            if unsent and which == number:
                cap.gave_back((which, 1))
            else:
                left.append((its, now))
    for domain, at in left:
        assert sum(its == domain and at <= when < at + HOUR for its, when in left) <= most


def test_big_providers_are_not_asked(database: Database) -> None:
    world = small_world(database, 20)
    assert len(take(world, 20, domains=None).claimed) == 20
