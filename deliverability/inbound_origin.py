"""Which mail a mail is about: every place where the Message-ID of the original may stand."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from deliverability.inbound_mime import Part, html_to_text, read_fields
from deliverability.inbound_report import addresses_in, delivery_report

_ID = re.compile(r"<([^<>\s]{3,300})>")
_LINE_ID = re.compile(r"(?im)^[>\s*]{0,8}(?:X-)?(?:Original-)?Message-ID:\s{0,4}<?([^\s<>]{3,300})")
_QUEUE = re.compile(r"\bid ([0-9A-Za-z-]{6,40})\b")
#: Message-IDs kept of one mail; References of endless threads are cut in the middle.
_MOST = 50
_MOST_TEXT = 200_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """Signs of the original mail, each list best first."""

    #: Message-IDs (without brackets) of the mail enclosed or quoted in a report.
    enclosed: tuple[str, ...] = ()
    in_reply_to: tuple[str, ...] = ()
    #: Newest first.
    references: tuple[str, ...] = ()
    #: Ids that relays gave it: queue ids, envelope ids.
    relay_ids: tuple[str, ...] = ()
    #: All text of the mail, decoded, to look for our own Message-IDs in.
    text: str = ""


def find_origin(mail: Part) -> Origin:
    """Looks everywhere; finds nothing in most mail that is not about ours."""
    heads = list(_enclosed_headers(mail))
    enclosed: dict[str, None] = {}
    relayed: dict[str, None] = {}
    for head in heads:
        for name, value in head:
            if name in ("message-id", "x-original-message-id"):
                enclosed.setdefault(_bare(value))
            elif name == "received":
                relayed.update(dict.fromkeys(_QUEUE.findall(value[:1000])))
    text = _all_text(mail)
    if not enclosed:
        enclosed.update(dict.fromkeys(_LINE_ID.findall(text)))
    report = delivery_report(mail)
    if report is not None:
        for name in ("x-postfix-queue-id", "original-envelope-id"):
            if value := report.message.get(name, "").strip()[:200]:
                relayed.setdefault(value)
    # Amazon's id is the local part of the Message-ID it writes.
    relayed.update(dict.fromkeys(one.partition("@")[0] for one in enclosed if "@" in one))
    references = _ID.findall(" ".join(mail.all("references"))[-20_000:])
    return Origin(
        enclosed=tuple(one for one in enclosed if one)[:_MOST],
        in_reply_to=tuple(_ID.findall(" ".join(mail.all("in-reply-to"))[:20_000]))[:_MOST],
        references=tuple(reversed(references))[:_MOST],
        relay_ids=tuple(relayed)[:_MOST],
        text=text,
    )


def known_senders(mail: Part) -> tuple[str, ...]:
    """Addresses (lower case) that a report names because they sent: ours, and the daemon's own."""
    ours: dict[str, None] = {}
    for name in ("from", "return-path", "reply-to"):
        ours.update(dict.fromkeys(addresses_in(mail.get(name)[:1000])))
    for head in _enclosed_headers(mail):
        for name, value in head:
            if name in ("from", "return-path", "sender", "reply-to"):
                ours.update(dict.fromkeys(addresses_in(value[:1000])))
    failed = {a.lower() for v in mail.all("x-failed-recipients") for a in addresses_in(v)}
    return tuple(one.lower() for one in ours if one.lower() not in failed)


def _bare(value: str) -> str:
    found = _ID.search(value[:1000])
    return found[1] if found else value.strip()[:300]


def _enclosed_headers(mail: Part) -> Iterator[tuple[tuple[str, str], ...]]:
    for part in mail.walk():
        if part is mail:
            continue
        if part.type in ("text/rfc822-headers", "text/rfc822-header", "text/rfc822"):
            yield read_fields(part.text.encode("utf-8", "replace").lstrip(b"\n"))[0]
        elif part.type in ("message/rfc822", "message/global") and part.parts:
            yield part.parts[0].fields


def _all_text(mail: Part) -> str:
    """Header values and texts of all parts, decoded; bounded."""
    pieces: list[str] = []
    left = _MOST_TEXT
    for part in mail.walk():
        for name, value in part.fields:
            pieces.append(f"{name}: {value}")
            left -= len(value) + len(name)
        if not part.parts and (part.type.startswith(("text/", "message/")) or part is mail):
            words = html_to_text(part.text) if part.type == "text/html" else part.text
            pieces.append(words[: max(left, 0)])
            left -= len(words)
        if left <= 0:
            break
    return "\n".join(pieces)[:_MOST_TEXT]
