"""Links of the rendered HTML led over our own web address, so that following one can be told.

Done last, on the finished HTML: whatever wrote a link (the author, a field, a layout, a macro), it
is found. Our own links, `mailto:` and `tel:`, anchors and pictures stay as they are, and so does a
link with `data-track="no"`; that attribute never leaves with the mail.
"""

import html
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import lru_cache

#: From the address of the web page to the address that leads there by way of us.
Track = Callable[[str], str]

#: A tag that may hold a link. `v:` are Outlook's own shapes, such as round buttons. Each character
#: can be read one way only, so that a strange text costs no more than its length.
_TAG = re.compile(
    r"<(?=[aAvV])(?:[aA]|[aA][rR][eE][aA]|[vV]:\w+)\s(?:[^<>\"']+|\"[^\"]*\"|'[^']*')*+>"
)
_ATTRIBUTE = re.compile(
    r"""(?P<before>[\s/]+)(?P<name>[^\s"'<>/=]+)"""
    r"""(?:\s*=\s*(?:"(?P<two>[^"]*)"|'(?P<one>[^']*)'|(?P<bare>[^\s"'<>]+)))?"""
)
_WEB = re.compile(r"https?://[^\s/]", re.IGNORECASE)
#: A reference to a character, as attributes are read: without its `;` it counts only when nothing
#: that could belong to an address follows (`?a=1&copy=2` has none).
_REFERENCE = re.compile(r"&(?:#\d+;?|#x[0-9a-f]+;?|[a-z][a-z0-9]*(?:;|(?![=a-z0-9])))", re.I)
#: What marks a link that is not tracked, and what the mark may say.
_MARK = "data-track"
NO, YES = frozenset({"no", "off", "false", "0"}), frozenset({"yes", "on", "true", "1", ""})
#: Tags longer than this are read anew each time.
_REMEMBERED = 2_000
_MARK_IN_SOURCE = re.compile(
    r"(<(?:a|area|v:\w+)\b[^<>]*?)\s+data-track\s*=\s*(?:\"[^\"<>]*\"|'[^'<>]*'|[^\s\"'<>{}]+)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Link:
    """A tag cut open at the address of the web it leads to."""

    before: str
    address: str
    after: str
    #: The whole of it as it was written.
    plain: str


def tracked(page: str, track: Track, own: Collection[object]) -> str:
    """The HTML with its links to the web led through `track`.

    `own` are our links: an address that begins with one of them stays. What `track` gives back
    unchanged stays as it was written.
    """
    ours = tuple(each for each in own if isinstance(each, str) and _WEB.match(each))
    written = [f'href="{html.escape(each)}"' for each in ours]

    def through(found: re.Match[str]) -> str:
        tag = found[0]
        # Every message's own are different, so cutting them open once for all saves nothing.
        if any(each in tag for each in written) and _MARK not in tag.lower():
            return tag
        link = _cut(tag) if len(tag) > _REMEMBERED else _cut_once(tag)
        if isinstance(link, str):
            return link
        # Asked of each message: what one lead's link is, another lead's page may be.
        address = link.address
        led = address if address.startswith(ours) else track(address)
        if led == address:
            return link.plain
        return f'{link.before}"{html.escape(led)}"{link.after}'

    return _TAG.sub(through, page)


def _cut(tag: str) -> _Link | str:
    """The tag cut open; as it is (without its mark) when it is not for us."""
    address, at, marked = None, (0, 0), []
    follows = True
    for found in _ATTRIBUTE.finditer(tag):
        name = found["name"].lower()
        value = next((v for v in (found["two"], found["one"], found["bare"]) if v is not None), "")
        if name == _MARK:
            marked.append(found.span())
            follows = follows and value.strip().lower() not in NO
        elif name == "href" and address is None:
            address = _read(value)
            at = (found.start("name"), found.end())
    plain = _without(tag, marked, 0, len(tag))
    if address is None or not follows or not _WEB.match(address):
        return plain
    start, end = at
    before, after = _without(tag, marked, 0, start), _without(tag, marked, end, len(tag))
    return _Link(f"{before}href=", address, after, plain)


_cut_once = lru_cache(maxsize=4096)(_cut)


def _without(tag: str, spans: list[tuple[int, int]], start: int, end: int) -> str:
    kept, at = [], start
    for first, last in spans:
        if start <= first and last <= end:
            kept.append(tag[at:first])
            at = last
    return "".join([*kept, tag[at:end]])


def _read(value: str) -> str:
    """The address an attribute says, as browsers read it: references, and no line breaks."""
    text = _REFERENCE.sub(lambda found: html.unescape(found[0]), value)
    return re.sub(r"[\t\r\n]", "", text).strip()


def without_marks(source: str) -> str:
    """An author's HTML without `data-track`, for a template that tracks nothing."""
    return _MARK_IN_SOURCE.sub(r"\1", source) if _MARK in source else source
