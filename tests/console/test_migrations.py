"""Workspaces that are older than the program keep what is in them."""

from pathlib import Path

import pytest
from sqlalchemy import insert, inspect, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError

from campaigns import Attempt
from console.database import Database
from console.schema import metadata, upgrade
from console.schema_version import present
from tests.campaigns.world import small_world
from tests.conftest import NOW


def _rows(database: Database) -> dict[str, list[tuple[object, ...]]]:
    with database.reading() as session:
        return {
            table.name: [tuple(row) for row in session.execute(select(table)).all()]
            for table in metadata.sorted_tables
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
    with new.reading() as source, old.writing() as session:
        for table in metadata.sorted_tables:
            rows = source.execute(select(table)).mappings().all()
            if rows:
                session.execute(insert(table), [dict(row) for row in rows])
    before = _rows(old)

    upgrade(old)

    assert present(old) == present(new)
    assert before["message"] and before["attempt"]
    assert _rows(old) == before
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
