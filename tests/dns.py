"""Real DNS for tests: knot with one root zone, and a small server that misbehaves as told."""

import asyncio
import os
import shutil
import socket
import struct
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

import pytest

from tests.spamd import free_port

#: The top of our own world: whatever is not in the zone does not exist, for certain.
_TOP = """
$ORIGIN .
$TTL 600
. SOA ns.test. admin.test. 1 3600 600 86400 60
. NS ns.test.
ns.test. A 127.0.0.1
"""

_CONF = """
server:
    rundir: "{folder}"
    listen: 127.0.0.1@{port}
database:
    storage: "{folder}/db"
log:
  - target: stderr
    any: info
zone:
  - domain: "."
    file: "{folder}/root.zone"
    semantic-checks: off
"""


@contextmanager
def running_knot(records: str) -> Iterator[int]:
    """The port of loopback a real name server answers at. `records` are lines of a zone file.

    Skips the test where knot is not installed.
    """
    program = shutil.which("knotd") or shutil.which("knotd", path="/usr/sbin")
    if program is None:
        pytest.skip("knot is not installed (apt-get install knot)")
    port = free_port()
    # Not under pytest's own folders: the daemon's user must be able to read it.
    with TemporaryDirectory(prefix="knot-") as name:
        folder = Path(name)
        (folder / "root.zone").write_text(_TOP + records, encoding="utf-8")
        (folder / "knot.conf").write_text(_CONF.format(folder=folder, port=port), "utf-8")
        user = None
        if os.geteuid() == 0:
            user = "nobody"
            for path in (folder, *folder.iterdir()):
                shutil.chown(path, user)
        words = [program, "-c", str(folder / "knot.conf")]
        process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True, user=user)
        try:
            _wait(process)
            yield port
        finally:
            process.terminate()
            process.communicate(timeout=30)


def _wait(process: "subprocess.Popen[str]") -> None:
    """Until it says that the zone is loaded and it answers."""
    said = ""
    assert process.stderr is not None
    for line in process.stderr:
        said += line
        if "server started" in line:
            return
    pytest.fail(f"knot does not start here: {said[-500:]}")


#: What a misbehaving server makes of the query it got: the bytes it answers, or nothing.
Answering = Callable[[bytes], bytes | None]


@asynccontextmanager
async def scripted_dns(answering: Answering) -> AsyncIterator[tuple[int, list[bytes]]]:
    """(port, queries as they came) of a UDP server that answers as it is told."""
    asked: list[bytes] = []

    class Server(asyncio.DatagramProtocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = cast(asyncio.DatagramTransport, transport)

        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            asked.append(data)
            answer = answering(data)
            if answer is not None:
                self.transport.sendto(answer, addr)

    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        Server, local_addr=("127.0.0.1", 0), family=socket.AF_INET
    )
    try:
        yield transport.get_extra_info("sockname")[1], asked
    finally:
        transport.close()


def header(query: bytes, *, code: int = 0, answers: int = 0, flags: int = 0x8180) -> bytes:
    """The head of an answer to `query`, with its question (RFC 1035 4.1.1)."""
    end = query.index(b"\0", 12) + 5
    counts = struct.pack("!HHHHH", flags | code, 1, answers, 0, 0)
    return query[:2] + counts + query[12:end]


def record(kind: int, data: bytes, *, ttl: int = 60, name: bytes = b"\xc0\x0c") -> bytes:
    """One resource record; `name` is the question's unless said."""
    return name + struct.pack("!HHIH", kind, 1, ttl, len(data)) + data
