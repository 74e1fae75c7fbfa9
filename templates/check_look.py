"""What of a body is seen, and in which colours: the cascade of a mail with its CSS inlined."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from lxml import etree

from templates.check_body import Body
from templates.colours import BLACK, WHITE, Colour, colour_of, over

_DECLARATION = re.compile(
    r"([\w-]+)\s*:\s*((?:\([^()]*(?:\([^()]*\)[^()]*)*\)|\"[^\"]*\"|'[^']*'|[^;(\"'])+)"
)
_SIZE = re.compile(r"(\d*\.?\d+)(px|pt|em|rem|%)?")
_UNITS = {"px": 1.0, "pt": 4 / 3, "rem": 16.0, None: 1.0}
_WORDS = {"xx-small": 9, "x-small": 10, "small": 13, "medium": 16, "large": 18} | {
    "x-large": 24,
    "xx-large": 32,
}
_HEADINGS = {"h1": 2.0, "h2": 1.5, "h3": 1.17, "h4": 1.0, "h5": 0.83, "h6": 0.67}
_BOLD = frozenset({"b", "strong", "th", *_HEADINGS})
_UNSEEN = frozenset({"head", "title", "style", "script", "noscript", "template"})
#: What browsers and mail clients give a link without a colour of its own.
_LINK: Colour = (0, 0, 238, 1)


@dataclass(frozen=True, slots=True)
class Look:
    """How text looks; None is a colour nobody can know before rendering."""

    colour: Colour | None = BLACK
    back: Colour | None = WHITE
    #: Pixels.
    size: float = 16.0
    bold: bool = False

    @property
    def large(self) -> bool:
        """WCAG 2.1: 18 point, or 14 point and bold."""
        return self.size >= 24 or (self.bold and self.size >= 18.66)


@dataclass(frozen=True, slots=True)
class Seen:
    """A text, or a picture, in one element."""

    element: Any
    look: Look
    text: str


def declarations(style: str) -> dict[str, str]:
    """`color: red; ...` as a mapping; an `!important` one stays, else the last wins."""
    found: dict[str, str] = {}
    final: set[str] = set()
    for name, value in _DECLARATION.findall(style):
        name, value = name.lower(), value.strip()
        important = value.lower().endswith("!important")
        if name in final and not important:
            continue
        if important:
            final.add(name)
            value = value[: -len("!important")].rstrip()
        found[name] = value
    return found


def seen(body: Body) -> Iterator[Seen]:
    """Every text and picture that is not hidden, in order. Nothing when there is no tree."""
    if body.inlined is not None:
        yield from _walk(body, body.inlined, Look())


def _walk(body: Body, element: Any, around: Look) -> Iterator[Seen]:
    style = declarations(element.get("style") or "")
    if element.tag in _UNSEEN or _hidden(element, style):
        return
    look = _look(body, element, style, around)
    if element.tag == "img":
        yield Seen(element, look, "")
    parts = [element.text or ""]
    for child in element:
        if child.tag is etree.Comment:
            parts.append("x" if body.prints(child) else "")
        elif isinstance(child.tag, str):
            yield from _walk(body, child, look)
        parts.append(child.tail or "")
    text = "".join(parts)
    # A bullet or a dot between links is decoration, which WCAG 2.1 1.4.3 leaves out.
    if any(char.isalnum() for char in text):
        yield Seen(element, look, text)


def _hidden(element: Any, style: dict[str, str]) -> bool:
    return (
        style.get("display") == "none"
        or style.get("visibility") == "hidden"
        or style.get("mso-hide") == "all"
        or element.get("hidden") is not None
        or re.fullmatch(r"0\w*", style.get("font-size", "")) is not None
        or re.fullmatch(r"0\w*", style.get("max-height", "")) is not None
        or re.fullmatch(r"0?\.0+|0", style.get("opacity", "")) is not None
    )


def _look(body: Body, element: Any, style: dict[str, str], around: Look) -> Look:
    # Jinja among the attributes may say anything.
    if any(body.jinja.search(name) for name in element.attrib) or any(
        body.jinja.search(element.get(name) or "") for name in ("style", "class", "id")
    ):
        return replace(around, colour=None, back=None)
    look = replace(
        around,
        size=_size(element, style, around.size),
        bold=_bold(element, style, around.bold),
        back=_back(element, style, around.back),
        colour=_colour(body, element, style, around.colour),
    )
    if style.get("opacity", "1") not in ("1", "1.0", "100%"):
        return replace(look, colour=None)
    return look


def _colour(
    body: Body, element: Any, style: dict[str, str], around: Colour | None
) -> Colour | None:
    given = style.get("color")
    if given is None and element.tag == "font":
        given = element.get("color")
    if given is None and element.tag == "body":
        given = element.get("text")
    if given is None:
        link = element.tag == "a" and element.get("href") is not None
        return _LINK if link else around
    if given.lower() in ("inherit", "unset", "currentcolor"):
        return around
    return colour_of(given)


def _back(element: Any, style: dict[str, str], around: Colour | None) -> Colour | None:
    pictures = (
        element.get("background") or "",
        style.get("background-image", ""),
        style.get("background", ""),
    )
    if pictures[0] or any("(" in each and not _plain(each) for each in pictures[1:]):
        return None
    given = style.get("background-color") or style.get("background") or element.get("bgcolor")
    if given is None or given.lower() in ("none", "inherit", "initial", "unset"):
        return around
    found = colour_of(given)
    if found is None:
        words = [colour_of(word) for word in re.split(r"\s+(?![^(]*\))", given)]
        found = next((word for word in words if word is not None), None)
    if found is None or found[3] == 1:
        return found
    return None if around is None else over(found, around)


def _plain(value: str) -> bool:
    return re.search(r"url\(|gradient\(|image|var\(", value, re.IGNORECASE) is None


def _size(element: Any, style: dict[str, str], around: float) -> float:
    given = style.get("font-size", "").lower()
    if not given:
        return around * _HEADINGS.get(element.tag, 1.0)
    if given in _WORDS:
        return _WORDS[given]
    found = _SIZE.fullmatch(given)
    if found is None:
        return around
    number = float(found[1])
    if found[2] in ("em", "%"):
        return around * (number if found[2] == "em" else number / 100)
    return number * _UNITS[found[2]]


def _bold(element: Any, style: dict[str, str], around: bool) -> bool:
    given = style.get("font-weight", "").lower()
    if given.isdecimal():
        return int(given) >= 700
    if given in ("bold", "bolder"):
        return True
    return False if given in ("normal", "lighter") else around or element.tag in _BOLD
