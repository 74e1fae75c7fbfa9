import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest
from sqlalchemy import select
from sqlmodel import Session, col

from campaigns import verify
from campaigns.ended import Ended
from campaigns.runs import pause
from campaigns.tables import Attempt
from campaigns.worker import Worker
from console.database import Database, Store
from console.demo.process import ReceiverProcess
from leads import Event, Suppression
from tests.campaigns.sender_process import Fault, build
from tests.campaigns.world import World, add_leads, apply_campaign, rows, start, the_run
from tests.receiver import StartReceiver

T = TypeVar("T")


def now() -> datetime:
    return datetime.now(UTC)


def world_of(database: Database, *domains: str, leads: int = 1, **options: object) -> World:
    """`leads` leads at each domain and a run for them that starts now."""
    first = 1
    for domain in domains:

        def add(session: object, first: int = first, domain: str = domain) -> None:
            from sqlalchemy import update

            from leads import Lead

            ids = add_leads(session, leads, first=first)  # type: ignore[arg-type]
            session.execute(  # type: ignore[attr-defined]
                update(Lead)
                .where(col(Lead.id).in_(ids))
                .values(email=col(Lead.first_name) + f"@{domain}", domain=domain)
            )

        database.write(add)
        first += leads
    database.write(lambda s: apply_campaign(s))
    return start(database, now=now(), **options)  # type: ignore[arg-type]


def send(database: Database, port: int, *, patience: float = 5.0, **more: object) -> Ended:
    store = Store(database)

    async def work() -> Ended:
        worker = build(database, store, port, fault=Fault(None, 0), **more)  # type: ignore[arg-type]
        return await worker.run(until_idle=True, patience=timedelta(seconds=patience))

    try:
        return asyncio.run(work())
    finally:
        store.close()


def test_every_message_arrives_once_and_the_books_agree(
    database: Database, receiver: ReceiverProcess
) -> None:
    world = world_of(database, "fine.test", leads=120)
    ended = send(database, receiver.port)
    assert (ended.waiting, ended.in_doubt) == (0, 0)
    assert world.states() == {"accepted": 120}
    accepted = receiver.accepted()
    assert sorted(accepted) == sorted(r.rfc_message_id for r in rows(database, world.run_id))
    with database.reading() as session:
        assert verify(session, world.run_id) == []
    assert the_run(database, world.run_id).state == "finished"


def test_each_refusal_finds_its_own_end(database: Database, receiver: ReceiverProcess) -> None:
    world = world_of(database, "unknown.test", "greylist.test", "broken.test", "drop.test")
    ended = send(database, receiver.port)
    by_address = {}
    with database.reading() as session:
        from leads import Lead

        for row in rows(database, world.run_id):
            lead = session.get_one(Lead, row.lead_id)
            by_address[lead.domain] = row
        assert session.scalars(select(col(Suppression.reason))).all() == ["hard_bounce"]
        assert verify(session, world.run_id) == []
        kinds = session.scalars(select(col(Event.kind)).order_by(col(Event.kind))).all()
    assert (by_address["unknown.test"].state, by_address["unknown.test"].reason) == (
        "rejected",
        "address",
    )
    assert by_address["greylist.test"].state == "accepted"
    assert by_address["greylist.test"].attempts >= 2
    assert by_address["broken.test"].state == "rejected"
    # It was taken and the line was cut before the 250: nobody can know, so it is held.
    assert by_address["drop.test"].state == "in_doubt"
    assert ended.in_doubt == 1
    assert kinds == ["bounced", "rejected", "sent", "suppressed"]


class _SlowToTell(Store):
    """What it reads is old by the time it is heard."""

    async def read(self, work: Callable[[Session], T]) -> T:
        found = await super().read(work)
        await asyncio.sleep(0.5)
        return found


def test_what_comes_back_while_the_queue_is_looked_at_is_waited_for(
    database: Database, start_receiver: StartReceiver
) -> None:
    receiver = start_receiver(table='[provider."late.test"]\ngreylist_seconds = 0.5\n')
    world = world_of(database, "late.test")
    store = _SlowToTell(database)

    async def work() -> None:
        worker = build(database, store, receiver.port, fault=Fault(None, 0))
        await worker.run(until_idle=True, patience=timedelta(seconds=5))

    asyncio.run(work())
    store.close()
    assert world.states() == {"accepted": 1}
    (row,) = rows(database, world.run_id)
    assert row.attempts >= 2


def test_an_unreachable_server_costs_no_message_an_attempt(database: Database) -> None:
    world = world_of(database, "fine.test", leads=3)
    ended = send(database, 9, patience=0.0)
    assert world.states() == {"planned": 3}
    assert ended.waiting == 3
    assert ended.held
    with database.reading() as session:
        assert session.scalars(select(Attempt)).all() == []


async def taken_some(receiver: ReceiverProcess) -> None:
    """Waits until the receiver has taken the first mails."""
    for _ in range(1200):
        if receiver.accepted():
            return
        await asyncio.sleep(0.05)
    pytest.fail("nothing arrives")


def test_a_pause_from_another_process_stops_the_worker_within_a_moment(
    database: Database, receiver: ReceiverProcess
) -> None:
    world = world_of(database, "slow.test", leads=40)
    store = Store(database)

    async def work() -> None:
        worker = build(database, store, receiver.port, fault=Fault(None, 0))
        task = asyncio.create_task(worker.run())
        await taken_some(receiver)
        await store.write(lambda s: pause(s, "hello", reason="stop"))
        # The look that sees it is a second away at most, and a mail takes 0.3 s.
        for _ in range(100):
            await asyncio.sleep(0.05)
            if "sending" not in (states := await store.read(lambda _: world.states())):
                break
        assert "sending" not in states
        before = len(receiver.accepted())
        await asyncio.sleep(1.0)
        assert len(receiver.accepted()) == before < 40
        worker.stop()
        await task

    asyncio.run(work())
    store.close()
    with database.reading() as session:
        assert verify(session, world.run_id) == []


def test_stopping_finishes_what_is_on_the_wire_and_gives_back_the_rest(
    database: Database, receiver: ReceiverProcess
) -> None:
    world = world_of(database, "slow.test", leads=40)
    store = Store(database)

    async def work() -> Worker:
        worker = build(database, store, receiver.port, fault=Fault(None, 0))
        task = asyncio.create_task(worker.run())
        await taken_some(receiver)
        worker.stop()
        await asyncio.wait_for(task, 10)
        return worker

    asyncio.run(work())
    store.close()
    states = world.states()
    assert set(states) == {"accepted", "planned"}
    assert states["accepted"] == len(receiver.accepted())
    with database.reading() as session:
        assert verify(session, world.run_id) == []
    send(database, receiver.port)
    assert world.states() == {"accepted": 40}
    assert len(set(receiver.accepted())) == len(receiver.accepted()) == 40


def test_rows_under_way_never_exceed_the_window(
    database: Database, receiver: ReceiverProcess
) -> None:
    world = world_of(database, "slow.test", leads=40)
    store = Store(database)
    most = 0

    async def work() -> None:
        nonlocal most
        worker = build(database, store, receiver.port, fault=Fault(None, 0), window=12)
        task = asyncio.create_task(worker.run(until_idle=True))
        while not task.done():
            states = await store.read(lambda _: world.states())
            most = max(most, states.get("sending", 0))
            await asyncio.sleep(0.02)
        await task

    asyncio.run(work())
    store.close()
    assert 5 <= most <= 12
    assert world.states() == {"accepted": 40}


def test_a_lead_the_template_cannot_be_made_for_is_skipped_and_the_rest_goes_on(
    database: Database, receiver: ReceiverProcess
) -> None:
    database.write(lambda s: add_leads(s, 2))
    database.write(lambda s: add_leads(s, 1, first=3, company=""))
    database.write(lambda s: apply_campaign(s))
    world = start(database, now=now())
    send(database, receiver.port)
    assert [(r.state, r.reason) for r in rows(database, world.run_id)] == [
        ("accepted", ""),
        ("accepted", ""),
        ("skipped", "cannot_render"),
    ]
