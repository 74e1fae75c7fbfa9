"""`potok segments values` and `fields`: what a rule can speak of, and what stands there."""

from typing import TYPE_CHECKING, Any

import click

from console.cli import offers
from console.cli.frame import Frame, command
from console.cli.rule_text import RULE
from console.cli.segments import segments

if TYPE_CHECKING:
    from rich.console import Console
    from sqlmodel import Session

    from segments import Known, Values, Vocabulary


@command(segments, "values")
@click.argument("field", metavar="FIELD", shell_complete=offers.field)
@click.option(
    "--segment",
    "given",
    metavar="NAME|RULE",
    help="Only among these leads.",
    type=RULE,
)
@click.option("--like", default="", metavar="TEXT", help="Only values with this in them.")
@click.option(
    "--limit",
    type=click.IntRange(1, 10_000),
    default=20,
    show_default=True,
    help="The most frequent so many.",
)
def values(frame: Frame, field: str, given: str | None, like: str, limit: int) -> None:
    """List the values of a field with how many leads have each.

    FIELD is spelt as in rules: country, attr.industry, prefers.topic, tag, deal.state; event for
    the names of events, event."demo.requested".plan for a property of one. Numbers come with their
    spread, times by how long ago.

    \b
    Example:
      potok segments values attr.industry
      potok segments values prefers.budget --segment hot
      potok segments values company --like soft --limit 5
    """
    from console.cli.segment_files import column_named, read_files
    from segments import require_known
    from segments import values as values_of

    column = column_named(field)
    with frame.workspace() as workspace:
        within = read_files(workspace).rule(given) if given else None
        now, zone = workspace.now(), workspace.settings.time_zone

        def work(session: "Session") -> "Values":
            found = values_of(
                session, column, now=now, zone=zone, within=within, like=like, limit=limit
            )
            if not found.filled:
                require_known(session, column)
            return found

        found = workspace.database.read(work)
    frame.emit(_document(found), lambda screen: _show(screen, found))


@command(segments, "fields")
@click.option("--all", "everybody", is_flag=True, help="Read every lead, not a sample of them.")
def fields(frame: Frame, everybody: bool) -> None:
    """Show what a rule can speak of here: fields, attributes, preferences, tags, events, deals.

    With many leads, attributes are looked for in a sample of some 50,000; --all reads everybody.

    \b
    Example:
      potok segments fields
    """
    from segments import vocabulary

    with frame.workspace() as workspace:
        found = workspace.database.read(lambda s: vocabulary(s, everybody=everybody))

    def document(known: "Known") -> dict[str, Any]:
        return {
            "name": known.name,
            "holds": known.holds,
            "filled": known.filled,
            "of": known.total,
            "about": known.about,
        }

    frame.emit(
        {
            "leads": found.leads,
            "looked_at": found.looked_at,
            "fields": [document(each) for each in found.fields],
            "attributes": [document(each) for each in found.attributes],
            "preferences": [document(each) for each in found.preferences],
            "tags": document(found.tags),
            "events": [document(each) for each in found.events],
            "deals": [document(each) for each in found.deals],
        },
        lambda screen: _show_fields(screen, found),
    )


def _document(found: "Values") -> dict[str, Any]:
    spread = found.spread
    return {
        "field": found.name,
        "counted": found.counted,
        "filled": found.filled,
        "distinct": found.distinct,
        "values": [{"value": each.value, "count": each.count} for each in found.values],
        "ages": [{"age": each.value, "count": each.count} for each in found.ages],
        "spread": spread
        and {
            "lowest": spread.lowest,
            "median": spread.median,
            "highest": spread.highest,
            "ranges": [
                {"lowest": each.lowest, "highest": each.highest, "count": each.count}
                for each in spread.ranges
            ],
        },
    }


def _show(screen: "Console", found: "Values") -> None:
    if not found.filled:
        screen.print(f"Nothing stands in {found.name} here.")
        return
    if found.spread is not None and len(found.spread.ranges) > 1:
        spread = found.spread
        screen.print(
            f"From {_number(spread.lowest)} to {_number(spread.highest)}, "
            f"half of them up to {_number(spread.median)}:"
        )
        ranges = [
            (f"{_number(each.lowest)} to {_number(each.highest)}", each.count)
            for each in spread.ranges
        ]
        _bars(screen, ranges, found.filled)
        screen.print("Most frequent:")
        rows = [(_number(float(each.value)), each.count) for each in found.values[:5]]
    else:
        rows = [(each.value, each.count) for each in found.values or found.ages if each.count]
    _bars(screen, rows, found.filled)
    several = found.counted == "leads" and found.name.startswith(("attr.", "prefers.", "tag"))
    unit = "values" if several else found.counted
    shown = sum(count for _, count in rows)
    if found.distinct is not None and found.distinct > len(rows):
        rest = found.distinct - len(rows)
        screen.print(f"{rest:,} other values: {found.filled - shown:,} more. See --limit, --like.")
    screen.print(f"{found.filled:,} {unit} in all.", style="dim")


def _bars(screen: "Console", rows: list[tuple[str, int]], total: int) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, show_header=False)
    for justify in ("left", "right", "right"):
        table.add_column(justify=justify)
    for name, count in rows:
        table.add_row(name, f"{count:,}", _share(count, total))
    screen.print(table)


def _show_fields(screen: "Console", found: "Vocabulary") -> None:
    from rich.table import Table

    table = Table("", "holds", "filled", "", box=None, pad_edge=False)
    table.columns[2].justify = "right"
    groups = (
        ("Every lead has", found.fields),
        ("Attributes", found.attributes),
        ("Preferences", found.preferences),
        ("Tags", (found.tags,)),
        ("On the timeline", found.events),
        ("Deals", found.deals),
    )
    for heading, known in groups:
        if not known:
            continue
        table.add_row(heading, style="bold")
        for each in known:
            filled = (
                f"{each.filled:,}" if each.holds == "event" else _share(each.filled, each.total)
            )
            about = (
                f"in a rule: {each.about}" if each.holds == "event" and each.about else each.about
            )
            table.add_row(f"  {each.name}", each.holds, filled, about)
    screen.print(table)
    if found.looked_at < found.leads:
        screen.print(
            f"Attributes, preferences and tags: shares of {found.looked_at:,} leads out of "
            f"{found.leads:,}; --all reads everybody.",
            style="dim",
        )
    screen.print("potok segments values NAME shows what stands in one of them.")


def _share(count: int, total: int) -> str:
    if not total:
        return "0%"
    share = 100 * count / total
    return "<1%" if 0 < share < 1 else ">99%" if 99 < share < 100 else f"{share:.0f}%"


def _number(number: float) -> str:
    return f"{number:,.15g}"
