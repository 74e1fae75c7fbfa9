"""How often a message waits for the server: counted by the server, which answers what has come."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from deliverability import SmtpServer, Verdict, connect
from tests.deliverability.samples import mail


@dataclass
class Counting(asyncio.Protocol):
    """Takes every message and counts the turns: bytes that came after everything was answered."""

    extensions: tuple[str, ...]
    #: The command lines of each turn; the end of a message is `.`.
    turns: list[list[str]] = field(default_factory=list)
    _buffer: bytes = b""
    _text: bool = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(b"220 count.test\r\n")

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        turn: list[str] = []
        answers = b""
        while True:
            if self._text:
                _, end, rest = self._buffer.partition(b"\r\n.\r\n")
                if not end:
                    break
                self._buffer, self._text = rest, False
                turn.append(".")
                answers += b"250 2.0.0 Ok: queued as 4F1kZq2XyZz1\r\n"
                continue
            line, end, rest = self._buffer.partition(b"\r\n")
            if not end:
                break
            self._buffer = rest
            word = line.decode().partition(" ")[0].upper()
            turn.append(word)
            answers += self._answer(word)
            self._text = word == "DATA"
        if turn:
            self.turns.append(turn)
            self._transport.write(answers)

    def _answer(self, word: str) -> bytes:
        if word == "EHLO":
            lines = ["count.test", *self.extensions]
            last = len(lines) - 1
            return "".join(
                f"250{' ' if n == last else '-'}{line}\r\n" for n, line in enumerate(lines)
            ).encode()
        return b"354 go on\r\n" if word == "DATA" else b"250 ok\r\n"


@asynccontextmanager
async def counting(*extensions: str) -> AsyncIterator[tuple[SmtpServer, list[Counting]]]:
    made: list[Counting] = []

    def factory() -> Counting:
        made.append(Counting(extensions))
        return made[-1]

    server = await asyncio.get_running_loop().create_server(factory, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    yield SmtpServer(host="127.0.0.1", port=port, tls="none"), made
    server.close()


@pytest.mark.parametrize("extensions", [("PIPELINING",), ("PIPELINING", "SIZE 0", "8BITMIME")])
async def test_a_message_on_a_warm_connection_waits_twice(extensions: tuple[str, ...]) -> None:
    async with counting(*extensions) as (smtp, made):
        connection = await connect(smtp, ehlo_name="client.test")
        for _ in range(20):
            assert (await connection.send(mail())).verdict is Verdict.ACCEPTED
        await connection.close()
    (server,) = made
    assert server.turns[0] == ["EHLO"]
    # RFC 2920 3.1: MAIL, RCPT and DATA in one piece, and then the text.
    assert server.turns[1:-1] == [["MAIL", "RCPT", "DATA"], ["."]] * 20
    assert server.turns[-1] == ["QUIT"]


@pytest.mark.parametrize("extensions", [(), ("SIZE 0", "8BITMIME", "PIPELINING2", "XPIPELINING")])
async def test_nothing_is_sent_ahead_to_a_server_that_does_not_offer_it(
    extensions: tuple[str, ...],
) -> None:
    async with counting(*extensions) as (smtp, made):
        connection = await connect(smtp, ehlo_name="client.test")
        for _ in range(5):
            assert (await connection.send(mail())).verdict is Verdict.ACCEPTED
        await connection.close()
    (server,) = made
    assert all(len(turn) == 1 for turn in server.turns), server.turns
    assert [turn[0] for turn in server.turns[1:-1]] == ["MAIL", "RCPT", "DATA", "."] * 5
