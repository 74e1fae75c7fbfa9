"""Servers that are ill, through the whole worker: nothing is lost, nothing comes twice but what was
being handed over, and it recovers without help once the server does."""

import asyncio
import re
import ssl
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic

import pytest
import trustme
from sqlalchemy import select
from sqlalchemy.engine import URL

from campaigns import verify
from campaigns.ended import Ended
from campaigns.tables import Attempt
from console.database import Database, Store
from tests.campaigns.sender_process import Fault, build
from tests.campaigns.test_worker import world_of
from tests.campaigns.world import World, rows
from tests.deliverability.scripted import Scripted, Step

LEADS = 12
STARTTLS = "250-mx.test\r\n250 STARTTLS"
PIPELINING = "250-mx.test\r\n250 PIPELINING"
PLAIN = "250-mx.test\r\n250 HELP"
BUSY = "421 4.3.2 shutting down"


@dataclass
class HastyClock:
    """A minute a second: a lane that waits some seconds for a server does not keep the test."""

    began: float = field(default_factory=monotonic)
    start: datetime = field(default_factory=lambda: datetime.now(UTC))

    def now(self) -> datetime:
        return self.start + timedelta(seconds=60 * (monotonic() - self.began))

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / 60)


@dataclass(frozen=True)
class Sent:
    world: World
    ended: Ended
    #: What went wrong, as people are told.
    said: tuple[str, ...]
    #: Message-ID -> how often the server has it.
    arrived: Counter[str]
    commands: list[str]

    def doubled(self) -> int:
        return sum(count - 1 for count in self.arrived.values())


class _Heard:
    """What an observer is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def said(self, text: str) -> None:
        self.lines.append(text)

    def __getattr__(self, _name: str) -> object:
        return lambda *_args, **_more: None


@pytest.fixture
def database(sqlite_url: URL) -> Database:
    # What a server does is the same to either database.
    return Database(sqlite_url)


async def sent(
    database: Database,
    server: Scripted,
    *,
    rule: str = "hold",
    patience: float = 120.0,
    **smtp: object,
) -> Sent:
    """A campaign to twelve leads through the worker and the server, until nothing is left to do."""
    world = world_of(database, "fine.test", leads=LEADS, when_in_doubt=rule)
    heard = _Heard()
    store = Store(database)
    try:
        worker = build(
            database,
            store,
            server.port,
            fault=Fault(None, 0),
            clock=HastyClock(),
            smtp=server.settings(**({"timeout": 10.0, "data_timeout": 10.0} | smtp)),
            observer=heard,
        )
        ended = await worker.run(until_idle=True, patience=timedelta(seconds=patience))
    finally:
        store.close()
    ids = [re.search(rb"^Message-ID: <(.+?)>", body, re.M | re.I) for body in server.bodies]
    return Sent(
        world=world,
        ended=ended,
        said=tuple(heard.lines),
        arrived=Counter(found[1].decode() for found in ids if found),
        commands=server.commands,
    )


def impatient(how: str) -> dict[str, float]:
    """Who waits for a server that says nothing need not wait long in a test."""
    return {"timeout": 0.5} if how == "silence" else {}


def check(found: Sent, *, accepted: int = LEADS, doubt: int = 0) -> None:
    """Every message is accounted for, once."""
    expected = {"accepted": accepted, "in_doubt": doubt}
    assert found.world.states() == {state: n for state, n in expected.items() if n}
    mine = {row.rfc_message_id for row in rows(found.world.database, found.world.run_id)}
    assert set(found.arrived) <= mine
    assert found.ended.waiting == 0
    with found.world.database.reading() as session:
        assert verify(session, found.world.run_id) == []


@pytest.mark.parametrize(
    ("step", "how"),
    [
        ("greeting", "drop"),
        ("greeting", "garbage"),
        ("greeting", "silence"),
        ("greeting", BUSY),
        ("ehlo", "drop"),
        ("ehlo", "garbage"),
    ],
)
async def test_a_server_that_does_not_get_to_talk_costs_no_message_an_attempt(
    database: Database, step: str, how: str
) -> None:
    async with Scripted(sick={step: how}) as server:
        found = await sent(database, server, **impatient(how))
    check(found)
    assert found.doubled() == 0
    assert any("waits until" in line for line in found.said), found.said
    with database.reading() as session:
        tries = len(session.scalars(select(Attempt)).all())
    assert tries == LEADS or how == "silence"


@pytest.mark.parametrize(
    ("step", "how", "ehlo"),
    [
        *((step, how, PIPELINING) for step in ("mail", "rcpt", "data") for how in ("drop", BUSY)),
        ("rcpt", "garbage", PIPELINING),
        ("data", "silence", PIPELINING),
        ("rcpt", "drop", PLAIN),
        ("mail", "garbage", PLAIN),
    ],
)
async def test_a_line_that_breaks_before_354_gives_the_message_back(
    database: Database, step: str, how: str, ehlo: str
) -> None:
    async with Scripted(ehlo=ehlo, sick={step: how}) as server:
        found = await sent(database, server, **impatient(how))
    check(found)
    assert set(found.arrived.values()) == {1}
    with database.reading() as session:
        tries = len(session.scalars(select(Attempt)).all())
    # One of them was tried twice, and its Message-ID is the same.
    assert tries == LEADS + 1 or (how == "silence" and tries > LEADS)


@pytest.mark.parametrize(
    ("rule", "how"),
    [("hold", "drop"), ("hold", "garbage"), ("hold", "silence"), ("resend", "drop")],
)
async def test_a_line_that_breaks_after_the_message_leaves_that_one_in_doubt(
    database: Database, rule: str, how: str
) -> None:
    async with Scripted(sick={"body": how}) as server:
        more = {"data_timeout": 2.0} if how == "silence" else {}
        found = await sent(database, server, rule=rule, **more)
    if rule == "hold":
        check(found, accepted=LEADS - 1, doubt=1)
        assert found.doubled() == 0
    else:
        check(found)
        assert found.doubled() <= 1, "no more than was being handed over"
    assert found.ended.in_doubt == (rule == "hold")


async def test_a_421_instead_of_the_250_brings_the_message_later(database: Database) -> None:
    async with Scripted(sick={"body": BUSY}) as server:
        found = await sent(database, server)
    check(found)
    # The server had it and said that it did not take it: that is no doubt, and not twice sent.
    assert found.doubled() == 1


@pytest.mark.parametrize(
    "answer",
    [
        "250-2.0.0 taken\r\n250-2.0.0 and more\r\n250 2.0.0 queued as 4F1kZq2XyZz1",
        "250 2.0.0 przyj\udcb3em, ja\u017a\u0144",
        "slow 250 2.0.0 Ok: queued as 4F1kZq2XyZz1",
    ],
)
async def test_odd_and_slow_answers_are_answers(database: Database, answer: str) -> None:
    step: dict[str, Step] = dict.fromkeys(("mail", "rcpt", "body"), answer)
    async with Scripted(**step) as server:  # type: ignore[arg-type]
        found = await sent(database, server)
    check(found)
    assert found.doubled() == 0


def _context(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(*names).configure_cert(context)
    return context


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    path.write_bytes(authority.cert_pem.bytes())
    return path


@pytest.mark.parametrize("how", ["220 go", "454 4.7.0 not now"])
async def test_a_broken_starttls_is_waited_for_and_nothing_goes_in_the_clear(
    database: Database, authority: trustme.CA, ca_file: Path, how: str
) -> None:
    context = _context(authority, "127.0.0.1")
    async with Scripted(ehlo=STARTTLS, starttls=context, sick={"starttls": how}) as server:
        found = await sent(database, server, tls="starttls", ca_file=str(ca_file))
        plain = server.commands.index("STARTTLS")
    check(found)
    assert not any(line.startswith("MAIL") for line in found.commands[: plain + 1])
    assert any("waits until" in line for line in found.said)


@pytest.mark.parametrize("wrong", ["name", "authority"])
async def test_a_wrong_certificate_gets_no_mail_and_is_named(
    database: Database, authority: trustme.CA, ca_file: Path, wrong: str
) -> None:
    issuer, name = (authority, "other.test") if wrong == "name" else (trustme.CA(), "127.0.0.1")
    async with Scripted(ehlo=STARTTLS, starttls=_context(issuer, name)) as server:
        found = await sent(database, server, tls="starttls", ca_file=str(ca_file), patience=0.0)
    assert found.world.states() == {"planned": LEADS}
    assert not any(line.startswith("MAIL") for line in found.commands)
    assert any("certificate" in line for line in found.said), found.said
    assert found.ended.waiting == LEADS
