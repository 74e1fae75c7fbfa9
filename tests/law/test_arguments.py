"""Time, chance, settings, engines and commits are arguments: each has its few named files."""

import ast
import re
from pathlib import Path

import pytest

from tests.law.tree import dotted, name_of, nodes, sources

#: What is forbidden, as a pattern of the dotted name, and the files that may.
LAWS = {
    "the clock": (
        r"(datetime\.)?datetime\.(now|utcnow|today)|(datetime\.)?date\.today|time\.time(_ns)?",
        {
            "console/wiring.py",
            "console/demo/receiver.py",  # a program of its own, beside the product
        },
    ),
    "chance": (
        # A generator that is handed its seed is arithmetic, not chance.
        r"random\.(?!Random$)\w+|secrets\.(token_\w+|rand\w+|choice|SystemRandom)|"
        r"uuid\.uuid[14]|os\.urandom",
        {
            "console/wiring.py",
            "console/keys.py",
            "console/sending.py",  # the wiring of the worker
        },
    ),
    "the environment": (
        r"os\.(environ|getenv)(\.\w+)?",
        {"console/settings.py", "console/wiring.py"},
    ),
    "the engine": (
        r"(sqlalchemy\.|sqlmodel\.)?create_engine",
        {"console/database.py"},
    ),
    "the commit": (
        r"[\w.]+\.(commit|rollback)",
        {
            "console/database.py",
            "console/sending.py",  # ends the statement that took the database's sender lock
        },
    ),
}


def uses(path: Path, pattern: str) -> list[str]:
    found = []
    for node in nodes(path):
        name = dotted(node) if isinstance(node, ast.Attribute | ast.Name) else ""
        if name and re.fullmatch(pattern, name):
            found.append(f"{name_of(path)}:{node.lineno} {name}")
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            found += [
                f"{name_of(path)}:{node.lineno} from {node.module} import {alias.name}"
                for alias in node.names
                if re.fullmatch(pattern, f"{node.module}.{alias.name}")
            ]
    return found


@pytest.mark.parametrize("law", LAWS)
def test_it_is_an_argument_outside_its_named_files(law: str) -> None:
    pattern, allowed = LAWS[law]
    wrong = [
        use for path in sources() if name_of(path) not in allowed for use in uses(path, pattern)
    ]
    assert not wrong, f"{law} is chosen in {sorted(allowed)} only: {wrong}"


def test_no_room_below_the_console_reads_a_clock_even_for_durations() -> None:
    """`time.monotonic` too: a virtual clock must be able to drive everything."""
    below = sources("leads", "segments", "templates", "campaigns")
    wrong = [use for path in below for use in uses(path, r"time\.(monotonic|perf_counter)(_ns)?")]
    assert not wrong
