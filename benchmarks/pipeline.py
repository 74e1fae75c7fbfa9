"""The pipeline against Debian's smtp-sink, round by round beside smtp-source -d.

A round: smtp-source sends its messages, then a fresh workspace plans a campaign and a worker sends
it without pace (claim, render, envelope, SMTP, outcome, each committed), once unsigned and once
with a DKIM signature (RSA-2048). All at the same message size, number and connections, so that
what the machine does meanwhile hits all of them.
"""

import asyncio
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from random import Random
from time import monotonic, perf_counter, process_time, sleep
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlalchemy import insert
from sqlmodel import Session

from benchmarks.newsletter import newsletter
from campaigns import Ended, begin, plan_range, prepare, require_run, status_of
from console.database import Store
from console.new_workspace import Answers, make_workspace
from console.sending import only_sender, open_sender
from console.wiring import SystemClock, Workspace, open_workspace
from console.workspace import apply
from deliverability import DkimKey, SmtpServer
from leads import Lead, address_key, parse_address


@dataclass(frozen=True, kw_only=True)
class Setting:
    messages: int
    connections: int
    rounds: int


@dataclass(frozen=True, kw_only=True)
class Sent:
    """One run of the pipeline: seconds, and bytes of one message."""

    planning: float
    sending: float
    cpu: float
    commits: int
    size: int


@dataclass(frozen=True, kw_only=True)
class Round:
    """Seconds of smtp-source, and what the pipeline did beside it."""

    smtp_source: float
    plain: Sent
    signed: Sent


@contextmanager
def smtp_sink() -> Iterator[int]:
    """A receiver that takes everything, on a free port of this machine."""
    program = shutil.which("smtp-sink") or "/usr/sbin/smtp-sink"
    if not Path(program).exists():
        raise SystemExit("smtp-sink is missing: apt install postfix (nothing is configured by it)")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        # As root it refuses to run without a user to become.
        [program, *(("-u", "nobody") if os.geteuid() == 0 else ()), f"127.0.0.1:{port}", "1000"],
        stdout=subprocess.DEVNULL,
    )
    try:
        deadline = monotonic() + 5
        while monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait()


def smtp_source(setting: Setting, port: int, size: int) -> float:
    """Seconds smtp-source -d (connections kept open) takes for the same load."""
    program = shutil.which("smtp-source") or "/usr/sbin/smtp-source"
    began = perf_counter()
    subprocess.run(
        [
            program,
            "-d",
            *("-s", str(setting.connections)),
            *("-m", str(setting.messages)),
            *("-l", str(size)),
            *("-f", "anna@sender.example"),
            *("-t", "lead@example.org"),
            f"127.0.0.1:{port}",
        ],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return perf_counter() - began


def fill(workspace: Workspace, count: int) -> None:
    """`count` believable leads, the same in every round."""
    dice = Random(7)
    for first in range(0, count, 10_000):
        rows = [_lead(workspace, n, dice) for n in range(first, min(first + 10_000, count))]
        workspace.database.write(lambda session, rows=rows: session.execute(insert(Lead), rows))


def _lead(workspace: Workspace, n: int, dice: Random) -> dict[str, Any]:
    email, now = f"lead{n}@company{n % 50}.example", workspace.now()
    return {
        "email": email,
        "address_key": address_key(parse_address(email), workspace.keys.address),
        "domain": f"company{n % 50}.example",
        "first_name": dice.choice(["Anna", "Łukasz", "Zoë", "Józef"]),
        "name": f"Lead {n}",
        "company": f"Spółka {n % 50}",
        "stage": "new",
        "stage_at": now,
        "draw": dice.getrandbits(31),
        "token": f"{n:016x}",
        "created_at": now,
        "updated_at": now,
        "attributes": {},
        "country": dice.choice(["PL", "DE", "FR"]),
        "tags": ["webinar", f"group {n % 50}"],
    }


def _newsletter(folder: Path) -> None:
    """The template in place of the starter's: a message of 28 kB."""
    for old in folder.iterdir():
        old.unlink()
    for name, text in newsletter(4, plain=7).items():
        (folder / name).write_text(text, "utf-8")


def make_key(path: Path) -> None:
    """An RSA key of 2048 bits in a file."""
    private = generate_private_key(public_exponent=65537, key_size=2048)
    path.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def new_workspace(folder: Path) -> None:
    """A workspace whose campaign sends the newsletter."""
    now = SystemClock().now()
    make_workspace(folder, Answers(), now=now)
    _newsletter(folder / "templates" / "welcome")
    workspace = open_workspace(folder)
    apply(workspace, now=now)
    workspace.close()


def opened(folder: Path, port: int, connections: int, *, key: Path | None = None) -> Workspace:
    """That workspace, sending to a port of this machine without any limit."""
    workspace = open_workspace(folder)
    identity = next(iter(workspace.settings.identities.values()))
    local = replace(
        identity,
        smtp=SmtpServer(host="127.0.0.1", port=port, tls="none"),
        dkim=key and DkimKey(domain=identity.domain, selector="s1", private_key=key),
        limits=replace(
            identity.limits, connections=connections, per_day=None, per_connection=1_000_000
        ),
    )
    return replace(
        workspace,
        settings=replace(
            workspace.settings,
            identities={identity.name: local},
            delivery=replace(workspace.settings.delivery, frequency=None),
        ),
    )


def plan(workspace: Workspace) -> None:
    """Begins the campaign for everybody."""
    zone = workspace.settings.time_zone

    def work(session: Session) -> None:
        now = workspace.now()
        prepared = prepare(
            session,
            "welcome",
            identities=workspace.settings.identities,
            consent_required=False,
        )
        run = begin(
            session,
            prepared,
            now=now,
            by="benchmark",
            token=secrets.token_hex(6),
            when_in_doubt="hold",
        )
        plan_range(session, run.id or 0, prepared.rule(zone), now=now, zone=zone)

    workspace.database.write(work)


def pipeline(setting: Setting, port: int, folder: Path, *, key: Path | None = None) -> Sent:
    """Plans and sends one campaign in a fresh workspace; everything must have been accepted."""
    new_workspace(folder)
    workspace = opened(folder, port, setting.connections, key=key)
    database = workspace.database
    fill(workspace, setting.messages)
    began = perf_counter()
    plan(workspace)
    planning = perf_counter() - began
    store = Store(database)

    async def send() -> Ended:
        worker = open_sender(workspace, store, paced=False)
        return await worker.run(until_idle=True, patience=timedelta(seconds=5))

    with only_sender(workspace), asyncio.Runner(loop_factory=loop_factory()) as runner:
        began, cpu = perf_counter(), process_time()
        runner.run(send())
        sending, cpu = perf_counter() - began, process_time() - cpu
    store.close()
    status = database.read(lambda s: status_of(s, require_run(s, "welcome")))
    assert status.accepted == setting.messages, status
    size = database.read(_size)
    workspace.close()
    return Sent(planning=planning, sending=sending, cpu=cpu, commits=store.commits, size=size)


def _size(session: Session) -> int:
    from campaigns import show

    shown = show(session, "1", identities={})
    assert shown is not None and shown.mail is not None
    return len(shown.mail)


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop where it exists, as the product has it."""
    try:
        from uvloop import new_event_loop
    except ImportError:
        return None
    return new_event_loop


def measure(setting: Setting) -> list[Round]:
    """All rounds; the first of each kind warms up and is not counted."""
    rounds: list[Round] = []
    with smtp_sink() as port, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        key = folder / "dkim.pem"
        make_key(key)
        size = pipeline(replace(setting, messages=50), port, folder / "warm", key=key).size
        for number in range(setting.rounds):
            rounds.append(
                Round(
                    smtp_source=smtp_source(setting, port, size),
                    plain=pipeline(setting, port, folder / f"plain{number}"),
                    signed=pipeline(setting, port, folder / f"signed{number}", key=key),
                )
            )
    return rounds
