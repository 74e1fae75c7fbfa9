"""The rows that were not taken in, as a file that can be corrected and imported itself."""

import csv
import re
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path

from leads.errors import FileError
from leads.intake.reading import Row, Source


class Rejects:
    """Writes `NAME.rejected.csv` beside the file: line, reason, and the columns as they were.

    It is made with the first rejected row and gets its name when complete, so that a killed import
    leaves no half of it.
    """

    def __init__(self, source: Source) -> None:
        self.path = source.path.with_name(_name(source.path.stem))
        self._part = self.path.with_name(f".{self.path.name}.part")
        self._header = source.header or tuple(f"#{n + 1}" for n in range(source.width))
        self._file: TextIOWrapper | None = None

    def add(self, row: Row, reason: str) -> None:
        if self._file is None:
            self._file = self._open()
        self._write([str(row.line), reason, *(cell.replace("\x00", "") for cell in row.cells)])

    def close(self, *, complete: bool) -> Path | None:
        """The finished file; None when nothing was rejected."""
        if self._file is None:
            return None
        self._file.close()
        if not complete:
            self._part.unlink(missing_ok=True)
            return None
        self._part.replace(self.path)
        return self.path

    def _open(self) -> TextIOWrapper:
        try:
            # With the mark at the start Excel reads the letters right.
            file = self._part.open("w", encoding="utf-8-sig", newline="", errors="replace")
        except OSError as error:
            raise FileError(
                f"Rejected rows cannot be written to {self.path} ({error.strerror}): copy the file "
                "to a folder that belongs to you"
            ) from error
        self._file = file
        self._write(["line", "reason", *self._header])
        return file

    def _write(self, cells: Sequence[str]) -> None:
        if self._file is not None:
            csv.writer(self._file).writerow(cells)


def _name(stem: str) -> str:
    """fair -> fair.rejected.csv, whose own rejects go to fair.rejected.2.csv, and so on."""
    found = re.fullmatch(r"(.+)\.rejected(?:\.(\d+))?", stem)
    if found is None:
        return f"{stem}.rejected.csv"
    return f"{found[1]}.rejected.{int(found[2] or 1) + 1}.csv"
