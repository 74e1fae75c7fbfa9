"""What became of the rows of a file; the sums are checked."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

#: Reasons and odd values that are kept for showing.
SHOWN = 20


@dataclass(kw_only=True, slots=True)
class Counts:
    """Rows by what became of them; each row is in exactly one of the first four."""

    added: int = 0
    updated: int = 0
    #: Nothing new in it.
    unchanged: int = 0
    rejected: int = 0
    #: Taken in, but the address is suppressed and stays so.
    suppressed: int = 0
    #: The address stood in the file before.
    repeated: int = 0

    @property
    def read(self) -> int:
        """Rows of the file so far."""
        return self.added + self.updated + self.unchanged + self.rejected

    def add(self, other: "Counts") -> None:
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def document(self) -> dict[str, int]:
        return {
            "read": self.read,
            **{
                name: getattr(self, name)
                for name in ("added", "updated", "unchanged", "rejected", "suppressed", "repeated")
            },
        }


@dataclass(kw_only=True, slots=True)
class Taken:
    """The result of an import."""

    counts: Counts = field(default_factory=Counts)
    #: Where rejected rows were written; None when there are none, or nothing was to be written.
    rejects_file: Path | None = None
    #: (line, why), the first few.
    reasons: list[tuple[int, str]] = field(default_factory=list)
    #: (column, what was not understood), the first few: kept as attributes instead.
    odd: list[tuple[str, str]] = field(default_factory=list)
    odd_count: int = 0
    #: Primary key of the row in `import`; None for a dry run.
    import_id: int | None = None

    def document(self) -> dict[str, Any]:
        """For scripts: `read` = added + updated + unchanged + rejected."""
        counts = self.counts.document()
        return {
            **{name: counts[name] for name in ("read", "added", "updated", "unchanged")},
            "rejected": counts["rejected"],
            "rejects_file": str(self.rejects_file) if self.rejects_file else None,
            "suppressed": counts["suppressed"],
            "repeated": counts["repeated"],
        }
