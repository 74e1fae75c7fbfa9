"""`templates check` and `campaigns plan` show what the real SpamAssassin says of the real mail."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from console.cli import main
from console.sending import starting
from console.spam_checks import scored
from console.wiring import open_workspace
from deliverability import SpamRule, SpamScore
from tests.spamd import free_port, running_spamd

SPAM = """Dear friend,

BUY NOW cheap viagra and cialis from our online pharmacy!!! 100% guaranteed, no prescription needed,
risk free, act now!!! You have won one million dollars, click here: http://192.168.5.5/x

{{ sender.postal_address }} {{ links.unsubscribe }}
"""


@pytest.fixture(scope="module")
def spamd() -> Iterator[int]:
    with running_spamd() as port:
        yield port


@pytest.fixture
def workspace(fresh_workspace: Path, tmp_path: Path) -> Path:
    folder = fresh_workspace
    people = tmp_path / "people.csv"
    people.write_text("email,first_name\nzofia@firma.example,Zofia\n", encoding="utf-8")
    assert potok(folder, "leads", "import", str(people)).exit_code == 0
    return folder


def potok(workspace: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["--workspace", str(workspace), *words])


def ask(workspace: Path, text: str) -> None:
    """Adds `[templates]` with `text` to potok.toml."""
    path = workspace / "potok.toml"
    path.write_text(f"{path.read_text(encoding='utf-8')}\n[templates]\n{text}\n", encoding="utf-8")


def findings(result: Result) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(result.stdout)["findings"]
    return found


def write_spam(workspace: Path) -> None:
    folder = workspace / "templates" / "followup"
    (folder / "body.txt").write_text(SPAM, encoding="utf-8")
    (folder / "message.toml").write_text('subject = "VIAGRA!!! Act now $$$"\n', encoding="utf-8")


def test_the_shipped_templates_are_no_spam(workspace: Path, spamd: int) -> None:
    ask(workspace, f'spamd = "127.0.0.1:{spamd}"')
    checked = potok(workspace, "templates", "check", "--json")
    assert checked.exit_code == 0
    scores = [each for each in findings(checked) if each["id"] == "spam-score"]
    assert len(scores) == 3
    assert {each["level"] for each in findings(checked)} == {"notice"}
    # The first lead there is gets the mail that is scored.
    assert all("zofia@firma.example" in each["what"] for each in scores)
    assert not any("INVIS" in each["what"] for each in scores), "how the preheader hides costs"


def test_spam_is_an_error_with_its_rules(workspace: Path, spamd: int) -> None:
    ask(workspace, f'spamd = "127.0.0.1:{spamd}"')
    write_spam(workspace)
    checked = potok(workspace, "templates", "check", "followup", "--json")
    assert checked.exit_code == 1
    score = next(each for each in findings(checked) if each["id"] == "spam-score")
    assert (score["level"], score["where"]) == ("error", "body.txt")
    rules = [each for each in findings(checked) if each["id"] == "spam-rule"]
    assert len(rules) > 3
    assert any("GUARANTEED_100_PERCENT: BODY: One hundred percent" in r["what"] for r in rules)


def test_spam_stops_a_campaign(workspace: Path, spamd: int) -> None:
    ask(workspace, f'spamd = "127.0.0.1:{spamd}"')
    write_spam(workspace)
    campaign = workspace / "campaigns" / "welcome.toml"
    text = campaign.read_text(encoding="utf-8").replace('"welcome"', '"followup"')
    campaign.write_text(text, encoding="utf-8")
    assert potok(workspace, "apply").exit_code == 0
    planned = potok(workspace, "campaigns", "plan", "welcome", "--json")
    assert planned.exit_code == 1
    error = next(each for each in findings(planned) if each["level"] == "error")
    assert (error["id"], error["where"]) == ("spam-score", "templates/followup/body.txt")
    started = potok(workspace, "campaigns", "start", "welcome", "--yes")
    assert started.exit_code != 0
    assert "Not started: SpamAssassin gives" in started.output


def test_a_named_daemon_that_is_silent_is_one_warning(workspace: Path) -> None:
    ask(workspace, f'spamd = "127.0.0.1:{free_port()}"')
    checked = potok(workspace, "templates", "check", "--json")
    assert checked.exit_code == 0
    about = [each for each in findings(checked) if "spam" in each["id"]]
    assert [(each["id"], each["level"], each["template"]) for each in about] == [
        ("spamd-silent", "warning", None)
    ]
    assert 'spamd = ""' in about[0]["do"]
    assert "no spamd listens at" in potok(workspace, "templates", "check").stdout


def test_nobody_is_asked_where_the_settings_say_so(workspace: Path) -> None:
    ask(workspace, 'spamd = ""')
    checked = potok(workspace, "templates", "check", "--json")
    assert [each for each in findings(checked) if "spam" in each["id"]] == []


def test_without_a_word_in_the_settings_silence_is_a_notice(workspace: Path) -> None:
    from console.known_settings import BY_PATH

    # A port where nobody is, in the place of the usual one.
    setting = BY_PATH["templates.spamd"]
    object.__setattr__(setting, "default", f"127.0.0.1:{free_port()}")
    try:
        checked = potok(workspace, "templates", "check", "--json")
    finally:
        object.__setattr__(setting, "default", "127.0.0.1:783")
    about = [each for each in findings(checked) if "spam" in each["id"]]
    assert [(each["id"], each["level"]) for each in about] == [("no-spam-score", "notice")]
    assert "apt-get install" in about[0]["do"]


def test_foreign_links_stop_a_campaign(workspace: Path) -> None:
    ask(workspace, 'spamd = ""\nlink_domains = ["acme.pl"]')
    planned = potok(workspace, "campaigns", "plan", "welcome", "--json")
    assert planned.exit_code == 1
    error = next(each for each in findings(planned) if each["level"] == "error")
    assert error["id"] == "foreign-link"
    assert error["where"].startswith("templates/welcome/body.html:")


@pytest.mark.parametrize(
    ("points", "level"),
    [(-0.1, "notice"), (1.9, "notice"), (2.0, "warning"), (4.9, "warning"), (5.0, "error")],
)
def test_the_level_goes_by_the_score(points: float, level: str) -> None:
    rules = (SpamRule("SOME_RULE", points, "words"), SpamRule("NONE", 0.0, ""))
    found = list(scored(SpamScore(points, 5.0, rules), "body.html", "zofia@firma.example"))
    assert found[0].level == level
    assert [each.id for each in found[1:]] == (["spam-rule"] if points >= 2 else [])


def test_a_mail_that_cannot_be_made_is_not_scored(workspace: Path) -> None:
    ask(workspace, f'spamd = "127.0.0.1:{free_port()}"')
    body = workspace / "templates" / "followup" / "body.txt"
    body.write_text(
        "{{ lead.attributes.nothing }} {{ sender.postal_address }} {{ links.unsubscribe }}",
        encoding="utf-8",
    )
    checked = potok(workspace, "templates", "check", "followup", "--json")
    about = [each for each in findings(checked) if "spam" in each["id"]]
    assert [(each["id"], each["level"], each["where"]) for each in about] == [
        ("no-spam-score", "notice", "body.txt")
    ]
    assert "lead.attributes.nothing" in about[0]["what"]


def test_a_start_by_schedule_asks_too_and_goes_on_without_an_answer(
    workspace: Path, spamd: int
) -> None:
    write_spam(workspace)
    campaign = workspace / "campaigns" / "welcome.toml"
    text = campaign.read_text(encoding="utf-8").replace('"welcome"', '"followup"')
    campaign.write_text(text, encoding="utf-8")
    ask(workspace, f'spamd = "127.0.0.1:{spamd}"')
    assert potok(workspace, "apply").exit_code == 0
    assert _opinions(workspace) == [("spam-score", "error")]
    settings = workspace / "potok.toml"
    settings.write_text(
        settings.read_text("utf-8").replace(f":{spamd}", f":{free_port()}"), "utf-8"
    )
    assert _opinions(workspace) == [("spamd-silent", "warning")]


def _opinions(workspace: Path) -> list[tuple[str, str]]:
    opened = open_workspace(workspace)
    try:
        told = starting(opened).opinions
        assert told is not None
        found = [(each.id, each.level) for each in told("welcome", False)]
        return [each for each in found if each[0] != "spam-rule"]
    finally:
        opened.close()
