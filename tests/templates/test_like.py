"""A template that is like another: what it takes, what takes its place, what is refused."""

from pathlib import Path

import pytest

from console.template_folders import folder_files
from templates import Compiled, SourceError, compile_template, files_like

THEIRS = {
    "message.toml": b'subject = "Welcome, {{ lead.first_name }}"\ntopic = "news"\n'
    b'description = "The first"\n[defaults]\nfirst_name = "there"\n',
    "body.html": b'<p>Hi {{ lead.first_name }} <img src="logo.png" alt="us"></p>',
    "body.pl.html": b"<p>Dzien dobry</p>",
    "logo.png": b"\x89PNG\r\n\x1a\n",
}


def made(message: str, **bodies: bytes) -> Compiled:
    own = {"message.toml": message.encode(), **{k.replace("_", "."): v for k, v in bodies.items()}}
    return compile_template("short", files_like(own, "welcome", THEIRS))


def test_what_it_does_not_say_is_as_in_the_other() -> None:
    found = made('like = "welcome"\nsubject = "Short, {{ lead.first_name }}"\n')
    whole = compile_template("welcome", THEIRS)
    assert found.topic == "news"
    assert found.description == ""
    assert set(found.texts) == {"", "pl"}
    assert found.texts[""].subject != whole.texts[""].subject
    assert found.texts[""].html == whole.texts[""].html
    assert set(found.images) == set(whole.images)
    # Closed: what was taken is in its own files, so nothing else is read when it is shown again.
    assert Compiled.from_body("short", found.body()) == found


def test_a_body_of_its_own_takes_the_place_of_all_bodies() -> None:
    found = made('like = "welcome"\n', body_txt=b"Hello {{ lead.first_name }}")
    assert set(found.texts) == {""}
    assert found.texts[""].html is None


def test_a_key_takes_the_place_of_the_whole_key() -> None:
    found = made('like = "welcome"\n[defaults]\ncompany = "you"\n')
    assert "company" in str(found.body()) and '"there"' not in str(found.texts)


@pytest.mark.parametrize(
    ("message", "theirs", "told"),
    [
        ('like = "other"\n', THEIRS, 'message.toml:1: there is no template "other" to be like'),
        ('subject = "x"\nlike = ""\n', THEIRS, "message.toml:2: like is empty"),
        ("like = 5\n", THEIRS, "message.toml:1: like must be a text"),
        (
            'like = "welcome"\n',
            THEIRS | {"message.toml": b'like = "first"'},
            '"welcome" is like another template itself; write like = "first"',
        ),
        (
            'like = "welcome"\n',
            THEIRS | {"message.toml": b"subject = "},
            '"welcome" cannot be read',
        ),
    ],
)
def test_what_cannot_be_is_said(message: str, theirs: dict[str, bytes], told: str) -> None:
    with pytest.raises(SourceError) as error:
        compile_template("short", files_like({"message.toml": message.encode()}, "welcome", theirs))
    assert told in str(error.value)


@pytest.mark.parametrize("name", ["../welcome", "/etc", ".", "..", "welcome/../welcome", "_x"])
def test_a_path_is_no_name(tmp_path: Path, name: str) -> None:
    for folder in ("welcome", "short", "_x"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "message.toml").write_text(f'like = "{name}"')
    assert set(folder_files(tmp_path / "short")) == {"message.toml"}
