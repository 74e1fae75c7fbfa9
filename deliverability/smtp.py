"""The SMTP transport: connects, encrypts, logs in, and hands messages over one by one.

aiosmtplib connects, negotiates TLS and authenticates; MAIL, RCPT and DATA are issued here, because
what became of a message depends on exactly how far the dialogue got:

    1. greeting, EHLO, STARTTLS when configured, EHLO again, AUTH     failure: ConnectError
    2. MAIL FROM, RCPT TO, DATA (in one write when the server offers PIPELINING)
                                     refused: an outcome; line lost: UNSENT, nothing was taken
    3. 354; the message and its final dot                             line lost: IN_DOUBT
    4. the answer                                                     ACCEPTED, or refused
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Sequence
from dataclasses import replace
from typing import cast

import aiosmtplib

from deliverability.classify import classify, one_line
from deliverability.connecting import explain, tls_context
from deliverability.envelope import Envelope
from deliverability.errors import ConnectError
from deliverability.folder import FolderConnection
from deliverability.identity import SmtpServer
from deliverability.outcome import Cause, Outcome, Phase, Verdict
from deliverability.relay_id import relay_id
from deliverability.transport import Connection, Fault, is_loopback
from deliverability.wire import Reply, Wire, WireBroken


async def connect(server: SmtpServer, *, ehlo_name: str, fault: Fault | None = None) -> Connection:
    """A connection that is encrypted and logged in as `server` says. Raises ConnectError.

    With `server.outbox` set no server is spoken to and messages become files in that folder.
    """
    if server.outbox is not None:
        return FolderConnection(server.outbox, fault=fault)
    if server.tls == "none" and not (is_loopback(server.host) or server.allow_plain_text):
        raise ConnectError(
            Cause.TLS,
            f"{server.host} is another machine and tls is none: mail and password would travel"
            ' readable for everyone. Set tls = "starttls" (or allow_plain_text = true if you'
            " must)",
            temporary=False,
        )
    smtp = aiosmtplib.SMTP(
        hostname=server.host,
        port=server.port,
        local_hostname=_ehlo(ehlo_name),
        timeout=server.timeout,
        use_tls=server.tls == "implicit",
        start_tls=False,
        tls_context=None if server.tls == "none" else tls_context(server.ca_file),
    )
    try:
        await _step(smtp.connect(), server, "connect")
        await _hello(smtp, server)
        if server.tls == "starttls":
            await _encrypt(smtp, server)
        if server.user:
            await _log_in(smtp, server)
    except BaseException:
        smtp.close()
        raise
    wire = Wire(cast(asyncio.Transport, smtp.transport))
    return SmtpConnection(smtp, wire, server, fault=fault)


def _ehlo(name: str) -> str:
    # RFC 5321 4.1.4: a name of our own, or an address literal when there is none.
    return name if name and name.isascii() and " " not in name else "[127.0.0.1]"


async def _step(doing: Awaitable[object], server: SmtpServer, step: str) -> None:
    try:
        await doing
    except (aiosmtplib.SMTPException, OSError, ValueError) as wrong:
        raise explain(
            wrong, server, step, code=getattr(wrong, "code", None), text=_text(wrong)
        ) from wrong


def _text(wrong: BaseException) -> str:
    return one_line(str(getattr(wrong, "message", "") or wrong))


async def _hello(smtp: aiosmtplib.SMTP, server: SmtpServer) -> None:
    try:
        await smtp.ehlo()
    except aiosmtplib.SMTPHeloError:
        # RFC 5321 3.2: a server that knows no EHLO may know HELO.
        await _step(smtp.helo(), server, "hello")
    except (aiosmtplib.SMTPException, OSError) as wrong:
        raise explain(wrong, server, "hello", code=None, text=_text(wrong)) from wrong


async def _encrypt(smtp: aiosmtplib.SMTP, server: SmtpServer) -> None:
    # RFC 3207 6: who was told to encrypt does not go on without; an attacker can strip the offer.
    if not smtp.supports_extension("starttls"):
        raise ConnectError(
            Cause.TLS,
            f"{server.host}:{server.port} offers no STARTTLS. Use the port your provider names for"
            ' it (mostly 587), or 465 with tls = "implicit"',
            temporary=False,
        )
    await _step(smtp.starttls(), server, "starttls")
    await _hello(smtp, server)


#: RFC 4616 first: one round trip and the same everywhere. One method only, because every further
#: try with a wrong password counts towards locking the account.
_METHODS = ("plain", "login", "cram-md5")


async def _log_in(smtp: aiosmtplib.SMTP, server: SmtpServer) -> None:
    # RFC 4954 4: no password over a line that others can read.
    if server.tls == "none" and not (is_loopback(server.host) or server.allow_plain_text):
        raise ConnectError(Cause.TLS, "no password travels unencrypted", temporary=False)
    offered = [m for m in _METHODS if m in smtp.server_auth_methods]
    if not offered:
        raise ConnectError(
            Cause.AUTHENTICATION,
            f"{server.host}:{server.port} offers no way to log in with a password"
            f" ({', '.join(smtp.server_auth_methods) or 'no AUTH at all'}). Remove user from the"
            " identity if the server wants none, or check the port",
            temporary=False,
        )
    for last, method in zip([*[False] * (len(offered) - 1), True], offered, strict=True):
        log_in = getattr(smtp, "auth_" + method.replace("-", ""))
        try:
            await log_in(server.user, server.password)
            return
        except aiosmtplib.SMTPResponseException as refused:
            # RFC 4954 4: 504 says "not this mechanism"; everything else is the answer.
            if last or refused.code not in (500, 501, 502, 503, 504):
                raise explain(
                    refused, server, "login", code=refused.code, text=_text(refused)
                ) from refused
        except (aiosmtplib.SMTPException, OSError) as wrong:
            raise explain(wrong, server, "login", code=None, text=_text(wrong)) from wrong


class SmtpConnection:
    """One session, several messages."""

    def __init__(
        self, smtp: aiosmtplib.SMTP, wire: Wire, server: SmtpServer, *, fault: Fault | None
    ) -> None:
        self._smtp = smtp
        self._wire = wire
        self._server = server
        self._fault = fault or (lambda point: None)
        self._extensions = dict(smtp.esmtp_extensions)
        self._broken = False
        self._messages = 0

    @property
    def usable(self) -> bool:
        return not self._broken and self._wire.open

    @property
    def messages(self) -> int:
        return self._messages

    @property
    def extensions(self) -> dict[str, str]:
        """What EHLO offered: keyword in lower case -> its parameters (RFC 5321 4.1.1.1)."""
        return dict(self._extensions)

    async def send(self, envelope: Envelope) -> Outcome:
        """MAIL, RCPT, DATA, the message. Never raises for answers or a lost line."""
        refused = self._cannot(envelope)
        if refused is not None:
            return refused
        if not self.usable:
            said = self._wire.unasked()
            self._broken = True
            words = f"{said.code} {said.text}" if said else "the connection was closed meanwhile"
            return _unsent(Phase.CONNECT, words)
        self._messages += 1
        # Whatever ends this early (a cancelled task too) leaves the dialogue out of step.
        self._broken = True
        phase = Phase.MAIL
        try:
            outcome = None
            for phase, reply in await self._offer(envelope):
                if not _agreed(phase, reply):
                    outcome = classify(phase, reply.code, reply.text)
                    break
            if outcome is None:
                phase = Phase.BODY
                outcome = await self._hand_over(envelope)
        except WireBroken as lost:
            if phase is Phase.BODY:
                return Outcome(
                    verdict=Verdict.IN_DOUBT, phase=phase, cause=Cause.NETWORK, reply=str(lost)
                )
            return _unsent(phase, str(lost))
        if outcome.code == 421:  # RFC 5321 4.2.1: the server hangs up after this
            await self._wire.close()
        elif outcome.verdict is not Verdict.IN_DOUBT:
            self._broken = not await self._reset(outcome)
        return outcome

    def _cannot(self, envelope: Envelope) -> Outcome | None:
        """What this server will not take is known from its EHLO, without asking."""
        if envelope.needs_smtputf8 and "smtputf8" not in self._extensions:
            return Outcome(
                verdict=Verdict.REJECTED,
                phase=Phase.MAIL,
                cause=Cause.POLICY,
                reply="the mail server does not take addresses with letters outside ASCII"
                " (SMTPUTF8)",
            )
        limit = self._extensions.get("size", "")
        # RFC 1870 6.1: a limit of 0 means none is set.
        if limit.isdigit() and 0 < int(limit) < len(envelope.data):
            return Outcome(
                verdict=Verdict.REJECTED,
                phase=Phase.MAIL,
                cause=Cause.CONTENT,
                reply=f"the message has {len(envelope.data)} bytes, the mail server takes {limit}",
            )
        return None

    def _commands(self, envelope: Envelope) -> tuple[tuple[Phase, bytes], ...]:
        mail = f"MAIL FROM:<{envelope.sender}>"
        if "size" in self._extensions:
            mail += f" SIZE={len(envelope.data)}"
        if "8bitmime" in self._extensions and not envelope.data.isascii():
            mail += " BODY=8BITMIME"
        if envelope.needs_smtputf8:
            mail += " SMTPUTF8"
        return (
            (Phase.MAIL, mail.encode()),
            (Phase.RCPT, f"RCPT TO:<{envelope.recipient}>".encode()),
            (Phase.DATA, b"DATA"),
        )

    async def _offer(self, envelope: Envelope) -> Sequence[tuple[Phase, Reply]]:
        """The replies up to and including the first refusal, or 354.

        A line lost in here is always UNSENT, since 354 was not acted upon.
        """
        commands, seconds = self._commands(envelope), self._server.timeout
        replies: list[tuple[Phase, Reply]] = []
        if "pipelining" in self._extensions:
            self._wire.write(b"\r\n".join(line for _, line in commands) + b"\r\n")
            for phase, _ in commands:
                replies.append((phase, await self._read(phase, seconds)))
                if replies[-1][1].code == 421:
                    break
            await self._take_back(replies)
            return replies
        for phase, line in commands:
            self._wire.write(line + b"\r\n")
            replies.append((phase, await self._read(phase, seconds)))
            if not _agreed(*replies[-1]):
                break
        return replies

    async def _read(self, phase: Phase, seconds: float) -> Reply:
        try:
            return await self._wire.reply(seconds)
        except WireBroken as lost:
            raise WireBroken(f"{lost} (after {phase.upper()})") from None

    async def _take_back(self, replies: Sequence[tuple[Phase, Reply]]) -> None:
        """RFC 2920 3.1: a 354 after a refused recipient is answered with a lone dot."""
        refused = any(not _agreed(phase, reply) for phase, reply in replies)
        if refused and replies[-1][1].code == 354:
            self._wire.write(b".\r\n")
            await self._wire.reply(self._server.timeout)

    async def _hand_over(self, envelope: Envelope) -> Outcome:
        self._fault("data")
        self._wire.write(_stuffed(envelope.data))
        await self._wire.drain(self._server.data_timeout)
        self._fault("body")
        reply = await self._wire.reply(self._server.data_timeout)
        self._fault("reply")
        if 300 <= reply.code < 400:
            raise WireBroken(f"the server answered {reply.code} {reply.text} to the message")
        outcome = classify(Phase.BODY, reply.code, reply.text)
        if outcome.verdict is Verdict.ACCEPTED:
            return replace(outcome, relay_id=relay_id(reply.text))
        return outcome

    async def _reset(self, outcome: Outcome) -> bool:
        """After a refusal the server forgets what it was told; whether the dialogue is in step."""
        if outcome.phase in (Phase.BODY, Phase.DONE):
            return True  # RFC 5321 4.1.1.4: the end of the data ended the transaction
        try:
            self._wire.write(b"RSET\r\n")
            return (await self._wire.reply(self._server.timeout)).code == 250
        except WireBroken:
            return False

    async def close(self) -> None:
        """QUIT when the dialogue is in step, then the socket."""
        if self.usable:
            self._broken = True
            with contextlib.suppress(WireBroken):
                self._wire.write(b"QUIT\r\n")
                await self._wire.reply(min(self._server.timeout, 2.0))
        self._broken = True
        await self._wire.close()
        self._smtp.close()


def _agreed(phase: Phase, reply: Reply) -> bool:
    return reply.code == 354 if phase is Phase.DATA else 200 <= reply.code < 300


def _stuffed(data: bytes) -> bytes:
    """RFC 5321 4.5.2: a dot at a line's start is doubled; a lone dot ends the message."""
    if not data.endswith(b"\r\n"):
        data += b"\r\n"
    if data.startswith(b"."):
        data = b"." + data
    return data.replace(b"\r\n.", b"\r\n..") + b".\r\n"


def _unsent(phase: Phase, words: str) -> Outcome:
    return Outcome(verdict=Verdict.UNSENT, phase=phase, cause=Cause.NETWORK, reply=one_line(words))
