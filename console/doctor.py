"""`potok doctor`: everything that can be looked at without sending or changing anything."""

import shutil
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import packages_distributions
from pathlib import Path
from zoneinfo import available_timezones

from sqlalchemy import text

from console.database import Database
from console.errors import NoWorkspace, explain
from console.keys import FILE as KEYS_FILE
from console.keys import open_to_others, read_keys
from console.new_workspace import Answers
from console.settings import FILE, Settings, read_settings
from console.wiring import Workspace, find_workspace, open_database
from deliverability import Identity

#: The packages this distribution brings: another one with the same name would hide or break them.
ROOMS = ("leads", "segments", "templates", "deliverability", "campaigns", "console")
DISTRIBUTION = "potok"

#: Below this much room on the disk a big campaign may not fit.
ROOM_WANTED = 1_000_000_000
DIAL_SECONDS = 5.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """One thing looked at."""

    id: str
    #: ok | warning | error.
    level: str
    what: str
    #: What to do about it; empty when all is well.
    do: str = ""

    def document(self) -> dict[str, str]:
        return asdict(self)


def good(id: str, what: str) -> Check:
    return Check(id=id, level="ok", what=what)


def warning(id: str, what: str, do: str) -> Check:
    return Check(id=id, level="warning", what=what, do=do)


def bad(id: str, what: str, do: str) -> Check:
    return Check(id=id, level="error", what=what, do=do)


def examine(directory: str | None, *, network: bool, now: datetime) -> list[Check]:
    """Every check in order; the workspace's end at the first thing they cannot do without."""
    checks = [*_installation()]
    try:
        path = find_workspace(directory)
    except NoWorkspace as error:
        return [*checks, _no_workspace(directory, error)]
    checks.append(good("workspace", str(path)))
    try:
        settings = read_settings(path)
    except Exception as error:  # whatever it is, the person wants to read it here
        return [*checks, bad("settings", explain(error)[0], f"correct {FILE}")]
    identities = ", ".join(settings.identities) or "no identity yet"
    checks.append(good("settings", f"{FILE} is understood ({identities})"))
    checks += _keys(path)
    checks += _database(settings, now=now)
    checks += _disk(path)
    for name, identity in settings.identities.items():
        checks += _identity(name, identity, settings, network=network)
    if not settings.identities:
        checks.append(
            warning("identity", f"{FILE} has no [identity.NAME]", "add one: nobody can write yet")
        )
    return checks


def _no_workspace(directory: str | None, error: NoWorkspace) -> Check:
    if directory:
        return bad("workspace", str(error), "see that the folder is right")
    return warning("workspace", "there is none here", "potok init DIR makes one")


def _installation() -> Iterator[Check]:
    yield good("python", ".".join(map(str, sys.version_info[:3])))
    yield from _names(packages_distributions())
    zones = len(available_timezones())
    if zones > 400:
        yield good("time zones", f"{zones} known, UTC offset rules found")
    else:
        yield bad("time zones", "the time zone data is missing", "pip install tzdata")


def _names(owners: Mapping[str, list[str]]) -> Iterator[Check]:
    clashes = [
        f"{room} ({', '.join(others)})"
        for room in ROOMS
        if (others := sorted({o for o in owners.get(room, []) if o.lower() != DISTRIBUTION}))
    ]
    if clashes:
        yield bad(
            "import names",
            f"another package owns a name of Potok's: {'; '.join(clashes)}",
            "install Potok into an environment of its own: pipx install potok",
        )
    else:
        yield good("import names", "nobody else owns them")


def _keys(path: Path) -> Iterator[Check]:
    try:
        read_keys(path)
    except Exception as error:
        yield bad("keys", explain(error)[0], "")
        return
    if open_to_others(path):
        yield bad(
            "keys",
            f"{KEYS_FILE} can be read by other users of this machine",
            f"chmod 600 {path / KEYS_FILE}",
        )
    else:
        yield good("keys", f"{KEYS_FILE} is there and yours alone; keep a copy with the backups")


def _database(settings: Settings, *, now: datetime) -> Iterator[Check]:
    from console.schema_version import newest, present, revisions

    try:
        database = open_database(settings)
    except Exception as error:
        yield bad("database", explain(error)[0], "")
        return
    try:
        have, wanted = present(database), newest()
        shown = database.url.render_as_string(hide_password=True)
        if have == wanted:
            yield good("database", f"{shown} answers, schema {have} is current")
        elif have is None or have in revisions():
            yield bad(
                "database",
                f"{shown} has schema {have or 'none'}, this Potok wants {wanted}",
                "make a backup, then potok database upgrade",
            )
            return
        else:
            yield bad(
                "database",
                f"{shown} has schema {have}, made by a newer Potok",
                "install the newer version",
            )
            return
        yield from _integrity(database)
        yield from _unapplied(database, settings)
        yield from _stopped(database, now=now)
    except Exception as error:
        yield bad("database", explain(error)[0], "")
    finally:
        database.close()


def _integrity(database: Database) -> Iterator[Check]:
    if database.dialect != "sqlite":
        return
    with database.reading() as session:
        words = str(session.execute(text("PRAGMA quick_check(1)")).scalar())
    if words == "ok":
        yield good("integrity", "the database file is whole")
    else:
        yield bad(
            "integrity",
            f"the database file is damaged: {words.splitlines()[0][:200]}",
            "stop every potok, keep a copy of the file, put back the last backup",
        )


def _unapplied(database: Database, settings: Settings) -> Iterator[Check]:
    from console.workspace import unapplied

    keys = read_keys(settings.path)
    workspace = Workspace(path=settings.path, settings=settings, database=database, keys=keys)
    try:
        edits = unapplied(workspace)
    except Exception as error:
        yield bad("files", explain(error)[0], "correct it, then potok apply")
        return
    if edits:
        yield warning("files", f"not applied yet: {', '.join(edits)}", "potok plan, potok apply")
    else:
        yield good("files", "segments, templates and campaigns are applied as they are")


def _stopped(database: Database, *, now: datetime) -> Iterator[Check]:
    from console.holding import everything_stopped

    found = database.read(lambda session: everything_stopped(session, now=now))
    for each in found:
        yield (warning if each.warns else bad)("breakers", each.what, each.do)
    if not found:
        yield good("breakers", "no bounces, complaints or refusals hold anything back")


def _disk(path: Path) -> Iterator[Check]:
    free = shutil.disk_usage(path).free
    what = f"{free / 1e9:,.1f} GB free"
    if free < ROOM_WANTED:
        yield warning("disk", what, "make room: a million messages take about 1 GB")
    else:
        yield good("disk", what)


def _identity(
    name: str, identity: Identity, settings: Settings, *, network: bool
) -> Iterator[Check]:
    id = f"identity {name}"
    missing = [
        sentence
        for key, sentence in settings.secrets_missing.items()
        if key.partition(".")[0] == name
    ]
    for sentence in missing:
        yield bad(id, sentence, "then open potok again in that shell")
    if identity.domain.rpartition(".")[2] in ("example", "test", "invalid") or (
        identity.domain in ("example.com", "example.org", "example.net")
    ):
        yield warning(
            id,
            f"{identity.from_address} is an invented address",
            f"write your own into [identity.{name}] of {FILE}",
        )
    if identity.postal_address in ("", Answers().postal_address):
        yield warning(
            id,
            "no street address stands under its mails, which many countries' law asks for",
            f"write postal_address into [identity.{name}] of {FILE}",
        )
    if identity.smtp.outbox is not None:
        yield good(id, f"mails become files in {identity.smtp.outbox}; nothing leaves")
        return
    where = f"{identity.smtp.host} port {identity.smtp.port}"
    if not network:
        yield good(id, f"would send through {where} (not tried)")
        return
    problem = dial(identity.smtp.host, identity.smtp.port)
    if problem:
        yield bad(id, f"{where}: {problem}", "see host and port, and that no firewall is between")
    else:
        yield good(id, f"{where} answers; potok identity test {name} tries the login")


def dial(host: str, port: int, *, connect: Callable[..., socket.socket] | None = None) -> str:
    """Empty when a TCP connection can be opened, else why not."""
    try:
        with (connect or socket.create_connection)((host, port), timeout=DIAL_SECONDS):
            return ""
    except socket.gaierror:
        return "there is no server of this name"
    except TimeoutError:
        return f"no answer within {DIAL_SECONDS:g} seconds"
    except ConnectionRefusedError:
        return "nothing listens there"
    except OSError as error:
        return error.strerror or str(error)
