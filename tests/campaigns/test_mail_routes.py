"""DNS asked beside the sender: who takes the mail decides the lane, and nothing else waits."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, select, update
from sqlmodel import Session, col

from campaigns.candidates import LaneRules
from campaigns.mail_routes import LookedUp, RouteLookups
from campaigns.moving import lanes_to_walk, move_planned, waiting_domains
from campaigns.queue import claim
from campaigns.tables import Message
from console.database import Database, Store
from deliverability import (
    Domain,
    Lane,
    MailRoute,
    Route,
    lanes,
    note_route,
    provider_of_mx,
)
from deliverability.resolver import DnsAnswer, Kind, Known
from leads import Lead
from tests.campaigns.world import ZONE, World, add_leads, apply_campaign, rows, start
from tests.conftest import NOW
from tests.deliverability.names import Names

GOOGLE = [{"MX": [1, "aspmx.l.google.com."]}]
OWN = [{"MX": [10, "mx.own.test."]}]


class Still:
    """A clock that stands still and remembers how long somebody would have slept."""

    def __init__(self) -> None:
        self.moment = NOW
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self.moment

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)


def world_at(database: Database, *domains: str, leads: int = 3) -> World:
    """`leads` leads at each domain, planned before anybody asked DNS."""
    first = 1
    for domain in domains:

        def add(session: Session, first: int = first, domain: str = domain) -> None:
            ids = add_leads(session, leads, first=first)
            session.execute(update(Lead).where(col(Lead.id).in_(ids)).values(domain=domain))

        database.write(add)
        first += leads
    database.write(lambda session: apply_campaign(session))
    return start(database)


def lookups(
    store: Store, names: Any, *, said: Callable[[str], None] = print, **options: Any
) -> RouteLookups:
    given: dict[str, Any] = {"clock": Still(), "per_second": 5.0, "special": True}
    given |= options
    clock = given.pop("clock")
    return RouteLookups(
        store,
        clock,
        names,
        identities=frozenset({"anna"}),
        provider_of=provider_of_mx,
        say=said,
        **given,
    )


def looking(database: Database, work: Callable[[Store], Awaitable[Any]]) -> Any:
    store = Store(database)

    async def run() -> Any:
        return await work(store)

    try:
        return asyncio.run(run())
    finally:
        store.close()


def walk(database: Database, names: Any, **options: Any) -> LookedUp:
    found: LookedUp = looking(database, lambda store: lookups(store, names, **options).walk())
    return found


def by_domain(database: Database) -> dict[str, set[tuple[str, str]]]:
    """Domain -> (provider of the lane, state) of its messages."""
    found: dict[str, set[tuple[str, str]]] = {}
    with database.reading() as session:
        for domain, provider, state in session.execute(
            select(col(Lead.domain), col(Lane.provider), col(Message.state))
            .select_from(Message)
            .join(Lead, col(Lead.id) == col(Message.lead_id))
            .join(Lane, col(Lane.id) == col(Message.lane_id))
        ):
            found.setdefault(domain, set()).add((provider, state))
    return found


def known(database: Database, name: str) -> Domain | None:
    with database.reading() as session:
        return session.get(Domain, name)


def test_hosted_domains_move_to_their_providers_lane(database: Database) -> None:
    world_at(database, "hosted.test", "own.test")
    found = walk(database, Names({"hosted.test": GOOGLE, "own.test": OWN}))
    assert (found.asked, found.moved, found.closed) == (2, 3, 0)
    assert by_domain(database) == {
        "hosted.test": {("google", "planned")},
        "own.test": {("other", "planned")},
    }
    row = known(database, "own.test")
    assert row is not None
    assert (row.provider, row.route, row.mx, row.checked_at) == (
        "other",
        "mx",
        "mx.own.test",
        NOW,
    )


def test_only_planned_rows_move(database: Database) -> None:
    world = world_at(database, "hosted.test")
    first = rows(database, world.run_id)[0].id
    database.write(
        lambda s: s.execute(update(Message).where(col(Message.id) == first).values(state="sending"))
    )
    assert walk(database, Names({"hosted.test": GOOGLE})).moved == 2
    assert by_domain(database) == {
        "hosted.test": {("other", "sending"), ("google", "planned")},
    }


def test_what_was_answered_is_not_asked_again_before_its_time(database: Database) -> None:
    world_at(database, "own.test")
    names = Names({"own.test": OWN})
    clock = Still()
    assert walk(database, names, clock=clock).asked == 1
    # The record says 60 s; nobody asks more often than once in an hour.
    clock.moment += timedelta(minutes=59)
    assert walk(database, names, clock=clock).asked == 0
    clock.moment += timedelta(minutes=2)
    assert walk(database, names, clock=clock).asked == 1


def test_a_failure_changes_nothing_and_is_asked_again_later_and_later(database: Database) -> None:
    world_at(database, "hosted.test", "own.test")
    walk(database, Names({"hosted.test": GOOGLE, "own.test": OWN}))
    clock = Still()
    silent = Names({"hosted.test": ["TIMEOUT"], "own.test": OWN})
    gaps = []
    clock.moment += timedelta(days=8)
    for _ in range(3):
        walk(database, silent, clock=clock)
        row = known(database, "hosted.test")
        assert row is not None and row.due_at is not None
        assert (row.provider, row.route) == ("google", "mx")
        gaps.append(row.due_at - clock.moment)
        clock.moment = row.due_at
    assert gaps == [timedelta(minutes=10), timedelta(minutes=20), timedelta(minutes=40)]


def test_dns_that_answers_nothing_ends_the_walk(database: Database) -> None:
    world_at(database, *(f"d{n}.test" for n in range(25)), leads=1)
    found = walk(database, Names({f"d{n}.test": ["TIMEOUT"] for n in range(25)}))
    assert (found.silent, found.asked) == (True, 10)


def test_a_few_are_asked_in_a_second(database: Database) -> None:
    world_at(database, *(f"d{n}.test" for n in range(12)), leads=1)
    clock = Still()
    names = Names({f"d{n}.test": OWN for n in range(12)})
    assert walk(database, names, clock=clock, per_second=4.0).asked == 12
    # Ten side by side a quarter of a second apart, then two more.
    gaps = sorted(s for s in clock.slept if s != 0.05)
    assert gaps == [0, 0, 0.25, 0.25, *(n / 4 for n in range(2, 10))]


def test_a_null_mx_is_never_written_to(database: Database) -> None:
    world = world_at(database, "null.test")
    found = walk(database, Names({"null.test": [{"MX": [0, "."]}]}))
    assert found.closed == 1

    def work(session: Session) -> int:
        rules = LaneRules(lane_id=world.lane_id, identity="anna", per_day=None, zone=ZONE)
        return len(claim(session, rules, owner="me", limit=10, after_run=0, now=NOW).claimed)

    assert database.write(work) == 0
    assert {(row.state, row.reason) for row in rows(database, world.run_id)} == {
        ("skipped", "no_mail_server")
    }


def test_a_domain_that_does_not_exist_is_closed_only_where_dns_knows_others(
    database: Database,
) -> None:
    world_at(database, "gone.test", "own.test")
    # A network that denies everything (a hotel before the login) is not believed.
    assert walk(database, Names({})).closed == 0
    row = known(database, "gone.test")
    assert row is not None and (row.route, row.failures) == ("", 1)
    clock = Still()
    clock.moment += timedelta(hours=1)
    assert walk(database, Names({"own.test": OWN}), clock=clock).closed == 1
    row = known(database, "gone.test")
    assert row is not None and row.route == "nothing"


def test_domains_known_by_name_are_not_asked_about(database: Database) -> None:
    database.write(lambda s: s.add(Domain(name="wp.pl", provider="wp")))
    world_at(database, "wp.pl")
    names = Names({})
    assert walk(database, names).asked == 0
    assert names.asked == []


def test_special_names_are_asked_about_only_in_a_dns_of_ones_own(database: Database) -> None:
    world_at(database, "acme.test", "acme.pl")
    names = Names({"acme.test": OWN, "acme.pl": OWN})
    walk(database, names, special=False)
    assert {name for name, _ in names.asked} == {"acme.pl"}


def test_rows_planned_for_the_wrong_lane_meanwhile_are_put_right(database: Database) -> None:
    world_at(database, "hosted.test")

    def noted(session: Session) -> None:
        found = MailRoute(route=Route.MX, hosts=("aspmx.l.google.com",), ttl=3600)
        note_route(session, "hosted.test", found, provider_of=provider_of_mx, now=NOW)

    database.write(noted)
    names = Names({})
    assert walk(database, names).moved == 3
    assert names.asked == []
    assert by_domain(database) == {"hosted.test": {("google", "planned")}}


def test_batches_and_pages_add_up(database: Database) -> None:
    world = world_at(database, "a.test", "b.test", leads=7)
    with database.reading() as session:
        assert lanes_to_walk(session, frozenset({"anna"})) == [(world.run_id, world.lane_id)]
        assert lanes_to_walk(session, frozenset({"ben"})) == []
        seen: list[str] = []
        after, pages = None, 0
        while True:
            page = waiting_domains(session, world.run_id, world.lane_id, after, now=NOW, size=4)
            seen += page.to_ask
            pages += 1
            after = page.last
            if after is None:
                break
    assert (pages, set(seen)) == (4, {"a.test", "b.test"})
    database.write(
        lambda s: s.add(Domain(name="a.test", provider="google", checked_at=NOW, route="mx"))
    )
    database.write(lambda s: lanes(s, "anna"))
    moved, last = database.write(lambda s: move_planned(s, "a.test", size=4))
    assert moved == 4 and last is not None
    assert database.write(lambda s: move_planned(s, "a.test", after=last, size=4)) == (3, None)
    assert database.write(lambda s: move_planned(s, "a.test")) == (0, None)


@pytest.mark.parametrize("failing", ["raise", "hang"])
def test_nothing_dns_does_reaches_the_sender(database: Database, failing: str) -> None:
    """A resolver worse than any: a claim goes on beside it."""

    class Worst:
        async def ask(self, name: str, kind: Kind) -> DnsAnswer:
            if failing == "hang":
                await asyncio.Event().wait()
            return DnsAnswer(known=Known.FAILED)

    world = world_at(database, "a.test")

    async def work(store: Store) -> int:
        walking = asyncio.create_task(lookups(store, Worst()).walk())
        await asyncio.sleep(0)
        rules = LaneRules(lane_id=world.lane_id, identity="anna", per_day=None, zone=ZONE)
        claims = await store.write(
            lambda s: claim(s, rules, owner="me", limit=10, after_run=0, now=NOW)
        )
        walking.cancel()
        await asyncio.gather(walking, return_exceptions=True)
        return len(claims.claimed)

    assert looking(database, work) == 3


def test_a_walk_is_one_range_of_the_index(database: Database) -> None:
    """Rows of other runs and states are not visited, however many there are."""
    if database.dialect != "sqlite":
        pytest.skip("the plan is SQLite's")
    world = world_at(database, "a.test")
    plan: list[str] = []

    def explained(
        connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any
    ) -> tuple[str, Any]:
        if "FROM message" in statement and not statement.startswith("EXPLAIN"):
            raw = connection.connection.driver_connection
            plan.extend(
                str(row) for row in raw.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            )
        return statement, parameters

    event.listen(database.reader, "before_cursor_execute", explained, retval=True)
    try:
        with database.reading() as session:
            waiting_domains(session, world.run_id, world.lane_id, (NOW, 0), now=NOW)
    finally:
        event.remove(database.reader, "before_cursor_execute", explained)
    assert any("ix_message_due" in line for line in plan)
    assert not any("TEMP B-TREE" in line for line in plan)


def test_what_it_found_is_said_in_one_line(database: Database) -> None:
    world_at(database, "hosted.test", "null.test")
    said: list[str] = []
    names = Names({"hosted.test": GOOGLE, "null.test": [{"MX": [0, "."]}]})

    async def work(store: Store) -> None:
        class Once(Still):
            async def sleep(self, seconds: float) -> None:
                if seconds >= 60:
                    raise asyncio.CancelledError
                await super().sleep(seconds)

        with pytest.raises(asyncio.CancelledError):
            await lookups(store, names, said=said.append, clock=Once()).work()

    looking(database, work)
    assert said == [
        "DNS was asked about 2 domains; 3 messages moved to the provider's own lane; no mail is "
        "taken at 1, so nothing is sent there"
    ]
