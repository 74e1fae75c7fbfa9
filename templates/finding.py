"""What a check found."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["error", "warning", "notice"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing to look at."""

    #: A stable name: `unknown-field`.
    id: str
    level: Level
    #: `file:line`.
    where: str
    #: What is so, and why it matters.
    what: str
    #: What to do about it.
    do: str
