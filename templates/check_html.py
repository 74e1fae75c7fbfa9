"""What is wrong with the HTML of a template: pictures, links, and what mail clients throw away."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from templates.environment import Environment
from templates.markup import parse
from templates.pieces import Piece, flatten
from templates.protect import Protected, protect

_FORBIDDEN = {
    "script": "mail clients remove scripts and filters take them for an attack",
    "form": "most mail clients do not send forms",
    "iframe": "mail clients remove frames",
    "object": "mail clients remove embedded objects",
    "embed": "mail clients remove embedded objects",
}
_ABSOLUTE = re.compile(r"(?:https?|mailto|tel|sms|cid):", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class HtmlProblem:
    """A finding about HTML; `check` shows it as one."""

    id: str
    level: Literal["error", "warning", "notice"]
    where: str
    what: str
    do: str


def html_problems(
    environment: Environment, text: str, file: str, partials: Mapping[str, str]
) -> Iterator[HtmlProblem]:
    """Problems of one HTML body, partials included, each at its own line."""
    pieces = flatten(environment, text, file, partials)
    protected = protect(_numbered(pieces))
    root = parse(protected.html)
    for element in root.iter():
        if isinstance(element.tag, str):
            yield from _element(element, protected, _where(element, file))


_PLACE = "data-zq-place"
_TAG = re.compile(r"<(img|a|script|form|iframe|object|embed|area|link)(?=[\s>])", re.IGNORECASE)


def _numbered(pieces: list[Piece]) -> list[Piece]:
    """The pieces with each tag of interest carrying its own file and line."""
    return [
        Piece("data", _TAG.sub(_Mark(piece), piece.text), piece.file, piece.line)
        if piece.kind == "data"
        else piece
        for piece in pieces
    ]


class _Mark:
    def __init__(self, piece: Piece) -> None:
        self.piece = piece

    def __call__(self, found: re.Match[str]) -> str:
        line = self.piece.line + self.piece.text.count("\n", 0, found.start())
        return f'<{found[1]} {_PLACE}="{self.piece.file}:{line}"'


def _where(element: Any, file: str) -> str:
    return element.get(_PLACE) or f"{file}:1"


def _element(element: Any, protected: Protected, where: str) -> Iterator[HtmlProblem]:
    if element.tag in _FORBIDDEN:
        yield HtmlProblem(
            id="forbidden-element",
            level="error",
            where=where,
            what=f"<{element.tag}>: {_FORBIDDEN[element.tag]}",
            do="remove it, or link to a page on your web site",
        )
    for name in element.attrib:
        if re.fullmatch(r"on[a-z]+", name):
            yield HtmlProblem(
                id="forbidden-element",
                level="error",
                where=where,
                what=f"{name}: {_FORBIDDEN['script']}",
                do="remove it",
            )
    if element.tag == "img":
        yield from _image(element, protected, where)
    if element.tag in ("a", "area"):
        yield from _link(element, protected, where)


def _image(element: Any, protected: Protected, where: str) -> Iterator[HtmlProblem]:
    if element.get("alt") is None:
        yield HtmlProblem(
            id="no-alt",
            level="warning",
            where=where,
            what="an image has no alt text; many people see mail without images",
            do='write alt="what it shows", or alt="" when it is only decoration',
        )
    address = (element.get("src") or "").strip()
    if not protected.pattern().search(address) and not re.match(r"https?:|cid:", address, re.I):
        yield HtmlProblem(
            id="relative-link",
            level="error",
            where=where,
            what=f'the image "{address}" is not on the web, so nobody will see it',
            do="put it on your web site and write its full https:// address",
        )


def _link(element: Any, protected: Protected, where: str) -> Iterator[HtmlProblem]:
    address = element.get("href")
    if address is None:
        if element.get("name") is None and element.get("id") is None:
            yield HtmlProblem(
                id="empty-link", level="error", where=where, what="a link without href", do=_FILL
            )
        return
    address = address.strip()
    if address.startswith("#") and len(address) > 1:
        return
    starts_with_jinja = protected.pattern().match(address) is not None
    if address in ("", "#"):
        yield HtmlProblem(
            id="empty-link", level="error", where=where, what="a link leads nowhere", do=_FILL
        )
    elif re.match(r"javascript:", address, re.IGNORECASE):
        yield HtmlProblem(
            id="forbidden-element",
            level="error",
            where=where,
            what=f"a javascript: link: {_FORBIDDEN['script']}",
            do="link to a page on your web site",
        )
    elif not starts_with_jinja and not _ABSOLUTE.match(address):
        yield HtmlProblem(
            id="relative-link",
            level="error",
            where=where,
            what=f'the link "{address}" has no https:// in front',
            do="write the full address, as in https://example.com/page",
        )


_FILL = 'write the full address: href="https://..."'
