"""Headless Chromium, spoken to through two pipes (Chrome DevTools Protocol): no port, no library.

Every browser has a profile of its own in a temporary folder, no way to the network, and a time
limit; it ends with the block that started it.
"""

import contextlib
import fcntl
import json
import os
import select
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from console.errors import Refused

#: As the packages of Debian, Ubuntu, Fedora, Arch and Google call it.
PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

_FLAGS = (
    "--headless",
    "--remote-debugging-pipe",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-dev-shm-usage",  # a container's /dev/shm is small
    "--disable-extensions",
    "--disable-gpu",
    "--disable-sync",
    "--hide-scrollbars",
    "--metrics-recording-only",
    "--mute-audio",
    "--password-store=basic",
    "--use-mock-keychain",
)
#: No name has an address, no address is reached: whatever a page asks for, nothing leaves.
_OFFLINE = ("--host-resolver-rules=MAP * ~NOTFOUND", "--proxy-server=http://127.0.0.1:1")

Event = Mapping[str, Any]


def find_chromium() -> str:
    """The path of the browser. Raises Refused with what to install."""
    for name in PROGRAMS:
        path = shutil.which(name)
        if path:
            return path
    raise Refused(
        "There is no Chromium here to take pictures with: install it (Debian, Ubuntu: sudo apt "
        f"install chromium); looked for {', '.join(PROGRAMS)}"
    )


def runs_as_root() -> bool:
    """Whether Chromium must run without its own sandbox: it refuses to start for root else."""
    return os.geteuid() == 0


class Browser:
    """A running browser. Ask it with `ask`; `heard` gets what it says by itself."""

    def __init__(self, said: int, heard: int, *, until: float) -> None:
        self._out, self._in = said, heard
        #: On time.monotonic(); after it every question ends in Refused.
        self.until = until
        self.heard: Callable[[Event], None] = lambda _: None
        self._number = 0
        self._rest = b""

    def ask(self, method: str, *, session: str | None = None, **given: Any) -> dict[str, Any]:
        """What the browser answers. Raises Refused when it says no, or nothing in time."""
        self._number += 1
        mine = self._number
        self.tell(method, session=session, number=mine, **given)
        while True:
            event = self.listen()
            if event.get("id") != mine:
                continue
            if "error" in event:
                raise Refused(f"Chromium refused {method}: {event['error'].get('message')}")
            result: dict[str, Any] = event["result"]
            return result

    def tell(
        self, method: str, *, session: str | None = None, number: int | None = None, **given: Any
    ) -> None:
        """Says it without waiting for the answer."""
        if number is None:
            self._number += 1
            number = self._number
        message: dict[str, Any] = {"id": number, "method": method, "params": given}
        if session is not None:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            self._wait(writing=True)
            try:
                data = data[os.write(self._out, data) :]
            except BrokenPipeError:
                raise Refused("Chromium ended by itself before the picture was there") from None

    def listen(self) -> Event:
        """The next thing it says; events go to `heard` on the way."""
        while b"\0" not in self._rest:
            self._wait(writing=False)
            piece = os.read(self._in, 1 << 20)
            if not piece:
                raise Refused("Chromium ended by itself before the picture was there")
            self._rest += piece
        text, _, self._rest = self._rest.partition(b"\0")
        event: Event = json.loads(text)
        if "method" in event:
            self.heard(event)
        return event

    def _wait(self, *, writing: bool) -> None:
        left = self.until - time.monotonic()
        wanted = ([], [self._out]) if writing else ([self._in], [])
        if left <= 0 or not any(select.select(*wanted, [], left)):
            raise Refused("Chromium gave no answer in time; is the machine very busy?")


@contextmanager
def browsing(*, seconds: float, flags: tuple[str, ...] = _OFFLINE) -> Iterator[Browser]:
    """A browser for `seconds` at most. Raises Refused when there is none or it does not start."""
    program = find_chromium()
    with tempfile.TemporaryDirectory(prefix="potok-chromium-", ignore_cleanup_errors=True) as home:
        ours, theirs = _pipe(), _pipe()
        log = Path(home) / "log"
        arguments = [program, *_FLAGS, *flags, f"--user-data-dir={home}/profile"]
        if runs_as_root():
            arguments.append("--no-sandbox")
        pid = os.posix_spawn(
            program,
            [*arguments, "about:blank"],
            # Nothing of this environment: no proxy, no display, no settings of the person's own.
            {"HOME": home, "PATH": os.defpath, "LANG": "C.UTF-8", "TMPDIR": _room(home)},
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
                (os.POSIX_SPAWN_OPEN, 2, str(log), os.O_WRONLY | os.O_CREAT, 0o600),
                (os.POSIX_SPAWN_DUP2, ours[0], 3),
                (os.POSIX_SPAWN_DUP2, theirs[1], 4),
            ],
            setpgroup=0,
        )
        os.close(ours[0])
        os.close(theirs[1])
        browser = Browser(ours[1], theirs[0], until=time.monotonic() + seconds)
        try:
            try:
                browser.ask("Browser.getVersion")
            except Refused as error:
                raise Refused(f"{error}{_last_words(log)}") from None
            yield browser
        finally:
            _end(pid, browser)
            os.close(ours[1])
            os.close(theirs[0])


def _room(home: str) -> str:
    """Where Chromium puts a socket whose whole path may have 104 characters: near `home`."""
    return home if len(home) < 50 else tempfile.gettempdir()


def _pipe() -> tuple[int, int]:
    """Both ends above 9, so that giving the child 3 and 4 treads on neither."""
    ends = os.pipe()
    high = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ends]
    for end in ends:
        os.close(end)
    return high[0], high[1]


def _end(pid: int, browser: Browser) -> None:
    """Asks it to go, waits a little, then ends it and all its own processes."""
    browser.until = time.monotonic() + 2
    with contextlib.suppress(Refused):
        browser.tell("Browser.close")
        while True:  # until it closes its end
            browser.listen()
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)


def _last_words(log: Path) -> str:
    lines = log.read_text("utf-8", "replace").splitlines()
    # What ends it is FATAL; errors before it are mostly about a desktop that is not there.
    for level in (":FATAL:", ":ERROR:"):
        for line in reversed(lines):
            if level in line:
                return f" ({line.partition('] ')[2][:200]})"
    return ""
