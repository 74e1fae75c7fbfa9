"""The last look at a mail's bytes before they leave: what RFC 5322 and 5321 demand, in a few
microseconds.

True by construction, and proven by the tests of `headers.py`, `bodies.py` and `envelope.py`:
nothing a lead or a template holds can end a header line; fields are folded; encoded words keep
within 75 characters, base64 and quoted-printable lines within 76; a body has CRLF only; the text
part stands before the HTML; a Message-ID is of the domain its run was planned with.

Scanned here, on each mail: line ends of the header, line lengths and NULs everywhere, the fields
that must stand there once, one address in From, the Message-ID, lengths of the addresses. These are
searches for bytes (memchr) and no parsing: they find a mistake in the construction, whatever it
was. Line ends of the body cost 2 us for each kB: the first mail of an identity in a process is
scanned for them (`thorough`), and every mail of the tests.
"""

import re
from datetime import datetime, timedelta

from deliverability.errors import EnvelopeError
from deliverability.headers import HARD_LINE

#: Beyond this hardly any server takes a mail (bytes); base64 has added its third already.
LARGEST = 50_000_000
#: RFC 5322 3.6.1: Date is when the mail was ready to leave; receivers mistrust another time.
LATEST = timedelta(hours=1)

#: RFC 5322 3.6: once each, and these we always write.
_ONCE = (b"\nfrom:", b"\ndate:", b"\nmessage-id:", b"\nsubject:", b"\nto:", b"\nmime-version:")

#: A quoted name may hold anything (RFC 5322 3.2.4); outside of one these begin another address.
_QUOTED = re.compile(rb'"(?:[^"\\]|\\.)*"')
_FURTHER = re.compile(rb"[@,<;]")


def refuse_malformed(
    data: bytes, *, sender: str, recipient: str, from_address: str, thorough: bool = False
) -> None:
    """Raises EnvelopeError when a mail's bytes break a rule that receivers hold us to.

    `sender` and `recipient` are the envelope's, `from_address` the one of From with its domain in
    ASCII. Pure.
    """
    size = len(data)
    if size > LARGEST:
        raise EnvelopeError(f"the mail has {size} bytes; servers take {LARGEST}")
    end = data.find(b"\r\n\r\n")
    head = b"\n" + data[:end].lower() + b"\r\n"
    fault = (
        _line_ends(data if thorough else head[1:])
        or _long_line(data)
        or _fields(head)
        or _author(head, from_address)
        or _addresses(sender, recipient)
    )
    if end < 0 or fault:
        raise EnvelopeError(f"the mail is malformed: {fault or 'its header does not end'}")


def is_stale(date: datetime, *, now: datetime) -> bool:
    """Whether a mail written at `date` must be written anew: a computer slept in between."""
    return abs(now - date) > LATEST


def _line_ends(data: bytes) -> str:
    """RFC 5322 2.3: CR and LF occur together only."""
    ends = data.count(b"\r\n")
    # A lone LF is how one mail is smuggled into another (RFC 5321 2.3.8).
    if data.count(b"\n") != ends or data.count(b"\r") != ends:
        return "a line ends with CR or LF alone"
    return ""


def _long_line(data: bytes) -> str:
    """RFC 5322 2.1.1: at most 998 octets a line."""
    if b"\0" in data:
        return "it holds a NUL"
    place, size = -1, len(data)
    # From a line end to the furthest one within reach: one search for each thousand bytes.
    while place + HARD_LINE + 2 < size:
        further = data.rfind(b"\n", place + 1, place + HARD_LINE + 3)
        if further < 0:
            return f"a line is longer than {HARD_LINE} octets"
        place = further
    return ""


def _fields(head: bytes) -> str:
    for name in _ONCE:
        if head.count(name) != 1:
            return f"{name[1:-1].decode()} stands there {head.count(name)} times"
    return ""


def _author(head: bytes, address: str) -> str:
    """One address in From (RFC 5322 3.6.2), ours; one Message-ID (3.6.4)."""
    start = head.find(b"\nfrom:") + 6
    line = _unfolded(head, start)
    wanted = address.lower().encode()
    display = line.removesuffix(b"<" + wanted + b">")
    if display == line:
        display = line.removesuffix(b" " + wanted)
    if display == line or _FURTHER.search(
        _QUOTED.sub(b"", display) if b'"' in display else display
    ):
        return "From holds something else than its one address"
    start = head.find(b"\nmessage-id:") + 12
    left, at, right = _unfolded(head, start).strip().partition(b"@")
    if not at or not left.startswith(b"<") or right[-1:] != b">" or b"@" in right:
        return "the Message-ID is none"
    return ""


def _unfolded(head: bytes, start: int) -> bytes:
    end = head.find(b"\n", start)
    while head[end + 1 : end + 2] in (b" ", b"\t"):
        end = head.find(b"\n", end + 1)
    return head[start:end].rstrip(b"\r").replace(b"\r\n", b"")


def _addresses(sender: str, recipient: str) -> str:
    """RFC 5321 4.5.3.1.1 to 4.5.3.1.3: 64, 255 and 256 octets, with the angle brackets."""
    for address in (sender, recipient):
        local, _, domain = address.rpartition("@")
        size = len(address) if address.isascii() else len(address.encode())
        if size > 254 or len(domain) > 255 or len(local.encode()) > 64 or not local or not domain:
            return f"{address!r} is longer than mail servers take"
    return ""
