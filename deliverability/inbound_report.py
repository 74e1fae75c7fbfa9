"""Reports that machines write for machines: delivery status (RFC 3464 in RFC 6522) and feedback
(ARF, RFC 5965), also where a gateway flattened them into plain text.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from deliverability.inbound_mime import Part, read_fields

_STATUS_TYPES = ("message/delivery-status", "message/global-delivery-status")
#: Fields of RFC 3464 2.2 and 2.3 that tell a flattened report from prose.
_KNOWN = frozenset(
    {
        "reporting-mta",
        "original-envelope-id",
        "x-postfix-queue-id",
        "final-recipient",
        "original-recipient",
        "action",
        "status",
        "diagnostic-code",
        "remote-mta",
        "x-actual-recipient",
        "x-display-name",
    }
)
_RECIPIENT = ("final-recipient", "original-recipient", "x-actual-recipient")
_LINE = re.compile(r"[>\s]{0,8}([A-Za-z-]{5,30}):[ \t]*(.*)")
_ADDRESS = re.compile(r"[^\s<>()\[\]:;,\"'|\\@]{1,120}@[\w.-]{1,255}[\w]")
_STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """What a report says about one recipient."""

    addresses: tuple[str, ...]
    #: failed | delayed | delivered | relayed | expanded (RFC 3464 2.3.3), or empty.
    action: str
    status: str
    diagnostic: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """A delivery report."""

    #: Fields about the whole message.
    message: Mapping[str, str] = field(default_factory=dict)
    recipients: tuple[Told, ...] = ()


def delivery_report(mail: Part) -> Report | None:
    """The report in a mail; None when it holds none."""
    for part in mail.walk():
        if part.type in _STATUS_TYPES:
            # Some systems encode it, which RFC 3464 does not foresee.
            found = _read(part.text)
            if found.recipients:
                return found
    for part in _own_texts(mail):
        if re.search(r"(?im)^[>\s]{0,8}(final|original)-recipient:", part.text):
            found = _read(part.text, flattened=True)
            if found.recipients:
                return found
    return None


def feedback_report(mail: Part) -> dict[str, list[str]] | None:
    """The fields of an ARF report; None when there is none."""
    for part in mail.walk():
        if part.type == "message/feedback-report":
            data = part.text.encode("utf-8", "replace")
            fields: dict[str, list[str]] = {}
            for name, value in read_fields(data.lstrip(b"\n"))[0]:
                fields.setdefault(name, []).append(value)
            return fields
    return None


def addresses_in(text: str) -> list[str]:
    """Everything that looks like an address, in order, each once."""
    found: dict[str, None] = {}
    for match in _ADDRESS.finditer(text[:100_000]):
        found.setdefault(match[0].strip(".").removeprefix("mailto:"))
    return list(found)


def status_in(text: str) -> str:
    """The first enhanced status code (RFC 3463) in `text`, or the empty string."""
    found = _STATUS.search(text[:20_000])
    return found[0] if found else ""


def _own_texts(mail: Part) -> Iterator[Part]:
    """Text parts that are not inside an enclosed mail."""
    if mail.type.startswith("text/") and mail.type != "text/rfc822-headers":
        yield mail
    if mail.type.startswith("multipart/"):
        for part in mail.parts:
            yield from _own_texts(part)


def _read(text: str, *, flattened: bool = False) -> Report:
    message: dict[str, str] = {}
    recipients: list[Told] = []
    group: dict[str, str] = {}
    last = ""

    def close() -> None:
        if any(name in group for name in _RECIPIENT):
            recipients.append(_told(group))
            group.clear()
        elif not flattened or "reporting-mta" in group:
            message.update(group)
            group.clear()

    for line in text.splitlines()[:4000]:
        found = _LINE.match(line)
        name = found[1].lower() if found else ""
        if not line.strip("> \t"):
            last = ""
            close()
        elif found and (name in _KNOWN or (not flattened and line[:1] not in " \t")):
            # A flattened report loses its blank lines: a field that comes again begins a group.
            if name in group and name in (*_RECIPIENT, "action", "status"):
                close()
            group[name] = found[2].strip()
            last = name
        elif last and line[:1] in " \t>":
            if len(group[last]) < 4000:
                group[last] = f"{group[last]} {line.strip('> ')}".strip()
        else:
            last = ""
        if len(recipients) > 500:
            break
    close()
    return Report(message=message, recipients=tuple(recipients))


def _told(group: Mapping[str, str]) -> Told:
    addresses: dict[str, None] = {}
    for name in ("final-recipient", "original-recipient", "x-actual-recipient"):
        # RFC 3464 2.3.2: address-type ";" address. RFC 3461 4: xtext in the original recipient.
        value = group.get(name, "")
        value = value.partition(";")[2] or value
        value = re.sub(r"\+([0-9A-F]{2})", lambda hit: chr(int(hit[1], 16)), value[:500])
        for address in addresses_in(value)[:1]:
            addresses.setdefault(address)
    diagnostic = group.get("diagnostic-code", "")
    given = group.get("status", "")
    return Told(
        addresses=tuple(addresses),
        action=re.sub(r"[^a-z].*", "", group.get("action", "").strip().lower()),
        status=status_in(given) or status_in(diagnostic),
        diagnostic=diagnostic or given,
    )
