"""A receiver of mail on 127.0.0.1 that behaves like several providers at once.

    python -m console.demo.receiver --port 0 --record taken.jsonl [--mail DIR] [--providers FILE]
                                    [--answers MAILDIR]

It prints its port and serves until it gets SIGTERM or, with --until-stdin-closes, until the
process that started it is gone. Each message it takes is in the record, on the disk, before its
sender hears "250": so the record says what really arrived, whatever happens to the sender.
With --answers some recipients write back into that Maildir, and `answered.jsonl` beside the record
says who; what still waits is written at the end.
"""

import argparse
import asyncio
import os
import re
import signal
import sys
import threading
import time
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from console.demo.answering import Answerer, read_habits
from console.demo.behaviour import (
    SHIPPED,
    Behaviour,
    Bucket,
    behaviour_of,
    falls_under,
    read_behaviours,
)
from console.demo.record import Record

#: Bytes of one message; advertised as SIZE (RFC 1870).
LARGEST = 32 * 1024 * 1024


def message_id_of(data: bytes) -> str:
    """The Message-ID without angle brackets, folded or not (RFC 5322 3.6.4); empty without one."""
    head = re.split(rb"\r?\n\r?\n", data, maxsplit=1)[0]
    found = re.search(rb"(?im)^message-id:(?:\s|\r?\n[ \t])*<([^>]*)>", head)
    return found[1].decode("utf-8", "replace").strip() if found else ""


class Receiver:
    """What aiosmtpd asks at RCPT and DATA. `clock` counts seconds, for rates and greylisting."""

    def __init__(
        self,
        record: Record,
        behaviours: Mapping[str, Behaviour],
        *,
        mail: Path | None = None,
        answerer: Answerer | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._record = record
        self._behaviours = behaviours
        self._mail = mail
        self._answerer = answerer
        self._clock = clock
        self._buckets: dict[str, Bucket] = {}
        self._first_try: dict[str, float] = {}

    async def handle_RCPT(  # noqa: N802 (the name is aiosmtpd's)
        self, server: Any, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """250, or what this provider has against it."""
        domain = address.rpartition("@")[2].lower()
        behaviour = behaviour_of(domain, self._behaviours)
        if behaviour.answer_seconds:
            await asyncio.sleep(behaviour.answer_seconds)
        refusal = self._refusal(address, domain, behaviour)
        if refusal:
            if refusal.startswith("421"):  # RFC 5321 3.8: closing after a 421
                asyncio.get_running_loop().call_later(0.05, server.transport.close)
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Recipient ok"

    def _refusal(self, address: str, domain: str, behaviour: Behaviour) -> str:
        if falls_under(address, behaviour.unknown_percent, what="unknown"):
            return f"550 5.1.1 <{address}>: no such user here"
        if falls_under(address, behaviour.full_percent, what="full"):
            return behaviour.full_answer
        now = self._clock()
        if behaviour.per_second:
            bucket = self._buckets.setdefault(domain, Bucket(behaviour.per_second, behaviour.burst))
            if not bucket.take(now):
                return behaviour.rate_answer
        if behaviour.greylist_seconds:
            first = self._first_try.setdefault(address.casefold(), now)
            if now < first + behaviour.greylist_seconds:
                return f"450 4.2.0 <{address}>: Greylisted, please come back later"
        return ""

    async def handle_DATA(  # noqa: N802
        self, server: Any, _session: Session, envelope: Envelope
    ) -> str:
        """Saves and records the message, then says so, or hangs up without a word."""
        data = envelope.content if isinstance(envelope.content, bytes) else b""
        message_id = message_id_of(data)
        recipient = envelope.rcpt_tos[0]
        behaviour = behaviour_of(recipient.rpartition("@")[2], self._behaviours)
        if behaviour.answer_seconds:
            await asyncio.sleep(behaviour.answer_seconds)
        for address in envelope.rcpt_tos:
            if self._mail is not None:
                self._save(self._mail, address, data)
            await self._record.write(message_id=message_id, recipient=address)
            if self._answerer is not None:
                self._answerer.take(address, data)
        if falls_under(message_id, behaviour.drop_percent, what="drop"):
            server.transport.abort()
        return f"250 2.0.0 Ok: queued as {zlib.crc32(message_id.encode()):08X}"

    def _save(self, folder: Path, address: str, data: bytes) -> None:
        name = re.sub(r"[^\w.@+-]", "_", address)
        path, number = folder / f"{name}.eml", 1
        while path.exists():
            number += 1
            path = folder / f"{name}.{number}.eml"
        path.write_bytes(data)


def _serve_on(receiver: Receiver) -> Callable[[], SMTP]:
    return lambda: SMTP(
        receiver,
        data_size_limit=LARGEST,
        enable_SMTPUTF8=True,
        hostname="mx.demo.example",
        ident="Potok demo receiver",
    )


async def _until_asked_to_stop(until_stdin_closes: bool) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with suppress(NotImplementedError):  # Windows has no signal handlers on its loop
            loop.add_signal_handler(number, stop.set)
    if until_stdin_closes:

        def wait_for_the_end() -> None:
            while os.read(0, 1024):
                pass
            with suppress(RuntimeError):  # the loop may be closed already
                loop.call_soon_threadsafe(stop.set)

        threading.Thread(target=wait_for_the_end, daemon=True).start()
    await stop.wait()


async def _run(options: argparse.Namespace) -> None:
    def now() -> datetime:
        return datetime.now(UTC)

    record = Record(options.record, now=now)
    if options.mail is not None:
        options.mail.mkdir(parents=True, exist_ok=True)
    answerer = None
    if options.answers is not None:
        answered = options.record.with_name("answered.jsonl")
        answerer = Answerer(options.answers, answered, read_habits(options.providers), now=now)
    behaviours = read_behaviours(options.providers)
    receiver = Receiver(record, behaviours, mail=options.mail, answerer=answerer)
    server = await asyncio.get_running_loop().create_server(
        _serve_on(receiver), "127.0.0.1", options.port
    )
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    try:
        await _until_asked_to_stop(options.until_stdin_closes)
    finally:
        server.close()
        if answerer is not None:
            answerer.flush()
        record.close()


def main(arguments: list[str] | None = None) -> None:
    """The receiver as a program of its own."""
    parser = argparse.ArgumentParser(
        prog="python -m console.demo.receiver",
        description="Takes mail on 127.0.0.1 and behaves like the providers in a table.",
    )
    parser.add_argument("--port", type=int, default=0, help="0 (the default) takes a free one")
    parser.add_argument("--record", type=Path, required=True, help="file of what was taken")
    parser.add_argument("--mail", type=Path, help="folder to save each mail to")
    parser.add_argument("--answers", type=Path, help="Maildir that some recipients write back to")
    parser.add_argument("--providers", type=Path, default=SHIPPED, help="TOML table of behaviour")
    parser.add_argument("--until-stdin-closes", action="store_true", help="end with the starter")
    asyncio.run(_run(parser.parse_args(arguments)))


if __name__ == "__main__":
    main()
