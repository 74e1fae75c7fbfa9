"""`potok templates send-test`: a real server, a marked subject, and nothing that counts."""

import asyncio
import json
import re
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import func, select
from sqlmodel import SQLModel

from campaigns import Desk, take
from console.mail_parts import open_mail
from console.web import create_app
from deliverability import Arrived, classify_inbound, fingerprint, read_token
from leads import address_key, find_lead, parse_address, suppression_of
from tests.conftest import NOW
from tests.templates.looking import ANNA, BOB, CYRYL, make, opened, potok

ME = "me@firma.example"


@dataclass
class Server:
    """What a real SMTP server took: (MAIL FROM, RCPT TO, bytes), and how it answers."""

    port: int
    taken: list[tuple[str, list[str], bytes]] = field(default_factory=list)
    answer: str = "250 2.0.0 taken"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        self.taken.append((envelope.mail_from, envelope.rcpt_tos, envelope.content))
        return self.answer

    def mail(self) -> EmailMessage:
        (_, _, data) = self.taken[-1]
        return message_from_bytes(data, EmailMessage, policy=default)


@pytest.fixture
def server() -> Iterator[Server]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        made = Server(port=free.getsockname()[1])
    controller = Controller(made, hostname="127.0.0.1", port=made.port)
    controller.start()
    yield made
    controller.stop()


@pytest.fixture
def folder(tmp_path: Path, server: Server) -> Path:
    path = make(tmp_path / "acme")
    settings = path / "potok.toml"
    text = settings.read_text("utf-8")
    text = text.replace(
        '[identity.you.outbox]\nfolder = "outbox"',
        f'[identity.you.smtp]\nhost = "127.0.0.1"\nport = {server.port}\ntls = "none"',
    )
    text = text.replace("# [web]\n", "[web]\n").replace("# base_url", "base_url")
    settings.write_text(text, "utf-8")
    return path


def test_it_goes_to_oneself_as_a_lead_would_get_it(folder: Path, server: Server) -> None:
    done = potok(folder, "templates", "send-test", "welcome", "--to", ME, "--as", ANNA)
    assert done.exit_code == 0, done.stderr
    ((_, recipients, data),) = server.taken
    assert recipients == [ME]
    assert str(server.mail()["To"]) == ME
    assert str(server.mail()["Subject"]).startswith("[Test] ")
    assert "Zażółć" in str(server.mail()["Subject"])
    assert "Zażółć" in open_mail(data).text
    # The lead's address stands in no field that an answer could go to.
    assert ANNA not in open_mail(data).headers
    assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click" in open_mail(data).headers


def test_every_language_is_marked(folder: Path, server: Server) -> None:
    message = folder / "templates" / "welcome" / "message.toml"
    text = re.sub(
        r"^subject = .*$", 'subject = {en = "Hello", pl = "Cześć"}', message.read_text(), flags=re.M
    )
    message.write_text(text, "utf-8")
    for lead, subject in ((BOB, "[Test] Hello"), (CYRYL, "[Test] Cześć")):
        done = potok(folder, "templates", "send-test", "welcome", "--to", ME, "--as", lead)
        assert done.exit_code == 0, done.stderr
        assert server.mail()["Subject"] == subject


def test_without_a_lead_somebody_is_invented(folder: Path, server: Server) -> None:
    assert potok(folder, "templates", "send-test", "welcome", "--to", ME).exit_code == 0
    assert server.mail()["Subject"] == "[Test] Welcome aboard, Anna"


def test_several_get_it_over_one_connection(folder: Path, server: Server) -> None:
    words = ("templates", "send-test", "welcome", "--to", ME, "--to", "you@firma.example", "--json")
    done = potok(folder, *words, "--to", ME)
    assert done.exit_code == 0, done.stderr
    assert [to for _, to, _ in server.taken] == [[ME], ["you@firma.example"]]
    sent = json.loads(done.stdout)["sent"]
    assert [each["to"] for each in sent] == [ME, "you@firma.example"]
    assert len({each["message_id"] for each in sent}) == 2


def rows(folder: Path) -> dict[str, int]:
    workspace = opened(folder)
    with workspace.database.reading() as session:
        found = {
            name: session.scalar(select(func.count()).select_from(table)) or 0
            for name, table in SQLModel.metadata.tables.items()
        }
    workspace.close()
    return found


def test_it_counts_for_nothing(folder: Path, server: Server) -> None:
    before = rows(folder)
    for _ in range(2):
        words = ("templates", "send-test", "welcome", "--to", ME, "--as", ANNA)
        assert potok(folder, *words).exit_code == 0
    assert len(server.taken) == 2
    assert rows(folder) == before


def suppressed(folder: Path, email: str) -> bool:
    workspace = opened(folder)
    key = address_key(parse_address(email), workspace.keys.address)
    with workspace.database.reading() as session:
        found = suppression_of(session, key) is not None
    workspace.close()
    return found


def test_its_one_click_link_answers_and_opts_nobody_out(folder: Path, server: Server) -> None:
    words = ("templates", "send-test", "welcome", "--to", ME, "--as", ANNA)
    assert potok(folder, *words).exit_code == 0
    said = str(server.mail()["List-Unsubscribe"])
    found = re.search(r"<https://mail\.example\.com(/u/[^>]+)>", said)
    assert found is not None
    link, before = found[1], rows(folder)
    workspace = opened(folder)
    app = create_app(workspace.database, tuple(reversed(workspace.keys.links)), lambda: NOW)

    async def press() -> tuple[int, str]:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
            assert (await client.get(link)).status_code == 200
            done = await client.post(link, data={"List-Unsubscribe": "One-Click"})
            return done.status_code, done.text

    assert asyncio.run(press()) == (200, "Unsubscribed.\n")
    workspace.close()
    assert rows(folder) == before
    assert not suppressed(folder, ANNA)


def test_its_opt_out_by_mail_opts_nobody_out_even_from_a_lead(folder: Path, server: Server) -> None:
    """Bob tries the template on himself and presses its mailto link: he only tried."""
    words = ("templates", "send-test", "welcome", "--to", BOB, "--as", ANNA)
    assert potok(folder, *words).exit_code == 0
    found = re.search(r"unsubscribe%20([\w.-]+)", str(server.mail()["List-Unsubscribe"]))
    assert found is not None
    raw = (
        f"From: Bob <{BOB}>\r\nTo: you@example.com\r\nSubject: unsubscribe {found[1]}\r\n"
        f"Date: Tue, 10 Mar 2026 11:00:00 +0000\r\nMessage-ID: <x@bob.example>\r\n\r\n\r\n"
    ).encode()
    workspace = opened(folder)
    keys = tuple(reversed(workspace.keys.links))
    desk = Desk(identity="you", address_key=workspace.keys.address, link_keys=keys)
    ticket = read_token(keys, "unsubscribe", found[1])
    assert ticket is not None
    assert (ticket.lead_token, ticket.message_id) == ("test", 0)
    arrived = Arrived(name="1", raw=raw, sha256=fingerprint(raw), at=NOW)
    taken = workspace.database.write(
        lambda s: take(s, arrived, classify_inbound(raw), desk, now=NOW)
    )
    workspace.close()
    assert taken is not None
    assert str(taken.kind) == "unsubscribe"
    assert taken.event == ""
    assert not suppressed(folder, ANNA)
    assert not suppressed(folder, BOB)


def test_the_real_link_of_the_lead_is_another(folder: Path, server: Server) -> None:
    words = ("templates", "send-test", "welcome", "--to", ME, "--as", ANNA)
    assert potok(folder, *words).exit_code == 0
    workspace = opened(folder)
    with workspace.database.reading() as session:
        lead = find_lead(session, address_key(parse_address(ANNA), workspace.keys.address))
        assert lead is not None
        token = lead.token
    workspace.close()
    assert token.encode() not in server.taken[0][2]
    assert "." + token not in str(server.mail()["Message-ID"])


def test_those_who_opted_out_get_no_test_either(folder: Path, server: Server) -> None:
    assert potok(folder, "leads", "suppress", BOB).exit_code == 0
    done = potok(folder, "templates", "send-test", "welcome", "--to", ME, "--to", BOB)
    assert done.exit_code == 1
    assert "bob@example.com is on the suppression list" in done.stderr
    assert server.taken == []
    # Written as somebody who opted out it is only a look at their mail.
    assert (
        potok(folder, "templates", "send-test", "welcome", "--to", ME, "--as", BOB).exit_code == 0
    )


Change = Callable[[Path, Server], None]


def _refuse(_: Path, server: Server) -> None:
    server.answer = "550 5.7.1 looks like spam"


def _no_name(folder: Path, _: Server) -> None:
    message = folder / "templates" / "welcome" / "message.toml"
    text = re.sub(r"^first_name = .*\n", "", message.read_text(), flags=re.M)
    message.write_text(text + "\n", "utf-8")
    (folder / "a.csv").write_text("email\nnobody@example.com\n")
    assert potok(folder, "leads", "import", str(folder / "a.csv")).exit_code == 0


@pytest.mark.parametrize(
    ("change", "words", "said"),
    [
        (_refuse, (), "550 5.7.1 looks like spam"),
        (_no_name, ("--as", "nobody@example.com"), "lead.first_name is empty"),
        (lambda *_: None, ("--as", "x@example.com"), "There is no lead x@example.com"),
        (lambda *_: None, ("--to", "me@"), "is no e-mail address"),
        (lambda *_: None, ("--identity", "me"), "identity"),
    ],
)
def test_what_goes_wrong_is_one_line(
    folder: Path, server: Server, change: Change, words: tuple[str, ...], said: str
) -> None:
    change(folder, server)
    done = potok(folder, "templates", "send-test", "welcome", "--to", ME, *words)
    assert done.exit_code == 1
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
