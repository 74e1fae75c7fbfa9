"""The worker as wired for a workspace: real clock, real connections, one lock.

`open_sender` is the only place that turns settings into a `campaigns.Sending`.
"""

import os
import secrets
import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from datetime import timedelta

from filelock import FileLock, Timeout
from sqlalchemy import text
from sqlmodel import Session

from campaigns import (
    Finding,
    Observer,
    Office,
    Prepared,
    Scribes,
    Sending,
    Starting,
    Worker,
    identity_facts,
    prepare,
)
from console.database import Store
from console.errors import Refused
from console.processes import cores, quiet_start, spawned
from console.settings import Settings
from console.wiring import Workspace
from deliverability import (
    Connection,
    Identity,
    Pacer,
    PaceState,
    answers_of,
    connect,
    identity_version,
    is_loopback,
    retry_after,
    seed_domains,
)

LOCK = ".potok.lock"
#: Any number will do as long as every Potok uses the same one.
_ADVISORY_LOCK = 0x506F746F6B


@contextmanager
def only_sender(workspace: Workspace) -> Iterator[None]:
    """Holds the workspace while sending, so that every row an earlier owner left is nobody's.

    The operating system lets go of the lock when the process dies, however it dies. On PostgreSQL
    a second lock in the database keeps away senders of other folders and machines. Raises Refused
    with who holds it.
    """
    path = workspace.path / LOCK
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        holder = path.with_suffix(".owner")
        who = holder.read_text("utf-8").strip() if holder.exists() else "another process"
        raise Refused(
            f"This workspace is being sent already, by {who}. One potok run is enough: leave it, "
            "or stop it first"
        ) from None
    try:
        path.with_suffix(".owner").write_text(
            f"process {os.getpid()} on {socket.gethostname()}", "utf-8"
        )
        with _database_lock(workspace):
            yield
    finally:
        path.with_suffix(".owner").unlink(missing_ok=True)
        lock.release()


def at_work(workspace: Workspace) -> str | None:
    """Who sends this workspace now, `process 12 on host`; None when nobody does.

    Asks the note that a sender leaves and not the lock: taking that, even for a moment, could turn
    away a `potok run` that is just beginning.
    """
    note = (workspace.path / LOCK).with_suffix(".owner")
    try:
        who = note.read_text("utf-8").strip()
    except OSError:
        return None
    number, _, host = who.removeprefix("process ").partition(" on ")
    if host == socket.gethostname() and number.isdecimal() and not _alive(int(number)):
        return None
    return who or None


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@contextmanager
def _database_lock(workspace: Workspace) -> Iterator[None]:
    if workspace.database.dialect == "sqlite":
        yield
        return
    with workspace.database.writer.connect() as connection:
        mine = connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": _ADVISORY_LOCK})
        connection.commit()
        if not mine:
            raise Refused(
                "Another potok run sends from this database already, perhaps on another machine: "
                "one is enough"
            )
        # Held by this connection until it closes: a crash frees it.
        yield


def offices(workspace: Workspace) -> dict[str, Office]:
    """One office per identity, its present facts kept as a version.

    Identities whose SMTP password is missing are left out; `settings.sender` says why.
    """
    settings, now = workspace.settings, workspace.now()

    def work(session: Session) -> dict[str, Office]:
        seed_domains(session, settings.providers)
        return {
            name: Office(
                identity=identity,
                identity_version_id=identity_version(
                    session, name, identity_facts(identity), now=now
                ),
                base_url=settings.web.base_url,
                # The file has the newest key first, the signer wants it last.
                link_keys=tuple(reversed(workspace.keys.links)),
            )
            for name, identity in settings.identities.items()
            if f"{name}.smtp" not in settings.secrets_missing
        }

    return workspace.database.write(work)


def _pacer(settings: Settings) -> Callable[[Identity, str, PaceState], Pacer]:
    return lambda identity, provider, learnt: Pacer(
        settings.pace_of(provider), seed=f"{identity.name}/{provider}", state=learnt
    )


def _dial(settings: Settings) -> Callable[[Identity, str], Awaitable[Connection]]:
    return lambda identity, provider: connect(
        identity.smtp,
        # The host's own name: asking DNS for a longer one could block everything on a train.
        ehlo_name=socket.gethostname(),
        answers=answers_of(provider, settings.answers),
    )


def _scribes() -> Executor:
    """Processes that write messages: one core is left for sending them."""
    others = spawned(cores() - 1)
    with quiet_start():
        others.submit(cores)
    return others


def _retry(most: int) -> Callable[[int, str], timedelta | None]:
    return lambda number, seed: None if number > most else retry_after(number, seed)


def starting(workspace: Workspace) -> Starting:
    """What a start by schedule needs, the same as one by hand."""
    settings = workspace.settings

    def opinions(name: str, only_new: bool) -> Sequence[Finding]:
        from console.preflight import opinions_of

        def prepared(session: Session) -> Prepared:
            return prepare(
                session,
                name,
                identities=settings.identities,
                consent_required=settings.consent_required,
                consent_double=settings.consent_double,
                again=only_new,
            )

        return opinions_of(workspace, prepared)

    return Starting(
        identities=settings.identities,
        consent_required=settings.consent_required,
        consent_double=settings.consent_double,
        base_url=settings.web.base_url,
        link_domains=settings.templates.link_domains,
        when_in_doubt=settings.delivery.when_in_doubt,
        token=lambda: f"{workspace.random.getrandbits(48):012x}",
        opinions=opinions,
    )


def open_sender(
    workspace: Workspace,
    store: Store,
    *,
    observer: Observer | None = None,
    paced: bool = True,
    retry: Callable[[int, str], timedelta | None] | None = None,
) -> Worker:
    """A worker for every identity of the workspace. Hold `only_sender` while it runs.

    Without pace it refuses servers other than this machine (Refused): full speed is for tests and
    measurements.
    """
    settings = workspace.settings
    if not paced:
        for identity in settings.identities.values():
            if identity.smtp.outbox is None and not is_loopback(identity.smtp.host):
                raise Refused(
                    f"--no-pace is for servers on this machine, and {identity.name} sends through "
                    f"{identity.smtp.host}: leave --no-pace away"
                )
    return Worker(
        store,
        workspace.clock,
        Sending(
            offices=offices(workspace),
            zone=settings.time_zone,
            pacer=_pacer(settings) if paced else None,
            pace=settings.pace_of,
            dial=_dial(settings),
            retry=retry or _retry(settings.delivery.most_retries),
            absent={
                name: settings.secrets_missing[f"{name}.smtp"]
                for name in settings.identities
                if f"{name}.smtp" in settings.secrets_missing
            },
            cap=settings.delivery.frequency,
            domain_per_hour=settings.delivery.domain_per_hour if paced else None,
            starting=starting(workspace),
            scribes=None if paced or cores() < 2 else Scribes(_scribes),
        ),
        owner=f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}",
        observer=observer,
    )
