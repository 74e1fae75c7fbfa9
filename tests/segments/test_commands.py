"""`potok segments`: what it prints, what scripts get, what it says when something is wrong."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from console.cli import main


@pytest.fixture
def workspace(fresh_workspace: Path) -> Path:
    for file in (fresh_workspace / "segments").glob("*.toml"):
        file.unlink()
    return fresh_workspace


def _run(workspace: Path, *args: str) -> Result:
    return CliRunner().invoke(main, ["--workspace", str(workspace), "segments", *args])


def _json(workspace: Path, *args: str) -> Any:
    result = _run(workspace, *args, "--json")
    return json.loads(result.stdout)


def test_create_writes_a_readable_file_and_applies_it(workspace: Path) -> None:
    rule = 'stage in (Demo, proposal) and company = "O\'Hara" # soon'
    made = _json(workspace, "create", "hot", rule, "--description", "Nearly there")
    assert (made["segment"], made["matching"], made["left_out"]) == ("hot", 0, {})
    written = tomllib.loads((workspace / "segments" / "hot.toml").read_text(encoding="utf-8"))
    assert written == {"description": "Nearly there", "rule": rule}
    (row,) = (r for r in _json(workspace, "list")["segments"] if r["name"] == "hot")
    assert (row["state"], row["rule"], row["mailable"]) == ("applied", rule, 0)


def test_create_leaves_what_is_there(workspace: Path) -> None:
    _run(workspace, "create", "hot", "everyone")
    again = _run(workspace, "create", "hot", "country = PL")
    assert (again.exit_code, "--replace" in again.stderr) == (1, True)
    assert _run(workspace, "create", "hot", "country = PL", "--replace").exit_code == 0
    assert _json(workspace, "check", "hot")["segments"][0]["rule"] == "country = PL"


@pytest.mark.parametrize(
    ("name", "rule", "said"),
    [
        ("Hot Leads", "everyone", "small letters"),
        ("../hot", "everyone", "small letters"),
        ("hot", "contry = PL", "did you mean country"),
        ("hot", "stage = dmo", "did you mean demo"),
        ("hot", "in segment hot", "hot -> hot"),
        ("hot", " ", "has no rule"),
    ],
)
def test_a_segment_that_cannot_be_is_not_written(
    workspace: Path, name: str, rule: str, said: str
) -> None:
    result = _run(workspace, "create", name, rule)
    assert (result.exit_code, result.stdout) == (1, "")
    assert said in result.stderr
    assert list((workspace / "segments").glob("*")) == []


def test_count_takes_a_name_or_a_rule(workspace: Path) -> None:
    _run(workspace, "create", "hot", "stage = demo")
    nobody = {"matching": 0, "mailable": 0, "left_out": {}}
    assert _json(workspace, "count", "hot") == nobody
    assert _json(workspace, "count", "not in segment hot") == nobody
    wrong = _run(workspace, "count", "hott")
    assert (wrong.exit_code, wrong.stderr) == (
        1,
        'Error: "hott" is neither a segment nor a rule; did you mean "hot"?\n',
    )


def test_check_and_list_show_one_mistake_without_hiding_the_rest(workspace: Path) -> None:
    _run(workspace, "create", "hot", "stage = demo")
    (workspace / "segments" / "bad.toml").write_text('rulee = "x"', encoding="utf-8")
    (workspace / "segments" / "hot.toml").write_text("rule = 'stage = won'", encoding="utf-8")
    (workspace / "segments" / "new.toml").write_text("rule = 'everyone'", encoding="utf-8")
    checked = _run(workspace, "check")
    assert (checked.exit_code, "did you mean rule?" in checked.stdout) == (1, True)
    states = {row["name"]: row["state"] for row in _json(workspace, "list")["segments"]}
    assert {name: states[name] for name in ("bad", "hot", "new")} == {
        "bad": "mistake",
        "hot": "edited",
        "new": "new",
    }
    # init applied its own samples, whose files the fixture took away.
    assert "removed" in states.values()


def test_preview_shows_the_columns_asked_for(workspace: Path) -> None:
    assert _json(workspace, "preview", "everyone") == {"leads": []}
    wrong = _run(workspace, "preview", "everyone", "--columns", "emial")
    assert (wrong.exit_code, "did you mean email" in wrong.stderr) == (1, True)


@pytest.mark.parametrize("command", ["create", "check", "count", "list", "preview"])
def test_every_command_shows_an_example(command: str) -> None:
    result = CliRunner().invoke(main, ["segments", command, "--help"])
    assert "Example:" in result.stdout
