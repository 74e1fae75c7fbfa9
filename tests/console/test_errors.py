"""Whatever goes wrong: one sentence, what to do, the right exit code, no traceback."""

import errno
import sqlite3

import pytest
from sqlalchemy.exc import OperationalError

from campaigns import AlreadyRan
from console.errors import DATABASE_WORDS, KeysMissing, explain
from deliverability import ConnectError
from leads import LeadError
from segments import SegmentError
from templates import SourceError


@pytest.mark.parametrize(
    "error",
    [
        AlreadyRan("It ran"),
        KeysMissing("Gone"),
        LeadError("No lead"),
        SegmentError("No rule"),
        SourceError("body.html:3", "broken"),
    ],
)
def test_an_error_of_a_room_is_its_own_sentence(error: Exception) -> None:
    assert explain(error) == (str(error), 1)


def test_every_room_has_its_root_in_the_table() -> None:
    for cls in (AlreadyRan, LeadError, SegmentError, SourceError, ConnectError):
        known = {f"{each.__module__}.{each.__qualname__}" for each in cls.__mro__}
        from console.errors import ROOTS

        assert known & set(ROOTS), cls


@pytest.mark.parametrize("words", [words for words, _ in DATABASE_WORDS])
def test_what_a_database_says_becomes_what_to_do(words: str) -> None:
    error = OperationalError("SELECT secret", {}, sqlite3.OperationalError(words))
    sentence, code = explain(error)
    assert sentence == dict(DATABASE_WORDS)[words]
    assert code == 1


def test_an_unknown_database_error_shows_no_statement() -> None:
    error = OperationalError("SELECT secret", {"a": "b"}, sqlite3.OperationalError("odd"))
    assert explain(error)[0] == "The database says: odd. Nothing of this step was written"


@pytest.mark.parametrize(
    ("error", "part"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "out.csv"), "disk is full: out.csv"),
        (FileNotFoundError(errno.ENOENT, "x", "leads.csv"), "There is no file leads.csv"),
        (PermissionError(errno.EACCES, "x", "leads.csv"), "No permission for leads.csv"),
        (IsADirectoryError(errno.EISDIR, "x", "leads"), "is a folder"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"), "UTF-8"),
    ],
)
def test_files_and_disks(error: Exception, part: str) -> None:
    assert part in explain(error)[0]


def test_a_fault_of_ours_says_so_and_how_to_see_more() -> None:
    sentence, code = explain(KeyError("x\nmore"))
    assert "KeyError" in sentence and "--debug" in sentence
    assert "\n" not in sentence
    assert code == 1
