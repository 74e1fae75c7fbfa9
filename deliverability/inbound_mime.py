"""A mail taken apart, whatever it looks like: never raises, bounded in depth, parts and bytes.

Python's own parser recurses into hostile nesting and splits only what is well made. Here a missing
header end, a wrong charset, NUL bytes or lines that end in CR alone change nothing, and the same
mail gives the same parts with LF, CRLF and CR (RFC 5322 2.1, RFC 2045 5 and 6, RFC 2046 5.1).
"""

import binascii
import codecs
import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from html import unescape

#: Bytes looked at; what a report or an answer says stands at its beginning.
MOST_BYTES = 1_000_000
#: Bytes of one part that are decoded into text.
MOST_TEXT = 200_000
_DEEPEST = 12
_MOST_PARTS = 60
_MOST_FIELDS = 600
_MOST_HEADER = 250_000

_FIELD = re.compile(rb"([!-9;-~]{1,80})[ \t]*:(.*)", re.DOTALL)
_PARAMETER = re.compile(r';\s*([\w*-]{1,40})\s*=\s*(?:"([^"]{0,200})"?|([^\s;"]{1,200}))')
_WORD = re.compile(
    r"=\?([\w.:+-]{1,40})(?:\*[\w-]{0,20})?\?([bq])\?([^?\s]{0,400})\?=", re.IGNORECASE
)
_BETWEEN_WORDS = re.compile(r"(?<=\?=)\s+(?==\?)")
_TEXT_CODECS = re.compile(
    r"utf-?(8|7|16.*|8-sig)|ascii|iso8859-\d+|cp(125\d|437|85\d|866|874|93\d|949|950)|koi8-\w"
    r"|gb\w+|big5\w*|euc_\w+|iso2022_\w+|shift_jis\w*|hz|mac_\w+|johab|tis-620"
)


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part: its header fields in order, its body as it stood, and the parts in it."""

    fields: tuple[tuple[str, str], ...]
    body: bytes
    #: `text/plain`, lower case; what it is in truth for parts without a type.
    type: str
    parameters: dict[str, str]
    parts: tuple["Part", ...] = ()

    def all(self, name: str) -> list[str]:
        """Every value of a field (name in lower case), encoded words decoded."""
        return [decode_words(value) for given, value in self.fields if given == name]

    def get(self, name: str) -> str:
        """The first value of a field, or the empty string."""
        return next((decode_words(v) for given, v in self.fields if given == name), "")

    @cached_property
    def text(self) -> str:
        """The body as text, transfer encoding and charset undone; never raises."""
        return decode_text(self._plain(), self.parameters.get("charset", ""))

    def _plain(self) -> bytes:
        return undo_transfer(self.body[:MOST_TEXT], self.get("content-transfer-encoding"))

    def walk(self) -> Iterator["Part"]:
        """This part and all in it, in the order they stand."""
        yield self
        for part in self.parts:
            yield from part.walk()


def read_mail(raw: bytes) -> Part:
    """The mail as a tree of parts."""
    data = _lines(raw[:MOST_BYTES]).replace(b"\0", b"").lstrip(b"\n")
    # mbox files begin each message with a line that is no header field.
    if data.startswith((b"From ", b">From ")):
        data = data.partition(b"\n")[2]
    return _part(data, depth=0, budget=[_MOST_PARTS], default="text/plain")


def read_fields(data: bytes) -> tuple[tuple[tuple[str, str], ...], bytes]:
    """(header fields, the rest). Names in lower case, folded lines joined (RFC 5322 2.2.3)."""
    fields: list[tuple[str, list[bytes]]] = []
    at = 0
    while at < min(len(data), _MOST_HEADER) and len(fields) < _MOST_FIELDS:
        end = data.find(b"\n", at)
        line = data[at:] if end < 0 else data[at:end]
        after = len(data) if end < 0 else end + 1
        if not line.strip():
            return _joined(fields), data[after:]
        if line[:1] in b" \t":
            if fields and len(fields[-1][1]) < 200:
                fields[-1][1].append(line)
        elif found := _FIELD.fullmatch(line):
            fields.append((found[1].decode("ascii").lower(), [found[2]]))
        elif not line.startswith((b"From ", b">From ")):
            # No field and no continuation: the header ended without its blank line.
            return _joined(fields), data[at:]
        at = after
    return _joined(fields), data[at:]


def _joined(fields: list[tuple[str, list[bytes]]]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (name, decode_text(b" ".join(line.strip() for line in lines)[:20_000], ""))
        for name, lines in fields
    )


def _part(data: bytes, *, depth: int, budget: list[int], default: str) -> Part:
    budget[0] -= 1
    fields, body = read_fields(data)
    given = next((value for name, value in fields if name == "content-type"), "")
    kind = given.partition(";")[0].strip().lower()
    if not re.fullmatch(r"[\w.+-]+/[\w.+-]+", kind):
        kind = default
    parameters = {
        found[1].lower().rstrip("*"): (found[2] or found[3] or "")
        for found in _PARAMETER.finditer(given[:4000])
    }
    parts: tuple[Part, ...] = ()
    boundary = parameters.get("boundary", "")
    if depth < _DEEPEST:
        if kind.startswith("multipart/") and boundary:
            inner = "message/rfc822" if kind == "multipart/digest" else "text/plain"
            parts = tuple(
                _part(piece, depth=depth + 1, budget=budget, default=inner)
                for piece in _split(body, boundary)
                if budget[0] > 0
            )
        elif kind in ("message/rfc822", "message/global", "message/partial") and budget[0] > 0:
            encoding = next((v for n, v in fields if n == "content-transfer-encoding"), "")
            inside = undo_transfer(body, encoding).lstrip(b"\n")
            parts = (_part(inside, depth=depth + 1, budget=budget, default="text/plain"),)
    return Part(fields=fields, body=body, type=kind, parameters=parameters, parts=parts)


def _split(body: bytes, boundary: str) -> Iterator[bytes]:
    """The pieces between boundary lines (RFC 2046 5.1.1); a missing last one ends at the end."""
    mark = b"--" + boundary.encode("utf-8", "replace")
    start = None
    at = 0
    while True:
        found = body.find(mark, at)
        if found < 0:
            break
        end = body.find(b"\n", found)
        end = len(body) if end < 0 else end
        rest = body[found + len(mark) : end].strip()
        at = max(end, found + len(mark))
        if (found and body[found - 1 : found] != b"\n") or rest not in (b"", b"--"):
            continue
        if start is not None:
            yield body[start : max(start, found - 1)]
        if rest == b"--":
            return
        start = end + 1
    if start is not None and start <= len(body):
        yield body[start:]


def _lines(data: bytes) -> bytes:
    """CRLF, CR CR LF (which gateways make of it) and CR alone become LF."""
    if b"\r" not in data:
        return data
    return data.replace(b"\r\r\n", b"\n").replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def undo_transfer(body: bytes, encoding: str) -> bytes:
    """The body without its transfer encoding (RFC 2045 6); what cannot be undone stays."""
    match encoding.strip().lower():
        case "base64":
            letters = re.sub(rb"[^A-Za-z0-9+/]", b"", body)
            whole = letters[: len(letters) // 4 * 4]
            try:
                left = letters[len(whole) :]
                tail = left + b"=" * (-len(left) % 4) if len(left) > 1 else b""
                return _lines(binascii.a2b_base64(whole + tail))
            except binascii.Error:
                return body
        case "quoted-printable":
            return _lines(quopri.decodestring(body))
        case _:
            return body


@lru_cache(maxsize=256)
def _codec(charset: str) -> str:
    try:
        name = codecs.lookup(charset.strip("\"' ")).name
    except (LookupError, ValueError):
        return ""
    # Only alphabets: some of Python's codecs run programs' escapes or take quadratic time.
    return name if _TEXT_CODECS.fullmatch(name) else ""


def decode_text(data: bytes, charset: str) -> str:
    """Bytes as text: by their charset, else UTF-8, else Latin-1. NUL bytes are dropped."""
    for codec in (_codec(charset) if charset and charset.isascii() else "", "utf-8"):
        if codec:
            try:
                text = data.decode(codec)
            except (UnicodeError, ValueError):
                continue
            # UTF-7 and UTF-16 can carry halves of characters, which no database takes.
            return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "")
    return data.decode("latin-1").replace("\0", "")


def decode_words(value: str) -> str:
    """A field's value with its encoded words decoded (RFC 2047), on one line."""
    if "=?" not in value:
        return value.strip()

    def word(found: re.Match[str]) -> str:
        charset, how, text = found[1], found[2].lower(), found[3]
        if how == "b":
            data = undo_transfer(text.encode("utf-8"), "base64")
        else:
            data = quopri.decodestring(text.encode("utf-8"), header=True)
        return decode_text(data, charset)

    return " ".join(_WORD.sub(word, _BETWEEN_WORDS.sub("", value)).split())


_HIDDEN = re.compile(r"<(/?)(style|script|title)\b[^<>]{0,500}>", re.IGNORECASE)
_BREAK = re.compile(r"<(?:br|/p|/div|/tr|/li|/h\d|/td)\b[^<>]{0,200}>", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]{0,2000}>")


def html_to_text(html: str) -> str:
    """The words of an HTML body, roughly one line per block: enough to look for phrases."""
    shown: list[str] = []
    at, inside = 0, False
    for tag in _HIDDEN.finditer(html, 0, MOST_TEXT):
        if not inside:
            shown.append(html[at : tag.start()])
        inside, at = not tag[1], tag.end()
    if not inside:
        shown.append(html[at:MOST_TEXT])
    words = _TAG.sub("", _BREAK.sub("\n", " ".join(shown)))
    return unescape(words).replace("\xa0", " ")
