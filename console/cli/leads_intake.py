"""`potok leads import`: a file of rows becomes leads."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from console.cli.frame import REFUSED, UNDECIDED, Frame, command
from console.cli.leads import leads

if TYPE_CHECKING:
    from rich.console import Console

    from console.importing import Imported, Understood


@command(leads, "import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--map",
    "mapping",
    multiple=True,
    metavar="COLUMN=FIELD",
    help="What a column is: 'Work e-mail=email', Likes=prefers.topic, Branch=attr.branch, "
    "Notes=- to leave it out. May be repeated.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would happen; nothing is written.")
@click.option(
    "--on-duplicate",
    type=click.Choice(["fill", "overwrite", "skip"]),
    default="fill",
    show_default=True,
    help="For a lead that is there already: fill what is empty, overwrite, or leave it.",
)
@click.option("--stage", help="Where new leads go when the file has no stage.")
@click.option("--source", default="", help="Where we met, when the file does not say.")
@click.option("--said-by", default="", help="Who stated the preferences; else the file's name.")
@click.option("--consent-source", default="", help="How all of them allowed us to write.")
@click.option("--consent-date", help="When they did, as 2026-03-31; without it, now.")
@click.option("--consent-topic", default="", help="About what; without it, about everything.")
@click.option("--encoding", help="When the guess is wrong: utf-8, cp1250, iso-8859-2, ...")
@click.option("--delimiter", help="When the guess is wrong: a sign, or comma, semicolon, tab.")
@click.option("--sheet", help="Of a workbook: which sheet; without it, the first.")
@click.option("--yes", is_flag=True, help="Do not ask whether the columns are understood right.")
def import_(frame: Frame, file: Path, yes: bool, **wish: Any) -> None:
    """Bring leads in from FILE: CSV of any delimiter and encoding, Excel (.xlsx), JSON lines.

    Headings are understood in several languages. On a terminal you see what each column was taken
    for and are asked; in a script it goes on, and says so on standard error.

    Rows that cannot be taken in are written to FILE.rejected.csv with line and reason: correct
    them there and import that file. A suppressed address stays suppressed whatever a file says.
    Importing the same file again changes nothing; after an interruption it does the rest.

    \b
    Example:
      potok leads import fair.csv --dry-run
      potok leads import fair.csv --map "Work e-mail=email" --stage contacted
      potok leads import fair.xlsx --sheet Visitors --yes
      potok leads import fair.csv --consent-source "card at the fair" --consent-date 2026-03-10
    """
    from console.importing import Wish, import_file, understand

    wanted = Wish(**wish)
    with frame.workspace() as workspace:
        understood = understand(workspace, file, wanted, by=frame.by)
        mapping = _mapping(understood)
        if yes or wanted.dry_run or not frame.attended:
            frame.say(_in_a_line(mapping))
        else:
            _show_mapping(frame.screen(stderr=True), mapping)
            if not frame.confirm("Import it so?"):
                frame.say("Nothing was written. --map 'COLUMN=FIELD' says what a column is.")
                frame.exit(REFUSED)
        with _progress(frame) as progress:
            done = import_file(
                workspace, file, wanted, by=frame.by, understood=understood, progress=progress
            )
    frame.emit(
        {**done.taken.document(), "mapping": mapping},
        lambda screen: _tell(screen, done, file, dry_run=wanted.dry_run),
    )
    if done.taken.counts.rejected:
        frame.exit(UNDECIDED)


#: How a column came to be what it is.
_HOW = {"given": "you said so", "known": "by its heading", "own": "an attribute of your own"}


def _mapping(understood: "Understood") -> list[dict[str, str]]:
    """Each column with the field it becomes (`-`: ignored), why, and its first value."""
    from console.importing import example

    source, columns = understood
    return [
        {
            "column": column.heading or f"#{column.index + 1}",
            "field": column.target,
            "by": column.by,
            "example": example(source, column),
        }
        for column in columns
    ]


def _show_mapping(screen: "Console", mapping: list[dict[str, str]]) -> None:
    from rich.table import Table

    table = Table("column", "becomes", "how it is known", "for example", box=None)
    for row in mapping:
        ignored = row["field"] == "-"
        table.add_row(
            row["column"],
            "ignored" if ignored else row["field"],
            "" if ignored and row["by"] == "own" else _HOW[row["by"]],
            row["example"][:40],
            style="dim" if ignored else None,
        )
    screen.print(table)


def _in_a_line(mapping: list[dict[str, str]]) -> str:
    told = (
        f"{row['column']} = {'ignored' if row['field'] == '-' else row['field']}" for row in mapping
    )
    return f"Columns: {', '.join(told)}"


@contextmanager
def _progress(frame: Frame) -> Iterator[Callable[[int, int], None] | None]:
    """A bar on standard error when that is a terminal."""
    screen = frame.screen(stderr=True)
    if not screen.is_terminal:
        yield None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    with Progress(
        "rows", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=screen
    ) as bar:
        task = bar.add_task("rows", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _tell(screen: "Console", done: "Imported", file: Path, *, dry_run: bool) -> None:
    taken, counts = done.taken, done.taken.counts
    own = [c for c in done.columns if c.by == "own"]
    screen.print(
        f"{file.name}: {done.source.encoding}{', a guess' if done.source.guessed else ''}, "
        f"{counts.read} rows"
    )
    if own:
        names = ", ".join(f'"{c.heading}" as {c.target}' for c in own)
        screen.print(f"Columns of your own: {names}")
    screen.print(
        f"{'Would be ' if dry_run else ''}added {counts.added}, updated {counts.updated}, "
        f"unchanged {counts.unchanged}, rejected {counts.rejected}"
    )
    if counts.repeated:
        screen.print(f"{counts.repeated} rows repeat an address of the file")
    if counts.suppressed:
        screen.print(f"{counts.suppressed} have a suppressed address and get no mail")
    for heading, what in taken.odd[:5]:
        screen.print(f"  {heading}, {what}; kept as an attribute")
    if taken.odd_count > 5:
        screen.print(f"  and {taken.odd_count - 5} more values that were not understood")
    for line, reason in taken.reasons[:10]:
        screen.print(f"  line {line}: {reason}")
    if counts.rejected > 10:
        screen.print(f"  and {counts.rejected - 10} more")
    if taken.rejects_file:
        screen.print(f"Rejected rows are in {taken.rejects_file}: correct and import that file")
    elif dry_run:
        screen.print("Nothing was written. Without --dry-run it happens")
