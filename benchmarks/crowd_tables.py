"""The invented crowd in a migrated database of either kind, written in bulk.

    python -m benchmarks.crowd_tables sqlite:////tmp/crowd.db --leads 1000000

Indexes that are no constraint are taken away while the rows go in and made again afterwards.
"""

import argparse
import sqlite3
from collections.abc import Iterator, Sequence
from itertools import islice
from time import perf_counter

import psycopg
from sqlalchemy.engine import URL, make_url

from benchmarks import crowd as invented
from benchmarks.crowd import Crowd, Row
from console.database import Database
from console.schema import upgrade


def load(url: URL, crowd: Crowd) -> None:
    """Makes the tables and fills them; the database must be empty."""
    database = Database(url)
    upgrade(database)
    database.close()
    if url.get_backend_name() == "sqlite":
        _sqlite(url, crowd)
    else:
        _postgresql(url, crowd)


def _tables(crowd: Crowd) -> list[tuple[str, Sequence[str], Iterator[Row]]]:
    return [
        ("domain", invented.DOMAIN, crowd.domain_rows()),
        ("lead", invented.LEAD, crowd.lead_rows()),
        ("preference", invented.PREFERENCE, crowd.preference_rows()),
        ("consent", invented.CONSENT, crowd.consent_rows()),
        ("suppression", invented.SUPPRESSION, crowd.suppression_rows()),
        ("event", invented.EVENT, crowd.event_rows()),
    ]


def _sqlite(url: URL, crowd: Crowd) -> None:
    connection = sqlite3.connect(url.database or "", isolation_level=None)
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("PRAGMA cache_size=-1000000")
    tables = _tables(crowd)
    names = [name for name, _, _ in tables]
    indexes = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
        f" AND tbl_name IN ({','.join('?' * len(names))})",
        names,
    ).fetchall()
    for index, _ in indexes:
        connection.execute(f'DROP INDEX "{index}"')
    for name, columns, rows in tables:
        began = perf_counter()
        quoted = ", ".join(f'"{column}"' for column in columns)
        statement = f'INSERT INTO "{name}" ({quoted}) VALUES ({",".join("?" * len(columns))})'
        connection.execute("BEGIN")
        count = 0
        while some := list(islice(rows, 100_000)):
            connection.executemany(statement, some)
            count += len(some)
        connection.execute("COMMIT")
        print(f"{name}: {count:,} rows in {perf_counter() - began:.1f} s", flush=True)
    for index, statement in indexes:
        began = perf_counter()
        connection.execute(statement)
        print(f"{index}: {perf_counter() - began:.1f} s", flush=True)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def _postgresql(url: URL, crowd: Crowd) -> None:
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("SET timezone TO 'UTC'")
        # Foreign keys are not looked at row by row: the rows are right by the way they are made.
        connection.execute("SET session_replication_role = replica")
        connection.execute("SET maintenance_work_mem = '512MB'")
        tables = _tables(crowd)
        indexes = connection.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY(%s) AND NOT EXISTS"
            " (SELECT FROM pg_constraint WHERE conindid = indexname::regclass)",
            [[name for name, _, _ in tables]],
        ).fetchall()
        for index, _ in indexes:
            connection.execute(f'DROP INDEX "{index}"'.encode())
        for name, columns, rows in tables:
            began = perf_counter()
            quoted = ", ".join(f'"{column}"' for column in columns)
            count = 0
            with connection.cursor().copy(f'COPY "{name}" ({quoted}) FROM STDIN'.encode()) as copy:
                for row in rows:
                    copy.write_row(row)
                    count += 1
            if columns[0] == "id":
                connection.execute(
                    f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), {count})".encode()
                )
            print(f"{name}: {count:,} rows in {perf_counter() - began:.1f} s", flush=True)
        # The triggers that do this were asleep, too.
        connection.execute(
            "UPDATE lead SET suppressed = reason FROM suppression"
            " WHERE suppression.address_key = lead.address_key"
        )
        for index, statement in indexes:
            began = perf_counter()
            connection.execute(statement)
            print(f"{index}: {perf_counter() - began:.1f} s", flush=True)
        # What autovacuum does by itself in the minutes after such a load.
        connection.execute("VACUUM ANALYZE")


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m benchmarks.crowd_tables", description=__doc__)
    options.add_argument("url", type=make_url)
    options.add_argument("--leads", type=int, default=1_000_000)
    options.add_argument("--seed", type=int, default=1410)
    given = options.parse_args()
    load(given.url, Crowd(leads=given.leads, seed=given.seed))


if __name__ == "__main__":
    main()
