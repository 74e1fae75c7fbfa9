"""`potok demo`: a whole campaign on this machine, with invented leads and checked sums."""

from typing import TYPE_CHECKING

import click

from console.cli.frame import DONE, REFUSED, Frame, command, group

if TYPE_CHECKING:
    from rich.console import Console
    from rich.live import Live

    from campaigns import Worker
    from console.demo.tally import Tally

root = group("potok", help="Commands without a group.")


@command(root, "demo")
@click.option(
    "--keep",
    metavar="DIR",
    help="Make the workspace here, instead of in a temporary folder.",
    type=click.Path(file_okay=False),
)
def demo(frame: Frame, keep: str | None) -> None:
    """Watch a whole campaign run on this machine: 500 invented leads, real SMTP, checked sums.

    It makes a workspace, imports the leads, plans a campaign and sends it to a receiver that
    behaves like several providers: a slow one, one that sends everybody away first, some unknown
    users. Some people answer, and a sequence follows up. Nothing leaves this machine. It takes
    about half a minute; exit code 0 means that every sum added up.

    \b
    Example:
      potok demo
      potok demo --keep my-first-workspace
    """
    import shutil
    import tempfile
    from pathlib import Path

    from console.cli.leads_view import told
    from console.demo.play import play
    from console.demo.telling import document, tell

    folder = Path(keep) if keep else Path(tempfile.mkdtemp(prefix="potok-demo-")) / "workspace"
    screen = frame.screen(stderr=True)
    screen.print("\nA campaign on this machine, from the leads to the sums.\n", style="bold")
    try:
        with _Watching(frame, screen) as watching:
            played = play(folder, watching, by=frame.by)
    except BaseException:
        if not keep:  # a temporary folder with half a demo in it is of no use to anybody
            shutil.rmtree(folder.parent, ignore_errors=True)
        raise
    frame.emit(document(played), lambda out: tell(out, played, potok=_command(), told=told))
    frame.exit(DONE if played.sums.hold else REFUSED)


def _command() -> str:
    """How this command is called here: `make demo` installs it where no shell looks."""
    import shutil
    import sys
    from pathlib import Path

    mine = Path(sys.argv[0])
    found = shutil.which("potok")
    if mine.name == "potok" and (found is None or not mine.samefile(found)):
        return str(mine.resolve())
    return "potok"


class _Watching:
    """Shows the demo: live on a terminal, else one line now and then."""

    def __init__(self, frame: Frame, screen: "Console") -> None:
        self._frame = frame
        self._screen = screen
        self._live: Live | None = None
        self._said = 0

    def __enter__(self) -> "_Watching":
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def ready(self, what: str, words: str) -> None:
        from console.demo.telling import tell_ready

        tell_ready(self._screen, what, words)

    def sending(self) -> None:
        if self._screen.is_terminal:
            from rich.live import Live

            self._live = Live(console=self._screen, auto_refresh=False)
            self._live.start()

    def look(self, tally: "Tally", worker: "Worker") -> None:
        from console.demo.view import picture
        from console.wiring import SystemClock

        now = SystemClock().now()
        if self._live is not None:
            seen = picture(tally, worker.views(), now=now, width=self._screen.width)
            self._live.update(seen, refresh=True)
        elif tally.settled >= self._said + 50 or (tally.settled == tally.planned != self._said):
            self._said = tally.settled
            self._frame.say(f"{tally.settled} of {tally.planned} settled")
