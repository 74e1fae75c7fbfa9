"""How a provider behaves: a small table, read from TOML, and the answers that follow from it."""

import tomllib
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

#: What the demo's own receivers do.
SHIPPED = Path(__file__).with_name("providers.toml")


@dataclass(frozen=True, kw_only=True, slots=True)
class Behaviour:
    """What one recipient domain does with mail. The default takes everything at once."""

    #: Seconds it thinks before it answers RCPT and before it answers the final dot.
    answer_seconds: float = 0.0
    #: Messages a second it takes in the long run; 0 means any number.
    per_second: float = 0.0
    #: How many it takes in one go before the rate counts.
    burst: int = 5
    #: What it says above its rate; an answer that begins with 421 also closes the connection.
    rate_answer: str = "451 4.7.0 Too many messages from you, slow down"
    #: A recipient is sent away until this many seconds after the first try.
    greylist_seconds: float = 0.0
    #: Recipients that do not exist, of 100; which ones depends on the address alone.
    unknown_percent: int = 0
    #: Recipients whose mailbox is full, of 100.
    full_percent: int = 0
    full_answer: str = "452 4.2.2 Mailbox full"
    #: Messages taken (and recorded) whose sender never hears so, of 100, by Message-ID.
    drop_percent: int = 0


def read_behaviours(path: Path = SHIPPED) -> dict[str, Behaviour]:
    """The table in a TOML file: `[provider."domain"]` with the fields of `Behaviour`.

    Raises ValueError for a field that does not exist.
    """
    known = {field.name for field in fields(Behaviour)}
    table = tomllib.loads(path.read_text(encoding="utf-8")).get("provider", {})
    for domain, entry in table.items():
        if unknown := set(entry) - known:
            raise ValueError(f"{path}: {domain}: no such behaviour: {', '.join(sorted(unknown))}")
    return {domain.lower(): Behaviour(**entry) for domain, entry in table.items()}


def behaviour_of(domain: str, table: Mapping[str, Behaviour]) -> Behaviour:
    """The entry for the domain or the nearest one above it; the default when there is none."""
    name = domain.lower()
    while name:
        if name in table:
            return table[name]
        name = name.partition(".")[2]
    return Behaviour()


def falls_under(text: str, percent: int, *, what: str) -> bool:
    """Whether this text is one of so many in a hundred; the same answer every time."""
    return zlib.crc32(f"{what}:{text.casefold()}".encode()) % 100 < percent


class Bucket:
    """A leaky bucket: how real providers count. Time is given by the caller, in seconds."""

    def __init__(self, per_second: float, burst: int) -> None:
        self._per_second = per_second
        self._burst = float(burst)
        self._left = float(burst)
        self._at: float | None = None

    def take(self, now: float) -> bool:
        """Takes one when there is one."""
        if self._at is not None:
            self._left = min(self._burst, self._left + (now - self._at) * self._per_second)
        self._at = now
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True
