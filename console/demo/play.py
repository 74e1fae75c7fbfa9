"""The demo from start to end: stage, sending with somebody watching, sums."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

from campaigns import Observer, Sending, Worker
from console.database import Store
from console.demo.answering import LATEST
from console.demo.inbox import Inbox
from console.demo.lapse import HurriedPacer, hurried_retry
from console.demo.process import ReceiverProcess
from console.demo.someone import Somebody, somebody
from console.demo.stage import INBOX, SEQUENCE, Stage, make_demo_workspace, set_the_stage
from console.demo.sums import Sums, add_up
from console.demo.tally import Tally
from console.sending import offices, only_sender
from console.wiring import SystemClock, Workspace
from deliverability import Connection, Identity, Pacer, PaceState, connect

#: Longest wait for a retry that is due later; the whole demo ends well within a minute.
PATIENCE = timedelta(seconds=20)
#: Between two looks at the lanes, in seconds.
GLANCE = 0.1


class Spectator(Protocol):
    """Whoever watches the demo."""

    def ready(self, what: str, words: str) -> None:
        """One more thing is ready."""
        ...

    def sending(self) -> None:
        """Everything is ready; messages begin to leave."""
        ...

    def look(self, tally: Tally, worker: Worker) -> None:
        """Called a few times a second while messages leave."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Played:
    """The demo when it is over."""

    stage: Stage
    sums: Sums
    #: One lead who replied, with all that happened; None when nobody did.
    somebody: Somebody | None
    tally: Tally
    seconds: float


def play(folder: Path, spectator: Spectator, *, by: str) -> Played:
    """Runs the whole demo in a new workspace at `folder`.

    Raises what the commands it uses raise; the receiver is ended in any case.
    """
    clock = SystemClock()
    received = folder / "received"
    with ReceiverProcess(received, save_mail=True, answers=folder / INBOX) as receiver:
        spectator.ready(
            "receivers", f"a slow one, a strict one and more on 127.0.0.1:{receiver.port}"
        )
        workspace = make_demo_workspace(folder, port=receiver.port, now=clock.now())
        spectator.ready("workspace", str(folder))
        try:
            stage = set_the_stage(workspace, by=by, ready=spectator.ready)
            spectator.sending()
            tally = Tally(stage.lanes, now=clock.now, sequence=SEQUENCE)
            with only_sender(workspace):
                _send(workspace, receiver, tally, spectator)
            seconds = (clock.now() - tally.began).total_seconds()
            taken, answered = receiver.taken(), receiver.answered()
            sums = workspace.database.read(lambda session: add_up(session, stage, taken, answered))
            found = workspace.database.read(lambda session: somebody(session, workspace))
        finally:
            workspace.close()
    return Played(stage=stage, sums=sums, somebody=found, tally=tally, seconds=seconds)


def _send(
    workspace: Workspace, receiver: ReceiverProcess, tally: Tally, spectator: Spectator
) -> None:
    store = Store(workspace.database)
    try:
        with asyncio.Runner() as runner:
            worker = _worker(workspace, store, tally)
            inbox = Inbox(workspace, store, tally)
            runner.run(_watched(worker, inbox, receiver, tally, spectator))
    finally:
        store.close()


async def _watched(
    worker: Worker, inbox: Inbox, receiver: ReceiverProcess, tally: Tally, spectator: Spectator
) -> None:
    """Sends and reads side by side; ends when everything is sent and everything answered read."""

    async def work() -> None:
        stop = asyncio.Event()
        reading = asyncio.create_task(inbox.read_on(stop))
        try:
            await worker.run(until_idle=True, patience=PATIENCE)
            await asyncio.sleep(LATEST)
        finally:
            stop.set()
            await reading
        # On its way out the receiver writes what it still has to say.
        await asyncio.to_thread(receiver.stop)
        await inbox.look()

    working = asyncio.create_task(work())
    while not working.done():
        spectator.look(tally, worker)
        await asyncio.wait({working}, timeout=GLANCE)
    spectator.look(tally, worker)
    await working


def _worker(workspace: Workspace, store: Store, observer: Observer) -> Worker:
    settings = workspace.settings
    began = workspace.now()

    def pacer(identity: Identity, provider: str, _learnt: PaceState) -> Pacer:
        seed = f"{identity.name}/{provider}"
        return HurriedPacer(settings.pace_of(provider), seed=seed, since=began)

    def dial(identity: Identity, _provider: str) -> Coroutine[Any, Any, Connection]:
        return connect(identity.smtp, ehlo_name="potok-demo.example")

    return Worker(
        store,
        workspace.clock,
        Sending(
            offices=offices(workspace),
            zone=settings.time_zone,
            pacer=pacer,
            pace=settings.pace_of,
            dial=dial,
            retry=hurried_retry,
        ),
        owner="demo",
        observer=observer,
    )
