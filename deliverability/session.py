"""One SMTP session after login: hands messages over one by one and says what became of each.

MAIL FROM, RCPT TO, DATA     in one write when the server offers PIPELINING;
                             refused: an outcome; line lost: UNSENT, nothing was taken
354, message, final dot      line lost: IN_DOUBT (RFC 1047)
the answer                   ACCEPTED, or refused
"""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

from deliverability.answer_table import AnswerRow
from deliverability.classify import classify, one_line
from deliverability.envelope import Envelope
from deliverability.identity import SmtpServer
from deliverability.outcome import Cause, Outcome, Phase, Verdict
from deliverability.relay_id import relay_id
from deliverability.transport import Fault
from deliverability.wire import Reply, Wire, WireBroken


class Session:
    """One session, several messages."""

    def __init__(
        self,
        wire: Wire,
        server: SmtpServer,
        extensions: Mapping[str, str],
        *,
        fault: Fault | None,
        answers: Sequence[AnswerRow] | None = None,
    ) -> None:
        self._answers = answers
        self._wire = wire
        self._server = server
        self._fault = fault or (lambda point: None)
        self._extensions = dict(extensions)
        self._broken = False
        self._messages = 0
        self._phase = Phase.CONNECT

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

    @property
    def tls(self) -> str:
        """The version of TLS in use, `TLSv1.3`; empty on a plain line."""
        return self._wire.tls

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
        self._phase = Phase.MAIL
        try:
            outcome = await self._offer(envelope) or await self._hand_over(envelope)
        except WireBroken as lost:
            if self._phase is Phase.BODY:
                return Outcome(
                    verdict=Verdict.IN_DOUBT,
                    phase=Phase.BODY,
                    cause=Cause.NETWORK,
                    reply=one_line(str(lost)),
                )
            return _unsent(self._phase, str(lost))
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

    async def _offer(self, envelope: Envelope) -> Outcome | None:
        """None when the server said 354, else the first refusal, told apart by its command."""
        commands = self._commands(envelope)
        if "pipelining" in self._extensions:
            return await self._offer_at_once(commands)
        for self._phase, line in commands:
            self._wire.write(line + b"\r\n")
            reply = await self._wire.reply(self._server.timeout)
            if _refused(self._phase, reply):
                return classify(self._phase, reply.code, reply.text, self._answers)
        return None

    async def _offer_at_once(self, commands: tuple[tuple[Phase, bytes], ...]) -> Outcome | None:
        """RFC 2920 3.1: the three in one write, each reply matched to its command in order."""
        refused: Outcome | None = None
        self._wire.write(b"\r\n".join(line for _, line in commands) + b"\r\n")
        try:
            for phase, _ in commands:
                self._phase = phase
                reply = await self._wire.reply(self._server.timeout)
                if _refused(phase, reply) and refused is None:
                    refused = classify(phase, reply.code, reply.text, self._answers)
                    if reply.code == 421:
                        break
            if refused is not None and reply.code == 354:
                # All recipients were refused and the server still waits for text: a lone dot.
                self._wire.write(b".\r\n")
                await self._wire.reply(self._server.timeout)
        except WireBroken:
            if refused is None:
                raise
        return refused

    async def _hand_over(self, envelope: Envelope) -> Outcome:
        self._fault("data")
        self._wire.write(_stuffed(envelope.data))
        self._phase = Phase.BODY
        await self._wire.drain(self._server.data_timeout)
        self._fault("body")
        reply = await self._wire.reply(self._server.data_timeout)
        self._fault("reply")
        if 300 <= reply.code < 400:
            raise WireBroken(f"the server answered {reply.code} {reply.text} to the message")
        outcome = classify(Phase.BODY, reply.code, reply.text, self._answers)
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


def _refused(phase: Phase, reply: Reply) -> bool:
    """True for 4xx and 5xx, False for yes; WireBroken for an answer to some other command."""
    if reply.code >= 400:
        return True
    if (reply.code == 354) is not (phase is Phase.DATA):
        raise WireBroken(f"the server is out of step: {reply.code} {reply.text} to {phase.upper()}")
    return False


def _stuffed(data: bytes) -> bytes:
    """RFC 5321 4.5.2: a dot at a line's start is doubled; a lone dot ends the message."""
    if not data.endswith(b"\r\n"):
        data += b"\r\n"
    if data.startswith(b"."):
        data = b"." + data
    return data.replace(b"\r\n.", b"\r\n..") + b".\r\n"


def _unsent(phase: Phase, words: str) -> Outcome:
    return Outcome(verdict=Verdict.UNSENT, phase=phase, cause=Cause.NETWORK, reply=one_line(words))
