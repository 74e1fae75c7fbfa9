"""Where the real things are chosen: clock, randomness, workspace folder, database."""

import asyncio
import secrets
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from console.database import Database, database_url
from console.errors import NoWorkspace, Refused, SchemaMismatch
from console.keys import Keys, read_keys
from console.schema_version import newest, present, revisions
from console.settings import FILE, Settings, read_settings, variable


class SystemClock:
    """The real time."""

    def now(self) -> datetime:
        """Aware UTC."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@dataclass(frozen=True, kw_only=True, slots=True)
class Workspace:
    """An open workspace: everything a command needs. Close it when done."""

    path: Path
    settings: Settings
    database: Database
    keys: Keys
    clock: SystemClock = field(default_factory=SystemClock)
    #: For tokens and draws; from the system, not guessable.
    random: Random = field(default_factory=secrets.SystemRandom)

    def now(self) -> datetime:
        """The present moment, aware UTC."""
        return self.clock.now()

    def close(self) -> None:
        self.database.close()


def find_workspace(directory: str | None = None) -> Path:
    """The workspace's folder: `directory`, else POTOK_WORKSPACE, else found upward from here.

    Raises NoWorkspace with what to do.
    """
    named = directory or variable("POTOK_WORKSPACE")
    if named:
        path = Path(named).expanduser().resolve()
        if not (path / FILE).is_file():
            whose = "--workspace" if directory else "POTOK_WORKSPACE"
            what = f"holds no {FILE}" if path.is_dir() else "is no folder"
            raise NoWorkspace(f"{whose} says {named}, which {what}: potok init DIR makes one")
        return path
    here = Path.cwd()
    for path in (here, *here.parents):
        if (path / FILE).is_file():
            return path
    raise NoWorkspace


def open_workspace(path: Path, *, say: Callable[[str], None] = lambda _: None) -> Workspace:
    """Reads settings and keys and opens the database, whose schema is then the program's own.

    An older SQLite file is copied aside and upgraded; an older PostgreSQL asks for `potok database
    upgrade`. Raises SettingsError, KeysMissing, SchemaMismatch, Refused.
    """
    settings = read_settings(path)
    keys = read_keys(path)
    database = open_database(settings)
    try:
        bring_up_to_date(database, settings, say=say)
    except BaseException:
        database.close()
        raise
    return Workspace(path=path, settings=settings, database=database, keys=keys)


def open_database(settings: Settings, *, create: bool = False) -> Database:
    """The workspace's database as it is. Raises Refused when a SQLite file is not there: an empty
    new one would look as if everything were lost."""
    url = database_url(settings.database, settings.path)
    if url.get_backend_name() == "sqlite" and not create and not Path(url.database or "").exists():
        raise Refused(
            f"The database {url.database} is missing: put it back from the backup, or start an "
            "empty one with potok database upgrade"
        )
    return Database(url)


def bring_up_to_date(
    database: Database,
    settings: Settings,
    *,
    say: Callable[[str], None] = lambda _: None,
    server: bool = False,
) -> None:
    """Sees to it that the schema is the one this program was written for.

    A server's database, on which other machines may be at work, is upgraded only with `server`.
    """
    now, wanted = present(database), newest()
    if now == wanted:
        return
    if now is not None and now not in revisions():
        raise SchemaMismatch(
            f"The database has schema {now}, made by a newer Potok than this one (which knows "
            f"{wanted}): install the newer version"
        )
    if database.dialect != "sqlite" and not server:
        was = f"schema {now}" if now else "no tables"
        raise SchemaMismatch(
            f"The database has {was} and this Potok needs {wanted}: make a backup, stop every "
            "potok, then type potok database upgrade"
        )
    if now is not None and database.dialect == "sqlite":
        copy = back_up(settings, now)
        say(f"The database was schema {now}; a copy is kept as {copy.name}.")
    from console.schema import upgrade  # Alembic takes a while to import

    upgrade(database)
    say(f"The database is now schema {wanted}.")


def back_up(settings: Settings, revision: str) -> Path:
    """A complete copy of a SQLite database beside it. Raises Refused when the disk is too full."""
    source = Path(database_url(settings.database, settings.path).database or "")
    copy = source.with_name(f"{source.name}.schema-{revision}.backup")
    if shutil.disk_usage(source.parent).free < 2 * source.stat().st_size:
        raise Refused(f"Not enough room to copy {source} before upgrading it: make room first")
    # SQLite's own backup: a plain copy would miss what is still in the write-ahead log.
    with sqlite3.connect(source) as old, sqlite3.connect(copy) as new:
        old.backup(new)
    new.close()
    old.close()
    return copy
