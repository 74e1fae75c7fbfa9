"""The body of a mail: a text, the same as HTML, pictures the HTML shows, attachments (RFC 2046).

    multipart/mixed( multipart/alternative( text, multipart/related( html, pictures ) ), files )

Each layer is there only when it holds something. Files come base64 already, so a message costs
their copying and nothing more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from urllib.parse import quote

from deliverability.errors import EnvelopeError
from deliverability.headers import LINE, refuse_control
from deliverability.quoted import quoted_printable, seven_bit


@dataclass(frozen=True, kw_only=True, slots=True)
class Enclosure:
    """A file inside a mail."""

    #: As the recipient sees it; any letters.
    name: str
    #: `image/png`.
    type: str
    #: Base64 in lines of at most 76 characters with CRLF between them (RFC 2045 6.8).
    data: str
    #: What the HTML calls it, without `cid:` (RFC 2392); empty for an attachment.
    content_id: str = ""


def body_of(
    text: str, html: str | None, enclosures: Sequence[Enclosure], message_id: str
) -> tuple[list[str], bytes]:
    """(the fields that describe the body, the body with CRLF at its end).

    Pictures without HTML have nobody to show them and are left out. Raises EnvelopeError for a
    name that could end a line.
    """
    # "=_" cannot stand in quoted-printable (RFC 2045 6.7) nor in base64, and a 7-bit text that
    # holds the digest of its own Message-ID does not happen by chance.
    digest = sha256(message_id.encode()).hexdigest()[:24]
    fields, body = _plain(text)
    if html is not None:
        shown = [
            b"Content-Type: text/html; charset=utf-8\r\n"
            b"Content-Transfer-Encoding: quoted-printable\r\n\r\n",
            quoted_printable(html),
        ]
        pictures = [each for each in enclosures if each.content_id]
        if pictures:
            # RFC 2387 3.1: the type of what is to be shown first.
            mark = f"=_r{digest}"
            kind = f'multipart/related; boundary="{mark}";\r\n type="text/html"'
            inner = _parts(mark, [shown, *map(_enclosed, pictures)])
            shown = [f"Content-Type: {kind}\r\n\r\n".encode(), *inner]
        mark = f"=_{digest}"
        # RFC 2046 5.1.4: the plainest form first, the best one last.
        body_parts = _parts(mark, [["\r\n".join([*fields, "", ""]).encode(), body], shown])
        fields = [f'Content-Type: multipart/alternative; boundary="{mark}"']
        body = b"".join(body_parts)
    elif not body.endswith(b"\r\n"):
        body += b"\r\n"
    attached = [each for each in enclosures if not each.content_id]
    if not attached:
        return fields, body
    mark = f"=_m{digest}"
    first = ["\r\n".join([*fields, "", ""]).encode(), body]
    parts = _parts(mark, [first, *map(_enclosed, attached)])
    return [f'Content-Type: multipart/mixed; boundary="{mark}"'], b"".join(parts)


def _parts(mark: str, parts: Sequence[Sequence[bytes]]) -> list[bytes]:
    """The pieces of a multipart body (RFC 2046 5.1.1); the line end before a mark belongs to it."""
    line = f"--{mark}".encode()
    pieces: list[bytes] = []
    for part in parts:
        pieces += (line, b"\r\n", *part, b"\r\n")
    return [*pieces, line, b"--\r\n"]


def _enclosed(each: Enclosure) -> list[bytes]:
    where = "inline" if each.content_id else "attachment"
    # RFC 2183 2; the name also in Content-Type, where old programs look.
    fields = [
        _parameter(f"Content-Type: {each.type}", "name", each.name),
        "Content-Transfer-Encoding: base64",
        _parameter(f"Content-Disposition: {where}", "filename", each.name),
    ]
    if each.content_id:
        fields.insert(2, f"Content-ID: <{each.content_id}>")
    return ["\r\n".join([*fields, "", ""]).encode(), _bytes(each.data)]


#: The bytes of a version's files, made once; Python keeps the hash of a text with it.
@lru_cache(maxsize=16)
def _bytes(data: str) -> bytes:
    return data.encode("ascii")


@lru_cache(maxsize=1024)
def _parameter(field: str, name: str, value: str) -> str:
    """`field; name="value"`, folded; RFC 2231 when the value is long or not plain ASCII."""
    refuse_control(value, name)
    refuse_control(field, "the type of a file")
    if not value:
        raise EnvelopeError("a file inside a mail needs a name")
    quoted = value.replace("\\", "\\\\").replace('"', '\\"')
    if value.isascii() and len(quoted) + len(name) + 5 <= LINE:
        return f'{field};\r\n {name}="{quoted}"'
    encoded = f"utf-8''{quote(value, safe='')}"
    if len(encoded) + len(name) + 3 <= LINE:
        return f"{field};\r\n {name}*={encoded}"
    room = LINE - len(name) - 8
    pieces: list[str] = []
    while encoded:
        end = room
        # A %XX stays whole (RFC 2231 4.1 lets it be cut nowhere else).
        while end < len(encoded) and "%" in encoded[end - 2 : end]:
            end -= 1
        pieces.append(encoded[:end])
        encoded = encoded[end:]
    return ";\r\n ".join(
        [field, *(f"{name}*{place}*={piece}" for place, piece in enumerate(pieces))]
    )


def _plain(text: str) -> tuple[list[str], bytes]:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    encoding = "7bit" if seven_bit(text) else "quoted-printable"
    body = text.replace("\n", "\r\n").encode() if encoding == "7bit" else quoted_printable(text)
    return [
        "Content-Type: text/plain; charset=utf-8",
        f"Content-Transfer-Encoding: {encoding}",
    ], body
