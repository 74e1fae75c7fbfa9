"""Why a mail server could not be used, in words that say what to change."""

import errno
import socket
import ssl
from functools import lru_cache
from pathlib import Path

from deliverability.classify import classify
from deliverability.errors import ConnectError
from deliverability.identity import SmtpServer
from deliverability.outcome import Cause, Phase


@lru_cache(maxsize=16)
def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """Verifies certificate and name (RFC 8314 3.4, RFC 9325 3.1: TLS 1.2 or newer)."""
    try:
        context = ssl.create_default_context()
        if ca_file is not None:
            context.load_verify_locations(cafile=ca_file)
    except OSError as wrong:
        raise ConnectError(
            Cause.TLS,
            f"the certificates in {ca_file} cannot be read: {wrong}",
            temporary=False,
        ) from wrong
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def explain(
    wrong: BaseException, server: SmtpServer, step: str, *, code: int | None, text: str
) -> ConnectError:
    """The sentence and the cause for what went wrong while connecting or logging in."""
    where = f"{server.host}:{server.port}"
    for link in _chain(wrong):
        found = _network(link, server, where, step)
        if found is not None:
            return found
    if code is not None and 400 <= code < 600:
        return _refused(server, where, step, code, text)
    if "Timed out" in text or isinstance(wrong, TimeoutError):
        return _silent(server, where, step)
    if step == "starttls":
        return ConnectError(
            Cause.TLS, f"{where} offers STARTTLS but cannot do it: {text}", temporary=True
        )
    return ConnectError(
        Cause.NETWORK,
        f"{where} closed the connection during {_STEPS[step]}: {text or type(wrong).__name__}."
        " Check host, port and tls",
    )


_STEPS = {
    "connect": "the greeting",
    "hello": "EHLO",
    "starttls": "the change to TLS",
    "login": "the login",
}


def _chain(wrong: BaseException | None) -> list[BaseException]:
    links: list[BaseException] = []
    while wrong is not None and len(links) < 6:
        links.append(wrong)
        wrong = wrong.__cause__ or wrong.__context__
    return links


def _network(
    wrong: BaseException, server: SmtpServer, where: str, step: str
) -> ConnectError | None:
    if isinstance(wrong, socket.gaierror):
        return ConnectError(
            Cause.NETWORK,
            f"there is no server called {server.host!r} (or this computer is offline). Check"
            " the spelling of host",
        )
    if isinstance(wrong, ssl.SSLCertVerificationError):
        return ConnectError(Cause.TLS, _certificate(wrong, server), temporary=False)
    if isinstance(wrong, ssl.SSLError):
        return _tls(wrong, server, where)
    if isinstance(wrong, OSError):
        number = wrong.errno or 0
        if number == errno.ECONNREFUSED or f"Errno {errno.ECONNREFUSED}" in str(wrong):
            return ConnectError(
                Cause.NETWORK,
                f"{where} refuses connections: nothing listens on that port. Check port (587 with"
                ' tls = "starttls", 465 with tls = "implicit")',
            )
        if number in (errno.ENETUNREACH, errno.EHOSTUNREACH):
            return ConnectError(
                Cause.NETWORK, f"there is no way to {where} from here: is this computer online?"
            )
        if number in (errno.ECONNRESET, errno.EPIPE) and step == "connect":
            return ConnectError(
                Cause.NETWORK, f"{where} hung up at once. Check port and tls", temporary=True
            )
    return None


def _tls(wrong: ssl.SSLError, server: SmtpServer, where: str) -> ConnectError:
    reason = wrong.reason or str(wrong)
    if "WRONG_VERSION_NUMBER" in reason or "RECORD_LAYER" in reason:
        return ConnectError(
            Cause.TLS,
            f'{where} does not speak TLS from the first byte. Set tls = "starttls" (mostly port'
            " 587), or port = 465",
            temporary=False,
        )
    return ConnectError(
        Cause.TLS, f"the encrypted connection to {where} failed: {reason}", temporary=False
    )


def _certificate(wrong: ssl.SSLCertVerificationError, server: SmtpServer) -> str:
    host, words = server.host, wrong.verify_message
    if "Hostname mismatch" in words or "IP address mismatch" in words:
        return (
            f"the certificate that answered is not for {host!r}. Write host exactly as your"
            " provider names it"
        )
    if "expired" in words:
        return f"the certificate of {host} has expired; its administrator must renew it"
    if "self-signed" in words or "self signed" in words or "local issuer" in words:
        return (
            f"nobody this computer trusts vouches for {host} ({words}). If it is your company's"
            " own server, put its CA certificate in a file and name it with ca_file"
        )
    return f"the certificate of {host} cannot be trusted: {words}"


def _silent(server: SmtpServer, where: str, step: str) -> ConnectError:
    hint = "a firewall or your internet provider may block the port"
    if step == "connect" and server.tls != "implicit" and server.port == 465:
        hint = 'port 465 wants tls = "implicit"'
    return ConnectError(
        Cause.NETWORK, f"{where} did not answer within {server.timeout:g} s; {hint}"
    )


def _refused(server: SmtpServer, where: str, step: str, code: int, text: str) -> ConnectError:
    answer = classify(Phase.CONNECT, code, text)
    temporary = code < 500
    cause = answer.cause
    said = f"{where} said: {code} {text}"
    if step == "login":
        if temporary:
            return ConnectError(
                cause if cause is Cause.RATE else Cause.NETWORK,
                f"{server.host} cannot log anybody in right now. {said}",
                code=code,
                enhanced=answer.enhanced,
            )
        return ConnectError(
            Cause.AUTHENTICATION,
            f"{server.host} does not accept the user {server.user!r} with this password. Check"
            " both; many providers want an app password made in the account's security settings."
            f" {said}",
            code=code,
            enhanced=answer.enhanced,
            temporary=False,
        )
    if step == "starttls":
        cause = Cause.TLS
    elif cause in (Cause.OTHER, Cause.NONE, Cause.SENDER):
        cause = Cause.NETWORK if temporary else Cause.BLOCKED
    return ConnectError(
        cause,
        f"{server.host} does not want to talk to us now. {said}"
        if temporary
        else f"{server.host} refuses this computer. {said}",
        code=code,
        enhanced=answer.enhanced,
        temporary=temporary,
    )
