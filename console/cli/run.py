"""`potok run` sends what is due; `potok stop` pauses everything."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from console.cli.frame import DONE, UNDECIDED, Frame, command, group

if TYPE_CHECKING:
    from rich.console import Console

    from campaigns import Claimed, Ended, State, Worker
    from console.wiring import Workspace
    from deliverability import Outcome

root = group("potok", help="Commands without a group.")


@command(root, "run")
@click.option("--until-idle", is_flag=True, help="End when nothing can be sent now.")
@click.option(
    "--wait",
    default=0,
    metavar="SECONDS",
    type=click.IntRange(0),
    help="With --until-idle: wait so long for what is due soon.",
)
@click.option(
    "--no-pace", is_flag=True, help="As fast as it goes; only to servers on this machine."
)
@click.option("--quiet", is_flag=True, help="Only say what needs somebody.")
def run(frame: Frame, until_idle: bool, wait: int, no_pace: bool, quiet: bool) -> None:
    """Send what is due, until told to stop (Ctrl-C or SIGTERM).

    While it runs, campaigns with [when] start by themselves, sequences go on, mailboxes are read
    and the opt-out page answers. One potok run per workspace: a second one says so and leaves.

    \b
    Example:
      potok run
      potok run --until-idle
    """
    from console.campaigning import next_start_document
    from console.sending import only_sender

    with frame.workspace() as workspace, only_sender(workspace):
        for why in workspace.settings.secrets_missing.values():
            frame.say(why)
        if no_pace:
            from campaigns import FULL_SPEED_WINDOW

            frame.say(
                f"Without pace: at most {FULL_SPEED_WINDOW} messages are under way at a time, and "
                "so many could be in doubt after a crash."
            )
        observer = _Talk(frame, quiet=quiet)
        ended = _send(
            frame, workspace, observer, until_idle=until_idle, wait=wait, paced=not no_pace
        )
        zone = workspace.settings.time_zone

    def human(screen: object) -> None:
        from rich.console import Console

        assert isinstance(screen, Console)  # noqa: S101 - what emit hands over
        screen.print(
            f"{observer.accepted} accepted, {observer.rejected} rejected, "
            f"{observer.deferred} asked to come back, {observer.unwritten} could not be written."
        )
        for why in ended.held:
            screen.print(f"Held back: {why}")
        due = (
            f", the next at {ended.next_due.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}"
            if ended.next_due
            else ""
        )
        if ended.waiting:
            screen.print(f"{ended.waiting} messages wait{due}.")
        if ended.reserved:
            screen.print(
                f"{ended.reserved} leads are kept back until the better variant is known: "
                "potok campaigns results NAME"
            )
        if ended.enrolled:
            are = "lead is" if ended.enrolled == 1 else "leads are"
            until = "" if ended.waiting else due.replace("the next", "the next step")
            screen.print(f"{ended.enrolled} {are} on the way through a sequence{until}.")
        if ended.next_start:
            coming = ended.next_start
            screen.print(f"Next start: {coming.campaign}, {coming.local()}.")
        if ended.in_doubt:
            screen.print(f"{ended.in_doubt} are in doubt: potok campaigns resolve NAME")

    frame.emit(
        {
            "accepted": observer.accepted,
            "rejected": observer.rejected,
            "deferred": observer.deferred,
            "skipped": observer.unwritten,
            "waiting": ended.waiting,
            "reserved": ended.reserved,
            "enrolled": ended.enrolled,
            "next_due": ended.next_due,
            "held": list(ended.held),
            "next_start": next_start_document(ended.next_start),
            "in_doubt": ended.in_doubt,
        },
        human,
    )
    frame.exit(UNDECIDED if ended.in_doubt else DONE)


def _send(
    frame: Frame,
    workspace: "Workspace",
    observer: "_Talk",
    *,
    until_idle: bool,
    wait: int,
    paced: bool,
) -> "Ended":
    from datetime import timedelta

    from console.attending import attending
    from console.database import Store
    from console.sending import open_sender

    async def work() -> "Ended":
        worker = open_sender(workspace, store, observer=observer, paced=paced)
        with _stopped_by_signals(frame, worker):
            async with attending(workspace, store, say=observer.said):
                return await worker.run(until_idle=until_idle, patience=timedelta(seconds=wait))

    store = Store(workspace.database)
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            return runner.run(work())
    finally:
        store.close()


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop where it exists: half the CPU per message."""
    try:
        from uvloop import new_event_loop
    except ImportError:
        return None
    return new_event_loop


@contextmanager
def _stopped_by_signals(frame: Frame, worker: "Worker") -> Iterator[None]:
    loop = asyncio.get_running_loop()
    asked = 0

    def stop(name: str) -> None:
        nonlocal asked
        asked += 1
        if asked == 1:
            frame.say("Stopping: what is on the wire is finished first. Once more ends at once.")
            worker.stop()
        else:
            # What is on the wire will be in doubt at the next start, and says so.
            raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop, number.name)
    try:
        yield
    finally:
        # uvloop leaves its handlers behind when it closes: nothing would hear Ctrl-C any more.
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


class _Talk:
    """Counts, and says one line per message unless quiet."""

    def __init__(self, frame: Frame, *, quiet: bool) -> None:
        self._frame = frame
        self._quiet = quiet
        self.accepted = self.rejected = self.deferred = self.unwritten = 0

    def finished(self, claimed: "Claimed", outcome: "Outcome", state: "State | None") -> None:
        self.accepted += state == "accepted"
        self.rejected += state == "rejected"
        self.deferred += state == "planned" and outcome.verdict == "deferred"
        if not self._quiet and state is not None:
            words = f"{outcome.code or ''} {outcome.reply}".strip()[:120]
            self._frame.say(f"{state:<9} {claimed.recipient.email}  {words}")

    def skipped(self, claimed: "Claimed", why: str) -> None:
        self.unwritten += 1
        self._frame.say(f"skipped   {claimed.recipient.email}  {why}")

    def said(self, text: str) -> None:
        self._frame.say(text)


@command(root, "stop")
@click.option("--why", default="", help="Kept with each run and shown in status.")
def stop(frame: Frame, why: str) -> None:
    """Pause everything, from any terminal; what is on the wire is finished.

    \b
    Example:
      potok stop --why "wrong link in the mail"
    """
    from campaigns import stop_everything
    from console.campaigning import coming_starts, next_start_document

    reason = why or f"everything was stopped by {frame.by}"
    with frame.workspace() as workspace:
        names = workspace.database.write(lambda s: stop_everything(s, reason=reason))
        coming = [each for name, each in coming_starts(workspace).items() if name not in names]

    def human(screen: "Console") -> None:
        screen.print(
            f"Paused: {', '.join(names)}. Each goes on with potok campaigns resume NAME."
            if names
            else "Nothing was being sent."
        )
        for each in coming:
            screen.print(
                f"{each.campaign} still starts by itself, {each.local()}: to prevent it, take "
                f"[when] out of campaigns/{each.campaign}.toml and type potok apply."
            )

    frame.emit(
        {
            "paused": names,
            "reason": reason,
            "next_starts": [next_start_document(each) for each in coming],
        },
        human,
    )
