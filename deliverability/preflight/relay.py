"""TLS-1 and CAP-1: what the mail server offers, asked without sending anything."""

from dataclasses import replace

from deliverability.errors import ConnectError
from deliverability.identity import Identity, SmtpServer
from deliverability.outcome import Cause
from deliverability.preflight.row import PreflightRow, RowLevel
from deliverability.session import Session
from deliverability.smtp import connect
from deliverability.transport import is_loopback

#: Keyword, the standard, what it is for.
_WANTED = (
    ("size", "RFC 1870", "too large mails are noticed before they travel"),
    ("8bitmime", "RFC 6152", "letters of all languages as they are"),
    ("smtputf8", "RFC 6531", "addresses with letters outside ASCII"),
    ("dsn", "RFC 3461", "reports on request"),
    ("pipelining", "RFC 2920", "fewer waits for each mail"),
)


async def relay_rows(identity: Identity, *, ehlo_name: str, timeout: float) -> list[PreflightRow]:  # noqa: ASYNC109
    """Greets the server and leaves. No login: a wrong password is `identity test`'s business.

    `timeout` is in seconds, for each step.
    """
    server = replace(identity.smtp, user="", password="", timeout=timeout)
    if server.outbox is not None:
        what = "mails become files in a folder: there is no server"
        return [PreflightRow(id=each, level="ok", what=what) for each in ("TLS-1", "CAP-1")]
    where = f"{server.host}:{server.port}"
    try:
        connection = await connect(server, ehlo_name=ehlo_name)
    except ConnectError as wrong:
        level: RowLevel = "unknown" if wrong.cause is Cause.NETWORK else "error"
        what, _, do = wrong.sentence.partition(". ")
        unknown = f"{where} could not be asked"
        return [
            PreflightRow(id="TLS-1", level=level, what=what, evidence=(where,), remedy=do),
            PreflightRow(id="CAP-1", level="unknown", what=unknown, remedy="see TLS-1"),
        ]
    assert isinstance(connection, Session)  # noqa: S101 - an outbox was told apart above
    offered, tls = connection.extensions, connection.tls
    await connection.close()
    clear = await _before_tls(server, ehlo_name) if server.tls == "starttls" else {}
    return [_tls_row(server, tls, clear), _capabilities(where, offered)]


async def _before_tls(server: SmtpServer, ehlo_name: str) -> dict[str, str]:
    """What it offers on a plain line; nothing when it cannot be asked twice."""
    plain = replace(server, tls="none", allow_plain_text=True)
    try:
        connection = await connect(plain, ehlo_name=ehlo_name)
    except ConnectError:
        return {}
    assert isinstance(connection, Session)  # noqa: S101 - as above
    offered = connection.extensions
    await connection.close()
    return offered


def _tls_row(server: SmtpServer, tls: str, clear: dict[str, str]) -> PreflightRow:
    where = f"{server.host}:{server.port}"
    if not tls:
        here = is_loopback(server.host)
        return PreflightRow(
            id="TLS-1",
            level="ok" if here else "error",
            what=f"{where} is this machine: nothing travels"
            if here
            else f"mail travels readable to {where}",
            evidence=(f"{where} without TLS",),
            remedy="" if here else 'ask for a server that encrypts and set tls = "starttls"',
        )
    seen = (f"{where} {tls}, certificate verified", *(("AUTH before TLS",) if _auth(clear) else ()))
    if _auth(clear):
        # RFC 4954 4: what is offered on a plain line is used by somebody.
        return PreflightRow(
            id="TLS-1",
            level="warn",
            what=f"{where} takes passwords before the line is encrypted; Potok gives none there",
            evidence=seen,
            remedy="ask its administrator to offer AUTH after STARTTLS only",
        )
    return PreflightRow(
        id="TLS-1", level="ok", what=f"the line to {where} is encrypted", evidence=seen
    )


def _auth(offered: dict[str, str]) -> bool:
    return any(name == "auth" or name.startswith("auth=") for name in offered)


def _capabilities(where: str, offered: dict[str, str]) -> PreflightRow:
    there = [name.upper() for name, *_ in _WANTED if name in offered]
    missing = [
        f"{name.upper()} ({standard}: {why})"
        for name, standard, why in _WANTED
        if name not in offered
    ]
    return PreflightRow(
        id="CAP-1",
        level="info" if missing else "ok",
        what=f"{where} offers {', '.join(there) or 'nothing we use'}"
        + (f"; not {'; '.join(missing)}" if missing else ""),
        evidence=tuple(f"{name.upper()} {offered[name]}".strip() for name in sorted(offered)),
    )
