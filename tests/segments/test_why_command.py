"""`potok segments why|who-left`: what a marketer reads, what scripts get, what is refused."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from console.cli import main

FAIR = """\
email,company,country,stage,prefers.topic
anna@firma.example,ACME,PL,demo,pricing
bob@firma.example,Initech,DE,new,
celina@wp.pl,,PL,proposal,
"""


@pytest.fixture
def workspace(fresh_workspace: Path) -> Path:
    path = fresh_workspace
    (path / "fair.csv").write_text(FAIR, encoding="utf-8")
    assert _run(path, "leads", "import", str(path / "fair.csv")).exit_code == 0
    rule = "stage in (demo, proposal) and not stage_age > 30 days"
    assert _run(path, "segments", "create", "hot", rule).exit_code == 0
    return path


def _run(workspace: Path, *args: str) -> Result:
    return CliRunner().invoke(main, ["--workspace", str(workspace), *args])


def _json(workspace: Path, *args: str) -> Any:
    return json.loads(_run(workspace, "segments", *args, "--json").stdout)


def test_why_shows_every_condition_and_the_smallest_change(workspace: Path) -> None:
    _run(workspace, "leads", "stage", "bob@firma.example", "demo")
    rule = "in segment hot and (country = PL or not prefers.topic = pricing) and tag = vip"
    shown = _run(workspace, "segments", "why", rule, "bob@firma.example")
    assert shown.exit_code == 0
    lines = [line.split("; since ")[0].rstrip() for line in shown.stdout.splitlines()]
    for line in (
        f"bob@firma.example is not in: {rule}",
        "        [yes] stage in (demo, proposal)  (demo (sales)",
        "        [yes] not stage_age > 30 days  (less than an hour",
        "      [no]  country = PL  (DE",
        '      [yes] not prefers.topic = "pricing"  (nothing stated',
        '    [no]  tag = "vip"  (no tag',
        "The smallest change to put it in: add the tag vip.",
        "We may write to this lead.",
    ):
        assert line in lines, shown.stdout
    assert "stage: new -> demo" in shown.stdout


def test_why_gives_scripts_the_same_tree(workspace: Path) -> None:
    _run(workspace, "leads", "suppress", "anna@firma.example")
    found = _json(workspace, "why", "hot", "anna@firma.example")
    assert (found["holds"], found["mailable"], found["left_out"]) == (True, False, "suppressed")
    assert found["turns_at"] is not None
    assert found["smallest_change"][0]["do"] == "move out of stage demo or proposal"
    both = found["why"]
    assert (both["joined"], both["holds"], both["always"]) == ("and", True, True)
    stage, young = both["below"]
    assert (stage["condition"], stage["found"]) == ("stage in (demo, proposal)", "demo (sales)")
    assert young["below"][0]["holds"] is False


def test_an_impossible_change_is_said_to_be_one(workspace: Path) -> None:
    shown = _run(workspace, "segments", "why", "domain = other.example", "celina@wp.pl")
    assert "There is nothing anybody could do to put it in." in shown.stdout


@pytest.mark.parametrize(
    ("given", "email", "said"),
    [
        ("hot", "ana@firma.example", "did you mean anna@firma.example?"),
        ("hot", "anna@fimra.example", "did you mean anna@firma.example?"),
        ("hot", "zenon@other.example", "potok leads list zenon looks for one"),
        ("hot", "nobody", "no e-mail address"),
        ("hott", "anna@firma.example", 'did you mean "hot"?'),
    ],
)
def test_why_of_nobody_is_one_clear_line(
    workspace: Path, given: str, email: str, said: str
) -> None:
    result = _run(workspace, "segments", "why", given, email)
    assert (result.exit_code, result.stdout) == (1, "")
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_who_left_names_the_lead_the_event_and_the_condition(workspace: Path) -> None:
    _run(workspace, "leads", "stage", "celina@wp.pl", "lost")
    _run(workspace, "leads", "stage", "bob@firma.example", "lost")
    found = _json(workspace, "who-left", "stage = lost", "--since", "today", "--entered")
    assert (found["entered"], found["left"], found["shown"]) == (2, 0, "entered")
    assert [row["lead"] for row in found["leads"]] == ["bob@firma.example", "celina@wp.pl"]
    assert found["leads"][0]["event"]["kind"] == "stage"
    assert found["leads"][0]["conditions"] == ["stage = lost"]
    shown = _run(
        workspace, "segments", "who-left", "stage = lost", "--since", "1 day", "--entered",
        "--limit", "1",
    )  # fmt: skip
    assert "2 leads entered since" in shown.stdout
    assert "stage: new -> lost" in shown.stdout
    assert "1 more: --limit shows them." in shown.stdout


@pytest.mark.parametrize(
    ("since", "said"),
    [
        ("soon", "is no time: write 2026-11-01"),
        ("2199-01-01", "is still to come"),
        ("2026-01-01 or replied", "is no time"),
        ("30 days from now", "is still to come"),
    ],
)
def test_a_time_that_is_none_is_refused(workspace: Path, since: str, said: str) -> None:
    result = _run(workspace, "segments", "who-left", "hot", "--since", since)
    assert (result.exit_code, result.stdout) == (1, "")
    assert said in result.stderr
