"""The doctor: finds what is wrong, changes nothing, ends with 1 only for what is broken."""

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from console.doctor import ROOMS, dial
from tests.console.conftest import edit

Run = Callable[..., Result]
Document = Callable[..., Any]


def levels(document: Any) -> dict[str, str]:
    order = ["ok", "warning", "error"]
    found: dict[str, str] = {}
    for check in document["checks"]:
        before = found.get(check["id"], "ok")
        found[check["id"]] = max(before, check["level"], key=order.index)
    return found


def test_a_new_workspace_is_well_but_for_what_must_be_filled_in(
    home: Path, document: Document, potok: Run
) -> None:
    found = document("doctor")
    assert found["ok"]
    assert {id for id, level in levels(found).items() if level != "ok"} == {"identity you"}
    assert potok("doctor").exit_code == 0
    assert all(check["do"] for check in found["checks"] if check["level"] == "warning")


def test_it_works_without_a_workspace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, document: Document
) -> None:
    monkeypatch.chdir(tmp_path)
    assert levels(document("doctor"))["workspace"] == "warning"


def test_unapplied_edits_are_a_warning_and_mistakes_an_error(
    home: Path, document: Document
) -> None:
    edit(home / "segments" / "everyone.toml", "everyone", "score > 1")
    assert levels(document("doctor"))["files"] == "warning"
    edit(home / "segments" / "everyone.toml", "score > 1", "scor > 1")
    assert levels(document("doctor"))["files"] == "error"


def test_keys_that_others_may_read_are_an_error(home: Path, document: Document, potok: Run) -> None:
    (home / "potok.keys").chmod(0o644)
    found = document("doctor")
    assert levels(found)["keys"] == "error"
    assert potok("doctor").exit_code == 1
    (check,) = (c for c in found["checks"] if c["id"] == "keys")
    assert check["do"].startswith("chmod 600")


def test_a_wrong_settings_file_is_named_with_its_line(home: Path, document: Document) -> None:
    edit(home / "potok.toml", "when_in_doubt", "when_in_dout")
    found = document("doctor")
    (check,) = (c for c in found["checks"] if c["id"] == "settings")
    assert check["level"] == "error"
    assert "did you mean 'when_in_doubt'?" in check["what"]


def test_a_damaged_database_is_an_error(home: Path, document: Document) -> None:
    database = home / "potok.db"
    whole = bytearray(database.read_bytes())
    whole[4096 * 5 : 4096 * 30] = b"\xff" * (4096 * 25)
    database.write_bytes(whole)
    found = levels(document("doctor"))
    assert "error" in (found.get("integrity"), found.get("database"), found.get("files"))


def _through(home: Path, host: str, port: int, more: str = "") -> None:
    edit(
        home / "potok.toml",
        '[identity.you.outbox]\nfolder = "outbox"',
        f'[identity.you.smtp]\nhost = "{host}"\nport = {port}\ntls = "none"\n{more}',
    )


def test_a_server_that_listens_is_reached_and_one_that_does_not_is_an_error(
    home: Path, document: Document
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        _through(home, "127.0.0.1", port)
        assert any("answers" in check["what"] for check in document("doctor")["checks"])
    found = document("doctor")
    assert levels(found)["identity you"] == "error"
    assert any("nothing listens there" in check["what"] for check in found["checks"])
    assert levels(document("doctor", "--offline"))["identity you"] == "warning"


def test_a_password_that_is_not_there_is_named(home: Path, document: Document) -> None:
    _through(home, "127.0.0.1", 2525, 'user = "x"\npassword_env = "NOT_SET_ANYWHERE"')
    found = document("doctor", "--offline")
    assert any("NOT_SET_ANYWHERE" in check["what"] for check in found["checks"])


def test_another_package_with_our_name_is_an_error(
    monkeypatch: pytest.MonkeyPatch, home: Path, document: Document
) -> None:
    owners = {room: ["potok"] for room in ROOMS} | {"templates": ["potok", "django-templates"]}
    monkeypatch.setattr("console.doctor.packages_distributions", lambda: owners)
    found = document("doctor")
    (check,) = (c for c in found["checks"] if c["id"] == "import names")
    assert "templates (django-templates)" in check["what"]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (socket.gaierror(), "no server of this name"),
        (TimeoutError(), "no answer within"),
        (ConnectionRefusedError(), "nothing listens"),
        (OSError(113, "No route to host"), "No route to host"),
    ],
)
def test_why_a_server_is_not_reached(error: Exception, words: str) -> None:
    def fail(*_: object, **__: object) -> socket.socket:
        raise error

    assert words in dial("mail.acme.pl", 25, connect=fail)
