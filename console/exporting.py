"""Leads into a file or onto standard output, as CSV or JSON lines."""

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from sqlalchemy import ColumnElement

from console.document import to_json
from console.wiring import Workspace
from leads import export_documents, export_rows


def export_leads(
    workspace: Workspace,
    conditions: Sequence[ColumnElement[bool]],
    out: TextIO,
    *,
    lines: bool,
) -> int:
    """Writes the leads to `out`, with `lines` as one JSON object a line; how many there were."""
    count = 0
    with workspace.database.reading() as session:
        if lines:
            for document in export_documents(session, *conditions):
                out.write(f"{to_json(document)}\n")
                count += 1
            return count
        writer = csv.writer(out)
        rows = export_rows(session, *conditions)
        writer.writerow(next(rows))
        for row in rows:
            writer.writerow(row)
            count += 1
    return count


@contextmanager
def whole_file(path: Path) -> Iterator[TextIO]:
    """A text file that is there complete or not at all; leads are nobody else's to read."""
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("w", encoding="utf-8", newline="") as file:
            part.chmod(0o600)
            yield file
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
