"""`potok segments diff` and `overlap`: rules held against each other."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from console.cli.frame import Frame, command
from console.cli.rule_text import RULE
from console.cli.segments import segments

if TYPE_CHECKING:
    from rich.console import Console

    from segments import Region

#: What stands for a rule too long to be a heading.
LETTERS = "ABCDEF"


@command(segments, "diff")
@click.argument("one", metavar="A", type=RULE)
@click.argument("other", metavar="B", type=RULE)
@click.option(
    "--show",
    type=click.Choice(["a", "b", "both"]),
    help="List leads only in A, only in B, in both.",
)
@click.option(
    "--limit",
    type=click.IntRange(1, 10_000),
    default=10,
    show_default=True,
    help="List at most so many.",
)
def diff(frame: Frame, one: str, other: str, show: str | None, limit: int) -> None:
    """Compare two segments or rules: leads only in A, only in B, in both.

    \b
    Example:
      potok segments diff hot 'stage = demo'
      potok segments diff hot warm --show b --limit 20
    """
    from console.cli.segment_files import permission, read_files
    from console.cli.segment_view import example_document, leads_said, show_examples
    from segments import examples, regions

    with frame.workspace() as workspace:
        files = read_files(workspace)
        first, second = files.rule(one), files.rule(other)
        sides = {
            "a": ([first], [second]),
            "b": ([second], [first]),
            "both": ([first, second], []),
        }
        now, zone = workspace.now(), workspace.settings.time_zone
        allowed, cap = permission(workspace), workspace.settings.delivery.frequency

        def work(session: Any) -> Any:
            found = regions(session, [first, second], allowed, now=now, zone=zone, cap=cap)
            if show is None:
                return found, None
            fitting, outside = sides[show]
            return found, examples(
                session, fitting, outside, allowed, limit=limit, now=now, zone=zone
            )

        found, listed = workspace.database.read(work)
    by_side = {region.inside: region for region in found}
    rows = {
        side: by_side.get(inside)
        for side, inside in (("a", (True, False)), ("b", (False, True)), ("both", (True, True)))
    }
    names = _names([one, other], files.definitions)
    said = {"a": f"only in {names[0]}", "b": f"only in {names[1]}", "both": "in both"}

    def human(screen: "Console") -> None:
        from rich.table import Table

        _legend(screen, [one, other], names)
        table = Table("", "leads", "mailable", box=None, pad_edge=False)
        for column in table.columns[1:]:
            column.justify = "right"
        for side, region in rows.items():
            matching, mailable = (region.matching, region.mailable) if region else (0, 0)
            table.add_row(said[side], f"{matching:,}", f"{mailable:,}")
        screen.print(table)
        totals = [_total(found, place) for place in (0, 1)]
        screen.print(
            f"{names[0]} has {leads_said(totals[0])}, {names[1]} has {totals[1]:,}: "
            "counted apart, and these sums agree.",
            style="dim",
        )
        if show is not None:
            total = region.matching if (region := rows[show]) else 0
            screen.print(f"{said[show]}, {min(limit, total):,} of {total:,}:" if total else "None.")
            show_examples(screen, listed)

    document: dict[str, Any] = {
        "a": one,
        "b": other,
        **{
            {"a": "only_a", "b": "only_b", "both": "both"}[side]: {
                "matching": region.matching if region else 0,
                "mailable": region.mailable if region else 0,
            }
            for side, region in rows.items()
        },
    }
    if show is not None:
        document["shown"] = {"which": show, "leads": [example_document(each) for each in listed]}
    frame.emit(document, human)


@command(segments, "overlap")
@click.argument("given", metavar="NAME|RULE...", nargs=-1, required=True, type=RULE)
def overlap(frame: Frame, given: tuple[str, ...]) -> None:
    """Count the leads that two to six segments or rules share, region by region.

    Each row of the table is one region: the leads that the rules marked yes fit, and no other.

    \b
    Example:
      potok segments overlap hot polish-speakers 'prefers.topic = pricing'
    """
    from console.cli.segment_files import permission, read_files
    from console.cli.segment_view import leads_said
    from segments import MOST_RULES, regions

    if not 2 <= len(given) <= MOST_RULES:
        raise click.UsageError(f"Give two to {MOST_RULES} segments or rules.")
    if len(set(given)) < len(given):
        raise click.UsageError("The same one stands here twice.")
    with frame.workspace() as workspace:
        files = read_files(workspace)
        rules = [files.rule(each) for each in given]
        now, zone = workspace.now(), workspace.settings.time_zone
        allowed, cap = permission(workspace), workspace.settings.delivery.frequency
        found = workspace.database.read(
            lambda s: regions(s, rules, allowed, now=now, zone=zone, cap=cap)
        )
    names = _names(given, files.definitions)
    total = sum(region.matching for region in found)
    mailable = sum(region.mailable for region in found)

    def human(screen: "Console") -> None:
        from rich.table import Table

        _legend(screen, given, names)
        if not found:
            screen.print("No lead fits any of them.")
            return
        table = Table(*names, box=None, pad_edge=False)
        table.add_column("leads", justify="right")
        table.add_column("mailable", justify="right")
        for region in found:
            marks = ["yes" if inside else "-" for inside in region.inside]
            table.add_row(*marks, f"{region.matching:,}", f"{region.mailable:,}")
        screen.print(table)
        alone = ", ".join(f"{name} {_total(found, n):,}" for n, name in enumerate(names))
        screen.print(f"{leads_said(total)} in one or more, {mailable:,} may be written to.")
        screen.print(f"{alone}: counted apart, and these sums agree.", style="dim")

    frame.emit(
        {
            "segments": [
                {"given": each, "matching": _total(found, place)}
                for place, each in enumerate(given)
            ],
            "regions": [
                {
                    "inside": [each for each, yes in zip(given, region.inside, strict=True) if yes],
                    "matching": region.matching,
                    "mailable": region.mailable,
                }
                for region in found
            ],
            "matching": total,
            "mailable": mailable,
        },
        human,
    )


def _total(found: Sequence["Region"], place: int) -> int:
    return sum(region.matching for region in found if region.inside[place])


def _names(given: Sequence[str], known: Any) -> list[str]:
    """A segment by its name, a rule typed in place by a letter."""
    return [each if each in known else letter for each, letter in zip(given, LETTERS, strict=False)]


def _legend(screen: "Console", given: Sequence[str], names: Sequence[str]) -> None:
    for each, name in zip(given, names, strict=True):
        if each != name:
            screen.print(f"{name}: {' '.join(each.split())}")
