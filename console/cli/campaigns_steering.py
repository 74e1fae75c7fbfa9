"""`potok campaigns pause | resume | cancel | resolve`: changing how a run goes on."""

from typing import TYPE_CHECKING

import click

from console.cli.campaigns import campaigns
from console.cli.frame import DONE, UNDECIDED, Frame, command

if TYPE_CHECKING:
    from rich.console import Console


@command(campaigns, "pause")
@click.argument("name")
@click.option("--why", default="", help="Kept with the run and shown in status.")
def pause(frame: Frame, name: str, why: str) -> None:
    """Claim nothing more of this campaign; what is on the wire is finished.

    \b
    Example:
      potok campaigns pause spring --why "wrong price"
    """
    from campaigns import pause as pause_run

    reason = why or f"paused by {frame.by}"
    with frame.workspace() as workspace:
        run = workspace.database.write(lambda s: pause_run(s, name, reason=reason))
    frame.emit(
        {"campaign": name, "state": run.state, "reason": run.reason},
        lambda screen: screen.print(
            f"{name} is paused ({run.reason}). Go on with: potok campaigns resume {name}"
        ),
    )


@command(campaigns, "resume")
@click.argument("name")
@click.option("--i-know", is_flag=True, help="You have seen why bounces or complaints stopped it.")
def resume(frame: Frame, name: str, i_know: bool) -> None:
    """Go on where it stopped; also the approval after `start --first`.

    It is also the yes to a scheduled start that was missed: it begins now, with what is applied.
    What bounces or complaints stopped goes on with --i-know: five messages leave first, and the
    rest when nothing bad came of them.

    \b
    Example:
      potok campaigns resume spring
      potok campaigns resume spring --i-know
    """
    from console.campaigning import resume_campaign
    from console.holding import what_stops

    with frame.workspace() as workspace:
        run = resume_campaign(workspace, name, knowing=frame.by if i_know else "")
        stopped = what_stops(workspace, run)

    def human(screen: "Console") -> None:
        screen.print(f"{name} is {run.state}. Messages leave while potok run runs.")
        for each in stopped:
            screen.print(each.words())

    frame.emit(
        {
            "campaign": name,
            "state": run.state,
            "breakers": [each.document() for each in stopped],
        },
        human,
    )


@command(campaigns, "choose")
@click.argument("name")
@click.argument("variant")
@click.option("--yes", is_flag=True, help="Choose without asking.")
def choose(frame: Frame, name: str, variant: str, yes: bool) -> None:
    """Say which variant the leads get that were kept back.

    It stands for good, also when the numbers say otherwise later; they are in: potok campaigns
    results NAME.

    \b
    Example:
      potok campaigns choose spring welcome-short
    """
    from campaigns import choose as choose_variant
    from campaigns import require_run, reserved

    with frame.workspace() as workspace:
        run = workspace.database.read(lambda s: require_run(s, name))
        waiting = workspace.database.read(lambda s: reserved(s, run.id or 0))
        if not frame.confirm(f"Send {variant} to the {waiting:,} leads kept back?", yes=yes):
            frame.say("Nothing was chosen.")
            frame.exit(DONE)
        now = workspace.now()
        waiting = workspace.database.write(
            lambda s: choose_variant(s, name, variant, now=now, by=frame.by)
        )
    frame.emit(
        {"campaign": name, "variant": variant, "kept_back": waiting},
        lambda screen: screen.print(
            f"The {waiting:,} leads kept back get {variant}, while potok run runs."
        ),
    )


@command(campaigns, "cancel")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Cancel without asking.")
def cancel(frame: Frame, name: str, yes: bool) -> None:
    """End it for good: what has not left will not leave.

    \b
    Example:
      potok campaigns cancel spring
    """
    from campaigns import cancel as cancel_run
    from campaigns import cancel_rows

    with frame.workspace() as workspace:
        if not frame.confirm(f"Cancel {name}? What has not left will never leave.", yes=yes):
            frame.say("Nothing was cancelled.")
            frame.exit(1)
        now = frame.now()
        run = workspace.database.write(
            lambda s: cancel_run(s, name, reason=f"cancelled by {frame.by}")
        )
        total = 0
        while moved := workspace.database.write(lambda s: cancel_rows(s, run.id or 0, now=now)):
            total += moved
    frame.emit(
        {"campaign": name, "state": run.state, "cancelled": total},
        lambda screen: screen.print(f"{name} is cancelled: {total} messages will not leave."),
    )


@command(campaigns, "resolve")
@click.argument("name")
@click.option("--sent", "verdict", flag_value="sent", help="They arrived: count them as sent.")
@click.option("--resend", "verdict", flag_value="resend", help="They did not: send them again.")
@click.option("--give-up", "verdict", flag_value="give-up", help="Leave it: do not send again.")
@click.option("--message", "only", type=int, multiple=True, help="Only this message (its number).")
def resolve(frame: Frame, name: str, verdict: str | None, only: tuple[int, ...]) -> None:
    """List messages whose fate is unknown, and settle them.

    A message is in doubt when the server had it and no answer came. Look into the recipient's or
    the relay's log, then say what happened.

    \b
    Example:
      potok campaigns resolve spring
      potok campaigns resolve spring --sent --message 4711
    """
    from campaigns import doubtful, require_run
    from campaigns import resolve as settle

    with frame.workspace() as workspace:
        run_id = workspace.database.read(lambda s: require_run(s, name).id or 0)
        settled = 0
        if verdict is not None:
            now, by = frame.now(), frame.by
            settled = workspace.database.write(
                lambda s: settle(
                    s, run_id, verdict=verdict, now=now, by=by, message_ids=list(only) or None
                )
            )
        left = workspace.database.read(lambda s: doubtful(s, run_id))

    def human(screen: object) -> None:
        from rich.console import Console

        assert isinstance(screen, Console)  # noqa: S101 - what emit hands over
        if verdict is not None:
            screen.print(f"Settled {settled} as {verdict}.")
        if not left:
            screen.print("Nothing is in doubt.")
            return
        for number, email, why, at in left:
            screen.print(f"{number}  {email}  {at:%Y-%m-%d %H:%M} UTC  {why}")
        screen.print(
            f"{len(left)} in doubt. Settle with --sent, --resend or --give-up "
            "(add --message NUMBER for one)."
        )

    frame.emit(
        {
            "campaign": name,
            "settled": settled,
            "in_doubt": [
                {"message": number, "email": email, "why": why, "claimed_at": at}
                for number, email, why, at in left
            ],
        },
        human,
    )
    frame.exit(UNDECIDED if left else DONE)
