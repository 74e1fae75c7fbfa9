"""Lines on a connection: writes commands, reads replies, one waiting reader at a time.

Takes over a transport that is already connected, encrypted and logged in. Replies are kept in
order until somebody asks for them, so that several commands may be under way (RFC 2920), and what
a server says without being asked (421 before it hangs up) is noticed at once.
"""

import asyncio
from collections import deque
from dataclasses import dataclass

#: RFC 5321 4.5.3.1.5 allows 512 octets for a reply line; real servers write more.
_MAX_LINE = 8192
#: A whole reply; a server that never stops talking must not fill the memory.
_MAX_REPLY = 65536


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply, RFC 5321 4.2: code and the text of all its lines joined by blanks."""

    code: int
    text: str


class WireBroken(Exception):
    """The connection is of no more use: lost, silent for too long, or talking nonsense."""


class Wire(asyncio.Protocol):
    """One connection after login."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._buffer = bytearray()
        self._lines: list[str] = []
        self._size = 0
        self._replies: deque[Reply] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._gone = asyncio.Event()
        self._why = ""
        transport.set_protocol(self)

    @property
    def open(self) -> bool:
        """Connected, and the server has said nothing that was not asked for."""
        return not self._why and not self._replies and not self._transport.is_closing()

    @property
    def tls(self) -> str:
        """The version of TLS in use, or empty."""
        encrypted = self._transport.get_extra_info("ssl_object")
        return (encrypted.version() or "") if encrypted is not None else ""

    def unasked(self) -> Reply | None:
        """What the server said by itself, if anything; it is no answer to any command."""
        return self._replies.popleft() if self._replies else None

    def write(self, data: bytes) -> None:
        if self._why or self._transport.is_closing():
            raise WireBroken(self._why or "the connection is closed")
        self._transport.write(data)

    async def drain(self, seconds: float) -> None:
        """Waits until the operating system has taken most of what was written."""
        if self._writable.is_set():
            return
        try:
            async with asyncio.timeout(seconds):
                await self._writable.wait()
        except TimeoutError:
            raise WireBroken(f"the server took no more data for {seconds:g} s") from None

    async def reply(self, seconds: float) -> Reply:
        """The next reply. Raises WireBroken when none comes within `seconds`."""
        if not self._replies:
            if self._why:
                raise WireBroken(self._why)
            loop = asyncio.get_running_loop()
            self._waiter = loop.create_future()
            # A timer of our own: `asyncio.timeout` takes as long as reading the reply.
            late = loop.call_later(seconds, self._wake)
            try:
                await self._waiter
            finally:
                self._waiter = None
                late.cancel()
            if not self._replies:
                raise WireBroken(self._why or f"the server did not answer for {seconds:g} s")
        return self._replies.popleft()

    async def close(self, seconds: float = 2.0) -> None:
        """Closes and waits until the transport has let go of its socket."""
        self._transport.close()
        try:
            async with asyncio.timeout(seconds):
                await self._gone.wait()
        except TimeoutError:
            self._transport.abort()

    # What the event loop calls.

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\n")) >= 0:
            line = bytes(self._buffer[:end]).rstrip(b"\r")
            del self._buffer[: end + 1]
            if not self._line(line):
                return
        if len(self._buffer) > _MAX_LINE:
            self._break("the server sent a line without an end")

    def _line(self, line: bytes) -> bool:
        code = int(line[:3]) if line[:3].isdigit() else 0
        if not 200 <= code <= 599 or line[3:4] not in b" -":
            shown = line[:60].decode("utf-8", "replace")
            self._break(f"the server sent something that is no SMTP reply: {shown!r}")
            return False
        self._size += len(line)
        if self._size > _MAX_REPLY:
            self._break("the server's reply does not end")
            return False
        # Should be ASCII; servers write what they like, and RFC 6531 3.7.4.2 allows UTF-8.
        self._lines.append(line[4:].decode("utf-8", "replace").strip())
        if line[3:4] != b"-":
            self._replies.append(Reply(code, " ".join(filter(None, self._lines))))
            self._lines, self._size = [], 0
            self._wake()
        return True

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def eof_received(self) -> bool:
        self._break("the server closed the connection")
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._break("the connection was lost" + (f" ({exc})" if exc else ""))
        self._gone.set()

    def _break(self, why: str) -> None:
        self._why = self._why or why
        self._writable.set()
        self._wake()
        if not self._transport.is_closing():
            self._transport.close()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
