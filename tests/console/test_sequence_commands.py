"""Sequences as people type them: a file, plan, apply, a lead's stage, a run, what came of it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from tests.console.conftest import edit

Run = Callable[..., Result]
Document = Callable[..., Any]

FILE = """\
description = "After the demo"
identity = "you"
segment = "everyone"
[trigger]
stage = "demo"
[exit]
stages = ["won", "lost"]
[[step]]
name = "hello"
send = "welcome"
[[step]]
name = "pause"
wait = "1 second"
[[step]]
name = "more"
send = "followup"
"""


@pytest.fixture
def file(home: Path, potok: Run) -> Path:
    """A workspace with two leads in stage new and a sequence that is not applied yet."""
    (home / "leads.csv").write_text("email,first_name\nkasia@example.pl,Kasia\njan@a.pl,Jan\n")
    assert potok("leads", "import", "leads.csv").exit_code == 0
    path = home / "sequences" / "after-demo.toml"
    path.parent.mkdir()
    path.write_text(FILE, "utf-8")
    return path


def test_from_the_file_to_the_mails(home: Path, file: Path, potok: Run, document: Document) -> None:
    changes = document("plan")["changes"]
    assert [(c["kind"], c["name"], c["change"]) for c in changes] == [
        ("sequence", "after-demo", "added")
    ]
    assert potok("apply").exit_code == 0
    assert document("plan")["changes"] == []
    assert potok("leads", "stage", "kasia@example.pl", "demo").exit_code == 0
    ran = potok("run", "--until-idle", "--wait", "10", "--no-pace")
    assert ran.exit_code == 0, ran.output
    assert len(list((home / "outbox").glob("kasia*.eml"))) == 2
    (way,) = document("sequences", "show", "kasia@example.pl")["enrolments"]
    assert (way["state"], way["pass"], way["message"]) == ("done", 1, "accepted")
    found = document("sequences", "status", "after-demo")
    assert (found["enrolled"], found["done"], found["active"]) == (1, 1, {})
    assert document("campaigns", "verify", "after-demo")["ok"]
    assert document("campaigns", "status", "after-demo")["accepted"] == 2
    kinds = [event["kind"] for event in document("leads", "show", "kasia@example.pl")["timeline"]]
    assert kinds[-4:] == ["enrolled", "sent", "sent", "sequence_done"]
    for shown in (("list",), ("status", "after-demo"), ("show", "kasia@example.pl")):
        assert "after-demo" in potok("sequences", *shown).stdout


def test_a_segment_starts_it(home: Path, file: Path, potok: Run, document: Document) -> None:
    hot = home / "segments" / "hot.toml"
    hot.write_text("rule = 'prefers.topic = \"pricing\"'\n", "utf-8")
    edit(file, 'segment = "everyone"\n', "")
    edit(file, 'stage = "demo"', 'segment = "hto"')
    said = potok("plan")
    assert said.exit_code == 1
    assert 'after-demo.toml:4: there is no segment "hto"; did you mean "hot"?' in said.stderr
    edit(file, "hto", "hot")
    assert potok("apply").exit_code == 0
    assert potok("leads", "prefer", "jan@a.pl", "topic=pricing").exit_code == 0
    ran = potok("run", "--until-idle", "--wait", "10", "--no-pace")
    assert ran.exit_code == 0, ran.output
    found = document("sequences", "status", "after-demo")
    assert (found["enrolled"], found["done"]) == (1, 1)
    (listed,) = document("sequences", "list")["sequences"]
    assert (listed["segment"], listed["stage"]) == ("hot", None)
    assert "in hot" in potok("sequences", "list").stdout
    # The rule that was applied is the rule, until the sequence is applied anew with another.
    hot.write_text('rule = "everyone"\n', "utf-8")
    changed = {(each["kind"], each["name"]) for each in document("plan")["changes"]}
    assert changed == {("segment", "hot"), ("sequence", "after-demo")}


def test_a_run_says_how_many_are_on_the_way_and_until_when(
    file: Path, potok: Run, document: Document
) -> None:
    edit(file, "1 second", "3 days")
    potok("apply")
    potok("leads", "stage", "jan@a.pl", "demo")
    ran = potok("run", "--until-idle", "--no-pace")
    assert "1 lead is on the way through a sequence" in ran.stdout
    left = potok("sequences", "exit", "after-demo", "jan@a.pl", "--why", "called him")
    assert left.exit_code == 0
    assert potok("sequences", "exit", "after-demo", "jan@a.pl", "--why", "again").exit_code == 1
    (way,) = document("sequences", "show", "jan@a.pl")["enrolments"]
    assert (way["state"], way["reason"]) == ("exited", "called him")


#: what is wrong in the file -> where and what the answer says
MISTAKES = {
    ('stage = "demo"', 'stage = "dmo"'): ("after-demo.toml:4:", 'mean "demo"'),
    ('send = "followup"', 'send = "folowup"'): ("after-demo.toml:16:", '"followup"'),
    ('segment = "everyone"', 'segment = "evryone"'): ("after-demo.toml:3:", '"everyone"'),
    ('identity = "you"', 'identity = "yu"'): ("after-demo.toml:2:", '"you"'),
    ('wait = "1 second"', 'wait = "soon"'): ("after-demo.toml:11:", '"3 days"'),
    ("[exit]", "[exits]"): ("after-demo.toml:6:", "'exit'"),
}


@pytest.mark.parametrize("change", MISTAKES, ids=lambda change: change[1])
def test_a_mistake_is_named_with_file_and_line(
    file: Path, potok: Run, change: tuple[str, str]
) -> None:
    edit(file, *change)
    said = potok("plan")
    assert said.exit_code == 1
    for words in MISTAKES[change]:
        assert words in said.stderr


def test_a_sequence_and_a_campaign_cannot_share_a_name(file: Path, potok: Run) -> None:
    file.rename(file.with_name("welcome.toml"))
    assert "there is a campaign welcome too" in potok("plan").stderr


def test_an_unknown_sequence_is_answered_with_those_there_are(file: Path, potok: Run) -> None:
    assert "write sequences/x.toml" in potok("sequences", "status", "x").stderr
    potok("apply")
    assert "there is: after-demo" in potok("sequences", "status", "x").stderr
