"""A file of rows, whatever program wrote it."""

from pathlib import Path

from leads.errors import FileError
from leads.intake.json_lines import open_lines
from leads.intake.reading import Source, open_text

_LINES = (".jsonl", ".ndjson", ".jsonlines")
_BOOKS = (".xlsx", ".xlsm", ".xltx")


def open_source(
    path: Path,
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
    sheet: str | None = None,
) -> Source:
    """Finds out how the file is written: a workbook, JSON lines, or text with a delimiter.

    Raises FileError, or OSError when it cannot be opened.
    """
    ending = path.suffix.casefold()
    with path.open("rb") as file:
        start = file.read(64)
    if ending in _BOOKS or start.startswith(b"PK\x03\x04"):
        # Imported here: it takes as long as the rest of an import of ten rows.
        from leads.intake.sheet import open_sheet

        return open_sheet(path, sheet)
    if start.startswith(b"\xd0\xcf\x11\xe0"):
        raise FileError(
            f"{path} is a workbook of old Excel (.xls), or one with a password: save it as .xlsx "
            "without a password and import that"
        )
    if sheet is not None:
        raise FileError(f"{path} is no Excel workbook: --sheet does not fit")
    if holds_lines(path):
        return open_lines(path, encoding=encoding)
    if ending == ".json" and start.lstrip().startswith(b"["):
        raise FileError(
            f"{path} is one JSON list: write one object a line instead (jq -c '.[]' does so)"
        )
    return open_text(path, encoding=encoding, delimiter=delimiter)


def holds_lines(path: Path) -> bool:
    """Whether the file has one JSON object a line. Raises OSError."""
    if path.suffix.casefold() in _LINES:
        return True
    with path.open("rb") as file:
        start = file.read(64)
    return start.lstrip(b"\xef\xbb\xbf \r\n").startswith(b'{"')
