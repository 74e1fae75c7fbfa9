"""`docs/commands.md` out of every command's help: run as `python -m console.commands_page`."""

from collections.abc import Iterator
from pathlib import Path

import click

from console.cli import main

_HEAD = """\
# Commands

Every command as its own `--help` says it. `--json` prints one JSON document on standard output;
talk and progress go to standard error. Exit codes: 0 done, 1 refused or failed with a reason, 2
wrong usage, 3 done but something needs a decision (messages in doubt, rows rejected).
"""

#: Columns of a help text, whatever terminal this runs on.
_WIDTH = 90


def page() -> str:
    """The page as it should be."""
    return _HEAD + "".join(_sections(main, "potok"))


def _sections(command: click.Command, path: str) -> Iterator[str]:
    context = click.Context(command, info_name=path, terminal_width=_WIDTH)
    context.max_content_width = _WIDTH
    if not isinstance(command, click.Group):
        level = "##" if path.count(" ") == 1 else "###"
        yield f"\n{level} {path}\n\n```\n{command.get_help(context)}\n```\n"
        return
    if command is not main:
        yield f"\n## {path}\n\n{command.help or ''}\n"
    for name in command.list_commands(context):
        inner = command.get_command(context, name)
        if inner is not None and not inner.hidden:
            yield from _sections(inner, f"{path} {name}")


if __name__ == "__main__":
    target = Path(__file__).parent.parent / "docs" / "commands.md"
    target.write_text(page(), encoding="utf-8")
