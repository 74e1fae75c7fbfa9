"""A composed mail opened again: what a mail program finds in the bytes that would leave.

Looking starts from those bytes and not from the template, so what is seen is what travels.
"""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from html import unescape
from html.parser import HTMLParser
from math import ceil

#: CSS pixels a mail is looked at in: an iPhone, and the reading pane of a desktop program.
WIDTHS = {"phone": 375, "desktop": 640}


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened:
    """The parts of one mail."""

    #: Header fields as they travel, folded lines included, one line end each.
    headers: str
    text: str
    #: None when the mail is text only.
    html: str | None
    #: Content-ID without brackets -> `data:` address of the picture.
    pictures: Mapping[str, str] = field(default_factory=dict)
    #: Names of what is attached.
    attached: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """What stands in an HTML part, told without a browser."""

    #: What an inbox shows beside the subject: the first words, preheader included.
    first_words: str
    #: (words, address) of each link, in order.
    links: tuple[tuple[str, str], ...]
    #: CSS pixels it will take at most, by width; a guess from letters, blocks and pictures.
    heights: Mapping[int, int]


def open_mail(data: bytes) -> Opened:
    """The parts of a mail that `deliverability.compose` made."""
    head = data.partition(b"\r\n\r\n")[0].decode("utf-8", "replace").replace("\r\n", "\n") + "\n"
    mail = BytesParser(EmailMessage, policy=default).parsebytes(data)
    text, html = "", None
    pictures: dict[str, str] = {}
    attached: list[str] = []
    for part in mail.walk():
        if part.is_multipart():
            continue
        name, kind = part.get_filename(), part.get_content_type()
        if part.get_content_disposition() == "attachment":
            attached.append(name or kind)
        elif part["Content-ID"]:
            raw = part.get_payload(decode=True)
            bare = str(part["Content-ID"]).strip().strip("<>")
            code = base64.b64encode(raw if isinstance(raw, bytes) else b"").decode()
            pictures[bare] = f"data:{kind};base64,{code}"
        elif kind == "text/html" and html is None:
            html = _words(part)
        elif kind == "text/plain" and not text:
            text = _words(part)
        else:
            attached.append(name or kind)
    return Opened(headers=head, text=text, html=html, pictures=pictures, attached=tuple(attached))


def _words(part: EmailMessage) -> str:
    raw = part.get_payload(decode=True)
    return (raw if isinstance(raw, bytes) else b"").decode("utf-8", "replace").replace("\r\n", "\n")


_SCHEME = re.compile(r"\(\s*prefers-color-scheme\s*:\s*(light|dark)\s*\)", re.IGNORECASE)
#: Where media queries stand: style elements and media attributes, not the words of the mail.
_QUERIES = re.compile(
    r"<style\b[^>]*>.*?</style\s*>|\bmedia\s*=\s*(?:\"[^\"]*\"|'[^']*')", re.IGNORECASE | re.DOTALL
)
_CID = re.compile(r"\bcid:([^\s\"'()<>]+)", re.IGNORECASE)


def has_dark_rules(html: str) -> bool:
    """Whether the mail itself says how it looks on dark screens."""
    return any(
        (found := _SCHEME.search(each[0])) is not None and found[1].lower() == "dark"
        for each in _QUERIES.finditer(html)
    )


def for_screen(opened: Opened, *, dark: bool) -> str:
    """The HTML part for a browser: own pictures put in, `prefers-color-scheme` answered by `dark`.

    Only the mail's own dark rules are applied; what some clients invert by themselves is not shown.
    """
    wanted = "dark" if dark else "light"

    def answer(found: re.Match[str]) -> str:
        return "(min-width: 0)" if found[1].lower() == wanted else "(max-width: 0)"

    def put_in(found: re.Match[str]) -> str:
        return opened.pictures.get(unescape(found[1]), found[0])

    html = _QUERIES.sub(lambda block: _SCHEME.sub(answer, block[0]), opened.html or "")
    return _CID.sub(put_in, html)


#: Fillers behind a preheader keep the body's first words out of the inbox; nobody sees them.
_FILLERS = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2007\u034f\ufeff\u00ad"), None)
_BLOCKS = frozenset({"p", "h1", "h2", "h3", "h4", "li", "tr", "br", "hr", "pre"})
_SILENT = frozenset({"style", "script", "title", "head"})


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self.links: list[tuple[str, str]] = []
        self.blocks = 0
        self.pictures = 0
        self._silent = 0
        self._link: tuple[str, int] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        self._silent += tag in _SILENT
        self.blocks += tag in _BLOCKS
        if tag == "a" and said.get("href"):
            self._link = (said["href"] or "", len(self.words))
        if tag == "img":
            high = re.match(r"\d+", said.get("height") or "")
            self.pictures += min(int(high[0]), 2_000) if high else 180
            if said.get("alt"):
                self.words.append(said["alt"] or "")

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT and self._silent:
            self._silent -= 1
        if tag == "a" and self._link is not None:
            address, begin = self._link
            self.links.append((" ".join("".join(self.words[begin:]).split()), address))
            self._link = None

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.words.append(data)


def read_html(html: str, widths: tuple[int, ...] = ()) -> Reading:
    """What stands in it: first words, links, and how high it may become at each of `widths`."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    text = " ".join("".join(reader.words).translate(_FILLERS).replace("\xa0", " ").split())
    return Reading(
        first_words=text[:140],
        links=tuple(reader.links),
        heights={
            width: 160
            + reader.pictures
            + 22 * reader.blocks
            + 28 * ceil(len(text) / max(10, min(width, 640) / 9))
            for width in widths
        },
    )


def numbered(text: str, line: int, *, around: int = 3) -> list[tuple[int, str]]:
    """The lines near `line` (1 is the first) with their numbers, to show where a mistake is."""
    lines = text.splitlines()
    first = max(1, line - around)
    return [(n, lines[n - 1][:400]) for n in range(first, min(len(lines), line + around) + 1)]
