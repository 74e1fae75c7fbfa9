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
    root = click.Context(main, info_name="potok", **main.context_settings)
    root.max_content_width = root.terminal_width = _WIDTH
    return _HEAD + "".join(_sections(main, root))


def _sections(command: click.Command, context: click.Context) -> Iterator[str]:
    path = context.command_path
    if not isinstance(command, click.Group):
        level = "##" if path.count(" ") == 1 else "###"
        yield f"\n{level} {path}\n\n```\n{command.get_help(context)}\n```\n"
        return
    if command is not main:
        yield f"\n## {path}\n\n{command.help or ''}\n"
    for name in command.list_commands(context):
        inner = command.get_command(context, name)
        if inner is not None and not inner.hidden:
            # Children inherit width and help options of the root, as on the command line.
            yield from _sections(inner, click.Context(inner, info_name=name, parent=context))


if __name__ == "__main__":
    target = Path(__file__).parent.parent / "docs" / "commands.md"
    target.write_text(page(), encoding="utf-8")
