"""A mail server that does what the test says, on a real socket, in the test's own event loop.

    async with Scripted(rcpt="550 5.1.1 no such user") as server: ...

Each step is an answer, or one of `drop` (close the line), `garbage`, `silence`, or a callable that
is given the number of the message on this connection. With `sick` the first so many connections
have steps of their own: a server that is ill and recovers.
"""

import asyncio
import contextlib
import ssl
from collections.abc import Callable, Mapping
from types import TracebackType

from deliverability import SmtpServer

Step = str | Callable[[int], str]


class Scripted:
    """Speaks just enough SMTP; remembers what it was told."""

    def __init__(
        self,
        *,
        greeting: Step = "220 mx.test ready",
        ehlo: str = "250-mx.test\r\n250 HELP",
        mail: Step = "250 2.1.0 ok",
        rcpt: Step = "250 2.1.5 ok",
        data: Step = "354 go on",
        body: Step = "250 2.0.0 Ok: queued as 4F1kZq2XyZz1",
        rset: Step = "250 2.0.0 reset",
        starttls: ssl.SSLContext | None = None,
        tls: ssl.SSLContext | None = None,
        auth: str = "235 2.7.0 welcome",
        sick: Mapping[str, Step] | None = None,
        sick_connections: int = 1,
    ) -> None:
        self.steps: dict[str, Step] = {
            "greeting": greeting,
            "ehlo": ehlo,
            "mail": mail,
            "rcpt": rcpt,
            "data": data,
            "body": body,
            "rset": rset,
            "auth": auth,
            "quit": "221 bye",
        }
        self.starttls, self.tls = starttls, tls
        self._sick, self._sick_connections = dict(sick or {}), sick_connections
        #: Command lines in order; bodies as they came (still dot-stuffed).
        self.commands: list[str] = []
        self.bodies: list[bytes] = []
        #: Bytes of each read: tells round trips apart.
        self.reads = 0
        self.connections = 0
        self._writers: list[asyncio.StreamWriter] = []
        self._tasks: list[asyncio.Task[None]] = []
        #: After a refused sender or recipient DATA is refused too, unless the server is odd.
        self.odd = False

    async def __aenter__(self) -> "Scripted":
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", 0, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in self._writers:
            with contextlib.suppress(OSError, ssl.SSLError):
                await writer.wait_closed()

    def settings(self, **changes: object) -> SmtpServer:
        values: dict[str, object] = {
            "host": "127.0.0.1",
            "port": self.port,
            "tls": "none",
            "timeout": 0.5,
            "data_timeout": 0.5,
        } | changes
        return SmtpServer(**values)  # type: ignore[arg-type]

    async def say(self, text: str) -> None:
        """Something nobody asked for, on the newest connection."""
        self._writers[-1].write(text.encode() + b"\r\n")
        await self._writers[-1].drain()

    def hang_up(self) -> None:
        self._writers[-1].close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        task = asyncio.current_task()
        assert task is not None
        self._tasks.append(task)
        self.connections += 1
        number = self.connections
        message, refused = 0, False
        try:
            if not await self._answer(writer, "greeting", 0, number):
                return
            while line := await reader.readline():
                self.reads += 1
                text = line.decode().rstrip("\r\n")
                self.commands.append(text)
                verb = text.partition(" ")[0].lower()
                broken = number <= self._sick_connections and "starttls" in self._sick
                if verb == "starttls" and self.starttls is not None and not broken:
                    writer.write(b"220 go\r\n")
                    await writer.start_tls(self.starttls)
                    continue
                if verb == "mail":
                    message += 1
                if verb == "mail":
                    refused = False
                if verb in ("mail", "rcpt") and self._step(verb, message, number)[:1] in "45":
                    refused = True
                if verb == "data" and refused and not self.odd:
                    writer.write(b"503 5.5.1 no valid recipients\r\n")
                    continue
                if not await self._answer(writer, verb, message, number):
                    return
                if verb == "data" and self._step("data", message, number).startswith("354"):
                    body = b""
                    while (part := await reader.readline()) != b".\r\n":
                        if not part:
                            return
                        body += part
                    self.bodies.append(body)
                    if not await self._answer(writer, "body", message, number):
                        return
                if verb == "quit":
                    return
        except (OSError, ssl.SSLError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()

    def _step(self, name: str, message: int, number: int) -> str:
        step = self.steps.get(name, "500 5.5.1 what?")
        if number <= self._sick_connections:
            step = self._sick.get(name, step)
        return step(message) if callable(step) else step

    async def _answer(
        self, writer: asyncio.StreamWriter, name: str, message: int, number: int
    ) -> bool:
        step = self._step(name, message, number)
        if step == "drop":
            return False
        if step == "silence":
            await asyncio.sleep(3600)
        if step == "garbage":
            step = "\x00\xff what is this"
        if step.startswith("slow "):
            for byte in step.removeprefix("slow ").encode() + b"\r\n":
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(0.002)
            return True
        writer.write(step.encode("utf-8", "surrogateescape") + b"\r\n")
        await writer.drain()
        return True
