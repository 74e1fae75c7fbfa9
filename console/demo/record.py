"""The receiver's record: every message it took, on the disk before its sender hears "250"."""

import asyncio
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """One message that was taken."""

    #: Without angle brackets; empty when the message had none.
    message_id: str
    recipient: str
    #: When, as RFC 3339 in UTC.
    at: str


class Record:
    """A file of JSON lines. `write` returns after an fsync that several writers share."""

    def __init__(self, path: Path, *, now: Callable[[], datetime]) -> None:
        self._now = now
        self._file = path.open("ab")
        self._waiting: list[tuple[bytes, asyncio.Future[None]]] = []
        self._flushing: asyncio.Task[None] | None = None

    async def write(self, *, message_id: str, recipient: str) -> None:
        """One line, on the disk when this returns."""
        at = self._now().isoformat(timespec="milliseconds")
        line = asdict(Taken(message_id=message_id, recipient=recipient, at=at))
        done = asyncio.get_running_loop().create_future()
        self._waiting.append((json.dumps(line, ensure_ascii=False).encode() + b"\n", done))
        if self._flushing is None:
            self._flushing = asyncio.create_task(self._flush())
        await done

    async def _flush(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            self._file.write(b"".join(line for line, _ in batch))
            self._file.flush()
            await asyncio.to_thread(os.fsync, self._file.fileno())
            for _, done in batch:
                if not done.cancelled():
                    done.set_result(None)
        self._flushing = None

    def close(self) -> None:
        self._file.close()


def read_record(path: Path) -> list[Taken]:
    """Everything taken so far, oldest first. A line cut short by a kill was never answered."""
    if not path.exists():
        return []
    whole, _, _ = path.read_bytes().rpartition(b"\n")
    return [Taken(**json.loads(line)) for line in whole.splitlines()]
