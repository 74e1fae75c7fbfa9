"""What the laws look at: the rooms, their files, their syntax trees."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

ROOMS = ("leads", "segments", "templates", "deliverability", "campaigns", "console")


def sources(*folders: str) -> list[Path]:
    """The Python files of these folders, the rooms' by default."""
    return sorted(
        path
        for folder in folders or ROOMS
        for path in (ROOT / folder).rglob("*.py")
        if "__pycache__" not in path.parts
    )


def name_of(path: Path) -> str:
    """The path as people write it: `leads/tables.py`."""
    return path.relative_to(ROOT).as_posix()


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def nodes(path: Path) -> Iterator[ast.AST]:
    return ast.walk(tree_of(path))


def dotted(node: ast.AST) -> str:
    """`a.b.c` for nested attributes of a name, else the empty string."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before = dotted(node.value)
        return f"{before}.{node.attr}" if before else ""
    return ""


def texts() -> list[Path]:
    """Every text file that people may read, generated folders left out."""
    skipped = {"__pycache__", "build", "dist"}
    kinds = {".py", ".toml", ".md", ".txt", ".html", ".css", ".csv", ".lark", ".mako", ".yml", ""}
    return sorted(
        path
        for path in ROOT.rglob("*")
        if path.is_file()
        and path.suffix in kinds
        and not any(
            part in skipped
            or part.endswith(".egg-info")
            or (part.startswith(".") and part not in {".ci", ".gitignore"})
            for part in path.relative_to(ROOT).parts
        )
    )
