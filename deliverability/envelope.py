"""One mail, ready to leave: header fields and body as the bytes that will travel.

Assembled by hand from parts that are the same for everyone and parts that are not; equal arguments
give equal bytes, so a mail can be shown again exactly.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache

from deliverability.bodies import Enclosure, body_of
from deliverability.dkim import body_digest, signer
from deliverability.errors import EnvelopeError
from deliverability.headers import (
    ascii_domain,
    extra,
    mailbox,
    ready_address,
    refuse_control,
    unstructured,
    uris,
)
from deliverability.identity import DkimKey, Identity
from deliverability.outgoing import refuse_malformed
from deliverability.verifying import verify_own

#: Fields `compose` writes itself; a second one of these would be a contradiction (RFC 5322 3.6).
OURS = frozenset(
    {
        *("from", "sender", "reply-to", "to", "cc", "bcc", "subject", "date", "message-id"),
        *("list-id", "list-unsubscribe", "list-unsubscribe-post", "mime-version", "content-type"),
        *("content-transfer-encoding", "dkim-signature", "return-path", "received"),
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Envelope:
    """What the transport hands over: who it is from, who gets it, the bytes."""

    #: MAIL FROM, domain in ASCII; where delivery reports go.
    sender: str
    #: RCPT TO.
    recipient: str
    #: Header and body, CRLF line ends, no line over 998 octets, not dot-stuffed.
    data: bytes
    #: A local part holds letters outside ASCII (RFC 6531).
    needs_smtputf8: bool
    #: Without angle brackets.
    message_id: str


def compose(
    identity: Identity,
    *,
    to_address: str,
    to_name: str,
    subject: str,
    text: str,
    html: str | None,
    message_id: str,
    date: datetime,
    list_id: str | None,
    unsubscribe_url: str | None = None,
    unsubscribe_mailto: str | None = None,
    enclosures: Sequence[Enclosure] = (),
    headers: Mapping[str, str] = {},
) -> Envelope:
    """Builds and, when the identity has a key, signs one mail.

    `unsubscribe_url` and `unsubscribe_mailto` (with or without `mailto:`) become List-Unsubscribe;
    one-click is announced only for https (RFC 8058 3.1). `enclosures` are pictures the HTML shows
    and attachments, `headers` further fields such as Feedback-ID. Raises EnvelopeError for parts
    that could break a header and for a mail that came out malformed, SigningError for a key.
    """
    if date.tzinfo is None:
        raise EnvelopeError("a mail's date needs a time zone")
    letterhead, recipient = _letterhead(identity), ready_address(to_address)
    fields = [
        *letterhead.fields,
        mailbox("To", to_name, recipient),
        unstructured("Subject", subject),
        f"Date: {_date(date)}",
        f"Message-ID: <{_message_id(message_id)}>",
        *_list_fields(list_id, unsubscribe_url, unsubscribe_mailto),
    ]
    for name, value in headers.items():
        if name.lower() in OURS:
            raise EnvelopeError(f"{name} is written by Potok itself and cannot be set")
        fields.append(extra(name, value))
    fields.append("MIME-Version: 1.0")
    kind, body = body_of(text, html, enclosures, message_id)
    fields += kind
    if letterhead.keys:
        digest = body_digest(body)
        # RFC 8463 3: the second signature is one more field; neither covers the other.
        fields[:0] = [signer(key).sign(fields, digest, at=date) for key in letterhead.keys]
    head = "\r\n".join(fields)
    data = head.encode() + b"\r\n\r\n" + body
    first = not letterhead.seen
    refuse_malformed(
        data,
        sender=letterhead.sender,
        recipient=recipient,
        from_address=letterhead.author,
        thorough=first,
    )
    if first:
        verify_own(data, {key.selector: signer(key) for key in letterhead.keys})
        letterhead.seen = True
    return Envelope(
        sender=letterhead.sender,
        recipient=recipient,
        data=data,
        needs_smtputf8=not (letterhead.sender.isascii() and recipient.isascii() and head.isascii()),
        message_id=message_id.strip("<>"),
    )


@dataclass(kw_only=True, slots=True)
class _Letterhead:
    """What all mails of an identity have in common."""

    sender: str
    author: str
    fields: tuple[str, ...]
    keys: tuple[DkimKey, ...]
    #: Whether its first mail in this process was looked at closely, signatures read back.
    seen: bool = False


@lru_cache(maxsize=64)
def _letterhead(identity: Identity) -> _Letterhead:
    author = ready_address(identity.from_address)
    # RFC 5322 3.6.2: one address in From, so no Sender field.
    fields = [mailbox("From", identity.from_name, author)]
    if identity.reply_to:
        fields.append(mailbox("Reply-To", "", ready_address(identity.reply_to)))
    return _Letterhead(
        sender=ready_address(identity.bounce_address or identity.from_address),
        author=author,
        fields=tuple(fields),
        keys=identity.keys,
    )


#: A claim takes many messages at once: the same second for all of them.
_date = lru_cache(maxsize=64)(format_datetime)

#: RFC 5322 3.6.4; 3.2.3 says what a dot-atom may hold.
_MESSAGE_ID = re.compile(r"""[^ ()<>\[\]:;@\\,"]*@[^ ()<>\[\]:;@\\,"]*""")


def _message_id(text: str) -> str:
    text = text.removeprefix("<").removesuffix(">")
    refuse_control(text, "Message-ID")
    if not text.isascii() or not _MESSAGE_ID.fullmatch(text):
        raise EnvelopeError(f"{text!r} is no Message-ID")
    if len(text) > 900:
        raise EnvelopeError("the Message-ID is too long")
    return text


def _list_fields(list_id: str | None, url: str | None, mailto: str | None) -> list[str]:
    fields = []
    if list_id:
        fields.append(_list_id(list_id))
    # RFC 2369 2: several ways to leave, the preferred one first.
    found = [url] if url else []
    if mailto:
        found.append(mailto if mailto.startswith("mailto:") else f"mailto:{mailto}")
    if found:
        fields.append(uris("List-Unsubscribe", found))
    if url and url.lower().startswith("https:"):
        fields.append("List-Unsubscribe-Post: List-Unsubscribe=One-Click")
    return fields


@lru_cache(maxsize=256)
def _list_id(text: str) -> str:
    refuse_control(text, "List-Id")
    # RFC 2919 3: an optional phrase, then the id in angle brackets.
    phrase, bracket, rest = text.partition("<")
    phrase, name = (phrase.strip(), rest.removesuffix(">")) if bracket else ("", text)
    try:
        ready = ascii_domain(name.strip())
    except EnvelopeError as wrong:
        raise EnvelopeError(f"List-Id: {text!r} should look like news.example.com") from wrong
    return mailbox("List-Id", phrase, ready) if phrase else f"List-Id: <{ready}>"
