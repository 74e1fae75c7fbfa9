"""Small files with names that say their job, and texts that know no particular machine."""

import re
from pathlib import Path

import pytest

from tests.law.tree import ROOT, name_of, sources, texts

#: Lines of one file; past it there are two jobs in it. Only migrations are excused: Alembic writes
#: them in one piece and nobody edits them afterwards.
LONGEST = 300

#: Names that say nothing and collect everything.
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "manager", "service", "services", "base"} | {
    "core",
    "common",
    "misc",
    "shared",
    "stuff",
}

#: Places of one machine and hosts that are nobody's business here.
ELSEWHERE = re.compile(
    r"(?<![\w.>}])/(?:work|root|opt)/\w|" + "|".join(["py" + r"pi\.org", "python" + "hosted"])
)


WRITTEN_BY_HAND = [path for path in sources() if path.parent.name != "versions"]


@pytest.mark.parametrize("path", WRITTEN_BY_HAND, ids=name_of)
def test_a_file_has_one_job(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= LONGEST, f"{name_of(path)} has {lines} lines"


def test_a_file_is_named_after_its_job() -> None:
    wrong = [
        name_of(path)
        for path in texts()
        if any(part.partition(".")[0] in EMPTY_NAMES for part in path.relative_to(ROOT).parts)
    ]
    assert not wrong


def test_no_text_names_a_place_of_one_machine() -> None:
    wrong = [
        f"{name_of(path)}:{number}: {line.strip()[:80]}"
        for path in texts()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if ELSEWHERE.search(line)
    ]
    assert not wrong
