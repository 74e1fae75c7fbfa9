"""What this room raises, and the one table that says what every room's errors mean to a caller.

ConsoleError
├── NoWorkspace         no folder with a potok.toml
├── SettingsError       potok.toml or another definition file says something wrong; file:line first
├── SecretMissing       a password is needed now and its variable or file is not there
├── KeysMissing         potok.keys is not there or not readable
├── SchemaMismatch      the database is older or newer than this program
└── Refused             a command's own no, with the reason
"""

import errno
import sys
import traceback
from collections.abc import Iterator
from sqlite3 import DatabaseError as SqliteError

from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout


class ConsoleError(Exception):
    """Potok could not do this."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.__doc__)


class NoWorkspace(ConsoleError):
    """There is no workspace here: potok init DIR makes one, --workspace DIR names one."""


class SettingsError(ConsoleError):
    """A definition file has a mistake."""


class SecretMissing(ConsoleError):
    """A password is needed and was not given."""


class KeysMissing(ConsoleError):
    """The file potok.keys is missing."""


class SchemaMismatch(ConsoleError):
    """The database was written by another version of Potok."""


class Refused(ConsoleError):
    """This cannot be done."""


#: (module of the exception's class, name) -> exit code, for the roots of the rooms. By name, so
#: that showing an error imports no room that the command did not use.
ROOTS: dict[str, int] = {
    "console.errors.ConsoleError": 1,
    "leads.errors.LeadError": 1,
    "segments.errors.SegmentError": 1,
    "templates.errors.TemplateError": 1,
    "deliverability.errors.DeliverabilityError": 1,
    "campaigns.errors.CampaignError": 1,
}

#: What the databases' own words mean, and what to do. Looked for in lower case, first match wins.
DATABASE_WORDS: tuple[tuple[str, str], ...] = (
    (
        "database is locked",
        "The database is busy: another potok has been writing for half a minute. Nothing was "
        "changed; try again, or see with ps whether a potok hangs",
    ),
    (
        "database or disk is full",
        "The disk is full. Nothing of this step was written; make room and run the same again",
    ),
    (
        "no space left",
        "The disk of the database is full. Nothing of this step was written; make room and run "
        "the same again",
    ),
    (
        "disk i/o error",
        "The disk did not take what was written (full, or failing). Nothing of this step was "
        "written; look at the disk and run the same again",
    ),
    (
        "unable to open database file",
        "The database file cannot be opened: see that its folder exists, belongs to you and may be "
        "written to",
    ),
    (
        "readonly database",
        "The database may only be read: see that the file and its folder belong to you and that "
        "the disk is not mounted read-only",
    ),
    (
        "malformed",
        "The database file is damaged. Stop every potok, keep a copy of the file, and put back "
        "the last backup",
    ),
    ("file is not a database", "The file that potok.toml calls the database is not one"),
    (
        "password authentication failed",
        "PostgreSQL refused the login: see user and password of the database in potok.toml "
        "(~/.pgpass or PGPASSWORD keep the password out of the file)",
    ),
    (
        "no password supplied",
        "PostgreSQL wants a password: put it into ~/.pgpass or the variable PGPASSWORD",
    ),
    (
        "connection refused",
        "PostgreSQL does not answer: see that it runs and that host and port in potok.toml are "
        "right",
    ),
    (
        "timeout expired",
        "PostgreSQL does not answer: see that host and port in potok.toml are right and that no "
        "firewall is between",
    ),
    ("could not translate host name", "The name of the database's host is not known"),
    ("failed to resolve host", "The name of the database's host is not known"),
    (
        "too many clients",
        "PostgreSQL has no connection left: end other programs or raise its limit",
    ),
    (
        "server closed the connection",
        "PostgreSQL closed the connection. What was not committed is not written; try again",
    ),
    (
        "no such table",
        "The database has not the tables it should have: potok database status says more",
    ),
)


def report(error: BaseException, *, debug: bool = False) -> int:
    """Prints one line about `error` on standard error (with `debug`, its traceback first) and
    returns the exit code."""
    sentence, code = explain(error)
    if debug:
        traceback.print_exception(error, file=sys.stderr)
    print(f"Error: {sentence}", file=sys.stderr)  # noqa: T201 - the one place that shows errors
    return code


def explain(error: BaseException) -> tuple[str, int]:
    """What happened and what to do, and the exit code."""
    for cls in type(error).__mro__:
        code = ROOTS.get(f"{cls.__module__}.{cls.__qualname__}")
        if code is not None:
            return str(error), code
    for sentence in (_database(error), _system(error)):
        if sentence:
            return sentence, 1
    return (
        f"Potok met something it does not know ({type(error).__name__}: {_short(error)}). "
        "Add --debug to see where; please report it",
        1,
    )


def _database(error: BaseException) -> str | None:
    if isinstance(error, ArgumentError):
        return 'The database line in potok.toml is no database URL; "sqlite:///potok.db" is one'
    if isinstance(error, PoolTimeout):
        return "The database had no free connection for half a minute; try again"
    if not isinstance(error, DBAPIError | SqliteError):
        return None
    original: object = getattr(error, "orig", None) or error
    words = str(original).lower()
    if "does not exist" in words and 'database "' in words:
        return "PostgreSQL has no database of that name: createdb NAME makes it"
    if "does not exist" in words and 'role "' in words:
        return "PostgreSQL does not know this user: see the database line in potok.toml"
    if 'relation "' in words and "does not exist" in words:
        return "The database has no tables yet, or old ones: potok database upgrade"
    for part, sentence in DATABASE_WORDS:
        if part in words:
            return sentence
    return f"The database says: {_short(original)}. Nothing of this step was written"


def _system(error: BaseException) -> str | None:
    if isinstance(error, UnicodeDecodeError):
        return f"A file is not in UTF-8 (byte {error.start}): save it as UTF-8"
    if not isinstance(error, OSError):
        return None
    place = f" {error.filename}" if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"The disk is full{':' if place else ''}{place}. Make room and run the same again"
    if isinstance(error, FileNotFoundError) and place:
        return f"There is no file{place}"
    if isinstance(error, PermissionError) and place:
        return f"No permission for{place}: see that it belongs to you"
    if isinstance(error, IsADirectoryError) and place:
        return f"{error.filename} is a folder, and a file is wanted"
    if error.errno == errno.EROFS:
        return f"The disk is mounted read-only:{place}"
    return f"{error.strerror or type(error).__name__}{':' if place else ''}{place}"


def _short(error: object) -> str:
    lines: Iterator[str] = iter(str(error).strip().splitlines())
    return next(lines, type(error).__name__)[:300]
