"""Trying an identity: each step in plain words, with what to do when it fails.

Logs in to the mail server, sends a mail to oneself, looks into the mailbox. Nothing is kept.
"""

import asyncio
import imaplib
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from deliverability.connecting import tls_context
from deliverability.dkim import signer
from deliverability.envelope import compose
from deliverability.errors import ConnectError, EnvelopeError, SigningError
from deliverability.identity import Identity, ImapServer, SmtpServer
from deliverability.outcome import Cause, Outcome, Verdict
from deliverability.session import Session
from deliverability.smtp import connect
from deliverability.transport import Connection, is_loopback

Level = Literal["ok", "warning", "error"]

#: What to do about a refusal, by what it is about.
REMEDIES: dict[Cause, str] = {
    Cause.ADDRESS: "the address the test was sent to does not exist: give another with --to",
    Cause.MAILBOX: "the mailbox the test was sent to is full or closed: give another with --to",
    Cause.RATE: "the account has sent too much for now: wait, and lower per_day and the pace",
    Cause.GREYLIST: "the receiver wants to be asked again in some minutes; campaigns do that",
    Cause.BLOCKED: "the server's or your address is on a block list: ask your mail company",
    Cause.AUTHENTICATION: "the domain's SPF, DKIM or DMARC records or the login are not in order",
    Cause.CONTENT: "the server took the test for spam: ask its administrator",
    Cause.POLICY: "the server has a rule against this: its words above say which",
    Cause.SENDER: "this account may not send as the address in from: use its own address, or verify"
    " the address (or its domain) at your mail company",
    Cause.TLS: "the server wants encryption: set tls to starttls or implicit",
    Cause.NETWORK: "the line broke: try again",
    Cause.OTHER: "the server's words above are all there is: ask its administrator",
    Cause.NONE: "",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One thing that was tried."""

    #: connect | sign | send | mailbox
    id: str
    level: Level
    #: What happened.
    what: str
    #: What to do about it; empty when nothing.
    do: str = ""


async def try_identity(
    identity: Identity, *, to: str, send: bool, now: datetime, message_id: str, ehlo_name: str
) -> AsyncIterator[Step]:
    """The steps as they happen. A mail leaves to `to` only with `send`."""
    connection: Connection | None = None
    try:
        connection = await connect(identity.smtp, ehlo_name=ehlo_name)
        yield _connected(identity.smtp, connection)
    except ConnectError as wrong:
        what, _, do = wrong.sentence.partition(". ")
        yield Step(id="connect", level="error", what=what, do=do)
    if identity.dkim is not None:
        yield _key(identity)
    if connection is not None:
        if send:
            yield await _send(identity, connection, to=to, now=now, message_id=message_id)
        await connection.close()
    async for step in _mailbox(identity):
        yield step


def _connected(server: SmtpServer, connection: Connection) -> Step:
    if server.outbox is not None:
        return Step(
            id="connect",
            level="ok",
            what=f"no server: mails become files in {server.outbox}",
        )
    where = f"connected to {server.host}:{server.port}"
    tls = connection.tls if isinstance(connection, Session) else ""
    login = f", logged in as {server.user}" if server.user else ", no login wanted"
    if tls:
        return Step(id="connect", level="ok", what=f"{where}, encrypted ({tls}){login}")
    if is_loopback(server.host):
        return Step(id="connect", level="ok", what=f"{where} on this machine{login}")
    return Step(
        id="connect",
        level="warning",
        what=f"{where} without encryption{login}",
        do='ask for a server that encrypts and set tls = "starttls"',
    )


def _key(identity: Identity) -> Step:
    key = identity.dkim
    assert key is not None  # noqa: S101 - the caller asked
    try:
        signer(key)
    except SigningError as wrong:
        return Step(id="sign", level="error", what=str(wrong), do="correct private_key")
    return Step(
        id="sign",
        level="ok",
        what=f"mails are signed for {key.domain} (the key in DNS must be"
        f" {key.selector}._domainkey.{key.domain})",
    )


async def _send(
    identity: Identity, connection: Connection, *, to: str, now: datetime, message_id: str
) -> Step:
    text = (
        f"This is the test of the identity {identity.name}.\n\n"
        f"It was sent by {identity.from_address}. If you read this, sending works. Look where it\n"
        "landed: in the inbox, or among spam?\n"
    )
    try:
        envelope = compose(
            identity,
            to_address=to,
            to_name="",
            subject=f"Test of the identity {identity.name}",
            text=text,
            html=None,
            message_id=message_id,
            date=now,
            list_id=None,
        )
    except (EnvelopeError, SigningError) as wrong:
        return Step(id="send", level="error", what=str(wrong), do="correct the identity, or --to")
    return _sent(await connection.send(envelope), to)


def _sent(outcome: Outcome, to: str) -> Step:
    said = f"{outcome.code} {outcome.reply}" if outcome.code else outcome.reply
    if outcome.verdict is Verdict.ACCEPTED:
        return Step(
            id="send",
            level="ok",
            what=f"a mail to {to} was accepted: {said}",
            do="look into that mailbox: in the inbox, or among spam?" if outcome.code else "",
        )
    if outcome.verdict is Verdict.IN_DOUBT:
        return Step(
            id="send",
            level="warning",
            what=f"the mail to {to} was handed over, but the line broke before the answer",
            do="look into that mailbox whether it came",
        )
    place = {
        "mail": f"the sender was refused: {said}",
        "rcpt": f"the recipient {to} was refused: {said}",
    }.get(outcome.phase, f"the mail was refused: {said}")
    level: Level = "warning" if outcome.cause is Cause.GREYLIST else "error"
    return Step(id="send", level=level, what=place, do=REMEDIES[outcome.cause])


async def _mailbox(identity: Identity) -> AsyncIterator[Step]:
    box = identity.mailbox
    if box is None:
        yield Step(
            id="mailbox",
            level="warning",
            what="no mailbox is set: replies, bounces and opt-outs by mail will not be seen",
            do=f"add [identity.{identity.name}.mailbox]",
        )
    elif box.maildir is not None:
        yield await asyncio.to_thread(_maildir, box.maildir)
    elif box.imap is not None:
        yield await asyncio.to_thread(_imap, box.imap)


def _maildir(path: Path) -> Step:
    missing = [name for name in ("cur", "new") if not (path / name).is_dir()]
    if missing:
        return Step(
            id="mailbox",
            level="error",
            what=f"{path} is no Maildir: there is no folder {missing[0]} in it",
            do="name the folder that holds cur, new and tmp",
        )
    if not all(os.access(path / name, os.R_OK | os.X_OK) for name in ("cur", "new")):
        return Step(
            id="mailbox", level="error", what=f"{path} may not be read", do="see whose it is"
        )
    count = sum(1 for name in ("cur", "new") for _ in (path / name).iterdir())
    return Step(id="mailbox", level="ok", what=f"{path} can be read ({count} messages)")


def _imap(server: ImapServer) -> Step:
    where = f"{server.host}:{server.port}"

    def failed(what: str, do: str) -> Step:
        return Step(id="mailbox", level="error", what=what, do=do)

    if server.tls == "none" and not is_loopback(server.host):
        return failed(f"{server.host} is another machine and tls is none", 'set tls = "implicit"')
    try:
        if server.tls == "implicit":
            line: imaplib.IMAP4 = imaplib.IMAP4_SSL(
                server.host, server.port, ssl_context=tls_context(None), timeout=30
            )
        else:
            line = imaplib.IMAP4(server.host, server.port, timeout=30)
            if server.tls == "starttls":
                line.starttls(tls_context(None))
    except (OSError, imaplib.IMAP4.error, EOFError) as wrong:
        return failed(f"the mailbox at {where} cannot be reached: {wrong}", "check host, port, tls")
    try:
        try:
            line.login(server.user, server.password)
        except (imaplib.IMAP4.error, UnicodeError) as wrong:
            return failed(
                f"{server.host} does not accept the user {server.user!r} with this password:"
                f" {_words(wrong)}",
                "check both; many companies want an app password, and IMAP switched on",
            )
        # RFC 9051 6.3.3: EXAMINE opens without changing anything, not even the seen marks.
        answer, data = line.select(f'"{server.folder}"', readonly=True)
        if answer != "OK":
            return failed(f"there is no folder {server.folder!r} at {where}", "check folder")
        count = (data[0] or b"0").decode()
        return Step(
            id="mailbox", level="ok", what=f"{server.folder} at {where} can be read ({count} mails)"
        )
    except (OSError, imaplib.IMAP4.error) as wrong:
        return failed(f"{where} broke off: {_words(wrong)}", "try again")
    finally:
        try:
            line.logout()
        except (OSError, imaplib.IMAP4.error):
            line.shutdown()


def _words(wrong: BaseException) -> str:
    first = wrong.args[0] if wrong.args else wrong
    return first.decode(errors="replace") if isinstance(first, bytes) else str(first)
