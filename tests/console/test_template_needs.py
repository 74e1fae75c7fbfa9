"""What a template needs beside its texts: segments, pictures, files; every command sees them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from tests.console.conftest import edit

Run = Callable[..., Result]
Document = Callable[..., Any]
FOOT = "<p>{{ sender.postal_address }} <a href='{{ links.unsubscribe }}'>Stop</a></p>"
HOT = '<p>Dear {{ lead.email }}.</p>{% if lead in segment("hot") %}<p>Hot.</p>{% endif %}'
PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)


@pytest.fixture
def offer(home: Path, potok: Run) -> Path:
    """A template that asks about a segment and carries a picture and a file; two leads."""
    (home / "segments" / "hot.toml").write_text('rule = "stage = demo"\n')
    folder = home / "templates" / "offer"
    folder.mkdir()
    (folder / "message.toml").write_text(
        'subject = "Offer"\npreheader = "x"\n[[attachment]]\nfile = "a.pdf"\n'
    )
    (folder / "body.html").write_text(f'{HOT}<img src="logo.png" alt="Logo">{FOOT}')
    (folder / "logo.png").write_bytes(PNG)
    (folder / "a.pdf").write_bytes(b"%PDF")
    (home / "leads.csv").write_text("email,stage\nola@example.com,demo\njan@example.com,new\n")
    assert potok("leads", "import", home / "leads.csv").exit_code == 0
    return folder


def test_render_knows_who_is_in_the_segment_as_its_file_says(
    offer: Path, home: Path, document: Document
) -> None:
    def text(email: str) -> str:
        return str(document("templates", "render", "offer", "--lead", email)["text"])

    assert ["Hot." in text(f"{name}@example.com") for name in ("ola", "jan")] == [True, False]
    edit(home / "segments" / "hot.toml", "demo", "new")
    assert ["Hot." in text(f"{name}@example.com") for name in ("ola", "jan")] == [False, True]
    found = document("templates", "render", "offer", "--lead", "ola@example.com")
    assert found["attachments"] == ["a.pdf"]


def test_a_segment_that_changes_changes_the_template(
    offer: Path, home: Path, document: Document
) -> None:
    document("apply")
    assert document("plan")["changes"] == []
    edit(home / "segments" / "hot.toml", "demo", "new")
    changed = {(each["kind"], each["name"]): each for each in document("plan")["changes"]}
    assert set(changed) == {("segment", "hot"), ("template", "offer")}
    assert any("stage = new" in line for line in changed["template", "offer"]["diff"])


@pytest.mark.parametrize("name", ["logo.png", "a.pdf"])
def test_a_picture_or_file_that_changes_changes_the_template(
    offer: Path, document: Document, name: str
) -> None:
    document("apply")
    (offer / name).write_bytes(PNG + b"another")
    assert [each["name"] for each in document("plan")["changes"]] == ["offer"]


def test_a_segment_nobody_knows_stops_check_and_apply(offer: Path, potok: Run) -> None:
    edit(offer / "body.html", "hot", "hott")
    for command in (("templates", "check", "offer"), ("apply",)):
        done = potok(*command)
        assert done.exit_code == 1
        said = done.stdout + done.stderr
        assert 'there is no segment "hott"; did you mean "hot"?' in said
        assert "templates/offer/body.html:1" in said
