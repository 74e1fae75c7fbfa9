"""`potok deliverability lanes`: how fast each lane is, and why it is no faster."""

from typing import TYPE_CHECKING

import click

from console.cli.deliverability import deliverability
from console.cli.frame import Frame, command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from console.lane_views import LaneView
    from console.wiring import Workspace

STYLES = {
    "sending": "green",
    "paused": "yellow",
    "full": "yellow",
    "stopped": "red",
    "held": "yellow",
}


@command(deliverability, "lanes")
@click.option("--watch", is_flag=True, help="Look again every two seconds, until Ctrl-C.")
@click.option("--all", "everything", is_flag=True, help="Also lanes that have nothing to do.")
def lanes(frame: Frame, watch: bool, everything: bool) -> None:
    """Show each lane (one sender, one receiving provider): its rate now, what is known of the
    receiver's limit, what was accepted today and what waits.

    Works beside a potok run and without one. The bars are the rate over the last 24 hours. What
    holds a lane back: potok deliverability why LANE.

    \b
    Example:
      potok deliverability lanes
      potok deliverability lanes --watch
    """
    from console.lane_views import lanes_now

    with frame.workspace() as workspace:
        if watch:
            _watch(frame, workspace, everything)
            return
        found = lanes_now(workspace, everything=everything)
        table = _table(frame, found, workspace)
    frame.emit(
        {"lanes": [lane.document() for lane in found]},
        lambda screen: screen.print(
            table if found else "No lane has had anything to do yet: potok campaigns start NAME"
        ),
    )


def _watch(frame: Frame, workspace: "Workspace", everything: bool) -> None:
    import time

    from rich.live import Live

    from console.lane_views import lanes_now

    if frame.json:
        while True:
            found = lanes_now(workspace, everything=everything)
            frame.emit_lines(
                [{"at": workspace.now(), "lanes": [each.document() for each in found]}]
            )
            time.sleep(2)
    with Live(console=frame.screen(), auto_refresh=False, screen=False) as live:
        try:
            while True:
                found = lanes_now(workspace, everything=everything)
                live.update(_table(frame, found, workspace), refresh=True)
                time.sleep(2)
        except KeyboardInterrupt:
            return


def _table(frame: Frame, found: "Sequence[LaneView]", workspace: "Workspace") -> "Table":
    from rich.table import Table
    from rich.text import Text

    from console.cli.sparkline import sparkline

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("lane", "state", "/min", "limit", "most", "today", "waiting"):
        right = name not in ("lane", "state")
        table.add_column(name, justify="right" if right else "left", no_wrap=not right)
    table.add_column("last 24 hours", no_wrap=True)
    narrow = frame.screen().width < 100
    zone = workspace.settings.time_zone
    for lane in found:
        until = lane.standing.pace.paused_until
        state = lane.state
        if state == "paused" and until is not None:
            state = f"paused until {until.astimezone(zone):%H:%M}"
        elif state == "waiting" and lane.standing.due is not None:
            state = f"next at {lane.standing.due.astimezone(zone):%a %H:%M}"
        elif state == "due":
            state = "no potok run"
        learnt = lane.standing.pace.rate is not None
        table.add_row(
            lane.standing.name,
            Text(state, style=STYLES.get(lane.state, "")),
            f"{lane.per_minute:,.3g}" if learnt else f"({lane.per_minute:,.3g})",
            f"{lane.ceiling:,.3g}" if lane.ceiling else "?",
            f"{lane.at_most:,.3g}",
            f"{lane.standing.accepted_today:,}",
            f"{lane.standing.waiting + sum(n for n, _ in lane.standing.held.values()):,}",
            sparkline(lane.day[::2] if narrow else lane.day),
        )
    return table
