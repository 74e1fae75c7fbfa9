"""Fixtures for every test: both databases, migrated once and copied; a clock that stands still."""

import os
import shutil
import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy.engine import URL, make_url

from console.database import Database
from console.new_workspace import Answers, make_workspace
from console.schema import upgrade
from tests import laws

pytest_plugins = ["tests.receiver", "tests.postgresql", "tests.workers"]

# A shell that starts the tests in the background has them ignore Ctrl-C, and every process they
# start would inherit that: the tests that press it would wait for ever.
signal.signal(signal.SIGINT, signal.default_int_handler)

# A machine that is busy is slow; no law says how long an example takes.
settings.register_profile(
    "potok",
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.load_profile("potok")

#: The moment most tests happen at: a Tuesday noon in Warsaw.
NOW = datetime(2026, 3, 10, 11, 0, tzinfo=UTC)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--proof", action="store_true", help="run the slow proofs in their long form (make proof)"
    )


def pytest_configure(config: pytest.Config) -> None:
    laws.long_form = bool(config.getoption("--proof"))


@pytest.fixture(scope="session")
def proof(request: pytest.FixtureRequest) -> bool:
    """Whether a proof marked `slow` takes its long form: more kills, more rows, more hours."""
    return bool(request.config.getoption("--proof"))


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test depends on what the developer's shell happens to export."""
    for name in list(os.environ):
        if name.startswith("POTOK_") and name != "POTOK_TEST_DATABASE":
            monkeypatch.delenv(name)


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty migrated SQLite file, made once per worker."""
    path = tmp_path_factory.mktemp("template") / "potok.db"
    database = Database(make_url(f"sqlite:///{path}"))
    upgrade(database)
    with database.writer.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.exec_driver_sql("BEGIN")
    database.close()
    return path


@pytest.fixture(scope="session")
def _workspace_made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("workspace") / "acme"
    make_workspace(path, Answers(time_zone="Europe/Warsaw"), now=NOW)
    return path


@pytest.fixture
def fresh_workspace(_workspace_made_once: Path, tmp_path: Path) -> Path:
    """A workspace as `potok init --yes` makes it."""
    return Path(shutil.copytree(_workspace_made_once, tmp_path / "acme"))


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> URL:
    path = tmp_path / "potok.db"
    shutil.copy(sqlite_template, path)
    return make_url(f"sqlite:///{path}")


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> URL:
    """A migrated, empty database of each kind: tests that use SQL run on both."""
    url: URL = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def database(database_url: URL) -> Iterator[Database]:
    """`database.write(fn)`, `database.read(fn)` on both kinds."""
    opened = Database(database_url)
    yield opened
    opened.close()
