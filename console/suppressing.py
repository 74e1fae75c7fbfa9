"""Suppressing by hand: one address, or a file of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from console.wiring import Workspace
from leads import (
    AddressError,
    Source,
    address_key,
    map_columns,
    open_source,
    parse_address,
    suppress,
    suppress_all,
)

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

    Raises leads.FileError, leads.MappingError, FileNotFoundError. Repeating it changes nothing.
    """
    source = open_source(path, encoding=encoding)
    column = next(c.index for c in map_columns(source, mapping) if c.target == "email")
    rejected: list[tuple[int, str]] = []
    keys = _keys(source, column, workspace.keys.address, rejected)
    read = added = 0
    who = f"{by}, {path.name}"
    while chunk := list(islice(keys, CHUNK)):
        now = workspace.now()
        read += len(chunk)
        added += workspace.database.write(
            lambda s, chunk=chunk, now=now: suppress_all(  # type: ignore[misc]
                s, chunk, reason="imported", at=now, by=who
            )
        )
    return Suppressed(read=read + len(rejected), added=added, rejected=rejected)


def _keys(
    source: Source, column: int, key: bytes, rejected: list[tuple[int, str]]
) -> Iterator[str]:
    for row in source.rows():
        cell = row.cells[column] if column < len(row.cells) else ""
        try:
            yield address_key(parse_address(cell), key)
        except AddressError as error:
            rejected.append((row.line, str(error)))
