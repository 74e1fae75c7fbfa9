"""An HTML body as checks look at it: a tree with its Jinja hidden and every tag's own place."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import quote, unquote

from lxml import etree

from templates.environment import Environment
from templates.errors import SourceError
from templates.inline import inline_css
from templates.markup import parse
from templates.pieces import Piece, flatten
from templates.protect import Protected, protect

_PLACE = "data-zq-place"
_TAG = re.compile(r"<([a-z][\w:-]*)(?=[\s/>]|$)", re.IGNORECASE)
#: Why CSS is inlined after rendering, where that leaves no tree to be sure of.
_NO_TREE = (
    "a Jinja block opens and closes",
    "the HTML parser moves",
    "Jinja stands inside <style>",
)


@dataclass(frozen=True)
class Body:
    """One HTML body, partials included."""

    file: str
    protected: Protected
    #: Why CSS is inlined after rendering; empty when it is not.
    after: str

    @cached_property
    def root(self) -> Any:
        """The tree as the author wrote it."""
        root = parse(self.protected.html)
        # Where all is one comment there is no element at all.
        return parse("<html></html>") if root is None else root

    @cached_property
    def inlined(self) -> Any | None:
        """The tree with its CSS on the elements; None where Jinja decides what it looks like."""
        if self.after.startswith(_NO_TREE) or parse(self.protected.html) is None:
            return None
        try:
            return parse(inline_css(self.protected.html))
        except SourceError:
            return None

    def elements(self) -> Iterator[Any]:
        """Every element, without comments."""
        return (each for each in self.root.iter() if isinstance(each.tag, str))

    def where(self, element: Any, *, further: int = 0) -> str:
        """`file:line` of an element's tag, or so many lines below it."""
        place = element.get(_PLACE)
        if not place:
            return f"{self.file}:1"
        file, _, line = place.rpartition(":")
        return f"{unquote(file)}:{int(line) + further}"

    @cached_property
    def jinja(self) -> re.Pattern[str]:
        """Finds what stands for Jinja in a text or an attribute."""
        return self.protected.pattern()

    def prints(self, comment: Any) -> bool:
        """Whether a comment stands for an expression, which becomes text."""
        found = self.jinja.fullmatch(f"<!--{comment.text}-->")
        return found is not None and self.protected.tokens[int(found[1])].piece.kind == "expression"

    def text_of(self, element: Any) -> str:
        """What an element shows, with a mark where a value is printed."""
        parts = [element.text or ""]
        for child in element:
            if child.tag is etree.Comment:
                parts.append("\0" if self.prints(child) else "")
            elif isinstance(child.tag, str):
                parts.append(self.text_of(child))
            parts.append(child.tail or "")
        return "".join(parts)


def read_body(
    environment: Environment, text: str, file: str, partials: Mapping[str, str], *, after: str = ""
) -> Body:
    """`text` (the source of `file`) with its partials put in place."""
    pieces = flatten(environment, text, file, partials)
    return Body(file, protect([_numbered(piece) for piece in pieces]), after)


def _numbered(piece: Piece) -> Piece:
    """The piece with each tag carrying its own file and line."""
    if piece.kind != "data":
        return piece

    def mark(found: re.Match[str]) -> str:
        line = piece.line + piece.text.count("\n", 0, found.start())
        # Without quotes: what looks like a tag inside an attribute must not end it. So a slash
        # would belong to the value.
        end = " " if piece.text[found.end() : found.end() + 1] in ("", "/") else ""
        return f"<{found[1]} {_PLACE}={quote(piece.file)}:{line}{end}"

    return Piece("data", _TAG.sub(mark, piece.text), piece.file, piece.line)
