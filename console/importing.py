"""An import as the workspace wants it: its settings, keys, clock and database put together."""

import gc
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from console.errors import Refused
from console.wiring import Workspace
from leads import (
    Column,
    FieldError,
    Pace,
    Source,
    Taken,
    Terms,
    map_columns,
    moment,
    open_source,
    stage_named,
    take_in,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """What the options of `leads import` said, as they were typed."""

    encoding: str | None = None
    delimiter: str | None = None
    #: Of a workbook; None means the first.
    sheet: str | None = None
    mapping: Sequence[str] = ()
    on_duplicate: str = "fill"
    #: `demo` or `sales/demo`: where new leads go when the file does not say.
    stage: str | None = None
    source: str = ""
    said_by: str = ""
    consent_source: str = ""
    consent_date: str | None = None
    consent_topic: str = ""
    dry_run: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Imported:
    """A finished import and how its file was understood."""

    source: Source
    columns: tuple[Column, ...]
    taken: Taken


Understood = tuple[Source, tuple[Column, ...]]


def understand(workspace: Workspace, path: Path, wish: Wish, *, by: str) -> Understood:
    """How the file is written and what its columns are. Raises as `import_file` does."""
    _terms(workspace, path, wish, by=by)  # a mistake in the options is told before any question
    source = open_source(
        path,
        encoding=wish.encoding,
        delimiter=_delimiter(wish.delimiter),
        sheet=wish.sheet,
    )
    return source, map_columns(source, wish.mapping)


def example(source: Source, column: Column) -> str:
    """The first value of the column among the file's first rows."""
    for row in source.sample:
        if column.index < len(row.cells) and row.cells[column.index].strip():
            return row.cells[column.index].strip()
    return ""


def import_file(
    workspace: Workspace,
    path: Path,
    wish: Wish,
    *,
    by: str,
    understood: Understood | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Imported:
    """Takes the file in, or with `dry_run` finds out what that would do.

    `understood` is what was shown before, so that the file is not looked at again.

    Raises leads.FileError, leads.MappingError, leads.StageError, leads.FieldError, OSError; nothing
    is written then.
    """
    terms = _terms(workspace, path, wish, by=by)
    source, columns = understood or understand(workspace, path, wish, by=by)
    with _little_garbage(), _quick_turns():
        taken = take_in(
            source,
            columns,
            terms,
            write=workspace.database.write,
            read=workspace.database.read,
            dice=workspace.random,
            dry_run=wish.dry_run,
            progress=progress,
            clock=workspace.now,
            pace=pace_of(workspace),
            ahead=workspace.database.dialect != "sqlite",
        )
    return Imported(source=source, columns=columns, taken=taken)


def pace_of(workspace: Workspace) -> Pace | None:
    """Breaks for others where all writers share one lock; a server lets them write at once."""
    if workspace.database.dialect != "sqlite":
        return None
    return Pace(stopwatch=time.monotonic, sleep=time.sleep)


@contextmanager
def _little_garbage() -> Iterator[None]:
    """The libraries stay until the end and rows refer to nothing in circles: looking through both
    for garbage again and again takes a fifth of an import's time."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


@contextmanager
def _quick_turns() -> Iterator[None]:
    """Whoever waited for a server goes on sooner than Python's usual 5 ms after its answer, while
    the next rows are prepared beside it: a tenth of an import's time."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(0.0005)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def _terms(workspace: Workspace, path: Path, wish: Wish, *, by: str) -> Terms:
    settings, now = workspace.settings, workspace.now()
    pipelines = settings.pipelines
    first = pipelines.get("sales") or next(iter(pipelines.values()))
    pipeline, stage = first.name, first.names[0]
    if wish.stage:
        pipeline, stage = stage_named(wish.stage, pipelines)
    return Terms(
        key=workspace.keys.address,
        file=path.name,
        by=by,
        now=now,
        zone=settings.time_zone,
        pipelines=pipelines,
        pipeline=pipelines[pipeline],
        stage=stage,
        on_duplicate=wish.on_duplicate,
        source=wish.source,
        said_by=wish.said_by,
        consent_source=wish.consent_source,
        consent_date=_date(workspace, wish.consent_date, now),
        consent_topic=wish.consent_topic,
    )


def _date(workspace: Workspace, text: str | None, now: datetime) -> datetime | None:
    if text is None:
        return None
    at = moment(text, workspace.settings.time_zone)
    if at > now:
        raise FieldError(f"--consent-date {text} has not come yet: a consent lies in the past")
    return at


def _delimiter(text: str | None) -> str | None:
    names = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}
    sign = names.get(text.casefold(), text) if text else text
    if sign is not None and (len(sign) != 1 or sign in '\r\n"'):
        raise Refused(f"--delimiter {text!r}: write one sign, or comma, semicolon, tab, pipe")
    return sign
