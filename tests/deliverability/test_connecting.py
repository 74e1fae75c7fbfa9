"""Getting to a server: encrypted as configured, or a sentence that says what to change."""

import asyncio
import socket
import ssl
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from deliverability import Cause, ConnectError, SmtpServer, Verdict, connect, is_loopback
from tests.deliverability.samples import mail
from tests.deliverability.scripted import Scripted


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    path.write_bytes(authority.cert_pem.bytes())
    yield path


def server_side(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(*names).configure_cert(context)
    return context


class Keeps:
    """Remembers what arrived."""

    def __init__(self) -> None:
        self.received: list[Envelope] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.received.append(envelope)
        return "250 2.0.0 Ok: queued as 4F1kZq2XyZz1"


def only_anna(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    good = isinstance(data, LoginPassword) and data == LoginPassword(b"anna", "zażółć".encode())
    return AuthResult(success=good, handled=False)


@asynccontextmanager
async def aiosmtpd(**options: Any) -> AsyncIterator[tuple[int, Keeps]]:
    """A real aiosmtpd in the test's own loop; `implicit` is the context of a TLS port."""
    keeps = Keeps()
    implicit = options.pop("implicit", None)
    loop = asyncio.get_running_loop()
    sessions: list[SMTP] = []

    def factory() -> SMTP:
        with warnings.catch_warnings():
            # It warns of logins without TLS, which is what one of the tests is about.
            warnings.simplefilter("ignore", UserWarning)
            sessions.append(SMTP(keeps, loop=loop, hostname="mx.test", **options))
        return sessions[-1]

    server = await loop.create_server(factory, "127.0.0.1", 0, ssl=implicit)
    try:
        yield server.sockets[0].getsockname()[1], keeps
    finally:
        server.close()
        for session in sessions:
            if session._handler_coroutine is not None:
                session._handler_coroutine.cancel()
        await asyncio.sleep(0.01)


def to(port: int, **changes: Any) -> SmtpServer:
    return SmtpServer(
        **({"host": "127.0.0.1", "port": port, "timeout": 2.0, "data_timeout": 2.0} | changes)
    )


async def refused(server: SmtpServer) -> ConnectError:
    with pytest.raises(ConnectError) as caught:
        await connect(server, ehlo_name="client.test")
    assert str(caught.value) == caught.value.sentence
    assert "\n" not in caught.value.sentence
    return caught.value


async def sends(server: SmtpServer) -> None:
    connection = await connect(server, ehlo_name="client.test")
    assert (await connection.send(mail())).verdict is Verdict.ACCEPTED
    await connection.close()


@pytest.mark.parametrize("way", ["none", "starttls", "implicit"])
async def test_all_three_ways_with_a_login(way: str, authority: trustme.CA, ca_file: Path) -> None:
    context = server_side(authority, "127.0.0.1")
    options: dict[str, Any] = {"authenticator": only_anna, "auth_required": True}
    if way == "starttls":
        options |= {"tls_context": context, "require_starttls": True}
    elif way == "implicit":
        options |= {"implicit": context, "auth_require_tls": False}
    else:
        options |= {"auth_require_tls": False}
    async with aiosmtpd(**options) as (port, keeps):
        await sends(to(port, tls=way, user="anna", password="zażółć", ca_file=ca_file))
        assert keeps.received[0].content == mail().data
        wrong = await refused(to(port, tls=way, user="anna", password="no", ca_file=ca_file))
        assert wrong.cause is Cause.AUTHENTICATION
        assert not wrong.temporary
        assert "'anna'" in wrong.sentence and "app password" in wrong.sentence


async def test_a_missing_starttls_is_never_skipped() -> None:
    async with aiosmtpd() as (port, keeps):
        error = await refused(to(port, tls="starttls"))
        assert error.cause is Cause.TLS
        assert "offers no STARTTLS" in error.sentence
        assert not keeps.received


async def test_an_offered_starttls_that_breaks_is_an_error(authority: trustme.CA) -> None:
    offers = "250-mx.test\r\n250 STARTTLS"
    async with Scripted(ehlo=offers) as server:
        server.steps["starttls"] = "454 4.7.0 TLS not available"
        error = await refused(server.settings(tls="starttls"))
        assert error.cause is Cause.TLS
        server.steps["starttls"] = "220 go ahead"
        error = await refused(server.settings(tls="starttls"))
        assert error.cause in (Cause.TLS, Cause.NETWORK)
        assert not any(line.startswith("MAIL") for line in server.commands)


async def test_certificates_are_checked(authority: trustme.CA, ca_file: Path) -> None:
    async with aiosmtpd(tls_context=server_side(authority, "127.0.0.1")) as (port, _):
        unknown = await refused(to(port, tls="starttls"))
        assert unknown.cause is Cause.TLS
        assert "ca_file" in unknown.sentence
        await sends(to(port, tls="starttls", ca_file=ca_file))
    async with aiosmtpd(tls_context=server_side(authority, "other.test")) as (port, _):
        other = await refused(to(port, tls="starttls", ca_file=ca_file))
        assert "is not for '127.0.0.1'" in other.sentence
    async with aiosmtpd(implicit=server_side(authority, "other.test")) as (port, _):
        other = await refused(to(port, tls="implicit", ca_file=ca_file))
        assert "is not for '127.0.0.1'" in other.sentence


async def test_the_two_kinds_of_tls_are_told_apart(authority: trustme.CA) -> None:
    async with aiosmtpd() as (port, _):
        error = await refused(to(port, tls="implicit"))
        assert error.cause is Cause.TLS
        assert 'tls = "starttls"' in error.sentence


async def test_a_wrong_ca_file_is_named(tmp_path: Path) -> None:
    error = await refused(to(1, tls="implicit", ca_file=tmp_path / "absent.pem"))
    assert "absent.pem" in error.sentence


async def test_plain_text_stays_on_this_machine() -> None:
    error = await refused(SmtpServer(host="mail.example.com", port=25, tls="none"))
    assert error.cause is Cause.TLS
    assert "allow_plain_text" in error.sentence


@pytest.mark.parametrize(
    ("host", "yes"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost", True),
        ("LOCALHOST", True),
        ("demo.localhost", True),
        ("localhost.example.com", False),
        ("10.0.0.1", False),
        ("mail.example.com", False),
        ("", False),
    ],
)
def test_loopback_is_this_machine_only(host: str, yes: bool) -> None:
    assert is_loopback(host) is yes


async def test_nothing_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    error = await refused(to(port, tls="none"))
    assert error.cause is Cause.NETWORK
    assert "refuses connections" in error.sentence


async def test_a_misspelt_host(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*args: Any, **kwargs: Any) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    error = await refused(to(587, host="smtp.exmaple.test", tls="starttls"))
    assert "'smtp.exmaple.test'" in error.sentence
    assert "spelling" in error.sentence


async def test_a_server_that_says_nothing() -> None:
    async with Scripted(greeting="silence") as server:
        error = await refused(server.settings(timeout=0.2))
        assert error.cause is Cause.NETWORK
        assert "did not answer within 0.2 s" in error.sentence


@pytest.mark.parametrize(
    ("greeting", "cause", "temporary"),
    [
        ("421 4.7.0 too many connections from your address", Cause.RATE, True),
        ("554 5.7.1 blocked using zen.spamhaus.org", Cause.BLOCKED, False),
        ("554 go away", Cause.BLOCKED, False),
        ("421 service not available", Cause.NETWORK, True),
        ("drop", Cause.NETWORK, True),
        ("garbage", Cause.NETWORK, True),
    ],
)
async def test_a_greeting_that_refuses(greeting: str, cause: Cause, temporary: bool) -> None:
    async with Scripted(greeting=greeting) as server:
        error = await refused(server.settings())
        assert (error.cause, error.temporary) == (cause, temporary)


@pytest.mark.parametrize("ehlo", ["421 4.3.2 shutting down", "550 5.7.1 listed at bl.test", "drop"])
async def test_an_ehlo_that_is_refused(ehlo: str) -> None:
    async with Scripted(ehlo=ehlo) as server:
        error = await refused(server.settings())
        assert error.cause in (Cause.NETWORK, Cause.BLOCKED)


async def test_an_old_server_that_knows_only_helo() -> None:
    async with Scripted(ehlo="502 5.5.1 what?") as server:
        server.steps["helo"] = "250 mx.test"
        await sends(server.settings())


async def test_a_server_without_logins_is_named() -> None:
    async with Scripted() as server:
        error = await refused(server.settings(user="anna", password="x"))
        assert error.cause is Cause.AUTHENTICATION
        assert "no AUTH at all" in error.sentence


async def test_one_wrong_password_is_one_try() -> None:
    ehlo = "250-mx.test\r\n250 AUTH CRAM-MD5 PLAIN LOGIN"
    async with Scripted(ehlo=ehlo, auth="535 5.7.8 no") as server:
        await refused(server.settings(user="anna", password="x"))
        assert [line.split()[:2] for line in server.commands if "AUTH" in line] == [
            ["AUTH", "PLAIN"]
        ]


async def test_a_login_that_is_busy_is_temporary() -> None:
    ehlo = "250-mx.test\r\n250 AUTH PLAIN"
    async with Scripted(ehlo=ehlo, auth="454 4.7.0 try later") as server:
        error = await refused(server.settings(user="anna", password="x"))
        assert error.temporary
        assert error.code == 454


def test_a_password_is_never_printed() -> None:
    assert "secret" not in repr(SmtpServer(host="h", port=1, user="u", password="secret"))


async def test_the_folder_transport_writes_one_file_a_message(tmp_path: Path) -> None:
    connection = await connect(SmtpServer(outbox=tmp_path / "out"), ehlo_name="client.test")
    first = await connection.send(mail())
    again = await connection.send(mail())
    other = await connection.send(mail(message_id="other@example.com"))
    assert {o.verdict for o in (first, again, other)} == {Verdict.ACCEPTED}
    assert first.relay_id == again.relay_id != other.relay_id
    files = sorted((tmp_path / "out").iterdir())
    assert len(files) == 2
    assert all(path.suffix == ".eml" for path in files)
    assert mail().data in [path.read_bytes() for path in files]
    assert connection.usable and connection.messages == 3
    await connection.close()


async def test_a_folder_that_cannot_be_written_defers(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file in the way")
    connection = await connect(SmtpServer(outbox=tmp_path / "out"), ehlo_name="client.test")
    outcome = await connection.send(mail())
    assert outcome.verdict is Verdict.DEFERRED
    assert "out" in outcome.reply


@pytest.mark.parametrize("way", ["starttls", "implicit"])
@pytest.mark.parametrize(
    ("step", "verdict"), [("rcpt", Verdict.UNSENT), ("body", Verdict.IN_DOUBT)]
)
@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_an_encrypted_line_that_breaks_is_judged_the_same_on_both_loops(
    loop: str, step: str, verdict: Verdict, way: str, authority: trustme.CA, ca_file: Path
) -> None:
    context = server_side(authority, "127.0.0.1")
    offers: dict[str, Any] = (
        {"tls": context}
        if way == "implicit"
        else {"starttls": context, "ehlo": "250-mx.test\r\n250-PIPELINING\r\n250 STARTTLS"}
    )

    async def dialogue() -> None:
        async with Scripted(**offers) as server:
            settings = server.settings(tls=way, ca_file=ca_file)
            connection = await connect(settings, ehlo_name="client.test")
            assert (await connection.send(mail(html="x" * 300_000))).verdict is Verdict.ACCEPTED
            server.steps[step] = "drop"
            assert (await connection.send(mail())).verdict is verdict
            assert not connection.usable
            await connection.close()

    uvloop = pytest.importorskip("uvloop")
    factory = uvloop.new_event_loop if loop == "uvloop" else asyncio.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(dialogue())
