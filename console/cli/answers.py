"""`potok answers`: what came back, read from the mailboxes, and what it was taken for."""

import sys
from typing import TYPE_CHECKING

import click

from console.cli.frame import Frame, command, group

if TYPE_CHECKING:
    from rich.console import Console

KINDS = ("human", "autoreply", "bounce", "complaint", "unsubscribe", "other")

answers = group("answers", help="What came back: replies, bounces, complaints, opt-outs.")


@command(answers, "poll")
def poll_(frame: Frame) -> None:
    """Read the mailboxes now (potok run does it by itself).

    Nothing in a mailbox is moved, marked or deleted, and reading twice changes nothing.

    \b
    Example:
      potok answers poll
    """
    import asyncio

    from console.answers import mailboxes, poll_all
    from console.database import Store
    from console.errors import Refused

    with frame.workspace() as workspace:
        boxes = mailboxes(workspace)
        if not boxes:
            raise Refused(
                "No identity has a mailbox to read: write maildir = ... under "
                "[identity.NAME.mailbox] in potok.toml"
            )
        store = Store(workspace.database)
        try:
            came = asyncio.run(poll_all(store, boxes, workspace, say=frame.say))
        finally:
            store.close()

    def human(screen: "Console") -> None:
        for name, polled in came.items():
            told = ", ".join(f"{count} {kind}" for kind, count in sorted(polled.events.items()))
            screen.print(
                f"{name}: {polled.new} new"
                + (f": {told}" if told else "")
                + (f"; {polled.unmatched} about nobody we know" if polled.unmatched else "")
            )

    frame.emit(
        {
            "mailboxes": {
                name: {
                    "new": polled.new,
                    "events": dict(polled.events),
                    "unmatched": polled.unmatched,
                    "unreadable": list(polled.unreadable),
                }
                for name, polled in came.items()
            }
        },
        human,
    )
    if len(came) < len(boxes):
        frame.exit(1)


@command(answers, "list")
@click.option("--kind", type=click.Choice(KINDS), help="Only these.")
@click.option("--campaign", help="Only answers to this campaign.")
@click.option(
    "--limit",
    default=50,
    show_default=True,
    type=click.IntRange(1, 100_000),
    help="At most so many.",
)
def list_(frame: Frame, kind: str | None, campaign: str | None, limit: int) -> None:
    """What came back, newest first.

    \b
    Example:
      potok answers list --kind human
    """
    from campaigns import answers as listed

    with frame.workspace() as workspace:
        rows = workspace.database.read(
            lambda session: listed(session, kind=kind, campaign=campaign, limit=limit)
        )

    def human(screen: "Console") -> None:
        from rich.table import Table

        table = Table("answer", "when (UTC)", "kind", "from", "subject", "campaign", box=None)
        for one in rows:
            when = f"{one.at:%Y-%m-%d %H:%M}"
            subject = one.subject if len(one.subject) <= 60 else f"{one.subject[:59]}…"
            table.add_row(
                str(one.id), when, one.kind, one.from_address, subject, one.campaign or ""
            )
        screen.print(table if rows else "Nothing has come back yet.")

    frame.emit({"answers": [one.document() for one in rows]}, human)


@command(answers, "show")
@click.argument("number", type=int)
@click.option("--raw", is_flag=True, help="The mail exactly as it came, on standard output.")
def show(frame: Frame, number: int, raw: bool) -> None:
    """One answer: what it was taken for, by which sign, and its words.

    \b
    Example:
      potok answers show 12
      potok answers show 12 --raw > answer.eml
    """
    from campaigns import answer
    from console.errors import Refused
    from deliverability import classify_inbound, readable

    with frame.workspace() as workspace:
        found = workspace.database.read(lambda session: answer(session, number))
    if found is None:
        raise Refused(f"There is no answer {number}: potok answers list shows them")
    one, mail = found
    if raw:
        sys.stdout.buffer.write(mail)
        return
    reading = classify_inbound(mail)
    failures = [
        {
            "addresses": list(failure.addresses),
            "hard": failure.hard,
            "cause": str(failure.cause),
            "status": failure.status,
            "reply": failure.words,
        }
        for failure in reading.failures
    ]

    def human(screen: "Console") -> None:
        screen.print(f"{one.kind} from {one.from_address}, {one.at:%Y-%m-%d %H:%M} UTC")
        screen.print(f"Subject: {one.subject}")
        about = f"answers message {one.message_id} of {one.campaign} to {one.email}"
        screen.print(
            f"It {about} (by {one.matched_by})" if one.campaign else "It is about no mail of ours."
        )
        for failure in reading.failures:
            hard = "for good" if failure.hard else "this time"
            screen.print(
                f"{', '.join(failure.addresses) or 'somebody'} failed {hard} ({failure.cause}): "
                f"{failure.words}"
            )
        screen.print()
        screen.print(readable(mail))

    frame.emit(one.document() | {"failures": failures, "text": readable(mail)}, human)
