"""A Maildir as a mailbox: files are opened for reading and never moved, renamed or marked.

Which files are new is told by their change time (ctime): it is set when a program delivers a file
or renames it from `new` to `cur`, and nobody can set it back, while the modification time of a
synchronised mail may be days old. Files that were renamed come up again and are known by their
hash. The modification time, the moment of arrival, decides only where the first reading begins.
"""

import asyncio
import hashlib
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from deliverability.errors import MailboxError
from deliverability.mailbox import MOST_KEPT, SINCE, Arrived, Batch
from leads import JsonObject

#: Files this much older than the last one read are looked at again: file systems stamp coarsely,
#: and clocks are set back.
_AGAIN = timedelta(minutes=2)
#: Bytes that one batch holds in memory.
_MOST_BYTES = 32_000_000


@dataclass(frozen=True, slots=True)
class _File:
    changed: float
    name: str
    path: Path
    arrived: float

    @property
    def unique(self) -> str:
        """The name without its flags, which change when the mail is read or moved to `cur`."""
        return self.name.partition(":")[0]


class Maildir:
    """Reads the inbox of a Maildir (its `new` and `cur`; subfolders are other mailboxes)."""

    def __init__(self, path: Path) -> None:
        self._path = path
        #: unique name -> change time of what was given and kept: spares reading it again.
        self._given: dict[str, float] = {}
        #: What the last batch gave; it is kept when its position comes back.
        self._offered: dict[str, float] = {}
        self._after: JsonObject | None = None
        self._quiet: tuple[tuple[int, ...], JsonObject] | None = None

    @property
    def folder(self) -> str:
        return "INBOX"

    async def read(self, position: JsonObject | None, *, now: datetime, limit: int) -> Batch:
        """The next mails; see MailboxReader. Files that vanish meanwhile are no error."""
        return await asyncio.to_thread(self._read, position, now, limit)

    def _read(self, position: JsonObject | None, now: datetime, limit: int) -> Batch:
        if position is not None and position == self._after:
            self._given |= self._offered
        self._offered = {}
        begin, read_to = _times(position, now)
        stamps = self._stamps()
        if position is not None and self._quiet == (stamps, position):
            return Batch(mails=(), position=position)
        least = min(read_to, now.timestamp()) - _AGAIN.total_seconds()
        files = sorted(
            (
                file
                for file in self._files()
                if file.changed >= least
                and file.arrived >= begin
                and self._given.get(file.unique) is None
            ),
            key=lambda file: (file.changed, file.name),
        )
        mails: list[Arrived] = []
        unreadable: list[str] = []
        size = done = 0
        held = float("inf")
        for file in files[:limit]:
            if size > _MOST_BYTES:
                break
            done += 1
            try:
                mail = _open(file)
            except FileNotFoundError:
                # Moved or deleted since we looked. A move changes its time: it comes up again.
                continue
            except OSError as error:
                unreadable.append(f"{file.path}: {error.strerror}")
                held = min(held, file.changed)
                continue
            mails.append(mail)
            size += len(mail.raw)
            self._offered[file.unique] = file.changed
            read_to = max(read_to, file.changed)
        more = done < len(files)
        last = mails[-1].sha256 if mails else (position or {}).get("last", "")
        after: JsonObject = {"begin": begin, "read_to": min(read_to, held), "last": last}
        self._after = after
        self._forget(min(read_to, held))
        # A folder that nobody touched for some seconds need not be listed again.
        still = max(stamps) / 1e9 < now.timestamp() - 5
        self._quiet = (stamps, after) if still and not more and not unreadable else None
        return Batch(mails=tuple(mails), position=after, more=more, unreadable=tuple(unreadable))

    def _forget(self, read_to: float) -> None:
        least = read_to - 2 * _AGAIN.total_seconds()
        self._given = {name: at for name, at in self._given.items() if at >= least}

    def _stamps(self) -> tuple[int, ...]:
        try:
            return tuple((self._path / part).stat().st_mtime_ns for part in ("new", "cur"))
        except FileNotFoundError as error:
            what = "is no Maildir: it has no folders new and cur"
            what = what if self._path.is_dir() else "does not exist"
            raise MailboxError(
                f"The mailbox {self._path} {what}; see [identity.*.mailbox] in potok.toml"
            ) from error
        except OSError as error:
            raise MailboxError(
                f"The mailbox {self._path} cannot be read: {error.strerror}"
            ) from error

    def _files(self) -> list[_File]:
        found: list[_File] = []
        for part in ("new", "cur"):
            try:
                with os.scandir(self._path / part) as entries:
                    for entry in entries:
                        try:
                            if entry.name.startswith(".") or not entry.is_file(
                                follow_symlinks=False
                            ):
                                continue
                            facts = entry.stat(follow_symlinks=False)
                        except OSError:
                            continue  # vanished
                        found.append(
                            _File(facts.st_ctime, entry.name, Path(entry.path), facts.st_mtime)
                        )
            except OSError as error:
                raise MailboxError(
                    f"The mailbox folder {self._path / part} cannot be read: {error.strerror}"
                ) from error
        return found


def _times(position: JsonObject | None, now: datetime) -> tuple[float, float]:
    """(oldest arrival of interest, change time read to) as seconds of the epoch."""
    if position is not None:
        begin, read_to = position.get("begin"), position.get("read_to")
        if isinstance(begin, int | float) and isinstance(read_to, int | float):
            return float(begin), float(read_to)
    return (now - SINCE).timestamp(), 0.0


def _open(file: _File) -> Arrived:
    digest = hashlib.sha256()
    kept = bytearray()
    with file.path.open("rb") as opened:
        while piece := opened.read(1 << 20):
            digest.update(piece)
            if len(kept) < MOST_KEPT:
                kept += piece[: MOST_KEPT - len(kept)]
    return Arrived(
        name=file.name,
        raw=bytes(kept),
        sha256=digest.hexdigest(),
        at=datetime.fromtimestamp(file.arrived, UTC),
    )
