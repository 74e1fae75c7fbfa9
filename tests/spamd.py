"""A real spamd for tests: on loopback, without network, without learning, ended by its own pid."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

#: Where Debian puts what SpamAssassin loads; only the plugins are taken over, no local rules.
_PLUGINS = Path("/etc/spamassassin")


@contextmanager
def running_spamd() -> Iterator[int]:
    """The port it answers at. Skips the test where it is not installed."""
    program = shutil.which("spamd") or shutil.which("spamd", path="/usr/sbin")
    if program is None or not _PLUGINS.is_dir():
        pytest.skip("spamd is not installed (apt-get install spamassassin spamd)")
    port = free_port()
    # Not under pytest's own folders: the daemon's user must be able to read it.
    with TemporaryDirectory(prefix="spamd-") as name:
        folder = Path(name)
        for path in _PLUGINS.glob("*.pre"):
            shutil.copy(path, folder)
        (folder / "local.cf").write_text("use_bayes 0\n", encoding="utf-8")
        words = [program, "-L", "-x", "-m", "1", "-i", "127.0.0.1", "-p", str(port)]
        words += ["-r", str(folder / "pid"), f"--siteconfigpath={folder}", "--syslog=stderr"]
        if os.geteuid() == 0:
            folder.chmod(0o755)
            words += ["-u", "nobody"]
        process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
        try:
            _wait(process)
            yield port
        finally:
            process.terminate()
            process.communicate(timeout=30)


def _wait(process: "subprocess.Popen[str]") -> None:
    """Until it says that it has started."""
    said = ""
    assert process.stderr is not None
    for line in process.stderr:
        said += line
        if "server started" in line:
            return
    pytest.fail(f"spamd does not start here: {said[-500:]}")


def free_port() -> int:
    """A port of loopback that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
