"""`potok templates coverage`: a template rendered for everybody, before anything is sent."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from console.cli.frame import REFUSED, Frame, command
from console.cli.rule_text import RULE
from console.cli.templates import templates

if TYPE_CHECKING:
    from console.wiring import Workspace
    from templates import Compiled


@command(templates, "coverage")
@click.argument("name")
@click.option(
    "--segment",
    metavar="NAME|RULE",
    type=RULE,
    help="For these leads; without it, for everybody who may be written to.",
)
@click.option("--applied", is_flag=True, help="The template as applied, not as its files are now.")
@click.option("--identity", metavar="NAME", help="Who writes; needed when there are several.")
@click.option(
    "--csv",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write every lead behind every finding to a file.",
)
@click.option(
    "--processes",
    type=click.IntRange(1, 64),
    help="How many render at the same time; without it, one for each core.",
)
def coverage(
    frame: Frame,
    name: str,
    segment: str | None,
    applied: bool,
    identity: str | None,
    file: Path | None,
    processes: int | None,
) -> None:
    """Render a template for every single recipient and say what is wrong, and for whom.

    Messages that cannot be made, greetings without a name, defaults taken, odd names, branches
    that nobody or everybody takes, languages, the longest and the largest. Nothing is sent. Exit
    code 1 when a message cannot be made.

    \b
    Example:
      potok templates coverage welcome --segment hot
      potok templates coverage welcome --segment 'country = PL' --csv odd.csv
    """
    from console.cli.coverage_view import JsonStream, document, show_coverage, write_csv
    from console.cli.segment_files import read_files
    from console.covering import cover
    from console.covering_desk import desk_for
    from console.previews import identity_name

    with ExitStack() as stack:
        workspace = stack.enter_context(frame.workspace())
        sender = workspace.settings.identities[identity_name(workspace, identity)]
        compiled = _compiled(workspace, name, applied=applied)
        rule = read_files(workspace).rule(segment or "everyone")
        tell = None
        stream = None
        if file is not None:
            tell = stack.enter_context(write_csv(file))
        elif frame.json:
            stream = JsonStream()
            tell = stream.tell
        progress = stack.enter_context(_progress(frame))
        covered = cover(
            workspace,
            desk_for(workspace, compiled, sender),
            rule,
            processes=processes,
            tell=tell,
            progress=progress,
        )
    about = {"template": name, "applied": applied, "segment": segment}
    if stream is not None:
        stream.end(about | document(covered))
    else:
        frame.emit(
            about | document(covered) | ({"file": str(file)} if file else {}),
            lambda screen: show_coverage(screen, covered, name=name, segment=segment, file=file),
        )
    if covered.tally.failed:
        frame.exit(REFUSED)


def _compiled(workspace: "Workspace", name: str, *, applied: bool) -> "Compiled":
    """Raises Refused, templates.SourceError."""
    from console.previews import compiled_now, refuse_unknown

    if not applied:
        return compiled_now(workspace, name)
    from leads import current_versions
    from templates import Compiled, TemplateVersion

    versions = workspace.database.read(lambda s: current_versions(s, TemplateVersion))
    bodies = {version.name: version.body for version in versions if version.body is not None}
    if name not in bodies:
        refuse_unknown("applied template", name, sorted(bodies))
    return Compiled.from_body(name, bodies[name])


@contextmanager
def _progress(frame: Frame) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error when that is a terminal."""
    screen = frame.screen(stderr=True)
    if not screen.is_terminal:
        yield lambda _done, _all: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = ("rendering", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=screen, transient=True) as bar:
        task = bar.add_task("rendering", total=None)
        yield lambda done, everybody: bar.update(task, completed=done, total=everybody)
