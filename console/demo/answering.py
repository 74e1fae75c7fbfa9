"""The receiver answers: some of those who took a mail write back, a little later, as mails.

Who answers, and how, depends on the address alone, so two demos with the same leads get the same
answers. Each is in the record before it lies in the mailbox, and both are on this machine only.
"""

import asyncio
import json
import os
import tomllib
import zlib
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from console.demo.answer_mails import compose_answer
from console.demo.behaviour import SHIPPED

#: Seconds between taking a mail and answering it.
SOONEST, LATEST = 0.5, 1.5


class Kind(StrEnum):
    """What somebody does who answers."""

    REPLY = "reply"
    AWAY = "away"
    #: Taken first and refused afterwards: no such user.
    HARD_BOUNCE = "hard_bounce"
    #: The same, because the mailbox is full.
    SOFT_BOUNCE = "soft_bounce"
    OPT_OUT = "opt_out"


@dataclass(frozen=True, kw_only=True, slots=True)
class Habits:
    """How many of a thousand addresses answer in which way; the default: nobody."""

    reply: int = 0
    away: int = 0
    hard_bounce: int = 0
    soft_bounce: int = 0
    opt_out: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Answered:
    """One answer that was written."""

    #: Of the mail that it answers, without angle brackets.
    message_id: str
    recipient: str
    kind: str
    #: When, as RFC 3339 in UTC.
    at: str


def read_habits(path: Path = SHIPPED) -> Habits:
    """`[answers]` of the table of behaviours. Raises ValueError for a kind that does not exist."""
    table = tomllib.loads(path.read_text(encoding="utf-8")).get("answers", {})
    if unknown := set(table) - {field.name for field in fields(Habits)}:
        raise ValueError(f"{path}: answers: no such kind: {', '.join(sorted(unknown))}")
    return Habits(**table)


def answer_of(address: str, habits: Habits) -> Kind | None:
    """How this address answers its first mail; None when it stays silent."""
    place = zlib.crc32(f"answer:{address.casefold()}".encode()) % 1000
    for kind in Kind:
        share = getattr(habits, kind.value)
        if place < share:
            return kind
        place -= share
    return None


class Answerer:
    """Answers the first mail of each address, into a Maildir. Use it inside an event loop."""

    def __init__(
        self, maildir: Path, record: Path, habits: Habits, *, now: Callable[[], datetime]
    ) -> None:
        for part in ("tmp", "new", "cur"):
            (maildir / part).mkdir(parents=True, exist_ok=True)
        self._maildir = maildir
        self._record = record
        self._habits = habits
        self._now = now
        self._known: set[str] = set()
        self._waiting: dict[str, tuple[asyncio.TimerHandle, Kind, bytes]] = {}

    def take(self, address: str, mail: bytes) -> None:
        """A mail was taken for this address; its answer, if any, is written in a moment."""
        kind = answer_of(address, self._habits)
        if kind is None or address.casefold() in self._known:
            return
        self._known.add(address.casefold())
        part = zlib.crc32(f"moment:{address.casefold()}".encode()) % 100 / 100
        seconds = SOONEST + (LATEST - SOONEST) * part
        timer = asyncio.get_running_loop().call_later(seconds, self._write, address)
        self._waiting[address] = (timer, kind, mail)

    def flush(self) -> None:
        """Writes every answer that still waits: after this nothing comes any more."""
        for address in list(self._waiting):
            self._write(address)

    def _write(self, address: str) -> None:
        timer, kind, mail = self._waiting.pop(address)
        timer.cancel()
        at = self._now()
        message_id, answer = compose_answer(kind, address, mail, at=at)
        line = Answered(
            message_id=message_id,
            recipient=address,
            kind=kind,
            at=at.isoformat(timespec="milliseconds"),
        )
        with self._record.open("ab") as file:
            file.write(json.dumps(asdict(line), ensure_ascii=False).encode() + b"\n")
        # As https://cr.yp.to/proto/maildir.html has it: whole in tmp, then renamed into new.
        name = f"{at.timestamp():.6f}.P{os.getpid()}Q{len(self._known) - len(self._waiting)}.demo"
        unfinished = self._maildir / "tmp" / name
        unfinished.write_bytes(answer)
        unfinished.rename(self._maildir / "new" / name)


def read_answered(path: Path) -> list[Answered]:
    """Every answer so far, oldest first."""
    if not path.exists():
        return []
    return [Answered(**json.loads(line)) for line in path.read_bytes().splitlines()]
