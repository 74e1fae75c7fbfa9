"""What every command shares: --json and --debug, the workspace, output, questions, errors.

    leads = group("leads", help="Who they are.")

    @command(leads, "note")
    @click.argument("email")
    def note(frame: Frame, email: str) -> None: ...

Standard output carries the result; talk goes to standard error.
"""

import functools
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, NoReturn

import click

from console.cli import PIPE_CLOSED
from console.cli.offers import offer

if TYPE_CHECKING:
    from rich.console import Console

    from console.wiring import Workspace

#: Exit codes that scripts may rely on.
DONE, REFUSED, WRONG_USAGE, UNDECIDED = 0, 1, 2, 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Frame:
    """A command's way to the outside."""

    json: bool = False
    debug: bool = False
    #: What `--workspace` said, if anything.
    directory: str | None = None

    @contextmanager
    def workspace(self) -> Iterator["Workspace"]:
        """The open workspace: settings read, keys read, schema current. Closed at the end."""
        from console.wiring import find_workspace, open_workspace

        workspace = open_workspace(find_workspace(self.directory), say=self.say)
        try:
            yield workspace
        finally:
            workspace.close()

    def emit(self, document: Mapping[str, Any], human: Callable[["Console"], None]) -> None:
        """The result: one JSON document with `--json`, else what `human` prints."""
        if self.json:
            from console.document import to_json

            click.echo(to_json(document, indent=2))
        else:
            human(self.screen())

    def emit_lines(self, documents: Iterable[Mapping[str, Any]]) -> None:
        """A stream of results: one JSON object a line, written as they come."""
        from console.document import to_json

        for document in documents:
            click.echo(to_json(document))

    def screen(self, *, stderr: bool = False) -> "Console":
        """A rich console; colours only on a terminal, no markup read out of leads' data."""
        from rich.console import Console

        return Console(stderr=stderr, markup=False, highlight=False, soft_wrap=not _wide(stderr))

    def say(self, text: str) -> None:
        """Progress and remarks: standard error, never part of the result."""
        click.echo(text, err=True)

    @property
    def attended(self) -> bool:
        """Whether somebody sits at a terminal and can be asked."""
        return sys.stdin.isatty()

    def confirm(self, question: str, *, yes: bool = False) -> bool:
        """Asks on the terminal; `yes` (the command's --yes) answers without asking.

        Raises click.UsageError when nobody is there to be asked.
        """
        if yes:
            return True
        if not self.attended:
            raise click.UsageError("There is no terminal to ask on: add --yes to answer yes.")
        return click.confirm(question, err=True)

    def now(self) -> datetime:
        """The present moment, aware UTC."""
        from console.wiring import SystemClock

        return SystemClock().now()

    @property
    def by(self) -> str:
        """Who is doing this: POTOK_USER, else the login name."""
        from console.settings import user_name

        return user_name()

    def exit(self, code: int) -> NoReturn:
        """Ends the command with one of the documented codes."""
        raise click.exceptions.Exit(code)


def _wide(stderr: bool) -> bool:
    return (sys.stderr if stderr else sys.stdout).isatty()


def group(name: str, help: str) -> click.Group:
    """A group of commands; put it in the file that `console.cli.COMMANDS` names."""
    return click.Group(name, help=help, no_args_is_help=True)


def command(parent: click.Group, name: str, **settings: Any) -> Callable[..., click.Command]:
    """Makes a function `f(frame, ...)` the command `name` of `parent`.

    Adds --json and --debug. Whatever the rooms raise becomes one line and an exit code
    (`console.errors`); `settings` go to click.Command.
    """

    def decorate(function: Callable[..., None]) -> click.Command:
        @functools.wraps(function)
        @click.pass_context
        def run(
            ctx: click.Context,
            /,
            json: bool,
            debug: bool,
            workspace_named_late: str | None,
            **given: Any,
        ) -> None:
            above = (ctx.find_root().obj or {}).get("workspace")
            frame = Frame(json=json, debug=debug, directory=workspace_named_late or above)
            try:
                function(frame, **given)
            except (click.ClickException, click.Abort, click.exceptions.Exit, BrokenPipeError):
                raise
            except Exception as error:
                from console.errors import report

                ctx.exit(report(error, debug=debug))

        run = click.option("--debug", is_flag=True, help="Show the traceback of an error.")(run)
        run = click.option("--json", is_flag=True, help="Print JSON on standard output.")(run)
        # Also accepted here, since people add it at the end of a line they repeat.
        run = click.option("--workspace", "workspace_named_late", metavar="DIR", hidden=True)(run)
        made = parent.command(name, **settings)(run)
        offer(parent.name or "", made)
        return made

    return decorate


__all__ = [
    "DONE",
    "PIPE_CLOSED",
    "REFUSED",
    "UNDECIDED",
    "WRONG_USAGE",
    "Frame",
    "command",
    "group",
]
