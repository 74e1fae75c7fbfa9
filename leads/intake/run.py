"""An import from beginning to end: read twice, write in chunks, count everything.

The first reading finds addresses that stand in the file more than once, so that all rows of an
address are taken in together and repeating an import changes nothing. The second one writes, at
most 2,000 rows in a transaction: a killed import leaves whole chunks, and running it again adds
the rest.
"""

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from random import Random

from sqlalchemy import insert, update
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlmodel import Session, col

from leads.errors import LeadError
from leads.intake.ahead import one_ahead
from leads.intake.arriving import Arrivals
from leads.intake.chunk import Prepared, apply_chunk, prepare
from leads.intake.counts import SHOWN, Counts, Taken
from leads.intake.incoming import Incoming, Reader
from leads.intake.mapping import Column, targets_of
from leads.intake.pace import CHUNK, Pace, Transaction
from leads.intake.reading import Row, Source
from leads.intake.rejects import Rejects
from leads.intake.terms import Terms
from leads.tables import Import

#: How often a chunk is tried when another writer brought the same address at the same moment.
_TRIES = 5


@dataclass(kw_only=True, slots=True)
class _Rows:
    """As many as one transaction takes."""

    #: Those of each address.
    groups: list[list[Incoming]]
    refused: list[tuple[Row, str]]
    #: What is to be written of the groups.
    prepared: list[Prepared]


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
    pace: Pace | None = None,
    ahead: bool = False,
) -> Taken:
    """Imports the file. With `dry_run` nothing is written anywhere and the result is the same.

    `progress(done, total)` hears of rows after each chunk; `clock` says when it was finished.
    `pace` lets others write in between; without it every chunk has the most rows. With `ahead` a
    thread prepares the next chunk while the database works on this one: for a server, which does
    so elsewhere.
    Raises FileError before anything is written when the file cannot be read to its end.
    """
    reader = Reader(columns, terms)
    total, later = _look(source, reader)
    taken = Taken()
    rejects = None if dry_run else Rejects(source)
    arrivals, transaction = None, read
    if not dry_run:
        transaction = write if pace is None else partial(pace.run, write)
        taken.import_id, dialect = write(lambda s: _begin(s, source, columns, terms))
        arrivals = Arrivals(dialect, terms, taken.import_id, dice)
    complete = False
    chunk = partial(_chunk, terms=terms, taken=taken, arrivals=arrivals)
    ready = partial(prepare, terms=terms, arrivals=arrivals)
    chunks = _chunks(source, reader, later, taken, ready, pace)
    try:
        with closing(one_ahead(chunks) if ahead else chunks) as following:
            for rows in following:
                for row, reason in rows.refused:
                    if rejects is not None:
                        rejects.add(row, reason)
                    if len(taken.reasons) < SHOWN:
                        taken.reasons.append((row.line, reason))
                taken.counts = _again(transaction, rows, ready, chunk)
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
    seen: set[int] = set()
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
            seen.add(short)
    return total, twice


def _chunks(
    source: Source,
    reader: Reader,
    later: dict[str, list[Row]],
    taken: Taken,
    ready: Callable[[list[list[Incoming]]], list[Prepared]],
    pace: Pace | None,
) -> Generator[_Rows, None, None]:
    """Rows by address, and those that are refused; about as many as one transaction takes."""
    groups: list[list[Incoming]] = []
    refused: list[tuple[Row, str]] = []
    size = 0
    done: set[int] = set()
    for row in source.rows():
        if row.line in done:
            continue
        group: list[Incoming] = []
        key = _read(reader, row, group, refused, taken)
        size += 1
        if key is not None and key in later:
            others = later.pop(key)
            for each in others:
                _read(reader, each, group, refused, taken)
            done.update(each.line for each in others)
            size += len(others)
        if group:
            groups.append(group)
        if size >= (CHUNK if pace is None else pace.rows):
            yield _Rows(groups=groups, refused=refused, prepared=ready(groups))
            groups, refused, size = [], [], 0
    if size:
        yield _Rows(groups=groups, refused=refused, prepared=ready(groups))


def _read(
    reader: Reader,
    row: Row,
    group: list[Incoming],
    refused: list[tuple[Row, str]],
    taken: Taken,
) -> str | None:
    """Puts the row into one of the lists; returns its address key, if it has one."""
    try:
        incoming = reader.read(row)
    except LeadError as error:
        refused.append((row, str(error)))
        return reader.key(row)
    group.append(incoming)
    if incoming.odd:
        taken.odd_count += len(incoming.odd)
        if len(taken.odd) < SHOWN:
            taken.odd += incoming.odd
    return incoming.key


def _chunk(
    session: Session,
    rows: _Rows,
    *,
    terms: Terms,
    taken: Taken,
    arrivals: Arrivals | None,
) -> Counts:
    """One transaction; returns the counts of the whole import so far."""
    counts = Counts(rejected=len(rows.refused))
    counts.add(taken.counts)
    if rows.prepared:
        done = apply_chunk(
            session, rows.prepared, terms, import_id=taken.import_id, arrivals=arrivals
        )
        counts.add(done)
    if taken.import_id is not None:
        session.connection().execute(
            update(Import).where(col(Import.id) == taken.import_id).values(counts=counts.document())
        )
    return counts


def _again(
    transaction: Transaction,
    rows: _Rows,
    ready: Callable[[list[list[Incoming]]], list[Prepared]],
    chunk: Callable[..., Counts],
) -> Counts:
    """On PostgreSQL two imports can bring one address at once: the loser looks again."""
    for attempt in range(_TRIES):
        if attempt:
            # Made anew, with other tokens.
            rows.prepared = ready(rows.groups)
        try:
            counts: Counts = transaction(partial(chunk, rows=rows))
            return counts
        except (IntegrityError, OperationalError) as lost:
            deadlock = "deadlock" in str(lost).lower()
            if attempt == _TRIES - 1 or not (isinstance(lost, IntegrityError) or deadlock):
                raise
    raise AssertionError("the last attempt returned or raised")


def _begin(
    session: Session, source: Source, columns: Sequence[Column], terms: Terms
) -> tuple[int, Dialect]:
    """The import's number, and in which words the database is spoken to."""
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
    return int(made.scalar_one() or 0), session.connection().dialect


def _finish(session: Session, taken: Taken, finished: datetime) -> None:
    session.execute(
        update(Import)
        .where(col(Import.id) == taken.import_id)
        .values(finished_at=finished, counts=taken.counts.document())
        .execution_options(synchronize_session=False)
    )
