"""`potok leads erase|merge`: a person leaves, or two records become one."""

from typing import TYPE_CHECKING

import click

from console.cli.frame import REFUSED, Frame, command
from console.cli.leads import leads

if TYPE_CHECKING:
    from rich.console import Console


@command(leads, "erase")
@click.argument("email")
@click.option("--yes", is_flag=True, help="Do not ask.")
def erase(frame: Frame, email: str, yes: bool) -> None:
    """Erase a person: address, names, everything known, written and answered.

    What remains names nobody: numbers, times and states, so that results still add up. Waiting
    mails are not sent. A suppression of the address stays, so an import that brings the person
    back still sends no mail. It cannot be undone; backups and files on disk are yours to clear.

    \b
    Example:
      potok leads erase anna@example.com
      potok leads suppress anna@example.com && potok leads erase anna@example.com --yes
    """
    from console.parting import erase_person, overwrite, person

    with frame.workspace() as workspace:
        before = person(workspace, email)
        if not yes:
            frame.say(_warning(email, len(before.ids), before.kept))
            if before.suppressed is None:
                frame.say(
                    "The address is not suppressed: an import may bring the person back and mail "
                    f"may go there. To prevent it, first: potok leads suppress {email}"
                )
        if not frame.confirm("Erase for good?", yes=yes):
            frame.say("Nothing was changed.")
            frame.exit(REFUSED)
        gone = erase_person(workspace, email, by=frame.by)
        overwritten = overwrite(workspace)
        server = workspace.database.dialect != "sqlite"

    def human(screen: "Console") -> None:
        screen.print(
            f"Erased. {gone.kept.waiting} waiting mails will not be sent; the texts of "
            f"{gone.kept.messages} mails and {gone.kept.answers} answers are gone."
        )
        if gone.suppressed:
            screen.print(f"The address stays suppressed ({gone.suppressed}).")
        if not overwritten and not server:
            screen.print(
                "Another potok works on the database, so unused pages of the file may still hold "
                "old bytes: end it, then type potok database compact"
            )

    frame.emit(
        {
            "erased": len(gone.ids),
            "lead_ids": gone.ids,
            "waiting_skipped": gone.kept.waiting,
            "sequences_ended": gone.kept.sequences,
            "messages_emptied": gone.kept.messages,
            "answers_emptied": gone.kept.answers,
            "suppressed": gone.suppressed,
            "overwritten": overwritten,
        },
        human,
    )


def _warning(email: str, records: int, kept: object) -> str:
    merged = f" with {records - 1} records merged into it" if records > 1 else ""
    facts = ", ".join(
        f"{getattr(kept, name)} {what}"
        for name, what in (
            ("messages", "mails written"),
            ("answers", "answers"),
            ("waiting", "mails waiting"),
            ("sequences", "sequences under way"),
        )
    )
    return f"{email}{merged}: {facts}. Everything that says who this is will be gone."


@command(leads, "merge")
@click.argument("keep")
@click.argument("other")
@click.option("--yes", is_flag=True, help="Do not ask.")
def merge(frame: Frame, keep: str, other: str, yes: bool) -> None:
    """Merge the lead OTHER into KEEP: two addresses, one person.

    KEEP keeps its address, stage and what it says of itself; empty fields are filled from OTHER,
    tags, attributes, preferences and the timeline are united, a withdrawn consent wins. OTHER gets
    no mail any more; if it opted out, KEEP has. Files that bring OTHER's address change KEEP.

    \b
    Example:
      potok leads merge anna@example.com a.nowak@old.example
    """
    from console.parting import merge_leads

    question = f"Merge {other} into {keep}? Mail goes to {keep} only. It cannot be undone."
    if not frame.confirm(question, yes=yes):
        frame.say("Nothing was changed.")
        frame.exit(REFUSED)
    with frame.workspace() as workspace:
        done = merge_leads(workspace, keep, other, by=frame.by)

    def human(screen: "Console") -> None:
        filled = ", ".join(done.merged.filled) or "nothing"
        screen.print(
            f"{done.other} is merged into {done.keep}: {done.merged.events} entries of the "
            f"timeline, new: {filled}."
        )
        if done.waiting or done.sequences:
            screen.print(
                f"{done.waiting} waiting mails to {done.other} will not be sent, "
                f"{done.sequences} sequences ended."
            )
        if done.merged.suppressed:
            screen.print(f"{done.keep} is suppressed from now on ({done.merged.suppressed}).")

    frame.emit(
        {
            "keep": done.keep,
            "other": done.other,
            "filled": done.merged.filled,
            "events_moved": done.merged.events,
            "waiting_skipped": done.waiting,
            "sequences_ended": done.sequences,
            "suppressed": done.merged.suppressed or None,
        },
        human,
    )
