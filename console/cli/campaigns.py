"""`potok campaigns`: create, list, plan, start."""

from typing import TYPE_CHECKING

import click

from console.cli.frame import REFUSED, Frame, command, group

if TYPE_CHECKING:
    from campaigns import Plan
    from console.wiring import Workspace

campaigns = group("campaigns", help="Plan, start, watch and prove campaigns.")


@command(campaigns, "create")
@click.argument("name")
@click.option("--segment", required=True, help="Who: the name of a segment.")
@click.option("--template", required=True, help="What: the name of a template.")
@click.option("--identity", help="Who writes; needed when potok.toml has more than one.")
@click.option("--description", default="", help="One line for the list.")
def create(
    frame: Frame, name: str, segment: str, template: str, identity: str | None, description: str
) -> None:
    """Write campaigns/NAME.toml and apply it. Nothing is sent.

    \b
    Example:
      potok campaigns create spring --segment hot --template welcome
    """
    from console.campaigning import create_campaign

    with frame.workspace() as workspace:
        path = create_campaign(
            workspace,
            name,
            segment=segment,
            template=template,
            identity=identity,
            description=description,
        )
    frame.emit(
        {"campaign": name, "file": str(path)},
        lambda screen: screen.print(
            f"Wrote {path.name} and applied it. Look at it: potok campaigns plan {name}"
        ),
    )


@command(campaigns, "list")
def list_(frame: Frame) -> None:
    """Every applied campaign, how its newest run stands, and when it starts next by itself.

    \b
    Example:
      potok campaigns list
    """
    from campaigns import applied_campaigns
    from console.campaigning import coming_starts

    with frame.workspace() as workspace:
        rows = workspace.database.read(applied_campaigns)
        coming = coming_starts(workspace)

    def human(screen: object) -> None:
        from rich.console import Console
        from rich.table import Table

        assert isinstance(screen, Console)  # noqa: S101 - what emit hands over
        if not rows:
            screen.print("No campaign yet. Make one: potok campaigns create NAME --segment S ...")
            return
        table = Table("campaign", "newest run", "next start", "why", box=None)
        for name, state, reason in rows:
            start = coming[name].local() if name in coming else ""
            table.add_row(name, state or "not started", start, reason)
        screen.print(table)

    frame.emit(
        {
            "campaigns": [
                {
                    "name": name,
                    "state": state or None,
                    "reason": reason,
                    "next_start": coming[name].at if name in coming else None,
                    "zone": coming[name].zone.key if name in coming else None,
                }
                for name, state, reason in rows
            ]
        },
        human,
    )


@command(campaigns, "plan")
@click.argument("name")
@click.option("--again", is_flag=True, help="Plan only for those not written to yet.")
def plan(frame: Frame, name: str, again: bool) -> None:
    """Who gets it, who does not and why, when it ends, what is wrong. Changes nothing.

    \b
    Example:
      potok campaigns plan spring
    """
    from console.campaigning import coming_starts, plan_campaign

    with frame.workspace() as workspace:
        made = plan_campaign(workspace, name, again=again)
        start = coming_starts(workspace).get(name)

        def human(screen: object) -> None:
            _show(frame, workspace, name, made)
            if start is not None:
                frame.screen().print(f"Starts by itself: {start.local()}, while potok run runs.")

        document = made.document() | {"next_start": start.at if start else None}
        frame.emit(document, human)
    if not made.sound:
        frame.exit(REFUSED)


@command(campaigns, "start")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Start without asking.")
@click.option("--first", type=click.IntRange(min=1), help="Send so many, then wait for resume.")
@click.option("--again", is_flag=True, help="Start anew for those it has not written to yet.")
@click.option("--plan", "plan_id", help="Refuse unless the plan is still this one.")
def start(
    frame: Frame, name: str, yes: bool, first: int | None, again: bool, plan_id: str | None
) -> None:
    """Show the plan, ask, and write down a message for every recipient.

    `potok run` then sends them. What was planned stays as it is when files change.

    \b
    Example:
      potok campaigns start spring
      potok campaigns start spring --first 50 --yes
    """
    from console.campaigning import plan_campaign, start_campaign, unfinished_planning

    with frame.workspace() as workspace:
        going_on = unfinished_planning(workspace, name)
        if not going_on:
            made = plan_campaign(workspace, name, again=again, expected=plan_id)
            if not frame.json:
                _show(frame, workspace, name, made, stderr=True)
            if not made.sound:
                wrong = next(f for f in made.findings if f.level == "error")
                raise click.ClickException(f"Not started: {wrong.what} ({wrong.where}). {wrong.do}")
            if made.mailable == 0:
                raise click.ClickException(
                    "Not started: nobody would get it. The plan above says who is left out and why"
                )
            count = min(first or made.mailable, made.mailable)
            if not frame.confirm(f"Send to {count} of {made.mailable} leads?", yes=yes):
                frame.say("Nothing was started.")
                frame.exit(REFUSED)
        status = start_campaign(workspace, name, first=first, again=again, by=frame.by)
    frame.emit(
        status.document(),
        lambda screen: screen.print(
            f"{name} is {status.state}: {status.waiting + status.reserved} messages wait, "
            f"{sum(status.skipped.values())} leads left out. Send them: potok run"
        ),
    )


def _show(
    frame: Frame, workspace: "Workspace", name: str, made: "Plan", *, stderr: bool = False
) -> None:
    from console.cli.plan_view import show_plan

    show_plan(frame.screen(stderr=stderr), name, made, zone=workspace.settings.time_zone)
