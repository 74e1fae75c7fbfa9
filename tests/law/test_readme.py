"""What the README and the docs name exists."""

import re

import click
import pytest

from console.cli import main
from tests.law.tree import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: object) -> None:
    text = page.read_text(encoding="utf-8")  # type: ignore[attr-defined]
    links = re.findall(r"\]\(([^)#\s]+)", text)
    broken = [
        link
        for link in links
        if "://" not in link and not (page.parent / link).exists()  # type: ignore[attr-defined]
    ]
    assert not broken


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_in_code_exist(page: object) -> None:
    text = page.read_text(encoding="utf-8")  # type: ignore[attr-defined]
    blocks = re.findall(r"(?ms)^```[a-z]*\n(.*?)^```", text)
    lines = [line for block in blocks for line in block.splitlines()]
    unknown = []
    for line in lines:
        # `potok --workspace DIR` and the like name no command.
        words = re.match(r"(?:\$ )?potok ([a-z][\w-]*)(?: ([a-z][\w-]*))?", line)
        if words and not exists(words[1], words[2]):
            unknown.append(line)
    assert not unknown


def exists(first: str, second: str | None) -> bool:
    context = click.Context(main)
    command = main.get_command(context, first) if isinstance(main, click.Group) else None
    if isinstance(command, click.Group):
        return second is not None and command.get_command(context, second) is not None
    return command is not None


def test_the_two_commands_of_the_readme_are_made() -> None:
    made = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(r"(?m)^demo:", made) and re.search(r"(?m)^test:", made)
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "make demo" in text and "make test" in text
