"""`potok deliverability why`: what holds a lane, a lead's mail or a campaign back right now."""

from typing import TYPE_CHECKING

import click

from console.cli.deliverability import deliverability
from console.cli.frame import Frame, command

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import tzinfo

    from rich.console import Console

    from campaigns import Hold
    from console.lane_views import Explained, LaneView


@command(deliverability, "why")
@click.argument("name", metavar="LANE|EMAIL|CAMPAIGN")
def why(frame: Frame, name: str) -> None:
    """Say what holds mail back now, the weightiest first, and which answers of servers moved the
    rate.

    A lane is written identity/provider (anna/google); an identity's name means all its lanes. Works
    beside a potok run and without one.

    \b
    Example:
      potok deliverability why anna/google
      potok deliverability why jan@example.com
      potok deliverability why spring
    """
    from console.lane_views import explain

    with frame.workspace() as workspace:
        found = explain(workspace, name)
        zone = workspace.settings.time_zone
    frame.emit(found.document(), lambda screen: _show(screen, found, zone))


def _show(screen: "Console", found: "Explained", zone: "tzinfo") -> None:
    if found.about != "lane":
        screen.print(found.name, style="bold")
        _show_holds(screen, found.holds, zone)
    for each in found.messages:
        reason = f": {each.reason}" if each.reason else ""
        screen.print(f"{each.campaign} (message {each.message_id}, lane {each.lane})", style="bold")
        waits = each.state in ("planned", "reserved", "sending")
        screen.print(f"  {'waits' if waits and each.state == 'planned' else each.state}{reason}")
        _show_holds(screen, each.holds, zone)
        if each.state == "planned" and not each.holds:
            screen.print("  due: it leaves when it is its lane's turn")
    for lane in found.lanes:
        _show_lane(screen, lane, zone)
    if not found.lanes and not found.messages and not found.holds:
        screen.print("Nothing waits.")


def _show_holds(screen: "Console", holds: "Iterable[Hold]", zone: "tzinfo") -> None:
    for hold in holds:
        until = (
            f", until {hold.until.astimezone(zone):%Y-%m-%d %H:%M:%S}"
            if hold.until is not None
            else ""
        )
        screen.print(f"  - {hold.what}{until}")
        if hold.do:
            screen.print(f"    {hold.do}", style="cyan")


def _show_lane(screen: "Console", lane: "LaneView", zone: "tzinfo") -> None:
    from rich.table import Table
    from rich.text import Text

    standing = lane.standing
    screen.print(
        f"{standing.name}: {lane.state}; {standing.accepted_today:,} accepted today, "
        f"{standing.waiting:,} waiting",
        style="bold",
    )
    _show_holds(screen, lane.holds, zone)
    if not lane.moves:
        return
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for name, right in (("  moved at", False), ("from", True), ("to /min", True), ("why", False)):
        table.add_column(name, justify="right" if right else "left", no_wrap=name != "why")
    for move in lane.moves:
        words = f"; {move.words}" if move.words else ""
        table.add_row(
            f"  {move.at.astimezone(zone):%m-%d %H:%M:%S}",
            f"{move.rate_before * 60:,.3g}",
            f"{move.rate_after * 60:,.3g}",
            Text(f"{move.cause}{words}", overflow="fold"),
        )
    screen.print(table)
