"""Files of deals and of events, as the workspace wants them taken in."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from console.importing import pace_of
from console.wiring import Workspace
from leads import Circumstances, Taken, moment, open_source, take_in_deals, take_in_events


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """What became of the rows; read = added + updated + unchanged + rejected."""

    taken: Taken

    def document(self) -> dict[str, Any]:
        """For scripts; `rejects` are the first few, the file has all of them."""
        counts = self.taken.counts.document()
        return {
            **{name: counts[name] for name in ("read", "added", "updated", "unchanged")},
            "rejected": counts["rejected"],
            "rejects": [{"line": line, "reason": why} for line, why in self.taken.reasons],
            "rejects_file": str(self.taken.rejects_file) if self.taken.rejects_file else None,
        }


def deals_file(
    workspace: Workspace, path: Path, *, encoding: str | None, mapping: Sequence[str], by: str
) -> Facts:
    """Takes a file of deals in. Raises leads.FileError, leads.MappingError, OSError."""
    source = open_source(path, encoding=encoding)
    around = _around(workspace, path, by)
    return Facts(
        taken=take_in_deals(
            source,
            around,
            mapping=mapping,
            write=workspace.database.write,
            pace=pace_of(workspace),
        )
    )


def events_file(
    workspace: Workspace,
    path: Path,
    *,
    encoding: str | None,
    mapping: Sequence[str],
    at: str | None,
    by: str,
) -> Facts:
    """Takes a file of events in. Raises as `deals_file`, and leads.FieldError for a wrong `at`."""
    source = open_source(path, encoding=encoding)
    around = _around(workspace, path, by)
    when = moment(at, around.zone) if at else None
    return Facts(
        taken=take_in_events(
            source,
            around,
            at=when,
            mapping=mapping,
            write=workspace.database.write,
            pace=pace_of(workspace),
        )
    )


def _around(workspace: Workspace, path: Path, by: str) -> Circumstances:
    return Circumstances(
        key=workspace.keys.address,
        file=path.name,
        by=by,
        now=workspace.now(),
        zone=workspace.settings.time_zone,
    )
