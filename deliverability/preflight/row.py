"""One row of the preflight: what was looked at, how it stands, what was seen, what to do."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

RowLevel = Literal["ok", "info", "warn", "error", "unknown"]

#: The worst first.
LEVELS: tuple[RowLevel, ...] = ("error", "warn", "unknown", "info", "ok")


@dataclass(frozen=True, kw_only=True, slots=True)
class PreflightRow:
    """One check and its outcome."""

    #: `DNS-SPF-1`: the same in every version, for scripts.
    id: str
    #: `unknown` when nobody could be asked or nothing was configured to ask about.
    level: RowLevel
    #: How it stands, in one sentence.
    what: str
    #: The records and answers seen, one a line.
    evidence: tuple[str, ...] = ()
    #: What to do, for a marketer; the line for the DNS zone where there is one.
    remedy: str = ""

    def document(self) -> dict[str, Any]:
        """As JSON, and as it is remembered."""
        return {
            "id": self.id,
            "level": self.level,
            "what": self.what,
            "evidence": list(self.evidence),
            "remedy": self.remedy,
        }

    @classmethod
    def of_document(cls, body: dict[str, Any]) -> "PreflightRow":
        return cls(**{**body, "evidence": tuple(body["evidence"])})


def worst(levels: list[RowLevel]) -> RowLevel:
    """The worst of several."""
    return min(levels, key=LEVELS.index)


def row(id: str, level: RowLevel, what: str, seen: Sequence[str], remedy: str = "") -> PreflightRow:
    """A row in one line."""
    return PreflightRow(id=id, level=level, what=what, evidence=tuple(seen), remedy=remedy)
