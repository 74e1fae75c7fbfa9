"""`potok templates send-test`: a mail to oneself, as a lead would get it."""

from typing import TYPE_CHECKING

import click

from console.cli.frame import Frame, command
from console.cli.templates import templates

if TYPE_CHECKING:
    from rich.console import Console


@command(templates, "send-test")
@click.argument("name")
@click.option("--to", "to", required=True, multiple=True, metavar="ME", help="Your own address.")
@click.option("--as", "email", metavar="LEAD", help="Render as for this lead.")
@click.option("--identity", metavar="NAME", help="Who writes; needed when there are several.")
def send_test(
    frame: Frame, name: str, to: tuple[str, ...], email: str | None, identity: str | None
) -> None:
    """Send a mail to yourself, as LEAD would get it: the real headers, signature and links.

    Its subject starts with [Test]. It counts for nothing: no message, no event on the lead's
    timeline, and its opt-out link and button opt nobody out. --to may be given several times.

    \b
    Example:
      potok templates send-test welcome --to me@example.com --as anna@example.com
    """
    from console.previews import (
        compiled_now,
        identity_name,
        lead_named,
        refuse_suppressed,
        specimen,
        trial,
    )
    from console.send_test import deliver
    from leads import parse_address

    addresses = list(dict.fromkeys(parse_address(each).email for each in to))
    with frame.workspace() as workspace:
        sender = workspace.settings.sender(identity_name(workspace, identity))
        compiled = compiled_now(workspace, name)
        refuse_suppressed(workspace, addresses)
        lead = (
            lead_named(workspace, email)
            if email
            else specimen(addresses[0], compiled.language, now=frame.now())
        )
        written = [trial(workspace, compiled, sender, lead, to=each) for each in addresses]
    replies = deliver(sender, [each.envelope for each in written])
    document = {
        "template": name,
        "as": lead.email,
        "subject": written[0].sent.subject,
        "to": addresses[0],
        "reply": replies[0],
        "sent": [
            {"to": address, "reply": reply, "message_id": each.envelope.message_id}
            for address, reply, each in zip(addresses, replies, written, strict=True)
        ],
    }

    def human(screen: "Console") -> None:
        where = sender.smtp.host or "The folder"
        for address, reply in zip(addresses, replies, strict=True):
            screen.print(f"{where} took it for {address}: {reply}")

    frame.emit(document, human)
