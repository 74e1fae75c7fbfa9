"""The command line. This file imports click and nothing else, so that help comes at once.

`COMMANDS` says which file holds which command; the file is imported when the command is used. A
command's file holds a click command of that name, made with `console.cli.frame`. A group with many
commands has further files that begin with its name (`leads_intake.py`) and put theirs on it.
"""

import difflib
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import click

#: name -> (file in this folder, one line for `potok --help`), in the order a newcomer needs them.
COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("workspace", "Make a new workspace: a folder with settings, segments, templates."),
    "demo": ("demo", "Watch a whole campaign run on this machine, with invented leads."),
    "doctor": ("workspace", "Check the installation and the workspace; say what to do."),
    "leads": ("leads", "Who they are: import, look up, change, suppress, export."),
    "segments": ("segments", "Which of them: rules that choose leads."),
    "templates": ("templates", "What they read: make, check, preview."),
    "identity": ("identity", "Who writes: SMTP accounts, tried and tested."),
    "plan": ("workspace", "Show what applying the edited files would change."),
    "apply": ("workspace", "Freeze the files: from now on campaigns start with them."),
    "campaigns": ("campaigns", "Plan, start, watch and prove campaigns."),
    "answers": ("answers", "What came back: replies, bounces, complaints, opt-outs."),
    "messages": ("messages", "Single messages: the exact mail someone got."),
    "sequences": ("sequences", "Mails that follow one another until somebody answers."),
    "run": ("run", "Send what is due, until told to stop."),
    "stop": ("run", "Pause everything, from any terminal."),
    "deliverability": ("deliverability", "What servers answered, and what it means."),
    "web": ("web", "The opt-out page."),
    "database": ("database", "Schema version, upgrade."),
    "completion": ("completion", "Let Tab complete commands, segments and rules."),
}

_HERE = Path(__file__).parent

#: What a shell reports for a program ended by Ctrl-C (128 + SIGINT) and by a closed pipe.
INTERRUPTED = 130
PIPE_CLOSED = 141


class Root(click.Group):
    """Finds commands by `COMMANDS` and lets no traceback out."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for name, (file, _) in COMMANDS.items() if (_HERE / f"{file}.py").exists()]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in self.list_commands(ctx):
            return None
        file = COMMANDS[name][0]
        module = import_module(f"console.cli.{file}")
        for part in sorted(_HERE.glob(f"{file}_*.py")):
            import_module(f"console.cli.{part.stem}")
        for value in vars(module).values():
            if isinstance(value, click.Command) and value.name == name:
                return value
        raise click.ClickException(f"{module.__file__} holds no command {name!r}")

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], self.list_commands(ctx), n=1)
            hint = f" Did you mean {near[0]!r}?" if near else " potok --help lists them."
            raise click.UsageError(f"There is no command {args[0]!r}.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        # The table's lines, not the commands' own help: importing them all would take a second.
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in self.list_commands(ctx)])

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        try:
            code = super().main(args, prog_name or "potok", complete_var, False, **extra)
        except click.Abort as stop:
            asked = EOFError in {type(stop.__cause__), type(stop.__context__)}
            if asked:
                click.echo("No answer was given, so nothing was done.", err=True)
            code = 1 if asked else INTERRUPTED
        except click.ClickException as error:
            error.show()
            code = error.exit_code
        except BrokenPipeError:
            # The reader (head, less) has seen enough; keep the interpreter from complaining too.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            code = PIPE_CLOSED
        sys.exit(code if isinstance(code, int) else 0)


@click.command(cls=Root, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--workspace",
    metavar="DIR",
    help="The workspace; else POTOK_WORKSPACE, else found upward from the present folder.",
)
@click.version_option(package_name="potok", message="potok %(version)s")
@click.pass_context
def main(ctx: click.Context, workspace: str | None) -> None:
    """Send each lead the mail that fits, at a pace the receivers accept.

    \b
    Example:
      potok init acme          make a workspace and follow what it says
      potok demo               or watch a whole campaign first
    """
    ctx.obj = {"workspace": workspace}
