"""`potok leads event|events`: what leads did elsewhere, as your site or product tells it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from console.cli.frame import Frame, command
from console.cli.leads import leads, the_lead
from console.cli.leads_deals import tell_facts

if TYPE_CHECKING:
    from rich.console import Console


@command(leads, "event")
@click.argument("email")
@click.argument("name")
@click.option(
    "--set", "properties", multiple=True, metavar="NAME=VALUE", help="A property; may be repeated."
)
@click.option("--at", "when", metavar="TIME", help="When it happened; without it, now.")
def event(
    frame: Frame, email: str, name: str, properties: tuple[str, ...], when: str | None
) -> None:
    """Put something a lead did on its timeline, for rules to ask about.

    The name holds a dot, as in demo.requested. Digits are numbers, everything else is text.

    \b
    Example:
      potok leads event jan@example.com demo.requested --set plan=pro --set seats=5
      potok leads event jan@example.com invoice.paid --at "2026-03-31 14:30"
    """
    from leads import FieldError, moment, note_event, said_value

    said: dict[str, Any] = {}
    for text in properties:
        word, sign, value = text.partition("=")
        if not sign or not word.strip():
            raise click.UsageError(f"--set {text!r}: write NAME=VALUE, as in plan=pro")
        said[word.strip()] = said_value(value)
    with frame.workspace() as workspace:
        now = workspace.now()
        at = moment(when, workspace.settings.time_zone) if when else now
        if at > now:
            raise FieldError(f"--at {when} has not come yet")
        with workspace.database.writing() as session:
            lead = the_lead(session, workspace, email)
            changed = note_event(session, lead.id or 0, name, said, at=at, by=frame.by)

    def human(screen: "Console") -> None:
        screen.print(f"{lead.email}: {name if changed else 'it was so already'}")

    frame.emit({"email": lead.email, "changed": changed, "event": name, "at": at}, human)


@command(leads, "events")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--at", "when", metavar="TIME", help="For rows that do not say when.")
@click.option("--map", "mapping", multiple=True, metavar="COLUMN=FIELD", help="Wann=at ...")
@click.option("--encoding", help="When the guess is wrong: utf-8, cp1250, ...")
def events(
    frame: Frame, file: Path, when: str | None, mapping: tuple[str, ...], encoding: str | None
) -> None:
    """Bring in what leads did: a table or JSON lines with email, event, at; the rest is properties.

    Importing again doubles nothing. Rows that cannot be taken in, also those whose address is no
    lead, are written to FILE.rejected.csv.

    \b
    Example:
      potok leads events signups.csv
      potok leads events product.jsonl
    """
    from console.facts_files import events_file

    with frame.workspace() as workspace:
        done = events_file(
            workspace, file, encoding=encoding, mapping=mapping, at=when, by=frame.by
        )
    tell_facts(frame, done, file)
