"""`potok init`, `plan`, `apply`, `doctor`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from console.cli import main
from console.cli.frame import REFUSED, Frame, command

if TYPE_CHECKING:
    from rich.console import Console

    from console.doctor import Check
    from console.workspace import Change, DefinitionPlan

_COLOURS = {"added": "green", "changed": "yellow", "removed": "red"}
_MARKS = {"ok": ("ok", "green"), "warning": ("warn", "yellow"), "error": ("ERROR", "red")}


@command(main, "init")
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--yes", is_flag=True, help="Ask nothing; take the defaults and edit potok.toml.")
@click.option("--from", "sender", metavar="ADDRESS", help='"Anna Nowak <anna@example.com>".')
@click.option("--postal-address", metavar="TEXT", help="Stands under every mail.")
@click.option("--time-zone", metavar="ZONE", help="Europe/Warsaw; else this machine's.")
@click.option("--stages", metavar="LIST", help='The pipeline: "new, demo, won, lost".')
@click.option("--mail", metavar="COMPANY", help="How mail leaves: google, microsoft365, local ...")
def init(frame: Frame, directory: Path, yes: bool, **given: str | None) -> None:
    """Make a new workspace: a folder with settings, sample segments, templates and a campaign.

    Asks a few questions on a terminal. Nothing leaves this machine until you say so.

    \b
    Example:
      potok init acme
      potok init acme --yes --from "Anna Nowak <anna@acme.example>"
    """
    from console.cli.asking import ask
    from console.new_workspace import make_workspace

    answers = ask(frame, given, yes=yes, directory=directory)
    make_workspace(directory, answers, now=frame.now())
    there = "" if directory.resolve() == Path.cwd() else f"cd {directory}"
    steps = [
        (there, ""),
        ("potok doctor", "checks everything and says what is missing"),
        ("potok leads import FILE.csv --dry-run", "looks at your list without taking it"),
        (
            f"potok identity test {answers.identity}",
            "sends a mail to yourself" if answers.server else "writes a mail into outbox/",
        ),
        ("potok campaigns plan welcome", "who would get what, who not and why"),
        ("potok campaigns start welcome", "and then potok run to send"),
    ]
    if answers.server and answers.server.user:
        variable = answers.password_variable
        steps.insert(1, (f"read -rs {variable}; export {variable}", "takes the mail password"))
    shown = [(step, why) for step, why in steps if step]

    width = max(len(step) for step, _ in shown)

    def human(screen: "Console") -> None:
        screen.print(f"The workspace {directory} is ready.", style="bold")
        screen.print("Next:")
        for step, why in shown:
            screen.print(f"  {step:<{width}}  {why}".rstrip())

    frame.emit(
        {
            "workspace": directory.resolve(),
            "identity": answers.identity,
            "next": [step for step, _ in shown],
        },
        human,
    )


@command(main, "plan")
def plan(frame: Frame) -> None:
    """Show what applying the edited files would change.

    Compares segments/, templates/ and campaigns/ with what was applied last. Changes nothing.

    \b
    Example:
      potok plan
      potok plan --json
    """
    from console import workspace as files

    with frame.workspace() as workspace:
        made = files.plan(workspace, now=frame.now())

    def human(screen: "Console") -> None:
        _show(screen, made)
        screen.print(
            "Type potok apply to freeze this; running campaigns keep what they started with."
            if made.changes
            else f"Nothing to apply: {_count(made.unchanged, 'definition')} as they were."
        )

    frame.emit(made.document(), human)


@command(main, "apply")
def apply(frame: Frame) -> None:
    """Freeze the files: campaigns started from now on use them.

    All or nothing: one mistake in any file and nothing is applied.

    \b
    Example:
      potok apply
    """
    from console import workspace as files
    from console.cli.plan_effect import show_effect

    with frame.workspace() as workspace:
        made = files.apply(workspace, now=frame.now())

    def human(screen: "Console") -> None:
        for change in made.changes:
            screen.print(f"{change.what:<8} {change.file}", style=_COLOURS[change.what])
            show_effect(screen, change, made.effect(change), short=True)
            _show_start(screen, change, made)
        screen.print(f"Applied {_count(len(made.changes), 'change')}, {made.unchanged} as before.")

    frame.emit(made.document(), human)


def _show(screen: "Console", made: "DefinitionPlan") -> None:
    from console.cli.plan_effect import show_effect

    for change in made.changes:
        screen.print(f"{change.what:<8} {change.file}", style=f"bold {_COLOURS[change.what]}")
        if change.what == "changed":
            _show_diff(screen, change)
        show_effect(screen, change, made.effect(change))
        _show_start(screen, change, made)


def _show_start(screen: "Console", change: "Change", made: "DefinitionPlan") -> None:
    if change.kind.word != "campaign" or change.name not in made.starts:
        return
    coming = made.starts[change.name]
    if coming is not None:
        screen.print(f"    starts by itself {coming.local()}, while potok run runs")
    else:
        screen.print("    its time has passed: it does not start by itself", style="yellow")


def _show_diff(screen: "Console", change: "Change") -> None:
    lines = change.diff()
    if not lines:
        why = " and ".join(change.because()) or "something it uses"
        screen.print(f"    its own file is as it was; it changes because {why} changed")
    for line in lines:
        style = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "")
        screen.print(f"    {line}", style=style)


def _count(number: int | None, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


@command(main, "doctor")
@click.option("--offline", is_flag=True, help="Do not try to reach the mail servers.")
def doctor(frame: Frame, offline: bool) -> None:
    """Check the installation and the workspace, and say what to do.

    Ends with 1 when something is broken. Sends nothing and changes nothing.

    \b
    Example:
      potok doctor
      potok doctor --json
    """
    from console.doctor import examine

    checks = examine(frame.directory, network=not offline, now=frame.now())
    bad = any(check.level == "error" for check in checks)

    def human(screen: "Console") -> None:
        for check in checks:
            _show_check(screen, check)

    document: dict[str, Any] = {
        "ok": not bad,
        "checks": [check.document() for check in checks],
    }
    frame.emit(document, human)
    if bad:
        frame.exit(REFUSED)


def _show_check(screen: "Console", check: "Check") -> None:
    mark, style = _MARKS[check.level]
    screen.print(f"{mark:<6}", style=style, end="")
    screen.print(f"{check.id}: {check.what}")
    if check.do:
        screen.print(f"      -> {check.do}")
