"""Messages written by other processes: the same bytes, and nothing lost when one of them dies."""

import asyncio
import os
import pickle
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from campaigns import Claimed, Office, Scribes, verify
from campaigns.scribes import WORTH_IT, Draft, Unwritten, _bare, write_or_say
from console.database import Database, Store
from console.demo.process import ReceiverProcess
from console.processes import spawned
from leads import Recipient
from templates import compile_template
from tests.campaigns.sender_process import Fault, build
from tests.campaigns.test_worker import world_of
from tests.campaigns.world import ANNA, rows
from tests.conftest import NOW

COMPILED = compile_template(
    "hello",
    {
        "message.toml": b'subject = "Hello {{ lead.first_name }}"',
        "body.html": b"<p>Dear {{ lead.first_name }} of {{ lead.company }}</p>"
        b'<p><a href="{{ links.unsubscribe }}">Stop</a> {{ sender.postal_address }}</p>',
    },
)
SECRET = replace(ANNA, smtp=replace(ANNA.smtp, user="anna", password="hunter2"))
OFFICE = Office(
    identity=SECRET,
    identity_version_id=1,
    base_url="https://mail.example.com",
    link_keys=(b"k" * 32,),
)
_IDS = count(1)


def claims(number: int, *, company: str = "Łódź & Co") -> list[Claimed]:
    return [
        Claimed(
            message_id=next(_IDS),
            run_id=1,
            campaign="hello",
            identity="anna",
            lane_id=1,
            attempt=1,
            deferrals=0,
            template_version_id=7,
            rfc_message_id=f"r.mail.0.{place:016x}@sender.example",
            when_in_doubt="hold",
            expires_at=NOW + timedelta(days=5),
            claimed_at=NOW,
            recipient=Recipient(
                lead_id=place,
                email=f"lead{place}@example.com",
                domain="example.com",
                token=f"{place:016x}",
                stage_at=NOW,
                first_name=f"Zoë {place}",
                company=company if place != 3 else "",
            ),
        )
        for place in range(number)
    ]


class Lent(Executor):
    """Processes that are started once for all tests here, and not ended with one's scribes."""

    def __init__(self, pool: ProcessPoolExecutor) -> None:
        self.pool = pool

    def submit(self, *given: Any, **more: Any) -> Future[Any]:
        return self.pool.submit(*given, **more)

    def shutdown(self, *given: Any, **more: Any) -> None:
        pass


@pytest.fixture(scope="module")
def pool() -> Iterator[Lent]:
    lent = Lent(spawned(1))
    yield lent
    lent.pool.shutdown()


async def begun(made: Scribes) -> None:
    """Until the processes write."""
    assert made.begin(claims(WORTH_IT), COMPILED, OFFICE) == {}
    assert made.starting is not None
    await asyncio.wait_for(made.starting, 60)


def test_another_process_writes_the_same_bytes_and_says_what_it_cannot_write(pool: Lent) -> None:
    async def work() -> None:
        made = Scribes(lambda: pool)
        await begun(made)
        batch = claims(25)
        drafts = made.begin(batch, COMPILED, OFFICE)
        there = {key: await draft for key, draft in drafts.items()}
        here = {each.message_id: write_or_say(each, COMPILED, OFFICE) for each in batch}
        assert there == here
        without = there[batch[3].message_id]
        assert isinstance(without, Unwritten) and not without.ours
        assert "lead.company" in without.why

    asyncio.run(work())


def test_few_messages_and_what_goes_beyond_a_few_pages_are_written_here(pool: Lent) -> None:
    async def work() -> None:
        made = Scribes(lambda: pool)
        assert made.begin(claims(WORTH_IT - 1), COMPILED, OFFICE) == {}
        assert made.starting is None
        await begun(made)
        drafts = made.begin(claims(100), COMPILED, OFFICE)
        assert 0 < len(drafts) < 100
        await asyncio.gather(*drafts.values())

    asyncio.run(work())


def test_passwords_stay_at_home() -> None:
    assert b"hunter2" in pickle.dumps(OFFICE)
    assert b"hunter2" not in pickle.dumps(_bare(OFFICE))


def test_when_the_process_is_killed_this_one_writes_again() -> None:
    async def work() -> Sequence[object]:
        ended: Sequence[object] = ()
        started = spawned(1)
        made = Scribes(lambda: started)
        await begun(made)
        for pid in list(started._processes):
            os.kill(pid, signal.SIGKILL)
        while drafts := made.begin(claims(30), COMPILED, OFFICE):
            ended = await asyncio.wait_for(asyncio.gather(*drafts.values()), 30)
        made.close()
        return ended

    assert set(asyncio.run(work())) == {None}


def test_a_campaign_written_elsewhere_arrives_once_and_the_books_agree(
    database: Database, receiver: ReceiverProcess, pool: Lent
) -> None:
    world = world_of(database, "fine.test", leads=200)
    store = Store(database)

    async def work(made: Scribes) -> int:
        worker = build(database, store, receiver.port, fault=Fault(None, 0), scribes=made)
        begins: list[int] = []
        begin = made.begin

        def counted(*given: object) -> dict[int, Draft]:
            drafts = begin(*given)  # type: ignore[arg-type]
            begins.append(len(drafts))
            return drafts

        made.begin = counted  # type: ignore[method-assign]
        await begun(made)
        begins.clear()
        await worker.run(until_idle=True, patience=timedelta(seconds=5))
        return sum(begins)

    try:
        assert asyncio.run(work(Scribes(lambda: pool))) > 0
    finally:
        store.close()
    assert world.states() == {"accepted": 200}
    assert sorted(receiver.accepted()) == sorted(
        row.rfc_message_id for row in rows(database, world.run_id)
    )
    with database.reading() as session:
        assert verify(session, world.run_id) == []
