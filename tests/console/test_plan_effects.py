"""`potok plan` and `apply`: who enters and leaves a segment, why it changed, what uses it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from tests.console.conftest import edit

Run = Callable[..., Result]
Document = Callable[..., Any]


@pytest.fixture
def peopled(home: Path, potok: Run) -> Path:
    """Thirty leads: ten each in PL, DE and nowhere; the first of each opted out."""
    rows = [
        f"lead{number}@example.com,{country}"
        for number, country in enumerate(["PL"] * 10 + ["DE"] * 10 + [""] * 10)
    ]
    (home / "leads.csv").write_text("email,country\n" + "\n".join(rows), encoding="utf-8")
    assert potok("leads", "import", home / "leads.csv").exit_code == 0
    assert potok("leads", "suppress", "lead10@example.com").exit_code == 0
    (home / "segments" / "poles.toml").write_text("rule = 'country = PL'\n")
    (home / "segments" / "poles-new.toml").write_text("rule = 'in segment poles and stage = new'\n")
    (home / "sequences").mkdir(exist_ok=True)
    (home / "sequences" / "greeting.toml").write_text(
        'identity = "you"\nsegment = "poles-new"\n[trigger]\nstage = "demo"\n'
        '[[step]]\nname = "hello"\nsend = "welcome"\n'
    )
    edit(home / "campaigns" / "welcome.toml", 'segment = "new-leads"', 'segment = "poles"')
    done = potok("apply")
    assert done.exit_code == 0, done.stderr
    return home


def test_an_edited_rule_shows_who_enters_and_who_leaves(
    peopled: Path, potok: Run, document: Document
) -> None:
    edit(peopled / "segments" / "poles.toml", "PL", "DE")
    changes = {change["name"]: change for change in document("plan")["changes"]}
    poles = changes["poles"]
    assert poles["matching"] == {"before": 10, "after": 10}
    assert (poles["entering"]["count"], poles["leaving"]["count"]) == (10, 10)
    first = poles["entering"]["examples"][0]
    assert (first["email"], first["left_out"]) == ("lead10@example.com", "suppressed")
    assert [each["email"] for each in poles["leaving"]["examples"]] == [
        f"lead{number}@example.com" for number in range(10)
    ]
    shown = potok("plan").stdout
    assert "10 leads before, 10 after: 10 enter, 10 leave" in shown
    assert "lead10@example.com  (left out: on the suppression list)" in shown
    assert "10 enter, 10 leave" in potok("apply").stdout
    assert document("plan")["changes"] == []


def test_ten_of_many_are_shown(peopled: Path, document: Document, potok: Run) -> None:
    edit(peopled / "segments" / "poles.toml", "country = PL", "everyone")
    (change,) = (c for c in document("plan")["changes"] if c["name"] == "poles")
    assert (change["entering"]["count"], len(change["entering"]["examples"])) == (20, 10)
    assert change["leaving"] == {"count": 0, "examples": []}
    assert "10 leads before, 30 after: 20 enter, nobody leaves" in potok("plan").stdout


def test_a_segment_and_a_sequence_say_which_segment_changed_them(
    peopled: Path, potok: Run, document: Document
) -> None:
    edit(peopled / "segments" / "poles.toml", "PL", "DE")
    changes = {(c["kind"], c["name"]): c for c in document("plan")["changes"]}
    assert changes["segment", "poles-new"]["because"] == ["segment poles"]
    assert changes["segment", "poles-new"]["entering"]["count"] == 10
    assert changes["sequence", "greeting"]["because"] == ["segment poles-new"]
    assert changes["segment", "poles"]["because"] == []
    assert "it changes because segment poles changed" in potok("plan").stdout


def test_stages_that_settings_changed_are_named(peopled: Path, document: Document) -> None:
    edit(
        peopled / "potok.toml",
        "[pipeline.sales]",
        '[pipeline.partners]\nstages = ["new"]\n\n[pipeline.sales]',
    )
    changes = {c["name"]: c for c in document("plan")["changes"] if c["kind"] == "segment"}
    assert changes["new-leads"]["because"] == ["the stages in potok.toml"]


def test_what_uses_the_segment_is_named_and_an_open_run_keeps_its_rule(
    peopled: Path, potok: Run, document: Document
) -> None:
    started = potok("campaigns", "start", "welcome", "--yes")
    assert started.exit_code == 0, started.stderr
    edit(peopled / "segments" / "poles.toml", "PL", "DE")
    changes = {(c["kind"], c["name"]): c for c in document("plan")["changes"]}
    used = [
        (use["kind"], use["name"], use.get("through", ""))
        for use in changes["segment", "poles"]["used_by"]
    ]
    assert used == [
        ("run", "welcome", ""),
        ("segment", "poles-new", ""),
        ("campaign", "welcome", ""),
        ("sequence", "greeting", "poles-new"),
    ]
    shown = potok("plan").stdout
    assert "campaign welcome is running since" in shown
    assert "by the rule it started with" in shown
    potok("campaigns", "cancel", "welcome", "--yes")
    changes = {(c["kind"], c["name"]): c for c in document("plan")["changes"]}
    assert "run" not in {use["kind"] for use in changes["segment", "poles"]["used_by"]}


def test_a_removed_and_a_new_segment_hold_their_leads(
    peopled: Path, potok: Run, document: Document
) -> None:
    (peopled / "segments" / "germans.toml").write_text("rule = 'country = DE'\n")
    (peopled / "segments" / "polish-speakers.toml").unlink()
    changes = {c["name"]: c for c in document("plan")["changes"]}
    assert changes["germans"]["matching"] == {"before": None, "after": 10}
    assert changes["polish-speakers"]["matching"] == {"before": 10, "after": None}
    shown = potok("plan").stdout
    assert "holds 10 leads" in shown
    assert "held 10 leads" in shown
