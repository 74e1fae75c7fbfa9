"""An import from beginning to end: read twice, write in chunks, count everything.

The first reading finds addresses that stand in the file more than once, so that all rows of an
address are taken in together and repeating an import changes nothing. The second one writes, at
most 2,000 rows in a transaction: a killed import leaves whole chunks, and running it again adds
the rest.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial
from random import Random
from typing import Any, TypeVar

from sqlalchemy import insert, update
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlmodel import Session, col

from leads.errors import LeadError
from leads.intake.chunk import apply_chunk
from leads.intake.counts import SHOWN, Counts, Taken
from leads.intake.incoming import Incoming, Reader
from leads.intake.mapping import Column, targets_of
from leads.intake.reading import Row, Source
from leads.intake.rejects import Rejects
from leads.intake.terms import Terms
from leads.tables import Import

T = TypeVar("T")

#: Runs a function in one transaction of its own: `Database.write`, `Database.read`.
Transaction = Callable[[Callable[[Session], Any]], Any]

#: Rows in one transaction: a commit costs milliseconds, and others wait while it is open.
CHUNK = 2000
#: How often a chunk is tried when another writer brought the same address at the same moment.
_TRIES = 5


def take_in(
    source: Source,
    columns: Sequence[Column],
    terms: Terms,
    *,
    write: Transaction,
    read: Transaction,
    dice: Random,
    dry_run: bool = False,
    progress: Callable[[int, int], None] | None = None,
    clock: Callable[[], datetime] | None = None,
) -> Taken:
    """Imports the file. With `dry_run` nothing is written anywhere and the result is the same.

    `progress(done, total)` hears of rows after each chunk; `clock` says when it was finished.
    Raises FileError before anything is written when the file cannot be read to its end.
    """
    reader = Reader(columns, terms)
    total, later = _look(source, reader)
    taken = Taken()
    rejects = None if dry_run else Rejects(source)
    if not dry_run:
        taken.import_id = write(lambda session: _begin(session, source, columns, terms))
    complete = False
    try:
        for groups, refused in _chunks(source, reader, later, taken):
            for row, reason in refused:
                if rejects is not None:
                    rejects.add(row, reason)
                if len(taken.reasons) < SHOWN:
                    taken.reasons.append((row.line, reason))
            work = partial(
                _chunk, groups=groups, refused=len(refused), terms=terms, taken=taken, dice=dice
            )
            taken.counts = _again(read if dry_run else write, work)
            if progress is not None:
                progress(taken.counts.read, total)
        complete = True
    finally:
        if rejects is not None:
            taken.rejects_file = rejects.close(complete=complete)
    if taken.counts.read != total:
        raise LeadError(
            f"{source.path} changed while it was read ({total} rows, then {taken.counts.read}): "
            "import it again"
        )
    if not dry_run:
        finished = clock() if clock is not None else terms.now
        write(lambda session: _finish(session, taken, finished))
    return taken


def _look(source: Source, reader: Reader) -> tuple[int, dict[str, list[Row]]]:
    """Rows in the file, and {address key: its rows} for addresses that stand there repeatedly."""
    seen: dict[int, int] = {}
    twice: dict[str, list[Row]] = {}
    total = 0
    for row in source.rows():
        total += 1
        key = reader.key(row)
        if key is None:
            continue
        # 64 of the 128 bits: a million addresses take 100 MB less, and a false alarm costs nothing.
        short = int(key[:16], 16)
        if short in seen:
            twice.setdefault(key, []).append(row)
        else:
            seen[short] = row.line
    return total, twice


def _chunks(
    source: Source, reader: Reader, later: dict[str, list[Row]], taken: Taken
) -> Iterator[tuple[list[list[Incoming]], list[tuple[Row, str]]]]:
    """Rows by address, and those that are refused; about `CHUNK` rows at a time."""
    groups: list[list[Incoming]] = []
    refused: list[tuple[Row, str]] = []
    size = 0
    done: set[int] = set()
    for row in source.rows():
        if row.line in done:
            continue
        key = reader.key(row) if later else None
        rows = [row]
        if key is not None and key in later:
            others = later.pop(key)
            rows += others
            done.update(each.line for each in others)
        group: list[Incoming] = []
        for each in rows:
            try:
                incoming = reader.read(each)
            except LeadError as error:
                refused.append((each, str(error)))
                continue
            group.append(incoming)
            taken.odd_count += len(incoming.odd)
            if incoming.odd and len(taken.odd) < SHOWN:
                taken.odd += incoming.odd
        if group:
            groups.append(group)
        size += len(rows)
        if size >= CHUNK:
            yield groups, refused
            groups, refused, size = [], [], 0
    if size:
        yield groups, refused


def _chunk(
    session: Session,
    *,
    groups: list[list[Incoming]],
    refused: int,
    terms: Terms,
    taken: Taken,
    dice: Random,
) -> Counts:
    """One transaction; returns the counts of the whole import so far."""
    counts = Counts(rejected=refused)
    counts.add(taken.counts)
    if groups:
        counts.add(apply_chunk(session, groups, terms, import_id=taken.import_id, dice=dice))
    if taken.import_id is not None:
        session.execute(
            update(Import)
            .where(col(Import.id) == taken.import_id)
            .values(counts=counts.document())
            .execution_options(synchronize_session=False)
        )
    return counts


def _again(transaction: Transaction, work: Callable[[Session], T]) -> T:
    """On PostgreSQL two imports can bring one address at once: the loser looks again."""
    for attempt in range(_TRIES):
        try:
            result: T = transaction(work)
            return result
        except (IntegrityError, OperationalError) as lost:
            deadlock = "deadlock" in str(lost).lower()
            if attempt == _TRIES - 1 or not (isinstance(lost, IntegrityError) or deadlock):
                raise
    raise AssertionError("the last attempt returned or raised")


def _begin(session: Session, source: Source, columns: Sequence[Column], terms: Terms) -> int:
    made = session.execute(
        insert(Import)
        .values(
            file=str(source.path),
            sha256=source.sha256,
            started_at=terms.now,
            by=terms.by,
            mapping=dict(targets_of(columns)),
            counts={},
        )
        .returning(col(Import.id))
    )
    return int(made.scalar_one() or 0)


def _finish(session: Session, taken: Taken, finished: datetime) -> None:
    session.execute(
        update(Import)
        .where(col(Import.id) == taken.import_id)
        .values(finished_at=finished, counts=taken.counts.document())
        .execution_options(synchronize_session=False)
    )
