"""One claimed message becomes texts, and the texts an envelope. Pure: CPU only, no I/O.

`compose_again` is the way back: from what was kept at finish to the exact mail somebody got.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from campaigns.circumstances import NOTHING, Circumstances
from campaigns.feedback_id import feedback_id
from campaigns.finish import Sent
from campaigns.identity_facts import identity_then
from campaigns.queue import Claimed
from deliverability import (
    ClickLinks,
    Enclosure,
    Envelope,
    Identity,
    click_links,
    compose,
    make_token,
)
from leads import Recipient
from templates import (
    Compiled,
    Letter,
    Links,
    Rendered,
    Sender,
    Tracking,
    Unseen,
    render,
    render_again,
)

#: Purpose of opt-out tokens: a token signed for one purpose opens nothing else.
UNSUBSCRIBE = "unsubscribe"
#: The same of links that show a mail in the browser.
VIEW = "view"

#: The same of links to the page where a lead chooses what to get.
PREFERENCES = "preferences"
#: The same of the link that confirms a new address; its number is the change's.
NEW_ADDRESS = "address"
#: The same of the link that confirms a consent; its number is the request's.
CONFIRM = "confirm"
#: The same of the picture that counts opens.
OPENED_LINK = "opened"

#: Stands for the lead in links of mails that are only looked at; a lead's token is 16 hex digits.
NOBODY = "test"


@dataclass(frozen=True, kw_only=True, slots=True)
class Office:
    """What stands in mail beside the template: who writes, and where links lead."""

    identity: Identity
    identity_version_id: int
    #: `https://mail.example.com`, or empty: then opting out goes by mail only.
    base_url: str
    #: Keys that sign links, newest last.
    link_keys: Sequence[bytes]


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """A message ready for the wire, and what is kept of it."""

    envelope: Envelope
    sent: Sent


def write_message(claimed: Claimed, compiled: Compiled, office: Office) -> Written:
    """Renders and composes; raises templates.RenderError when the lead lacks what is needed."""
    return _write(
        claimed.recipient,
        compiled,
        office,
        to=(claimed.recipient.email, claimed.recipient.name),
        message_id=claimed.message_id,
        rfc_message_id=claimed.rfc_message_id,
        at=claimed.claimed_at,
        circumstances=claimed.circumstances,
        campaign=claimed.campaign,
    )


def write_trial(
    recipient: Recipient,
    compiled: Compiled,
    office: Office,
    *,
    to: tuple[str, str],
    rfc_message_id: str,
    at: datetime,
    circumstances: Circumstances = NOTHING,
) -> Written:
    """The mail `recipient` would get, addressed to `to` (address, name), to be looked at.

    Its links look and answer like real ones and are signed for nobody: following them opts nobody
    out and counts as nobody's click. Raises templates.RenderError.
    """
    return _write(
        replace(recipient, token=NOBODY),
        compiled,
        office,
        to=to,
        message_id=0,
        rfc_message_id=rfc_message_id,
        at=at,
        circumstances=circumstances,
    )


def _write(
    recipient: Recipient,
    compiled: Compiled,
    office: Office,
    *,
    to: tuple[str, str],
    message_id: int,
    rfc_message_id: str,
    at: datetime,
    circumstances: Circumstances,
    campaign: str = "",
) -> Written:
    identity = office.identity
    feedback = feedback_id(campaign, compiled.topic, identity)
    token = make_token(office.link_keys, UNSUBSCRIBE, recipient.token, message_id)
    base = office.base_url.rstrip("/")
    url = f"{base}/u/{token}" if base else None
    view = preferences = ""
    if base and "view" in compiled.asks:
        view = f"{base}/v/{make_token(office.link_keys, VIEW, recipient.token, message_id)}"
    if base and "preferences" in compiled.asks:
        chosen = make_token(office.link_keys, PREFERENCES, recipient.token, message_id)
        preferences = f"{base}/p/{chosen}"
    clicks = None
    if base and compiled.track_links:
        clicks = click_links(office.link_keys, base, recipient.token, message_id)
    unseen = Unseen(trap=clicks.trap if clicks is not None and compiled.trap_link else "")
    if base and compiled.track_opens:
        opened = make_token(office.link_keys, OPENED_LINK, recipient.token, message_id)
        unseen = replace(unseen, pixel=f"{base}/o/{opened}.gif")
    answers_to = identity.reply_to or identity.from_address
    # A token holds no letter that needs quoting.
    mailto = f"mailto:{answers_to}?subject=unsubscribe%20{token}"
    rendered = render(
        compiled,
        Letter(
            recipient=recipient,
            sender=Sender(
                name=identity.from_name,
                address=identity.from_address,
                postal_address=identity.postal_address,
            ),
            links=Links(
                unsubscribe=url or mailto,
                preferences=preferences,
                view=view,
                mailto_unsubscribe=mailto,
            ),
            deals=circumstances.deals,
            segments=circumstances.segments,
            track=clicks.to if clicks is not None else None,
            unseen=unseen,
        ),
    )
    around: dict[str, Any] = {
        "to": to[0],
        "name": _display(to[1]),
        "date": at.isoformat(),
        "list_id": f"{compiled.topic or identity.name}.{identity.domain}",
        "unsubscribe_url": url,
        "unsubscribe_mailto": mailto,
        "headers": {"Feedback-ID": feedback},
        "language": rendered.language,
    }
    return Written(
        envelope=_compose(identity, rendered, around, rfc_message_id),
        sent=Sent(
            subject=rendered.subject,
            context={
                "read": dict(rendered.read),
                "envelope": around,
                **({"clicks": clicks.kept()} if clicks is not None else {}),
                **({"unseen": asdict(unseen)} if unseen != Unseen() else {}),
            },
            identity_version_id=office.identity_version_id,
        ),
    )


#: What no name of a person holds: line ends and control characters, marks that turn the writing.
_NO_NAME = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]+")


def _display(name: str) -> str:
    """A lead's name as it may stand in To: one line, and no longer than anybody reads."""
    return " ".join(_NO_NAME.sub(" ", name).split())[:120].rstrip()


def _compose(
    identity: Identity, rendered: Rendered, around: Mapping[str, Any], rfc_message_id: str
) -> Envelope:
    return compose(
        identity,
        to_address=around["to"],
        to_name=around["name"],
        subject=rendered.subject,
        text=rendered.text,
        html=rendered.html,
        message_id=rfc_message_id,
        date=datetime.fromisoformat(around["date"]),
        list_id=around["list_id"],
        unsubscribe_url=around["unsubscribe_url"],
        unsubscribe_mailto=around["unsubscribe_mailto"],
        # Mails of earlier versions had none.
        headers=around.get("headers", {}),
        enclosures=enclosures(rendered),
    )


def enclosures(rendered: Rendered) -> list[Enclosure]:
    """The files of a rendered message, as an envelope takes them."""
    return [
        Enclosure(name=each.name, type=each.type, data=each.data, content_id=each.cid)
        for each in (*rendered.images, *rendered.attachments)
    ]


def tracking_over(base_url: str) -> Tracking:
    """How links would be tracked over this web address, to be looked at: signed by nobody."""
    links = click_links([NOBODY.encode()], base_url, "0" * 16, 10**9)
    return Tracking(web_address=base_url, track=links.to)


def track_again(context: Mapping[str, Any]) -> Callable[[str], str] | None:
    """What made the tracked links of a message, from what was kept of it; None when it has none."""
    kept = context.get("clicks")
    return ClickLinks.from_kept(kept).to if kept else None


def compose_again(
    compiled: Compiled,
    context: Mapping[str, Any],
    *,
    rfc_message_id: str,
    identity_name: str,
    facts: Mapping[str, Any],
    present: Identity | None,
) -> Envelope:
    """The mail as it was sent, from what was kept.

    `present` is the identity as configured now: with keys it still has the mail is signed again
    (the same bytes have the same signature); others are missing.
    """
    around = context["envelope"]
    rendered = render_again(
        compiled,
        context["read"],
        language=around["language"],
        track=track_again(context),
        unseen=Unseen(**context.get("unseen", {})),
    )
    then = identity_then(identity_name, facts, present)
    return _compose(then, rendered, around, rfc_message_id)
