"""The way to a mail server: connects, encrypts, logs in, and hands the line to a `Session`.

The only file that knows aiosmtplib. It connects, negotiates TLS and authenticates; every other
word of the dialogue is ours, because what became of a message depends on how far it got.
A failure on the way is a ConnectError with a sentence for a person.
"""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import cast

import aiosmtplib

from deliverability.answer_table import AnswerRow
from deliverability.classify import one_line
from deliverability.connecting import explain, tls_context
from deliverability.errors import ConnectError
from deliverability.folder import FolderConnection
from deliverability.identity import SmtpServer
from deliverability.outcome import Cause
from deliverability.session import Session
from deliverability.transport import Connection, Fault, is_loopback
from deliverability.wire import Wire


async def connect(
    server: SmtpServer,
    *,
    ehlo_name: str,
    fault: Fault | None = None,
    answers: Sequence[AnswerRow] | None = None,
) -> Connection:
    """A connection that is encrypted and logged in as `server` says. Raises ConnectError.

    Refusals are judged by `answers`, else by the shipped table.
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
    if smtp.transport is None:
        raise ConnectError(Cause.NETWORK, f"{server.host}:{server.port} hung up after the login")
    wire = Wire(cast(asyncio.Transport, smtp.transport))
    return Session(wire, server, smtp.esmtp_extensions, fault=fault, answers=answers)


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
    except aiosmtplib.SMTPHeloError as refused:
        if not 500 <= refused.code <= 504:
            raise explain(
                refused, server, "hello", code=refused.code, text=_text(refused)
            ) from refused
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
