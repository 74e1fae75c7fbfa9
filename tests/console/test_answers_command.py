"""`potok answers` and `potok web`, as typed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from click.testing import Result

from tests.deliverability.mails import reply, report

Potok = Callable[..., Result]


def with_mailbox(home: Path) -> Path:
    settings = home / "potok.toml"
    table = '\n[identity.you.mailbox]\nmaildir = "inbox"\n'
    settings.write_text(settings.read_text("utf-8") + table, "utf-8")
    for part in ("tmp", "new", "cur"):
        (home / "inbox" / part).mkdir(parents=True)
    return home / "inbox"


def test_what_came_back_is_read_listed_and_shown(
    home: Path, potok: Potok, document: Callable[..., Any]
) -> None:
    said = potok("answers", "poll")
    assert said.exit_code == 1
    assert "maildir" in said.stderr
    assert potok("answers", "list").stdout == "Nothing has come back yet.\n"

    box = with_mailbox(home)
    (box / "new" / "1.a").write_bytes(reply("Hello there", to=""))
    (box / "new" / "2.b").write_bytes(report())
    assert document("answers", "poll") == {
        "mailboxes": {"you": {"new": 2, "events": {}, "unmatched": 2, "unreadable": []}}
    }
    assert potok("answers", "poll").stdout == "you: 0 new\n"
    listed = document("answers", "list")["answers"]
    assert sorted(one["kind"] for one in listed) == ["bounce", "human"]
    bounce = next(one for one in listed if one["kind"] == "bounce")
    shown = document("answers", "show", str(bounce["id"]))
    assert shown["failures"][0]["addresses"] == ["l1@d1.example"]
    assert shown["failures"][0]["hard"] is True
    assert "failed for good" in potok("answers", "show", str(bounce["id"])).stdout
    assert potok("answers", "show", str(bounce["id"]), "--raw").stdout_bytes == report()
    assert potok("answers", "show", "99").exit_code == 1
    assert [one["kind"] for one in document("answers", "list", "--kind", "human")["answers"]] == [
        "human"
    ]


def test_a_mailbox_that_is_not_there_is_a_sentence(home: Path, potok: Potok) -> None:
    with_mailbox(home).rename(home / "moved")
    said = potok("answers", "poll")
    assert said.exit_code == 1
    assert "does not exist" in said.stderr


def test_the_page_is_off_without_an_address(home: Path, potok: Potok) -> None:
    said = potok("web", "serve")
    assert said.exit_code == 1
    assert "base_url" in said.stderr


def test_a_listen_address_that_is_none_is_a_sentence(home: Path, potok: Potok) -> None:
    settings = home / "potok.toml"
    table = '\n[web]\nbase_url = "https://mail.example.com"\nlisten = "8025"\n'
    settings.write_text(settings.read_text("utf-8") + table, "utf-8")
    said = potok("answers", "list")
    assert said.exit_code == 1
    assert "127.0.0.1:8025" in said.stderr
