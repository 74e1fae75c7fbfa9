"""A sender to run as a process of its own, so that a test can let it die at an exact point."""

import asyncio
import os
import secrets
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy.engine import URL

from campaigns import Clock, Office, Scribes, Sending, Worker, identity_facts
from console.database import Database, Store
from console.wiring import SystemClock
from deliverability import Pacer, PaceSettings, SmtpServer, connect, identity_version
from tests.campaigns.world import ANNA, ZONE

#: What a process that died at a fault point reports.
DIED = 57


class Fault:
    """Ends the process, at once and without any clean-up, the n-th time a point is passed."""

    def __init__(self, point: str | None, nth: int) -> None:
        self._point, self._left = point, nth

    def __call__(self, point: str) -> None:
        if point == self._point:
            self._left -= 1
            if self._left == 0:
                os._exit(DIED)


def build(
    database: Database,
    store: Store,
    port: int,
    *,
    fault: Fault,
    window: int = 100,
    observer: object = None,
    retry: timedelta = timedelta(seconds=0.3),
    clock: Clock | None = None,
    smtp: SmtpServer | None = None,
    pace: PaceSettings | None = None,
    scribes: Scribes | None = None,
) -> Worker:
    """A worker, without pace unless one is given, that sends as Anna to a server here."""
    there = smtp or replace(ANNA.smtp, port=port, timeout=5.0, data_timeout=5.0)
    identity = replace(ANNA, smtp=there)
    now = datetime.now(UTC)
    version = database.write(
        lambda s: identity_version(s, "anna", identity_facts(identity), now=now)
    )
    office = Office(
        identity=identity, identity_version_id=version, base_url="", link_keys=(b"l" * 32,)
    )
    return Worker(
        store,
        clock or SystemClock(),
        Sending(
            offices={"anna": office},
            zone=ZONE,
            pacer=(
                (lambda who, to, state: Pacer(pace, seed=f"{who.name}/{to}", state=state))
                if pace is not None
                else None
            ),
            pace=lambda _: pace or PaceSettings(),
            dial=lambda who, _: connect(who.smtp, ehlo_name="sender.example", fault=fault),
            retry=lambda number, _: retry if number < 40 else None,
            window=window,
            scribes=scribes,
        ),
        owner=secrets.token_hex(8),
        observer=observer,  # type: ignore[arg-type]
        fault=fault,
    )


def send_on(
    url: URL, port: int, *, fault: str | None = None, nth: int = 1, window: int = 100
) -> None:
    """Sends until nothing waits, and dies the `nth` time it passes `fault`."""
    database = Database(url)
    store = Store(database)

    async def work() -> None:
        worker = build(database, store, port, fault=Fault(fault, nth), window=window)
        await worker.run(until_idle=True, patience=timedelta(seconds=5))

    asyncio.run(work())
    store.close()
    database.close()
