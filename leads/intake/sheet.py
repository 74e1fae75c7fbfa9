"""Rows of an Excel workbook (XLSX, ECMA-376), read without loading it whole."""

import hashlib
import warnings
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from zipfile import BadZipFile

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from leads.errors import FileError
from leads.intake.reading import SAMPLE_ROWS, Row, Source, is_address
from leads.intake.values import cell_text


def open_sheet(path: Path, sheet: str | None = None) -> Source:
    """The first sheet of the workbook, or the one called `sheet`. Raises FileError, OSError."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    first = tuple(islice(sheet_rows(path, sheet), SAMPLE_ROWS + 1))
    if not first:
        raise FileError(f"{path}: the sheet is empty; another one: --sheet NAME")
    has_header = not any(is_address(cell) for cell in first[0].cells)
    header = tuple(" ".join(cell.split()) for cell in first[0].cells) if has_header else ()
    sample = first[1:] if has_header else first[:SAMPLE_ROWS]
    return Source(
        path=path,
        encoding="XLSX",
        guessed=False,
        sha256=digest,
        delimiter="",
        header=header,
        sample=sample,
        width=max(len(row.cells) for row in first),
        rows_of=lambda: sheet_rows(path, sheet),
    )


def sheet_rows(path: Path, sheet: str | None) -> Iterator[Row]:
    """The rows that hold anything, with their numbers as Excel shows them. Raises FileError."""
    try:
        # openpyxl warns of every ornament it does not keep; none of them is a value.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with closing(load_workbook(path, read_only=True, data_only=True)) as book:
                # Tabs with diagrams alone have no rows.
                names = [found.title for found in book.worksheets]
                if sheet is not None and sheet not in names:
                    raise FileError(
                        f'{path} has no sheet "{sheet}"; it has: {", ".join(names) or "none"}'
                    )
                if not names:
                    raise FileError(f"{path} has no sheet with rows")
                page = book[sheet or names[0]]
                # Some programs write a wrong size; without it the rows themselves are read.
                page.reset_dimensions()
                yield from _told(page.iter_rows(values_only=True))
    except (InvalidFileException, BadZipFile, KeyError, EOFError, ValueError, SyntaxError) as error:
        raise FileError(
            f"{path} cannot be read as an Excel workbook (.xlsx): save it in Excel or LibreOffice "
            "as .xlsx or CSV and import that"
        ) from error


def _told(rows: Iterator[Sequence[object]]) -> Iterator[Row]:
    for number, values in enumerate(rows, start=1):
        cells = [cell_text(value) for value in values]
        while cells and not cells[-1].strip():
            cells.pop()
        if cells:
            yield Row(line=number, cells=cells)
