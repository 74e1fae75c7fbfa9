"""`python -m benchmarks.smtp`: the SMTP client alone, beside aiosmtplib's own `sendmail`.

Both send the same message over the same number of connections, which are opened before the clock
starts, to Debian's smtp-sink on this machine; smtp-source -d does the same for scale. In turn,
round by round.

    python -m benchmarks.smtp --messages 3000 --rounds 5 --write
"""

import argparse
import asyncio
import gc
import platform
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from itertools import count
from statistics import median
from time import perf_counter

import aiosmtplib

from benchmarks.pipeline import Setting, loop_factory, smtp_sink, smtp_source
from benchmarks.report import write_section
from deliverability import Connection, Envelope, SmtpServer, Verdict, connect

SENDER, RECIPIENT = "anna@sender.example", "lead@example.org"


@dataclass(frozen=True, kw_only=True, slots=True)
class ClientRound:
    """Seconds of each for all messages."""

    smtp_source: float
    aiosmtplib: float
    ours: float


def message(size: int) -> bytes:
    """A message of some `size` bytes in lines of 72."""
    head = (
        f"From: Anna <{SENDER}>\r\nTo: <{RECIPIENT}>\r\nSubject: News\r\n"
        "Date: Tue, 10 Mar 2026 11:00:00 +0000\r\nMessage-ID: <1@sender.example>\r\n"
        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
    ).encode()
    line = b"a line of seventy characters as a body has them when it is quoted-printa\r\n"
    return head + line * ((size - len(head)) // len(line))


Send = Callable[[], Awaitable[None]]


async def _all(senders: list[Send], messages: int) -> float:
    """Seconds until all connections together have sent so many messages."""
    numbers = count()

    async def work(send: Send) -> None:
        while next(numbers) < messages:
            await send()

    began = perf_counter()
    await asyncio.gather(*map(work, senders))
    return perf_counter() - began


async def plain(setting: Setting, port: int, data: bytes) -> float:
    """aiosmtplib as its documentation shows it: one client a connection, `sendmail`."""
    clients = [aiosmtplib.SMTP(hostname="127.0.0.1", port=port) for _ in range(setting.connections)]
    for client in clients:
        await client.connect()

    def sender(client: aiosmtplib.SMTP) -> Send:
        async def send() -> None:
            await client.sendmail(SENDER, [RECIPIENT], data)

        return send

    try:
        return await _all([sender(each) for each in clients], setting.messages)
    finally:
        for client in clients:
            await client.quit()


async def ours(setting: Setting, port: int, data: bytes) -> float:
    """The product's connections."""
    server = SmtpServer(host="127.0.0.1", port=port, tls="none")
    clients = [
        await connect(server, ehlo_name="sender.example") for _ in range(setting.connections)
    ]
    envelope = Envelope(
        sender=SENDER,
        recipient=RECIPIENT,
        data=data,
        needs_smtputf8=False,
        message_id="1@sender.example",
    )

    def sender(client: Connection) -> Send:
        async def send() -> None:
            outcome = await client.send(envelope)
            assert outcome.verdict is Verdict.ACCEPTED, outcome

        return send

    try:
        return await _all([sender(each) for each in clients], setting.messages)
    finally:
        for client in clients:
            await client.close()


def _run(work: Coroutine[None, None, float]) -> float:
    gc.collect()
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        return runner.run(work)


def measure(setting: Setting, size: int) -> list[ClientRound]:
    """All rounds; one before them warms up."""
    data, found = message(size), []
    with smtp_sink() as port:
        for _ in range(setting.rounds + 1):
            found.append(
                ClientRound(
                    smtp_source=smtp_source(setting, port, size),
                    aiosmtplib=_run(plain(setting, port, data)),
                    ours=_run(ours(setting, port, data)),
                )
            )
    return found[1:]


def table(setting: Setting, size: int, rounds: list[ClientRound]) -> str:
    n = setting.messages
    rows = [
        f"{n:,} messages of {size / 1000:.0f} kB, {setting.connections} connections,"
        f" {len(rounds)} rounds in turn; {platform.machine()}, Python"
        f" {platform.python_version()}.",
        "",
        "| round | smtp-source -d, msg/s | aiosmtplib, msg/s | potok, msg/s | to aiosmtplib |"
        " to smtp-source |",
        "|---|---|---|---|---|---|",
    ]
    for number, each in enumerate(rounds, 1):
        rows.append(
            f"| {number} | {n / each.smtp_source:,.0f} | {n / each.aiosmtplib:,.0f} |"
            f" {n / each.ours:,.0f} | {each.aiosmtplib / each.ours:.2f} |"
            f" {each.smtp_source / each.ours:.2f} |"
        )
    to_plain = median(each.aiosmtplib / each.ours for each in rounds)
    rows += ["", f"**Median: {to_plain:.2f} times aiosmtplib's `sendmail`.**"]
    return "\n".join(rows)


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m benchmarks.smtp", description=__doc__)
    options.add_argument("--messages", type=int, default=3000, help="messages in each round")
    options.add_argument("--connections", type=int, default=10)
    options.add_argument("--size", type=int, default=10_000, help="bytes of a message")
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--write", action="store_true", help="write benchmarks/README.md")
    given = options.parse_args()
    setting = Setting(messages=given.messages, connections=given.connections, rounds=given.rounds)
    text = table(setting, given.size, measure(setting, given.size))
    print(text)
    if given.write:
        write_section("SMTP", text)


if __name__ == "__main__":
    main()
