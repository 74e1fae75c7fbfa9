"""The database: engines for SQLite and PostgreSQL, transactions, the store for a worker.

Only this file begins and commits. A command uses `Database.write(fn)` and `.read(fn)`; the
asynchronous worker uses `Store`, whose single writer thread commits whatever gathered while the
last fsync ran (group commit). Dialect words stand here and in `campaigns/queue.py` only.
"""

import asyncio
import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import OperationalError as SqliteError
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from segments import BARE_FUNCTION, SqliteWithHints, bare_or_null

T = TypeVar("T")
Work = Callable[[Session], T]

#: Seconds a SQLite writer waits for another process's transaction before it says "locked".
BUSY_SECONDS = 30.0
#: Seconds to wait for a PostgreSQL server to answer at all.
DIAL_SECONDS = 10


def database_url(text: str, workspace: Path) -> URL:
    """`text` from `potok.toml` as a URL; a relative SQLite path starts at the workspace.

    Raises sqlalchemy.exc.ArgumentError for text that is no database URL.
    """
    url = make_url(text)
    if url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:":
        return url.set(database=str(workspace / url.database))
    return url


def _sqlite_engine(url: URL, *, readonly: bool, tidies: bool) -> Engine:
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS}, pool_size=4, max_overflow=4)
    engine.dialect.statement_compiler = SqliteWithHints

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        # The driver's own idea of transactions is switched off: ours begin IMMEDIATE below.
        connection.isolation_level = None
        # SQLite knows the capitals of A to Z only; rules with ~ ask for more.
        connection.create_function(BARE_FUNCTION, 1, bare_or_null, deterministic=True)
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        # FULL: a commit that returned survives a power cut, so a claim is durable before we dial.
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA temp_store=MEMORY")
        cursor.execute("PRAGMA cache_size=-65536")
        if not tidies:
            cursor.execute("PRAGMA wal_autocheckpoint=0")
        if readonly:
            cursor.execute("PRAGMA query_only=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # IMMEDIATE: a writer takes its lock first, so it waits instead of failing half-way.
        connection.exec_driver_sql("BEGIN" if readonly else "BEGIN IMMEDIATE")

    return engine


class Database:
    """Both engines of one workspace. Close it when done.

    A commit on SQLite copies a log that has grown into the file; with `tidies=False` it leaves that
    to `tidy`.
    """

    def __init__(self, url: URL, *, tidies: bool = True) -> None:
        self.url = url
        self.dialect = url.get_backend_name()
        if self.dialect == "sqlite":
            self.writer = _sqlite_engine(url, readonly=False, tidies=tidies)
            self.reader = _sqlite_engine(url, readonly=True, tidies=tidies)
        else:
            # Without it a host that swallows packets keeps a command waiting for two minutes.
            wait = {} if "connect_timeout" in url.query else {"connect_timeout": DIAL_SECONDS}
            self.writer = create_engine(url, pool_pre_ping=True, connect_args=wait)
            self.reader = self.writer

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """One write transaction: committed at the end, rolled back when the block raises."""
        with Session(self.writer, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """One read transaction: a single snapshot for all its queries."""
        with Session(self.reader, expire_on_commit=False) as session, session.begin():
            if self.dialect != "sqlite":
                session.connection(
                    execution_options={
                        "isolation_level": "REPEATABLE READ",
                        "postgresql_readonly": True,
                    }
                )
            yield session

    def write(self, work: Work[T]) -> T:
        """`work(session)` in one write transaction of its own."""
        with self.writing() as session:
            return work(session)

    def read(self, work: Work[T]) -> T:
        """`work(session)` on one snapshot."""
        with self.reading() as session:
            return work(session)

    def tidy(self) -> None:
        """Copies SQLite's log into the file, as far as nobody reads it; others may write."""
        if self.dialect != "sqlite":
            return
        raw = self.writer.raw_connection()
        try:
            raw.cursor().execute("PRAGMA wal_checkpoint(PASSIVE)")
        finally:
            raw.close()

    def compact(self) -> bool:
        """Writes a SQLite file anew and empties its log: nothing deleted is left in either.

        False when another process works on the file, and for PostgreSQL, which does so by itself.
        """
        if self.dialect != "sqlite":
            return False
        raw = self.writer.raw_connection()
        try:
            cursor = raw.cursor()
            cursor.execute("VACUUM")
            busy = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            return not busy
        except SqliteError:
            return False
        finally:
            raw.close()

    def close(self) -> None:
        self.writer.dispose()
        if self.reader is not self.writer:
            self.reader.dispose()


class _Job:
    __slots__ = ("future", "work")

    def __init__(self, work: Work[Any]) -> None:
        self.work = work
        self.future: Future[Any] = Future()


class Store:
    """The worker's way to the database: one writer thread with group commit, a pool of readers.

    Each write runs in a savepoint, so one that raises takes nothing else down; a result is
    delivered only after the commit that holds it. When the commit itself is lost the whole batch
    runs again (twice at most), so every `work` must be repeatable by key.
    """

    def __init__(self, database: Database, *, readers: int = 3) -> None:
        self._database = database
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._readers = ThreadPoolExecutor(readers, thread_name_prefix="potok-read")
        self._writer = threading.Thread(target=self._run, name="potok-write", daemon=True)
        self._closed = False
        #: Commits so far and writes in them: their ratio says how well commits are shared.
        self.commits = 0
        self.writes = 0
        self._writer.start()

    async def write(self, work: Work[T]) -> T:
        """`work(session)`, committed. Raises what `work` raised, or the commit's own error."""
        if self._closed:
            raise RuntimeError("the store is closed")
        job = _Job(work)
        self._jobs.put(job)
        return cast(T, await asyncio.wrap_future(job.future))

    async def read(self, work: Work[T]) -> T:
        """`work(session)` on one snapshot, in a reader thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, self._database.read, work)

    def close(self) -> None:
        """Finishes what was asked for, then ends both sides."""
        if not self._closed:
            self._closed = True
            self._jobs.put(None)
            self._writer.join()
            self._readers.shutdown()

    def _run(self) -> None:
        while True:
            job = self._jobs.get()
            if job is None:
                return
            batch, last = [job], False
            while not self._jobs.empty():
                more = self._jobs.get()
                if more is None:
                    last = True
                    break
                batch.append(more)
            self._commit(batch)
            if last:
                return

    def _commit(self, batch: list[_Job]) -> None:
        for final in (False, False, True):
            try:
                results = self._transaction(batch)
            except OperationalError as lost:
                # The server went away, the disk is full, or another process writes: nothing of
                # this batch is in the database, so it may run again; then it is the callers' to
                # hear about.
                if final:
                    self._fail(batch, lost)
                    return
                # With a new connection: SQLite does not wait for a lock, but says "locked" at
                # once, while a result that nobody has read to its end is alive on the old one.
                self._database.writer.dispose()
            except BaseException as broken:  # the thread must outlive any surprise
                self._fail(batch, broken)
                return
            else:
                break
        self.commits += 1
        self.writes += len(batch)
        for job, (result, error) in zip(batch, results, strict=True):
            if job.future.cancelled():
                continue
            if error is None:
                job.future.set_result(result)
            else:
                job.future.set_exception(error)

    def _transaction(self, batch: list[_Job]) -> list[tuple[Any, Exception | None]]:
        results: list[tuple[Any, Exception | None]] = []
        with Session(self._database.writer, expire_on_commit=False) as session, session.begin():
            for job in batch:
                try:
                    with session.begin_nested():
                        results.append((job.work(session), None))
                except OperationalError:
                    raise
                except Exception as error:  # delivered to the caller who asked for this write
                    results.append((None, error))
        return results

    @staticmethod
    def _fail(batch: list[_Job], error: BaseException) -> None:
        for job in batch:
            if not job.future.cancelled():
                job.future.set_exception(error)
