"""The demo's picture: lanes at work, the whole as one bar, the last messages ticking by."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from campaigns import LaneView, State
from console.demo.lapse import TIMES
from console.demo.tally import ANSWER, CELL, CELLS, LaneTally, Line, Tally

BARS = " ▁▂▃▄▅▆▇█"
BAR_WIDTH = 46

SIGN: Mapping[str, tuple[str, str]] = {
    State.ACCEPTED: ("✓", "green"),
    State.REJECTED: ("✗", "red"),
    State.PLANNED: ("↻", "yellow"),
    ANSWER: ("↩", "magenta"),
}

#: Kind of event -> one of it and several of it.
COUNTED = {
    "replied": ("reply", "replies"),
    "autoreplied": ("out of office", "out of office"),
    "bounced": ("bounce", "bounces"),
    "opted_out": ("opt-out", "opt-outs"),
}

#: Below this many columns the curves are left out.
WIDE = 100


def picture(
    tally: Tally, views: Iterable[LaneView], *, now: datetime, width: int
) -> RenderableType:
    """Everything at one moment, on a screen of so many columns."""
    by_lane = {view.lane_id: view for view in views}
    cell = tally.cell(now)
    wide = width >= WIDE
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("provider", min_width=14)
    for name in ("taken", "waiting", "deferred", "refused", "pace"):
        table.add_column(name, justify="right", min_width=6)
    if wide:
        table.add_column(f"last {CELLS * CELL.total_seconds():.0f} s", width=CELLS)
    table.add_column("", min_width=20, no_wrap=True)
    for lane_id, lane in tally.lanes.items():
        view = by_lane.get(lane_id)
        curve = (_curve(lane.curve(cell)),) if wide else ()
        table.add_row(*_numbers(lane, view), *curve, _state(lane, view, now))
    return Padding(
        Group(
            *(table, Text(), _whole(tally, now), Text(), _beside(tally), Text()),
            *map(_ticking, tally.lines),
            _empty(tally),
        ),
        (1, 0, 0, 2),
    )


def _numbers(lane: LaneTally, view: LaneView | None) -> tuple[RenderableType, ...]:
    rate = view.rate * 60 / TIMES if view is not None and view.rate is not None else None
    return (
        Text(lane.provider, style="bold"),
        Text(str(lane.accepted), style="green"),
        _number(lane.waiting, ""),
        _number(len(lane.deferred), "yellow"),
        _number(lane.refused, "red"),
        Text("" if rate is None else f"{rate:.0f}/min", style="" if lane.waiting else "dim"),
    )


def _number(count: int, style: str) -> Text:
    return Text(str(count), style=style) if count else Text("·", style="dim")


def _curve(values: list[int]) -> Text:
    most = max(*values, 6)
    cells = (BARS[-(-value * (len(BARS) - 1) // most)] for value in values)
    return Text("".join(cells), style="cyan")


def _state(lane: LaneTally, view: LaneView | None, now: datetime) -> Text:
    if lane.waiting == 0:
        return Text("done", style="green")
    if view is not None and view.next_at is not None and view.next_at > now:
        return Text("they said: slower", style="yellow")
    if lane.deferred and lane.waiting == len(lane.deferred):
        return Text("waiting to try again", style="yellow")
    return Text("sending")


def _whole(tally: Tally, now: datetime) -> RenderableType:
    line = Table.grid(padding=(0, 2, 0, 0))
    bar = ProgressBar(
        total=max(1, tally.planned),
        completed=tally.settled,
        width=BAR_WIDTH,
        style="grey37",
        complete_style="cyan",
        finished_style="green",
    )
    seconds = int((now - tally.began).total_seconds())
    line.add_row(
        bar,
        Text(f"{tally.settled} of {tally.planned}", style="bold"),
        Text(f"{seconds // 60}:{seconds % 60:02d}", style="dim"),
    )
    return line


def _beside(tally: Tally) -> RenderableType:
    """What came back, and how far the sequence is."""
    came = Text(no_wrap=True, overflow="ellipsis")
    for kind, (one, many) in COUNTED.items():
        count = tally.answers[kind]
        came.append(f"{count}", style="magenta" if count else "dim")
        came.append(f" {one if count == 1 else many}   ", style="" if count else "dim")
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_row(Text("↩ came back", style="bold"), came)
    if tally.sequence:
        mails = sum(tally.followed.values())
        first = len(tally.followed)
        told = Text(no_wrap=True, overflow="ellipsis")
        told.append(f"{first}", style="green" if first else "dim")
        told.append(" first mails   ", style="" if first else "dim")
        told.append(f"{mails - first}", style="green" if mails > first else "dim")
        told.append(" reminders", style="" if mails > first else "dim")
        grid.add_row(Text("⇢ sequence", style="bold"), told)
    return grid


def _ticking(line: Line) -> Text:
    sign, style = SIGN.get(line.state, ("-", "dim"))
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append(f"{sign} {line.code or '   '}  ", style=style)
    text.append(f"{line.words:<20.20}", style="" if line.state == State.ACCEPTED else style)
    text.append(f"  {line.name:<24.24}")
    text.append(f"{line.email}", style="dim")
    return text


def _empty(tally: Tally) -> Text:
    """Room for lines to come, so that the picture does not jump."""
    missing = (tally.lines.maxlen or 0) - len(tally.lines)
    return Text("\n" * max(0, missing - 1)) if missing else Text()
