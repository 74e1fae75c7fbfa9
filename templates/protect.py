"""Jinja hidden from HTML tools: every piece becomes a sentinel that parsers leave alone.

Between nodes a sentinel is a comment, because parsers move text out of tables but never a
comment; everywhere else it is a word of `[a-z0-9]`, because attributes get percent-encoded.
Scanning also says *where* Jinja stands, which decides whether inlining before rendering is safe.
"""

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from templates.pieces import Piece

#: Elements whose content is text until their own end tag.
_RAW = {"style": "style", "script": "script", "title": "title", "textarea": "title"}


@dataclass(frozen=True, slots=True)
class Token:
    """A Jinja piece and the place it stands in."""

    piece: Piece
    #: text, attribute, tag (inside `<...>` but in no value), comment, style, script or title.
    place: str
    #: The element and attribute around it, lower case, as far as there are any.
    element: str = ""
    attribute: str = ""
    #: Counts tags, attributes and comments: equal numbers mean the same one.
    number: int = 0


@dataclass(frozen=True, slots=True)
class Protected:
    """HTML without Jinja in it, and the tokens to put back."""

    html: str
    tokens: tuple[Token, ...]
    #: Sentinels are `{prefix}{index}x`.
    prefix: str

    def pattern(self) -> re.Pattern[str]:
        """Finds a sentinel, with its comment marks when it has them; group 1 or 2 is its index."""
        word = rf"{self.prefix}(\d+)x"
        return re.compile(rf"<!--{word}-->|{word}")

    def intact(self, html: str) -> bool:
        """Whether `html` still holds every sentinel once and in order."""
        found = [int(one or two) for one, two in self.pattern().findall(html)]
        return found == list(range(len(self.tokens)))

    def restore(
        self, html: str, put: Callable[[Token], str] = lambda token: token.piece.text
    ) -> tuple[str, list[tuple[int, str, int]]]:
        """`html` with its Jinja back, and a row (line here, file, line there) for each token."""
        parts: list[str] = []
        lines: list[tuple[int, str, int]] = []
        at, line = 0, 1
        for found in self.pattern().finditer(html):
            token = self.tokens[int(found[1] or found[2])]
            before, text = html[at : found.start()], put(token)
            line += before.count("\n")
            lines.append((line, token.piece.file, token.piece.line))
            line += text.count("\n")
            parts += [before, text]
            at = found.end()
        parts.append(html[at:])
        return "".join(parts), lines


class _Scanner:
    """Walks over HTML and knows, at every moment, what kind of place it is in."""

    def __init__(self) -> None:
        self.place = "text"
        self.element = ""
        self.attribute = ""
        self.number = 0
        self._quote = ""
        self._recent = ""
        self._closing = False

    def token(self) -> tuple[str, str, str, int]:
        """The place of a token standing here; it counts as part of what is being read."""
        if self.place == "tagopen":
            self.place = "tagname"
        if self.place == "value":
            self.place, self._quote = "attribute", ""
        self._recent = ""
        inside = {"tagname": "tag", "tag": "tag", "name": "tag", "bogus": "comment"}
        return inside.get(self.place, self.place), self.element, self.attribute, self.number

    def feed(self, text: str) -> int:
        """Reads on. Returns the index just after `<body ...>` when it ended here, else -1."""
        body = -1
        for index, char in enumerate(text):
            getattr(self, f"_in_{self.place}")(char)
            if char == ">" and self.place == "text" and self.element == "body":
                if not self._closing and body < 0 and self._recent == "tag":
                    body = index + 1
                self._recent = ""
        return body

    def _in_text(self, char: str) -> None:
        if char == "<":
            self.place, self.element, self.attribute = "tagopen", "", ""
            self._closing = False
            self.number += 1

    def _in_tagopen(self, char: str) -> None:
        if char == "!" or char == "?":
            self.place, self._recent = "bogus", "<" + char
        elif char == "/":
            self._closing = True
        elif char.isalpha():
            self.place, self.element = "tagname", char.lower()
        else:
            self.place = "text"

    def _in_tagname(self, char: str) -> None:
        if char.isspace() or char == "/":
            self.place = "tag"
        elif char == ">":
            self._end_tag()
        else:
            self.element += char.lower()

    def _in_tag(self, char: str) -> None:
        if char == ">":
            self._end_tag()
        elif char == "=":
            self.place = "value"
        elif not char.isspace() and char != "/":
            self.place, self.attribute = "name", char.lower()
            self.number += 1

    def _in_name(self, char: str) -> None:
        if char == "=":
            self.place = "value"
        elif char == ">":
            self._end_tag()
        elif char.isspace() or char == "/":
            self.place = "tag"
        else:
            self.attribute += char.lower()

    def _in_value(self, char: str) -> None:
        if char in "\"'":
            self.place, self._quote = "attribute", char
        elif char == ">":
            self._end_tag()
        elif not char.isspace():
            self.place, self._quote = "attribute", ""

    def _in_attribute(self, char: str) -> None:
        if self._quote:
            if char == self._quote:
                self.place, self.attribute = "tag", ""
        elif char == ">":
            self._end_tag()
        elif char.isspace():
            self.place, self.attribute = "tag", ""

    def _end_tag(self) -> None:
        self.attribute = ""
        self.number += 1
        self._recent = "tag"
        self.place = "text" if self._closing else _RAW.get(self.element, "text")

    def _in_bogus(self, char: str) -> None:
        self._recent = (self._recent + char)[-4:]
        if self._recent == "<!--":
            self.place, self._recent = "comment", "  "
        elif char == ">":
            self.place, self._recent = "text", ""

    def _in_comment(self, char: str) -> None:
        self._recent = (self._recent + char)[-3:]
        if self._recent == "-->":
            self.place, self._recent = "text", ""

    def _in_style(self, char: str) -> None:
        self._recent = (self._recent + char.lower())[-12:]
        if char == ">" and re.search(rf"</{self.element}\s*>$", self._recent):
            self.place, self._recent = "text", ""

    _in_script = _in_title = _in_style


def protect(pieces: Sequence[Piece], *, after_body: Sequence[Piece] = ()) -> Protected:
    """HTML with each Jinja piece replaced by a sentinel.

    `after_body` is put right behind the `<body>` tag (or first, when there is none).
    """
    digest = hashlib.sha256("".join(piece.text for piece in pieces).encode()).hexdigest()
    # A digest of the source cannot stand in the source by accident.
    prefix = "zq" + digest[:10] + "q"
    placed = _place_after_body(pieces, after_body)
    scanner = _Scanner()
    html: list[str] = []
    tokens: list[Token] = []
    for piece in placed:
        if piece.kind == "data":
            scanner.feed(piece.text)
            html.append(piece.text)
            continue
        place, element, attribute, number = scanner.token()
        word = f"{prefix}{len(tokens)}x"
        html.append(f"<!--{word}-->" if place == "text" else word)
        tokens.append(Token(piece, place, element, attribute, number))
    return Protected("".join(html), tuple(tokens), prefix)


def _place_after_body(pieces: Sequence[Piece], extra: Sequence[Piece]) -> list[Piece]:
    if not extra:
        return list(pieces)
    scanner = _Scanner()
    for at, piece in enumerate(pieces):
        if piece.kind != "data":
            scanner.token()
            continue
        cut = scanner.feed(piece.text)
        if cut >= 0:
            head, tail = piece.text[:cut], piece.text[cut:]
            line = piece.line + head.count("\n")
            first = Piece("data", head, piece.file, piece.line)
            rest = Piece("data", tail, piece.file, line)
            return [*pieces[:at], first, *extra, rest, *pieces[at + 1 :]]
    return [*extra, *pieces]
