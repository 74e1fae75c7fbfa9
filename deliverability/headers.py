"""Header fields of a mail: encoded words, folding, addresses. Pure text work, no e-mail package.

The standard library's message objects cost 3 to 5 ms a mail; these functions cost microseconds
and make the same thing for the few kinds of field we write.
"""

import re
from binascii import b2a_base64
from functools import lru_cache

import idna

from deliverability.errors import EnvelopeError

#: RFC 5322 2.1.1: a line should have at most 78 characters, must have at most 998.
LINE = 78
HARD_LINE = 998

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_ATOM_PHRASE = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")
_DOT_ATOM = re.compile(
    r"[^\x00-\x20()<>\[\]:;@\\,.\"\x7f-\x9f]+(\.[^\x00-\x20()<>\[\]:;@\\,.\"\x7f-\x9f]+)*"
)
_QUOTED_LOCAL = re.compile(r'"([^"\\\x00-\x1f\x7f]|\\[ -~])*"')
_FIELD_NAME = re.compile(r"[!-9;-~]+")
_URI = re.compile(r"[!#-;=?-~]+")
#: RFC 2047 5 (3): the characters an encoded word in a phrase may hold unencoded.
_Q_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")
_Q = [chr(i) if i in _Q_SAFE else "_" if i == 0x20 else f"={i:02X}" for i in range(256)]


def refuse_control(text: str, what: str) -> None:
    """Raises EnvelopeError when `text` could end a header line: no injection, ever."""
    found = _CONTROL.search(text)
    if found is not None:
        raise EnvelopeError(
            f"{what} holds a line break or control character (U+{ord(found[0]):04X}) at place"
            f" {found.start() + 1}; remove it"
        )


def unstructured(name: str, text: str) -> str:
    """`name: text`, folded; RFC 2047 encoded words when plain ASCII would not survive."""
    refuse_control(text, name)
    if _plain(text):
        return _fold(name, text.split(" "))
    return _fold(name, encoded_words(text, first=LINE - len(name) - 2))


def _plain(text: str) -> bool:
    return (
        text.isascii()
        and "=?" not in text
        and "  " not in text
        and text == text.strip(" ")
        and all(len(word) < 60 for word in text.split(" "))
    )


def encoded_words(text: str, *, first: int = LINE - 1) -> list[str]:
    """`text` as RFC 2047 encoded words of at most 75 characters, cut between characters.

    `first` is the room on the first line. Q when it stays readable, B when it is shorter.
    """
    data = text.encode()
    quoted = [_Q_of(char) for char in text]
    if sum(map(len, quoted)) <= 4 * len(data) / 3 + 4:
        return _pack_q(quoted, first)
    return _pack_b(text, first)


@lru_cache(maxsize=2048)
def _Q_of(char: str) -> str:  # noqa: N802
    return "".join(_Q[byte] for byte in char.encode())


#: What remains of 75 characters after "=?utf-8?q?" and "?=" (RFC 2047 2).
_ROOM = 75 - 12


def _pack_q(pieces: list[str], first: int) -> list[str]:
    words: list[str] = []
    room, size, start = max(12, min(_ROOM, first - 12)), 0, 0
    for i, piece in enumerate(pieces):
        if size + len(piece) > room and i > start:
            words.append(f"=?utf-8?q?{''.join(pieces[start:i])}?=")
            room, size, start = _ROOM, 0, i
        size += len(piece)
    words.append(f"=?utf-8?q?{''.join(pieces[start:])}?=")
    return words


def _pack_b(text: str, first: int) -> list[str]:
    words: list[str] = []
    room, chunk = max(12, min(_ROOM, first - 12)) // 4 * 3, b""
    for char in text:
        data = char.encode()
        if len(chunk) + len(data) > room and chunk:
            words.append(_b_word(chunk))
            room, chunk = _ROOM // 4 * 3, b""
        chunk += data
    words.append(_b_word(chunk))
    return words


def _b_word(data: bytes) -> str:
    return f"=?utf-8?b?{b2a_base64(data, newline=False).decode()}?="


def _fold(name: str, words: list[str]) -> str:
    """RFC 5322 2.2.3: break before a blank so that lines stay within 78 where they can."""
    lines, line = [], f"{name}:"
    for i, word in enumerate(words):
        # The first word stays on the field's line: some readers mind an empty first line.
        if i and len(line) + 1 + len(word.encode()) > LINE:
            lines.append(line)
            line = ""
        line += " " + word
    lines.append(line)
    if any(len(one.encode()) > HARD_LINE for one in lines):
        raise EnvelopeError(f"{name} is too long for one line of a mail; shorten it")
    return "\r\n".join(lines)


def mailbox(name: str, display: str, address: str) -> str:
    """`name: "Display" <address>`: one mailbox (RFC 5322 3.4)."""
    refuse_control(display, f"the name in {name}")
    display = " ".join(display.split())
    if not display:
        return _fold(name, [address])
    if _plain(display) and _ATOM_PHRASE.fullmatch(display):
        return _fold(name, [*display.split(" "), f"<{address}>"])
    if _plain(display) and len(display) < 60:
        quoted = display.replace("\\", "\\\\").replace('"', '\\"')
        return _fold(name, [*f'"{quoted}"'.split(" "), f"<{address}>"])
    return _fold(name, [*encoded_words(display, first=LINE - len(name) - 2), f"<{address}>"])


def uris(name: str, found: list[str]) -> str:
    """`name: <uri>, <uri>` (RFC 2369 2)."""
    for uri in found:
        if not _URI.fullmatch(uri):
            raise EnvelopeError(f"{name}: {uri!r} is no address a mail program could open")
    return _fold(name, [f"<{uri}>," for uri in found[:-1]] + [f"<{uri}>" for uri in found[-1:]])


def extra(name: str, value: str) -> str:
    """A further field by its name, refused when the name could break the header."""
    if not _FIELD_NAME.fullmatch(name) or len(name) > 70:
        raise EnvelopeError(f"{name!r} is no header field name")
    return unstructured(name, value)


@lru_cache(maxsize=8192)
def ascii_domain(domain: str) -> str:
    """The domain as DNS knows it, lower case (RFC 5890). Raises EnvelopeError."""
    if domain.isascii():
        ready = domain.lower()
    else:
        try:
            ready = idna.encode(domain, uts46=True).decode()
        except idna.IDNAError as wrong:
            raise EnvelopeError(f"{domain!r} is no domain: {wrong}") from wrong
    # RFC 5321 4.5.3.1.2
    if not ready or len(ready) > 255 or not _DOMAIN.fullmatch(ready):
        raise EnvelopeError(f"{domain!r} is no domain")
    return ready


_DOMAIN = re.compile(
    r"[a-z0-9_]([a-z0-9_-]*[a-z0-9])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9])?)*|\[[0-9a-z:.]+\]"
)


@lru_cache(maxsize=8192)
def ready_address(address: str) -> str:
    """The address as the envelope and the header carry it: local part as given, domain in ASCII.

    A local part with letters outside ASCII stays and needs SMTPUTF8 (RFC 6531). Raises
    EnvelopeError for what no server could take.
    """
    refuse_control(address, "the address")
    local, at, domain = address.rpartition("@")
    if not at or not (_DOT_ATOM.fullmatch(local) or _QUOTED_LOCAL.fullmatch(local)):
        raise EnvelopeError(f"{address!r} is no e-mail address")
    # RFC 5321 4.5.3.1.1 and 4.5.3.1.3: 64 octets before the at sign, 256 with the angle brackets.
    if len(local.encode()) > 64 or len(address.encode()) > 254:
        raise EnvelopeError(f"{address!r} is longer than mail servers take")
    return f"{local}@{ascii_domain(domain)}"


def domain_of(address: str) -> str:
    """The domain of an address as DNS knows it; as it stands when DNS could not know it."""
    domain = address.rpartition("@")[2]
    try:
        return ascii_domain(domain)
    except EnvelopeError:
        return domain.lower()
