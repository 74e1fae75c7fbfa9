"""Every room opens with its card, and the card is true."""

import ast
import re

import pytest

from tests.law.tree import ROOMS, ROOT, nodes, tree_of

HEADINGS = ("Does", "Owns", "Never", "Standards", "Read")


def card(room: str) -> dict[str, str]:
    """Heading -> text, over several lines when it goes on indented."""
    text = ast.get_docstring(tree_of(ROOT / room / "__init__.py")) or ""
    found: dict[str, str] = {}
    heading = ""
    for line in text.splitlines():
        start = re.match(r"([A-Z][a-z]+) {2,}(.+)", line)
        if start:
            heading = start[1]
            found[heading] = start[2]
        elif line.startswith("  ") and heading:
            found[heading] += " " + line.strip()
        else:
            heading = ""
    return found


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_has_a_card_with_five_headings(room: str) -> None:
    assert tuple(card(room)) == HEADINGS


@pytest.mark.parametrize("room", ROOMS)
def test_the_card_names_every_file_of_the_room_and_no_other(room: str) -> None:
    named = set(re.findall(r"[\w/]+\.\w+|\w+/", card(room)["Read"]))
    missing = [name for name in named if not (ROOT / room / name).exists()]
    assert not missing, f"named but not there: {missing}"
    there = {path.name for path in (ROOT / room).glob("*.py") if path.name != "__init__.py"}
    assert not there - named, f"there but not named: {sorted(there - named)}"


@pytest.mark.parametrize("room", ROOMS)
def test_the_card_names_the_tables_the_room_owns(room: str) -> None:
    tables = set()
    for path in (ROOT / room).glob("*tables.py"):
        for node in nodes(path):
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
                names = [target.id for target in node.targets if isinstance(target, ast.Name)]
                if "__tablename__" in names:
                    tables.add(node.value.value)
    owns = card(room)["Owns"]
    if not tables:
        assert owns.startswith("no table")
    else:
        assert set(re.findall(r"\w+", owns)) == tables
