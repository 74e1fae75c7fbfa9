"""A workspace as `potok init --yes` makes it, and the command as people type it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from console.cli import main


@pytest.fixture
def home(fresh_workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh workspace; the test stands in it."""
    monkeypatch.chdir(fresh_workspace)
    return fresh_workspace


@pytest.fixture
def potok() -> Callable[..., Result]:
    """`potok("plan", "--json")`: exit code, stdout and stderr apart."""

    def run(*arguments: str | Path, input: str | None = None) -> Result:
        return CliRunner().invoke(main, [str(each) for each in arguments], input=input)

    return run


@pytest.fixture
def document(potok: Callable[..., Result]) -> Callable[..., Any]:
    """The JSON a command prints."""

    def run(*arguments: str | Path) -> Any:
        return json.loads(potok(*arguments, "--json").stdout)

    return run


def edit(path: Path, old: str, new: str) -> None:
    """Replaces a text that must be there."""
    text = path.read_text("utf-8")
    assert old in text, f"{path.name} does not hold {old!r}"
    path.write_text(text.replace(old, new), "utf-8")
