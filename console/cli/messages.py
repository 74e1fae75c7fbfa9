"""`potok messages`: single messages, and the exact mail someone got."""

import sys
from typing import TYPE_CHECKING

import click

from console.cli.frame import Frame, command, group

if TYPE_CHECKING:
    from rich.console import Console

messages = group("messages", help="Single messages: the exact mail someone got.")


@command(messages, "list")
@click.option("--to", "email", help="Only to this address.")
@click.option("--campaign", help="Only of this campaign.")
@click.option("--state", help="Only in this state: accepted, skipped, in_doubt, ...")
@click.option(
    "--limit",
    default=50,
    show_default=True,
    type=click.IntRange(1, 100_000),
    help="At most so many.",
)
def list_(
    frame: Frame, email: str | None, campaign: str | None, state: str | None, limit: int
) -> None:
    """Messages, newest first.

    \b
    Example:
      potok messages list --to anna@example.com
    """
    from campaigns import messages_of

    with frame.workspace() as workspace:
        rows = workspace.database.read(
            lambda s: messages_of(s, email=email, campaign=campaign, state=state, limit=limit)
        )

    def human(screen: "Console") -> None:
        from rich.table import Table

        table = Table("message", "campaign", "to", "state", "reason", "due (UTC)", box=None)
        for number, name, to, now_in, reason, due in rows:
            table.add_row(str(number), name, to, now_in, reason, f"{due:%Y-%m-%d %H:%M}")
        screen.print(table if rows else "No message matches.")

    frame.emit(
        {
            "messages": [
                {
                    "message": number,
                    "campaign": name,
                    "to": to,
                    "state": now_in,
                    "reason": reason,
                    "due_at": due,
                }
                for number, name, to, now_in, reason, due in rows
            ]
        },
        human,
    )


@command(messages, "show")
@click.argument("message")
@click.option("--raw", is_flag=True, help="Print the mail's bytes and nothing else.")
def show(frame: Frame, message: str, raw: bool) -> None:
    """What somebody got, to the letter, and every attempt to deliver it.

    MESSAGE is the number from `messages list`, or a Message-ID.

    \b
    Example:
      potok messages show 4711
      potok messages show 4711 --raw > mail.eml
    """
    from campaigns import show as look_up

    with frame.workspace() as workspace:
        found = workspace.database.read(
            lambda s: look_up(s, message, identities=dict(workspace.settings.identities))
        )
        if found is None:
            raise click.ClickException(
                f"There is no message {message!r}; find its number with potok messages list"
            )
        zone = workspace.settings.time_zone
    if raw:
        if found.mail is None:
            raise click.ClickException(
                f"Message {found.id} is {found.state}: no mail was handed to a server"
            )
        sys.stdout.buffer.write(found.mail)
        return

    def human(screen: "Console") -> None:
        screen.print(f"Message {found.id} of {found.campaign} to {found.email}", style="bold")
        reason = f" ({found.reason})" if found.reason else ""
        screen.print(f"{found.state}{reason}")
        for attempt in found.attempts:
            at = attempt["started_at"].astimezone(zone)
            screen.print(
                f"  {at:%Y-%m-%d %H:%M:%S} try {attempt['number']}: "
                f"{attempt['result'] or 'under way'} {attempt['reply']}".rstrip()
            )
        if found.mail is not None:
            screen.print()
            screen.print(_readable(found.mail))

    frame.emit(
        {
            "message": found.id,
            "campaign": found.campaign,
            "occurrence": found.occurrence,
            "to": found.email,
            "state": found.state,
            "reason": found.reason,
            "subject": found.subject,
            "message_id": found.rfc_message_id,
            "due_at": found.due_at,
            "settled_at": found.settled_at,
            "reply": found.reply,
            "attempts": list(found.attempts),
            "mail": found.mail.decode("utf-8", "surrogateescape") if found.mail else None,
        },
        human,
    )


def _readable(mail: bytes) -> str:
    """The headers a person looks for, and the text part."""
    from email import policy
    from email.parser import BytesParser

    parsed = BytesParser(policy=policy.default).parsebytes(mail)
    body = parsed.get_body(("plain",))
    wanted = ("From", "To", "Reply-To", "Subject", "Date", "Message-ID", "List-Unsubscribe")
    head = "\n".join(f"{name}: {parsed[name]}" for name in wanted if parsed[name])
    return f"{head}\n\n{body.get_content() if body else ''}"
