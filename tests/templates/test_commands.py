"""`potok templates` in a workspace, as a person types it."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy.engine import URL

from console.cli import main

SETTINGS = """
database = "{database}"
time_zone = "Europe/Warsaw"
[pipeline.sales]
stages = ["new", "demo"]
[identity.anna]
from = "Anna Nowak <anna@example.com>"
postal_address = "ul. Długa 7, 00-238 Warszawa"
[identity.anna.smtp]
host = "127.0.0.1"
port = 9
tls = "none"
"""


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
    assert "2 checked, nothing to complain about." in checked.stdout
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
