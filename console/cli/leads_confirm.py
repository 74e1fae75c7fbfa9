"""`potok leads confirm`: leads asked by mail to confirm that we may write (double opt-in)."""

from collections import Counter
from typing import TYPE_CHECKING

import click

from console.cli.frame import UNDECIDED, Frame, command
from console.cli.leads import choosing, leads, the_lead

if TYPE_CHECKING:
    from rich.console import Console

#: What became of a lead, in words.
_SAID = {
    "asked": "a mail asks to confirm",
    "confirmed": "has confirmed already",
    "suppressed": "gets no mail: the address is suppressed",
    "again": "was asked a short while ago (once a day, three times in 30 days)",
}


@command(leads, "confirm")
@click.argument("emails", nargs=-1, metavar="[EMAIL]...")
@click.option("--segment", help="Everybody this segment (or rule) chooses now.")
@click.option("--topic", "topics", multiple=True, help="About this topic; without it, everything.")
@click.option("--source", required=True, help="Where the wish came from: a form, a fair, a call.")
@click.option("--identity", default="", help="Who asks; else [signup] identity, or the first one.")
@click.option(
    "--language",
    type=click.Choice(["en", "pl"]),
    help="Of the mail; else the lead's own, or English.",
)
@click.option("--yes", is_flag=True, help="Do not ask when a segment is meant.")
def confirm(
    frame: Frame,
    emails: tuple[str, ...],
    segment: str | None,
    topics: tuple[str, ...],
    source: str,
    identity: str,
    language: str | None,
    yes: bool,
) -> None:
    """Ask leads by mail to confirm that we may write to them (double opt-in).

    The mail leaves through the identity while potok run or potok web serve is at work. Its link
    leads to a page with one button; pressing it gives the consent, with the evidence that potok
    leads show and export tell. Until then the rule "consent pending" means these leads. Nobody is
    asked whose address is suppressed.

    \b
    Example:
      potok leads confirm anna@example.com --topic news --source "card at the fair"
      potok leads confirm --segment 'source = "fair"' --source "card at the fair" --yes
    """
    from sqlmodel import col

    from console.asking_consent import ask_leads
    from leads import Lead, count_leads

    if bool(emails) == bool(segment):
        raise click.UsageError("Name leads or one --segment: potok leads confirm anna@example.com")
    if not source.strip():
        raise click.UsageError("A consent is worth its source: --source 'card at the fair'")
    named = [each.strip() for each in topics if each.strip()]
    with frame.workspace() as workspace:
        if segment:
            conditions = choosing(workspace, segment=segment)
            with workspace.database.reading() as session:
                count = count_leads(session, *conditions)
            if not frame.confirm(f"Send a mail that asks to {count} leads?", yes=yes):
                frame.say("Nobody is asked.")
                frame.exit(1)
        else:
            with workspace.database.reading() as session:
                ids = [the_lead(session, workspace, each).id for each in emails]
            conditions = [col(Lead.id).in_(ids)]
        asked = ask_leads(
            workspace,
            conditions,
            named or [""],
            source=source.strip(),
            identity=identity,
            language=language or "",
            by=frame.by,
        )

    def human(screen: "Console") -> None:
        if len(asked) <= 20:
            for each in asked:
                screen.print(f"{each.email}: {_SAID[each.became]}")
        else:
            for became, number in counted.items():
                screen.print(f"{number} {_SAID[became]}")
        if counted["asked"]:
            screen.print("The mails leave while potok run or potok web serve is at work.")

    counted = Counter(each.became for each in asked)
    frame.emit(
        {
            **{each: counted[each] for each in _SAID},
            "leads": [{"email": each.email, "became": each.became} for each in asked],
        },
        human,
    )
    if asked and not counted["asked"]:
        frame.exit(UNDECIDED)
