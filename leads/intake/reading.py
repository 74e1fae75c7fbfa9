"""Reading a file of rows: encoding and delimiter found out, quotes obeyed, line numbers kept."""

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from leads.address import parse_address
from leads.errors import AddressError, FileError
from leads.intake.encoding import find_encoding

DELIMITERS = (",", ";", "\t", "|")

#: What a delimiter is judged by.
SAMPLE_ROWS = 60
_SAMPLE_LETTERS = 200_000
#: Letters of one cell. A quote that is never closed swallows rows until here.
_LONGEST_CELL = 131_072
#: Excel's own way of naming the delimiter.
_EXCEL = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)


class Row(NamedTuple):
    """One row of the file."""

    #: The line it begins on, counted from 1.
    line: int
    cells: Sequence[str]
    #: Why it cannot be read as a row at all; empty when it can.
    wrong: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """A file that can be read, again and again."""

    path: Path
    encoding: str
    #: The encoding is a guess; `--encoding` corrects it.
    guessed: bool
    sha256: str
    delimiter: str
    #: Empty when the file has no header line.
    header: tuple[str, ...]
    #: The first rows behind the header, for guesses and messages.
    sample: tuple[Row, ...]
    #: Columns of the widest sample row.
    width: int
    #: Reads all rows from the beginning, the header too.
    rows_of: Callable[[], Iterator[Row]]
    #: The header is a row of the file; JSON lines have names instead.
    header_row: bool = True

    def rows(self) -> Iterator[Row]:
        """The rows behind the header; empty lines left out. Raises FileError."""
        found = self.rows_of()
        if self.header and self.header_row:
            next(found, None)
        return found


def open_text(path: Path, *, encoding: str | None = None, delimiter: str | None = None) -> Source:
    """Finds out how the file is written. Raises FileError, or OSError when it cannot be opened."""
    known = find_encoding(path, encoding)
    with path.open(encoding=known.name, newline="") as file:
        try:
            head = file.read(_SAMPLE_LETTERS)
        except UnicodeError as error:
            raise _not_in(path, known.name) from error
    marked = _EXCEL.match(head)
    sign = delimiter or (marked[1] if marked else find_delimiter(head))
    first = tuple(islice(_rows(path, known.name, sign), SAMPLE_ROWS + 1))
    if not first:
        raise FileError(f"{path} is empty")
    has_header = not any(is_address(cell) for cell in first[0].cells)
    header = tuple(" ".join(cell.split()) for cell in first[0].cells) if has_header else ()
    sample = first[1:] if has_header else first[:SAMPLE_ROWS]
    return Source(
        path=path,
        encoding=known.name,
        guessed=known.guessed,
        sha256=known.sha256,
        delimiter=sign,
        header=header,
        sample=sample,
        width=max(len(row.cells) for row in first),
        rows_of=lambda: _rows(path, known.name, sign),
    )


def find_delimiter(text: str) -> str:
    """The sign that cuts the rows into equally many cells, most often and most finely."""

    def score(delimiter: str) -> tuple[float, int]:
        lines = text.splitlines(keepends=True)
        try:
            rows = list(
                islice((r for r in csv.reader(lines, delimiter=delimiter) if r), SAMPLE_ROWS)
            )
        except csv.Error:
            return (0.0, 0)
        # The header decides how many cells a row should have; rows may have empty ends cut off.
        width = len(rows[0]) if rows else 0
        if width < 2:
            return (0.0, 0)
        counts = Counter(len(row) for row in rows)
        return (counts[width] / len(rows), width)

    best = max(DELIMITERS, key=score)
    return best if score(best)[0] > 0 else ","


def _rows(path: Path, encoding: str, delimiter: str) -> Iterator[Row]:
    csv.field_size_limit(_LONGEST_CELL)
    with path.open(encoding=encoding, newline="") as file:
        start = 1
        try:
            first = file.readline()
            if _EXCEL.fullmatch(first):
                start = 2
            else:
                file.seek(0)
            lines: list[str] = []  # of the present row
            reader = csv.reader(_kept(file, lines), delimiter=delimiter)
            skipped = start - 1
            for cells in reader:
                if len(lines) > 1 or lines[0].count('"') % 2:
                    _refuse_open(path, lines, delimiter, start)
                lines.clear()
                if "".join(cells).strip():
                    yield Row(start, cells)
                start = reader.line_num + 1 + skipped
        except csv.Error as error:
            raise FileError(
                f"{path}, line {start}: a quotation mark opens here and is not closed "
                f"(the text behind it is longer than {_LONGEST_CELL} letters): correct this line"
            ) from error
        except UnicodeError as error:
            raise _not_in(path, encoding, start) from error


def _kept(file: Iterable[str], lines: list[str]) -> Iterator[str]:
    for line in file:
        lines.append(line)
        yield line


def _refuse_open(path: Path, lines: list[str], delimiter: str, start: int) -> None:
    """The csv module takes the end of the file for the end of a quote: rows would be lost in it."""
    try:
        list(csv.reader(lines, delimiter=delimiter, strict=True))
    except csv.Error as error:
        if "end of data" in str(error):
            raise FileError(
                f"{path}, line {start}: a quotation mark opens here and is not closed: correct "
                "this line"
            ) from error


def is_address(cell: str) -> bool:
    if "@" not in cell:
        return False
    try:
        parse_address(cell)
    except AddressError:
        return False
    return True


def _not_in(path: Path, encoding: str, line: int | None = None) -> FileError:
    place = f", line {line} or after" if line else ""
    return FileError(
        f"{path}{place}: these bytes are not {encoding}; say which encoding it is: "
        "--encoding cp1250"
    )
