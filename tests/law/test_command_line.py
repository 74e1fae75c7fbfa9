"""Every command explains itself with an example, and help costs nothing."""

import subprocess
import sys
from collections.abc import Iterator

import click
import pytest

from console.cli import main

#: Measured: each of these alone takes 50 to 450 ms of the 300 that `potok --help` may take.
HEAVY = ("sqlalchemy", "sqlmodel", "pydantic", "jinja2", "lxml", "asyncio", "alembic", "rich")


def commands(
    command: click.Command = main, path: str = "potok"
) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None, f"{path} {name} is listed and does not exist"
            yield from commands(inner, f"{path} {name}")
    else:
        yield path, command


def test_every_command_shows_an_example() -> None:
    silent = [path for path, command in commands() if "Example:" not in (command.help or "")]
    assert not silent


def test_every_option_is_explained() -> None:
    silent = [
        f"{path} {option.opts[-1]}"
        for path, command in commands()
        for option in command.params
        if isinstance(option, click.Option) and not option.help and not option.hidden
    ]
    assert not silent


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    program = (
        "import sys\n"
        "from console.cli import main\n"
        "try:\n"
        f"    main({arguments!r})\n"
        "except SystemExit as end:\n"
        f"    print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)\n"
        "    sys.exit(end.code)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout
    assert done.stderr.strip() == "[]"
