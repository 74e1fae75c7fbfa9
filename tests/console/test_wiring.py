"""Opening a workspace: keys, an older schema, a newer one, a database that is not there."""

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from sqlalchemy import text
from sqlalchemy.engine import URL

from console import wiring
from console.database import Database
from console.errors import KeysMissing, Refused, SchemaMismatch
from console.schema_version import newest, present
from console.wiring import open_workspace
from leads import Suppression
from tests.console.conftest import edit

Run = Callable[..., Result]


def test_without_its_keys_a_workspace_does_not_open(home: Path) -> None:
    (home / "potok.keys").rename(home / "elsewhere")
    with pytest.raises(KeysMissing, match="put the file back from the backup"):
        open_workspace(home)
    (home / "potok.keys").write_text('address = "00"\nlinks = []\n')
    with pytest.raises(KeysMissing, match="damaged"):
        open_workspace(home)


def test_a_missing_database_is_not_silently_replaced_by_an_empty_one(
    home: Path, potok: Run
) -> None:
    (home / "potok.db").unlink()
    with pytest.raises(Refused, match="put it back from the backup"):
        open_workspace(home)
    assert not (home / "potok.db").exists()
    assert potok("database", "upgrade", "--yes").exit_code == 0
    open_workspace(home).close()


def _set_schema(path: Path, revision: str) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
    connection.close()


def test_a_newer_schema_is_refused(home: Path, potok: Run) -> None:
    _set_schema(home / "potok.db", "9999")
    with pytest.raises(SchemaMismatch, match="newer Potok"):
        open_workspace(home)
    assert potok("database", "status").exit_code == 1
    assert "newer" in potok("doctor").stdout


def test_an_older_file_is_copied_whole_and_upgraded(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = open_workspace(home)
    workspace.database.write(
        lambda session: session.add(
            Suppression(address_key="k", reason="manual", at=datetime(2026, 1, 1, tzinfo=UTC))
        )
    )
    workspace.close()
    # The program's newest schema counts as one more than the file's.
    done: list[Any] = []
    monkeypatch.setattr("console.wiring.newest", lambda: "next")
    monkeypatch.setattr("console.schema.upgrade", done.append)
    said: list[str] = []
    open_workspace(home, say=said.append).close()
    assert len(done) == 1
    (copy,) = home.glob("potok.db.schema-*.backup")
    assert copy.name in said[0]
    with sqlite3.connect(copy) as connection:
        assert connection.execute("SELECT count(*) FROM suppression").fetchone() == (1,)
    connection.close()


def test_without_room_for_the_copy_nothing_is_upgraded(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.wiring.newest", lambda: "next")
    monkeypatch.setattr("console.schema.upgrade", lambda _: pytest.fail("upgraded without a copy"))
    monkeypatch.setattr(wiring.shutil, "disk_usage", lambda _: _Full())
    with pytest.raises(Refused, match="Not enough room"):
        open_workspace(home)


class _Full:
    free = 0


def _on_server(home: Path, url: URL) -> None:
    shown = url.render_as_string(hide_password=False)
    edit(home / "potok.toml", "sqlite:///potok.db", shown)


def test_a_server_is_upgraded_only_when_told_to(
    home: Path, postgres_url: URL, potok: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    _on_server(home, postgres_url)
    assert potok("apply").exit_code == 0
    assert potok("doctor", "--offline").exit_code == 0
    database = Database(postgres_url)
    with database.writing() as session:
        session.execute(text("DELETE FROM alembic_version"))
    assert present(database) is None
    database.close()
    refused = potok("plan")
    assert refused.exit_code == 1
    assert "potok database upgrade" in refused.stderr
    assert potok("database", "status").exit_code == 1


def test_an_empty_server_database_gets_its_tables_by_upgrade(
    home: Path, postgres_server: URL, potok: Run
) -> None:
    import uuid

    from tests.postgresql import administer

    name = f"potok_{uuid.uuid4().hex[:12]}"
    administer(postgres_server, f"CREATE DATABASE {name} TEMPLATE template0")
    try:
        _on_server(home, postgres_server.set(database=name))
        assert "potok database upgrade" in potok("plan").stderr
        assert potok("database", "upgrade").exit_code == 0
        assert newest() in potok("database", "status").stdout
        assert potok("apply").exit_code == 0
    finally:
        administer(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


def test_a_server_database_that_does_not_exist_is_a_sentence(
    home: Path, postgres_server: URL, potok: Run
) -> None:
    _on_server(home, postgres_server.set(database="nobody_made_this"))
    done = potok("plan")
    assert "no database of that name" in done.stderr
    assert done.stderr.count("\n") == 1
    _on_server_user = postgres_server.set(username="nobody_here")
    edit(
        home / "potok.toml",
        postgres_server.set(database="nobody_made_this").render_as_string(hide_password=False),
        _on_server_user.render_as_string(hide_password=False),
    )
    assert "does not know this user" in potok("plan").stderr
