"""`potok identity`, as typed: output, JSON, exit codes."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from console.cli import main

SETTINGS = """
database = "sqlite:///potok.db"
time_zone = "Europe/Warsaw"
[identity.anna]
from = "Anna Nowak <anna@example.com>"
postal_address = "Example, Prosta 1, Warszawa"
[identity.anna.outbox]
folder = "out"
[identity.anna.limits]
per_day = 50
[identity.jan]
from = "jan@example.com"
postal_address = "Example, Prosta 1, Warszawa"
[identity.jan.smtp]
host = "127.0.0.1"
port = 1
tls = "none"
timeout = 2
"""


@pytest.fixture
def workspace(fresh_workspace: Path) -> Path:
    (fresh_workspace / "potok.toml").write_text(SETTINGS, "utf-8")
    return fresh_workspace


def potok(workspace: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["--workspace", str(workspace), "identity", *words])


def document(result: Result) -> Any:
    return json.loads(result.stdout)


def test_the_list_names_each_identity_with_its_use(workspace: Path) -> None:
    shown = potok(workspace, "list")
    assert shown.exit_code == 0
    assert "Anna Nowak <anna@example.com>" in shown.stdout
    assert "0 of 50" in shown.stdout
    rows = document(potok(workspace, "list", "--json"))["identities"]
    assert [row["name"] for row in rows] == ["anna", "jan"]
    assert rows[1]["server"] == "127.0.0.1:1 (none)"


def test_a_test_that_works_exits_0_and_leaves_the_mail(workspace: Path) -> None:
    result = potok(workspace, "test", "anna")
    assert result.exit_code == 0, result.output
    assert "anna is ready" in result.stdout
    (mail,) = (workspace / "out").glob("*.eml")
    assert b"From: Anna Nowak <anna@example.com>" in mail.read_bytes()


def test_a_test_that_fails_exits_1_and_says_what_to_do(workspace: Path) -> None:
    result = potok(workspace, "test", "jan")
    assert result.exit_code == 1
    assert "refuses connections" in result.stdout
    assert "Check port" in result.stdout
    told = document(potok(workspace, "test", "jan", "--json"))
    assert told["ok"] is False
    assert told["steps"][0]["id"] == "connect"
    assert told["steps"][0]["level"] == "error"


def test_an_unknown_identity_is_named(workspace: Path) -> None:
    result = potok(workspace, "test", "ana")
    assert result.exit_code == 1
    assert "anna" in result.stderr


def test_presets_need_no_workspace() -> None:
    runner = CliRunner()
    shown = runner.invoke(main, ["identity", "presets", "google"])
    assert shown.exit_code == 0
    assert 'host = "smtp.gmail.com"' in shown.stdout
    rows = document(runner.invoke(main, ["identity", "presets", "--json"]))["presets"]
    assert all(row["source"] for row in rows)
    wrong = runner.invoke(main, ["identity", "presets", "gogle"])
    assert wrong.exit_code == 2
    assert "Did you mean 'google'" in wrong.stderr
