"""Suppressing by hand: one address, or a file of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from sqlmodel import Session

from console.wiring import Workspace
from leads import (
    STRENGTH,
    AddressError,
    FieldError,
    Source,
    address_key,
    map_columns,
    open_source,
    parse_address,
    reason_named,
    suppress,
    suppress_all,
)

#: Columns that say why, in lower case.
REASON_HEADINGS = {"reason", "why", "status", "powód", "przyczyna", "grund"}
#: Addresses in one transaction.
CHUNK = 2_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Suppressed:
    """What became of the addresses."""

    read: int
    #: Not suppressed before.
    added: int
    #: (line, why it is no address)
    rejected: Sequence[tuple[int, str]] = ()

    @property
    def already(self) -> int:
        """Suppressed before, or twice in the file."""
        return self.read - self.added - len(self.rejected)

    def document(self) -> dict[str, Any]:
        """As JSON: read = added + already + rejected."""
        return {
            "read": self.read,
            "added": self.added,
            "already": self.already,
            "rejected": len(self.rejected),
            "rejects": [{"line": line, "reason": reason} for line, reason in self.rejected],
        }


def suppress_address(workspace: Workspace, email: str, *, by: str) -> Suppressed:
    """Suppresses one address by somebody's decision. Raises leads.AddressError."""
    key, now = address_key(parse_address(email), workspace.keys.address), workspace.now()
    new = workspace.database.write(lambda s: suppress(s, key, reason="manual", at=now, by=by))
    return Suppressed(read=1, added=int(new))


def suppress_file(
    workspace: Workspace,
    path: Path,
    *,
    encoding: str | None = None,
    mapping: Sequence[str] = (),
    by: str,
) -> Suppressed:
    """Suppresses every address of a file: a plain list, or a CSV with a column of addresses.

    A column `reason` may say why (opted_out, hard_bounce, complaint, or other programs' words for
    them). Raises leads.FileError, leads.MappingError, FileNotFoundError. Repeating it changes
    nothing.
    """
    source = open_source(path, encoding=encoding)
    columns = map_columns(source, mapping)
    column = next(c.index for c in columns if c.target == "email")
    why = next((c.index for c in columns if c.heading.casefold() in REASON_HEADINGS), None)
    rejected: list[tuple[int, str]] = []
    keys = _keys(source, column, why, workspace.keys.address, rejected)
    read = added = 0
    who = f"{by}, {path.name}"
    while chunk := list(islice(keys, CHUNK)):
        now = workspace.now()
        read += len(chunk)
        added += workspace.database.write(partial(_suppress, chunk=chunk, at=now, by=who))
    return Suppressed(read=read + len(rejected), added=added, rejected=rejected)


def _suppress(session: Session, *, chunk: Sequence[tuple[str, str]], at: datetime, by: str) -> int:
    """Strong reasons first, so that an address that stands twice counts once, as the stronger."""
    return sum(
        suppress_all(
            session, [key for key, each in chunk if each == reason], reason=reason, at=at, by=by
        )
        for reason in sorted({reason for _, reason in chunk}, key=lambda r: -STRENGTH[r])
    )


def _keys(
    source: Source,
    column: int,
    why: int | None,
    key: bytes,
    rejected: list[tuple[int, str]],
) -> Iterator[tuple[str, str]]:
    """(address key, reason) of each row."""
    for row in source.rows():
        cell = row.cells[column] if column < len(row.cells) else ""
        said = row.cells[why] if why is not None and why < len(row.cells) else ""
        try:
            yield address_key(parse_address(cell), key), _reason(said)
        except AddressError as error:
            rejected.append((row.line, str(error)))


def _reason(said: str) -> str:
    """Somebody's own words are no reason to leave an opt-out out."""
    try:
        return reason_named(said)
    except FieldError:
        return "imported"
