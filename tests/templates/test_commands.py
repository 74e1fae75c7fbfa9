"""`potok templates` in a workspace, as a person types it."""

import json
import socket
import tomllib
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from click.testing import CliRunner, Result
from sqlalchemy.engine import URL, make_url

from console.cli import main
from console.database import Database
from console.keys import read_keys
from leads import Lead, address_key, parse_address
from tests.conftest import NOW
from tests.templates.letters import SETTINGS


@pytest.fixture
def workspace(tmp_path: Path, sqlite_url: URL) -> Path:
    folder = tmp_path / "acme"
    folder.mkdir()
    database = f"sqlite:///{sqlite_url.database}"
    (folder / "potok.toml").write_text(SETTINGS.format(database=database), encoding="utf-8")
    (folder / "potok.keys").write_text(f'address = "{"a" * 64}"\nlinks = ["{"b" * 64}"]\n')
    (folder / "potok.keys").chmod(0o600)
    return folder


def potok(workspace: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["--workspace", str(workspace), "templates", *words])


def test_new_check_and_list(workspace: Path) -> None:
    assert potok(workspace, "new", "spring", "--from", "powitanie").exit_code == 0
    assert potok(workspace, "new", "plain", "--text-only").exit_code == 0
    checked = potok(workspace, "check")
    assert checked.exit_code == 0
    assert "2 checked: 0 errors" in checked.stdout
    listed = json.loads(potok(workspace, "list", "--json").stdout)["templates"]
    assert [(each["name"], each["state"], each["html"]) for each in listed] == [
        ("plain", "new", False),
        ("spring", "new", True),
    ]


def test_check_shows_file_and_line_and_says_no(workspace: Path) -> None:
    potok(workspace, "new", "spring")
    body = workspace / "templates" / "spring" / "body.html"
    body.write_text(body.read_text().replace("lead.first_name", "lead.frist_name", 1))
    result = potok(workspace, "check", "spring")
    assert result.exit_code == 1
    assert "templates/spring/body.html:" in result.stdout
    assert "lead.frist_name is not known; did you mean lead.first_name?" in result.stdout
    found = json.loads(potok(workspace, "check", "spring", "--json").stdout)
    assert (found["errors"], found["findings"][0]["id"]) == (1, "unknown-field")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("new", "Spring Mail"), 2, "use small letters"),
        (("new", "x", "--from", "welcom"), 1, 'did you mean "welcome"?'),
        (("new", "x", "--from", "welcome", "--text-only"), 2, "plain text ones are: followup"),
        (("check", "sprng"), 1, 'did you mean "spring"?'),
        (("send-test", "spring", "--to", "nobody"), 1, "is no e-mail address"),
        (("send-test", "spring", "--to", "me@example.com"), 1, "127.0.0.1:9"),
        (("send-test", "spring", "--to", "me@example.com", "--identity", "ana"), 1, '"anna"'),
    ],
)
def test_mistakes_are_one_line(
    workspace: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    potok(workspace, "new", "spring")
    result = potok(workspace, *words)
    assert result.exit_code == code
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_new_never_writes_over_anything(workspace: Path) -> None:
    potok(workspace, "new", "spring")
    again = potok(workspace, "new", "spring", "--from", "powitanie")
    assert again.exit_code == 1
    assert 'language = "en"' in (workspace / "templates/spring/message.toml").read_text()


def add_lead(workspace: Path, **fields: str) -> None:
    keys = read_keys(workspace)
    settings = tomllib.loads((workspace / "potok.toml").read_text())
    database = Database(make_url(settings["database"]))
    address = parse_address("zofia@firma.example")
    with database.writing() as session:
        session.add(
            Lead(
                email=address.email,
                domain=address.domain,
                address_key=address_key(address, keys.address),
                stage_at=NOW,
                created_at=NOW,
                updated_at=NOW,
                draw=1,
                token="0" * 16,
                **fields,
            )
        )
    database.close()


def test_render_shows_what_a_lead_would_get(workspace: Path, tmp_path: Path) -> None:
    add_lead(workspace, first_name="Zofia", company="Żółć")
    potok(workspace, "new", "wiosna", "--from", "powitanie")
    shown = potok(workspace, "render", "wiosna", "--lead", "ZOFIA@firma.example")
    assert shown.stdout.startswith("Subject: Zofia, dobrze Cię widzieć\n")
    assert "Oto trzy kroki dla firmy Żółć:" in shown.stdout
    headers = potok(workspace, "render", "wiosna", "--lead", "zofia@firma.example", "--headers")
    assert "From: Anna Nowak <anna@example.com>" in headers.stdout
    file = tmp_path / "out.html"
    words = ("render", "wiosna", "--lead", "zofia@firma.example", "--html", "-o", str(file))
    assert potok(workspace, *words).exit_code == 0
    assert file.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_render_names_the_field_a_lead_lacks(workspace: Path) -> None:
    add_lead(workspace)
    potok(workspace, "new", "plain", "--text-only")
    message = workspace / "templates" / "plain" / "message.toml"
    message.write_text(message.read_text().replace('first_name = "there"\n', ""))
    result = potok(workspace, "render", "plain", "--lead", "zofia@firma.example")
    assert result.exit_code == 1
    assert "zofia@firma.example: body.txt:1: lead.first_name is empty" in result.stderr
    unknown = potok(workspace, "render", "plain", "--lead", "nobody@firma.example")
    assert "There is no lead nobody@firma.example" in unknown.stderr


def test_send_test_goes_to_oneself_and_says_so(workspace: Path) -> None:
    received: list[bytes] = []

    class Handler:
        async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
            received.append(envelope.content)
            return "250 2.0.0 taken"

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = workspace / "potok.toml"
    settings.write_text(settings.read_text().replace("port = 9", f"port = {port}"))
    potok(workspace, "new", "spring")
    receiver = Controller(Handler(), hostname="127.0.0.1", port=port)
    receiver.start()
    try:
        result = potok(workspace, "send-test", "spring", "--to", "me@example.com")
    finally:
        receiver.stop()
    assert result.exit_code == 0, result.stderr
    assert "127.0.0.1 took it for me@example.com: 2.0.0 taken" in result.stdout
    assert b"Subject: [Test] Welcome aboard, Anna" in received[0]
