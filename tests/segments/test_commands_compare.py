"""`potok segments` count, diff, overlap, values, fields: what they print and what scripts get."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from console.cli import main

PAGE = (Path(__file__).parents[2] / "docs" / "segments-commands.md").read_text(encoding="utf-8")
LEADS = """email,country,language,topic,budget,industry,stage
anna@example.com,PL,pl,pricing,500,food,demo
jan@example.com,PL,pl,api,1500,software,new
eva@example.com,DE,de,pricing,2500,software,demo
kim@example.com,DE,de,,,,new
"""


@pytest.fixture
def workspace(fresh_workspace: Path, tmp_path: Path) -> Path:
    path = fresh_workspace
    (tmp_path / "leads.csv").write_text(LEADS, encoding="utf-8")
    assert _run(path, "leads", "import", str(tmp_path / "leads.csv")).exit_code == 0
    assert _run(path, "leads", "suppress", "jan@example.com").exit_code == 0
    assert _run(path, "segments", "create", "hot", "stage = demo").exit_code == 0
    return path


def _run(workspace: Path, *args: str) -> Result:
    return CliRunner().invoke(main, ["--workspace", str(workspace), *args])


def _json(workspace: Path, *args: str) -> Any:
    return json.loads(_run(workspace, "segments", *args, "--json").stdout)


def test_count_says_in_plain_words_who_is_left_out(workspace: Path) -> None:
    assert _json(workspace, "count", "country = PL") == {
        "matching": 2,
        "mailable": 1,
        "left_out": {"suppressed": 1},
    }
    shown = _run(workspace, "segments", "count", "country = PL").stdout
    assert shown.splitlines() == [
        "2 leads fit:",
        "  1  may be written to",
        "  1  left out: on the suppression list",
        "     These add up to 2.",
    ]
    assert "all of them may be written to" in _run(workspace, "segments", "count", "hot").stdout


def test_count_for_a_topic_or_the_topic_of_a_template(workspace: Path) -> None:
    settings = workspace / "potok.toml"
    settings.write_text(settings.read_text().replace("required = false", "required = true"))
    message = workspace / "templates" / "welcome" / "message.toml"
    rest = re.sub(r"(?m)^topic.*\n", "", message.read_text(encoding="utf-8"))
    message.write_text('topic = "prices"\n' + rest, encoding="utf-8")
    given = (
        "leads",
        "consent",
        "anna@example.com",
        "given",
        "--topic",
        "prices",
        "--source",
        "fair",
    )
    assert _run(workspace, *given).exit_code == 0
    assert _json(workspace, "count", "everyone")["left_out"] == {"no_consent": 3, "suppressed": 1}
    for more in (("--topic", "prices"), ("--template", "welcome")):
        found = _json(workspace, "count", "everyone", *more)
        assert (found["topic"], found["mailable"]) == ("prices", 1)
    assert _run(workspace, "segments", "count", "hot", "--template", "welcom").exit_code == 1
    both = _run(workspace, "segments", "count", "hot", "--topic", "a", "--template", "welcome")
    assert both.exit_code == 2


def test_diff_counts_three_parts_and_shows_one(workspace: Path) -> None:
    found = _json(workspace, "diff", "hot", "country = DE", "--show", "b")
    assert {key: found[key]["matching"] for key in ("only_a", "only_b", "both")} == {
        "only_a": 1,
        "only_b": 1,
        "both": 1,
    }
    assert [each["email"] for each in found["shown"]["leads"]] == ["kim@example.com"]
    shown = _run(workspace, "segments", "diff", "hot", "country = DE", "--show", "both").stdout
    assert "B: country = DE" in shown
    assert "in both, 1 of 1:\n  eva@example.com" in shown


def test_overlap_counts_regions_that_add_up(workspace: Path) -> None:
    found = _json(workspace, "overlap", "hot", "country = PL", "prefers.topic = pricing")
    regions = {tuple(each["inside"]): each["matching"] for each in found["regions"]}
    assert regions == {
        ("hot", "country = PL", "prefers.topic = pricing"): 1,
        ("hot", "prefers.topic = pricing"): 1,
        ("country = PL",): 1,
    }
    assert (found["matching"], found["mailable"]) == (3, 2)
    assert [each["matching"] for each in found["segments"]] == [2, 2, 2]
    shown = _run(workspace, "segments", "overlap", "hot", "country = PL").stdout
    assert re.search(r"yes +yes +1 +1", shown)


@pytest.mark.parametrize("given", [["hot"], ["hot", "hot"], [f"score > {n}" for n in range(7)]])
def test_overlap_takes_two_to_six_different_ones(workspace: Path, given: list[str]) -> None:
    assert _run(workspace, "segments", "overlap", *given).exit_code == 2


def test_values_and_fields(workspace: Path) -> None:
    found = _json(workspace, "values", "attr.industry", "--segment", "country = DE")
    assert found["values"] == [{"value": "software", "count": 1}]
    budget = _json(workspace, "values", "prefers.budget")
    assert (budget["spread"]["median"], budget["filled"]) == (1500, 3)
    fields = _json(workspace, "fields")
    assert [each["name"] for each in fields["attributes"]] == ["attr.industry"]
    assert "attr.industry" in _run(workspace, "segments", "fields").stdout
    shown = _run(workspace, "segments", "values", "country").stdout
    assert re.search(r"PL +2 +50%", shown)
    wrong = _run(workspace, "segments", "values", "attr.industri")
    assert (wrong.exit_code, 'did you mean "industry"' in wrong.stderr) == (1, True)


def test_preview_shows_what_can_be_several(workspace: Path) -> None:
    columns = "email,prefers.topic,tag,deal,notes"
    _run(workspace, "leads", "note", "eva@example.com", "call in May")
    leads = _json(workspace, "preview", "country = DE", "--columns", columns)["leads"]
    assert leads[0] == {
        "email": "eva@example.com",
        "prefers.topic": ["pricing"],
        "tag": [],
        "deal": [],
        "notes": ["call in May"],
        "left_out": None,
    }


TYPED = re.findall(r"^(potok segments .*)$", PAGE, re.M)


@pytest.mark.parametrize("line", TYPED)
def test_every_example_of_the_page_runs(workspace: Path, line: str) -> None:
    done = _run(workspace, *shlex.split(line)[1:])
    # An example speaks of events and deals that this workspace need not have.
    assert done.exit_code == 0 or "no event was called" in done.stderr, done.stderr
