"""One recipient's mail made to be looked at, and what is to be said of a page of them.

No database and no network: this is what each of the processes does that `covering.py` starts.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from campaigns import Circumstances, enclosures
from console.wiring import Workspace
from deliverability import (
    ClickLinks,
    DeliverabilityError,
    Identity,
    SmtpServer,
    click_links,
    compose,
    make_token,
)
from leads import Recipient
from templates import (
    OF_LEADS,
    Compiled,
    Letter,
    Links,
    NotingEnvironment,
    RenderError,
    Sender,
    Tally,
    Trait,
    Tried,
    render,
    tally,
    traits,
)


class Told(NamedTuple):
    """One line about one lead, for whoever wants them all."""

    trait: Trait
    lead_id: int
    email: str
    note: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Desk:
    """All that is needed to write to anybody of a list; goes to other processes as it is."""

    compiled: Compiled
    #: Without its key and its password: nothing is signed or sent.
    identity: Identity
    links: Links
    unsubscribe_url: str | None
    #: Makes links as long as those of a mail; None when none is tracked.
    clicks: ClickLinks | None
    now: datetime
    zone: ZoneInfo


#: A lead and what the template asks beyond it.
Asked = tuple[Recipient, Circumstances]
#: What became of a page: the tally, and every line about a lead when they are wanted.
Part = tuple[Tally, list[Told]]


def desk_for(workspace: Workspace, compiled: Compiled, sender: Identity) -> Desk:
    """A desk whose links of ours are as long as real ones and open nothing."""
    key = workspace.random.randbytes(32)
    token = make_token([key], "coverage", "0" * 16, 1_000_000)
    base_url = workspace.settings.web.base_url.rstrip("/")
    mailto = f"mailto:{sender.reply_to or sender.from_address}?subject=unsubscribe%20{token}"
    url = f"{base_url}/u/{token}" if base_url else None
    view = f"{base_url}/v/{token}" if base_url and "view" in compiled.asks else ""
    chosen = f"{base_url}/p/{token}" if base_url and "preferences" in compiled.asks else ""
    clicks = None
    if base_url and compiled.track_links:
        clicks = click_links([key], base_url, "0" * 16, 1_000_000)
    return Desk(
        compiled=compiled,
        identity=replace(sender, dkim=None, smtp=SmtpServer(), mailbox=None),
        links=Links(
            unsubscribe=url or mailto, preferences=chosen, view=view, mailto_unsubscribe=mailto
        ),
        unsubscribe_url=url,
        clicks=clicks,
        now=workspace.now(),
        zone=workspace.settings.time_zone,
    )


def look(desk: Desk, environment: NotingEnvironment, page: Sequence[Asked], *, told: bool) -> Part:
    """Renders for each of them: the tally, and with `told` every line about a lead."""
    lines: list[Told] = []

    def looked() -> Iterator[tuple[Tried, list[tuple[Trait, str]]]]:
        for recipient, around in page:
            tried = _try(desk, environment, recipient, around)
            found = list(traits(desk.compiled, tried))
            if told:
                lines.extend(
                    Told(trait, recipient.lead_id, recipient.email, note)
                    for trait, note in found
                    if trait.kind in OF_LEADS
                )
            yield tried, found

    return tally(looked()), lines


def _try(
    desk: Desk, environment: NotingEnvironment, recipient: Recipient, around: Circumstances
) -> Tried:
    identity = desk.identity
    sender = Sender(
        name=identity.from_name,
        address=identity.from_address,
        postal_address=identity.postal_address,
    )
    environment.begin()
    try:
        letter = Letter(
            recipient=recipient,
            sender=sender,
            links=desk.links,
            deals=around.deals,
            segments=around.segments,
            track=desk.clicks.to if desk.clicks is not None else None,
        )
        rendered = render(desk.compiled, letter, environment=environment)
    except RenderError as error:
        return Tried(recipient=recipient, notes=environment.notes(), error=error)
    notes = environment.notes()
    try:
        envelope = compose(
            identity,
            to_address=recipient.email,
            to_name=recipient.name,
            subject=rendered.subject,
            text=rendered.text,
            html=rendered.html,
            message_id=f"{'0' * 12}.mail.0.{recipient.token}@{identity.domain}",
            date=desk.now,
            list_id=f"{desk.compiled.topic or identity.name}.{identity.domain}",
            unsubscribe_url=desk.unsubscribe_url,
            unsubscribe_mailto=desk.links.mailto_unsubscribe,
            enclosures=enclosures(rendered),
        )
    except DeliverabilityError as error:
        wrong = RenderError("header", str(error))
        return Tried(recipient=recipient, notes=notes, error=wrong)
    return Tried(recipient=recipient, notes=notes, rendered=rendered, size=len(envelope.data))
