"""A room is entered by its door. (That arrows point down is import-linter's to say: make check.)"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.law.tree import ROOMS, name_of, nodes, sources


def imported(path: Path) -> Iterator[tuple[int, str]]:
    for node in nodes(path):
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.lineno, node.module
        elif isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)


@pytest.mark.parametrize("room", ROOMS)
def test_other_rooms_are_imported_by_name_and_not_by_file(room: str) -> None:
    wrong = [
        f"{name_of(path)}:{line} imports {module}"
        for path in sources(room)
        for line, module in imported(path)
        if (other := module.partition(".")[0]) in ROOMS and other != room and module != other
    ]
    assert not wrong, f"import it from the room and name it in __all__: {wrong}"


@pytest.mark.parametrize("path", sources(), ids=name_of)
def test_imports_say_where_from(path: Path) -> None:
    relative = [
        node.lineno for node in nodes(path) if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert not relative, f"{name_of(path)} has relative imports on lines {relative}"
