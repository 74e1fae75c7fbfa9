"""Rows of a file with one JSON object a line, as `leads export --lines` writes it.

What is nested becomes columns: `attributes` attr.*, `preferences` prefers.*, `consent` consent.*.
An attribute that is a list becomes a column attr.*[].
"""

import json
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from leads.errors import FileError
from leads.intake.encoding import find_encoding
from leads.intake.headings import KNOWN, plain
from leads.intake.reading import SAMPLE_ROWS, Row, Source
from leads.intake.values import cell_text, joined

#: Lists of objects that `leads export --lines` adds: they are no facts of the lead itself.
_ROWS = ("deals", "tasks", "events", "consent_requests")
_NESTED = {"attributes": "attr.", "preferences": "prefers.", "prefers": "prefers."}


def open_lines(path: Path, *, encoding: str | None = None) -> Source:
    """Reads the file once to know its columns. Raises FileError, OSError."""
    known = find_encoding(path, encoding)
    columns: dict[str, None] = {}
    for _, cells, _ in _objects(path, known.name):
        columns.update(dict.fromkeys(cells))
    header = tuple(columns)
    if not header:
        raise FileError(
            f'{path} has no line with a JSON object: write one a line, as in {{"email": "..."}}'
        )

    def rows() -> Iterator[Row]:
        for line, cells, wrong in _objects(path, known.name):
            if wrong:
                yield Row(line=line, cells=[], wrong=wrong)
            else:
                yield Row(line=line, cells=[cells.get(name, "") for name in header])

    return Source(
        path=path,
        encoding=f"JSON lines, {known.name}",
        guessed=known.guessed,
        sha256=known.sha256,
        delimiter="",
        header=header,
        sample=tuple(islice((row for row in rows() if not row.wrong), SAMPLE_ROWS)),
        width=len(header),
        rows_of=rows,
        header_row=False,
    )


def _objects(path: Path, encoding: str) -> Iterator[tuple[int, dict[str, str], str]]:
    """(line, cells by column, what is wrong with the line)."""
    for number, found in objects(path, encoding):
        if found is None:
            yield number, {}, "the line is no JSON object"
        else:
            yield number, _flat(found), ""


def objects(path: Path, encoding: str) -> Iterator[tuple[int, dict[str, Any] | None]]:
    """(line, the object as it stands there, None when it is none). Raises FileError."""
    try:
        with path.open(encoding=encoding) as file:
            for number, text in enumerate(file, start=1):
                if text.isspace():
                    continue
                try:
                    found = json.loads(text)
                except (ValueError, RecursionError):
                    found = None
                yield number, found if isinstance(found, dict) else None
    except UnicodeError as error:
        raise FileError(
            f"{path}: these bytes are not {encoding}; say which encoding it is: --encoding utf-8"
        ) from error


def _flat(found: Mapping[str, Any]) -> dict[str, str]:
    cells: dict[str, str] = {}
    for name, value in found.items():
        if name in _ROWS and isinstance(value, list) and all(isinstance(v, dict) for v in value):
            continue
        if name in _NESTED and isinstance(value, Mapping):
            for inner, said in value.items():
                mark = "[]" if name == "attributes" and isinstance(said, list) else ""
                cells[f"{_NESTED[name]}{inner}{mark}"] = _text(said)
        elif name == "consent" and isinstance(value, list):
            for agreed in value:
                if isinstance(agreed, Mapping):
                    topic = agreed.get("topic") or "*"
                    said = (agreed.get("state"), agreed.get("at"), agreed.get("source"))
                    cells[f"consent.{topic}"] = " ".join(str(each) for each in said if each)
        else:
            own = isinstance(value, list) and not _several(name)
            cells[f"{name}[]" if own else name] = _text(value)
    return cells


def _several(name: str) -> bool:
    """Whether a column of this name may hold several values anyway, as tags and preferences do."""
    word = plain(name)
    return word in KNOWN or word.split(" ")[0] in ("prefers", "prefer", "preference", "consent")


def _text(value: Any) -> str:
    if isinstance(value, list):
        return joined([cell_text(each) for each in value])
    if isinstance(value, Mapping):
        return json.dumps(value, ensure_ascii=False)
    return cell_text(value)
