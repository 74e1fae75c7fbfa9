"""Workspaces that are older than the program keep what is in them."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, Table, column, insert, inspect, select
from sqlalchemy import table as sa_table
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError

from campaigns import Attempt
from console.database import Database
from console.schema import metadata, upgrade
from console.schema_version import present
from tests.campaigns.world import small_world
from tests.conftest import NOW


def _columns(database: Database) -> dict[Table, list[Column[Any]]]:
    """The tables there are, in an order that can be filled, with the columns they have."""
    there = inspect(database.writer)
    return {
        table: [table.c[each["name"]] for each in there.get_columns(table.name)]
        for table in metadata.sorted_tables
        if there.has_table(table.name)
    }


def _rows(
    database: Database, known: dict[Table, list[Column[Any]]]
) -> dict[str, list[tuple[object, ...]]]:
    with database.reading() as session:
        return {
            table.name: [tuple(row) for row in session.execute(select(*columns)).all()]
            for table, columns in known.items()
        }


def test_messages_stay_with_their_attempts_when_message_ids_lose_their_index(
    tmp_path: Path,
) -> None:
    new = Database(make_url(f"sqlite:///{tmp_path / 'new.db'}"))
    upgrade(new)
    small_world(new, 5)
    facts = {"owner": "w", "started_at": NOW, "reply": ""}
    tries = [{"message_id": n, "number": 1, **facts} for n in (2, 4)]
    new.write(lambda session: session.execute(insert(Attempt), tries))
    old = Database(make_url(f"sqlite:///{tmp_path / 'old.db'}"))
    upgrade(old, to="0004")
    assert _unique(old) == [["rfc_message_id"], ["run_id", "lead_id", "pass", "step"]]
    known = _columns(old)
    with new.reading() as source, old.writing() as session:
        for table, columns in known.items():
            rows = source.execute(select(*columns)).mappings().all()
            if rows:
                # Without what the models of today would add by default.
                bare = sa_table(table.name, *(column(each.name, each.type) for each in columns))
                session.execute(insert(bare), [dict(row) for row in rows])
    before = _rows(old, known)

    upgrade(old)

    assert present(old) == present(new)
    assert before["message"] and before["attempt"]
    assert _rows(old, known) == before
    assert _unique(old) == [["run_id", "lead_id", "pass", "step"]]
    assert _indexes(old) == _indexes(new)
    with old.reading() as session:
        assert session.connection().exec_driver_sql("PRAGMA foreign_key_check").all() == []
    stray = {"message_id": 99, "number": 1, **facts}
    with pytest.raises(IntegrityError):
        old.write(lambda session: session.execute(insert(Attempt), [stray]))
    new.close()
    old.close()


def _unique(database: Database) -> list[list[str]]:
    found = inspect(database.writer).get_unique_constraints("message")
    return sorted(each["column_names"] for each in found)


def _indexes(database: Database) -> set[str | None]:
    return {index["name"] for index in inspect(database.writer).get_indexes("message")}
