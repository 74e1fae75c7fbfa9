"""`potok identity warm-up`: how far a new sender has come."""

from typing import TYPE_CHECKING

import click

from console.cli.frame import Frame, command
from console.cli.identity import identity

if TYPE_CHECKING:
    from rich.console import Console

    from console.warming_up import WarmingUp


@command(identity, "warm-up")
@click.argument("name", required=False)
@click.option("--step", type=click.IntRange(min=1), help="Go on from this step.")
@click.option("--skip", is_flag=True, help="End the warm-up: only per_day counts from now on.")
def warm_up(frame: Frame, name: str | None, step: int | None, skip: bool) -> None:
    """Where each warm-up stands: its step, what may leave today, and what the last day said.

    A day that goes well leads one step on: four fifths of the step used, below 2 % bounced, no
    complaint. A day on which sending was stopped leads two steps back.

    \b
    Example:
      potok identity warm-up
      potok identity warm-up anna --step 3
      potok identity warm-up anna --skip
    """
    from console.warming_up import move_warm_up, warm_ups

    if (step is not None or skip) and name is None:
        raise click.UsageError("Say whose: potok identity warm-up NAME --step N")
    if step is not None and skip:
        raise click.UsageError("Give --step or --skip, not both.")
    with frame.workspace() as workspace:
        if name is not None and (skip or step is not None):
            found = [move_warm_up(workspace, name, step, by=frame.by)]
        else:
            found = warm_ups(workspace, name)
    frame.emit(
        {"warm_ups": [each.document() for each in found]},
        lambda screen: _show(screen, found),
    )


def _show(screen: "Console", found: "list[WarmingUp]") -> None:
    if not found:
        screen.print(
            'Nobody warms up. Write warm_up = "mailbox" into [identity.NAME.limits] of potok.toml.'
        )
    for each in found:
        allowed = f"{each.allowed:,}" if each.allowed is not None else "no limit"
        last = len(each.steps)
        where = "over" if each.step > last else f"step {each.step} of {last}"
        screen.print(f"{each.identity}: {each.schedule}, {where}, since {each.started}")
        screen.print(f"  today     {each.used:,} of {allowed}")
        coming = each.steps[each.step : each.step + 5]
        if coming:
            after = ", ".join(f"{number:,}" for number in coming)
            more = ", ..." if each.step + 5 < last else ""
            screen.print(f"  after it  {after}{more}")
        if each.why:
            screen.print(f"  last day  {each.why}")
