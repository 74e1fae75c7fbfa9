"""`potok sequences`: list, status, one lead's way, taking a lead out."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from console.cli.frame import REFUSED, Frame, command, group

if TYPE_CHECKING:
    from rich.console import Console
    from sqlmodel import Session

    from campaigns import Enrolled, SequenceDefinition, SequenceStatus

sequences = group("sequences", help="Mails that follow one another until somebody answers.")


@command(sequences, "list")
def list_(frame: Frame) -> None:
    """Every applied sequence: what starts it, its steps, how many leads are on the way.

    \b
    Example:
      potok sequences list
    """
    from campaigns import applied_sequences

    with frame.workspace() as workspace:
        rows = workspace.database.read(applied_sequences)

    def human(screen: "Console") -> None:
        from rich.table import Table

        if not rows:
            screen.print("No sequence yet. Write sequences/NAME.toml and type potok apply.")
            return
        table = Table("sequence", "state", "starts at", "steps", "on the way", box=None)
        for definition, state, count in rows:
            steps = ", ".join(step.name for step in definition.steps)
            start = definition.trigger[1] if definition.trigger else f"in {definition.segment}"
            table.add_row(definition.name, state, start, steps, str(count))
        screen.print(table)

    frame.emit(
        {
            "sequences": [
                {
                    "name": definition.name,
                    "description": definition.description,
                    "state": state,
                    "stage": definition.trigger[1] if definition.trigger else None,
                    "pipeline": definition.trigger[0] if definition.trigger else None,
                    "segment": definition.segment or None,
                    "steps": [step.name for step in definition.steps],
                    "active": count,
                }
                for definition, state, count in rows
            ]
        },
        human,
    )


@command(sequences, "status")
@click.argument("name")
def status(frame: Frame, name: str) -> None:
    """How many leads are at which step, how many are through, who left and why.

    \b
    Example:
      potok sequences status after-demo
    """
    from campaigns import require_sequence, sequence_status
    from console.holding import show_stopped, what_stops

    with frame.workspace() as workspace:
        found = workspace.database.read(lambda session: sequence_status(session, name))
        run = workspace.database.read(lambda session: require_sequence(session, name))
        stopped = what_stops(workspace, run, warnings=True)

    def human(screen: "Console") -> None:
        _show(screen, found)
        show_stopped(screen.print, stopped)

    frame.emit(
        found.document() | {"breakers": [each.document() for each in stopped]},
        human,
    )


def _show(screen: "Console", found: "SequenceStatus") -> None:
    from rich.table import Table

    reason = f" ({found.reason})" if found.reason else ""
    screen.print(f"{found.name}: {found.state}{reason}", style="bold")
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(justify="right")
    table.add_column()
    table.add_row(str(found.enrolled), "entered")
    for step in _in_order(found.definition, found.active):
        if step in found.active:
            table.add_row(str(found.active[step]), f"on the way, at {step}")
    table.add_row(str(found.done), "through to the end")
    for why, count in found.exited.items():
        table.add_row(str(count), f"left: {why.replace('_', ' ')}")
    screen.print(table)
    for step in _in_order(found.definition, found.messages):
        if step in found.messages:
            parts = ", ".join(f"{n} {s}" for s, n in sorted(found.messages[step].items()))
            screen.print(f"messages of {step}: {parts}")


def _in_order(definition: "SequenceDefinition | None", named: Iterable[str]) -> list[str]:
    """The file's steps in its order, then those that stand only in older versions."""
    known = [step.name for step in definition.steps] if definition else []
    return known + sorted(set(named) - set(known))


@command(sequences, "show")
@click.argument("email")
def show(frame: Frame, email: str) -> None:
    """One lead's way through every sequence, newest last.

    \b
    Example:
      potok sequences show kasia@example.pl
    """
    from campaigns import enrolments_of
    from console.cli.leads import the_lead

    with frame.workspace() as workspace:

        def work(session: "Session") -> "list[Enrolled]":
            return list(enrolments_of(session, the_lead(session, workspace, email).id or 0))

        rows = workspace.database.read(work)
        zone = workspace.settings.time_zone

    def human(screen: "Console") -> None:
        from rich.table import Table

        if not rows:
            screen.print(f"{email} has been in no sequence.")
            return
        table = Table("sequence", "time", "since", "stands", "step", "message", box=None)
        for row in rows:
            stands = row.state if row.state != "exited" else f"left: {row.reason}"
            if row.due_at is not None:
                stands = f"on the way, next {row.due_at.astimezone(zone):%Y-%m-%d %H:%M:%S}"
            table.add_row(
                row.sequence,
                str(row.times),
                f"{row.enrolled_at.astimezone(zone):%Y-%m-%d %H:%M}",
                stands,
                row.step,
                row.message,
            )
        screen.print(table)

    frame.emit({"email": email, "enrolments": [row.document() for row in rows]}, human)


@command(sequences, "exit")
@click.argument("name")
@click.argument("email")
@click.option("--why", required=True, help="Kept on the lead's timeline.")
def exit_(frame: Frame, name: str, email: str, why: str) -> None:
    """Take one lead out of a sequence; what has not left will not leave.

    \b
    Example:
      potok sequences exit after-demo kasia@example.pl --why "called her"
    """
    from campaigns import exit_lead
    from console.cli.leads import the_lead

    reason = " ".join(why.split())
    if not reason:
        raise click.UsageError("Say why with --why, in a few words.")
    with frame.workspace() as workspace:

        def work(session: "Session") -> bool:
            lead = the_lead(session, workspace, email)
            return exit_lead(
                session, name, lead.id or 0, why=reason, now=workspace.now(), by=frame.by
            )

        left = workspace.database.write(work)
    frame.emit(
        {"sequence": name, "email": email, "exited": left},
        lambda screen: screen.print(
            f"{email} is out of {name}." if left else f"{email} is not on the way in {name}."
        ),
    )
    if not left:
        frame.exit(REFUSED)
