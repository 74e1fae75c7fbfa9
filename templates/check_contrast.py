"""Text that is hard to read on its background, and mails that are mostly pictures."""

import re
from collections.abc import Iterator
from typing import Any

from templates.check_body import Body
from templates.check_look import Look, Seen, declarations, seen
from templates.colours import Colour, contrast, over, readable, shown
from templates.finding import Finding

#: WCAG 2.1 1.4.3 (AA): for ordinary text, and for large text.
LEAST, LEAST_LARGE = 4.5, 3.0
#: Makers of mail keep pictures under three fifths; SpamAssassin's HTML_IMAGE_RATIO and
#: HTML_IMAGE_ONLY rules count much the same.
MOST_PICTURES = 0.6
#: What a letter takes at 16 px with its share of the line: 8 x 24 px.
_LETTER = 192.0
#: A mail is some 600 px wide.
_WIDTH = 600.0


def look_findings(body: Body) -> Iterator[Finding]:
    """Contrast of what is seen, and the share of pictures."""
    all_seen = list(seen(body))
    yield from _contrasts(body, all_seen)
    yield from _pictures(body, all_seen)


def _contrasts(body: Body, all_seen: list[Seen]) -> Iterator[Finding]:
    found: dict[tuple[Colour, Colour, bool], list[Seen]] = {}
    for each in all_seen:
        pair = _pair(each.look)
        if each.text and pair is not None:
            least = LEAST_LARGE if each.look.large else LEAST
            if contrast(*pair) < least:
                found.setdefault((*pair, each.look.large), []).append(each)
    for (colour, back, large), places in found.items():
        least = LEAST_LARGE if large else LEAST
        more = f", here and in {len(places) - 1} more places" if len(places) > 1 else ""
        better = readable(colour, back, least)
        yield Finding(
            id="low-contrast",
            level="warning",
            where=body.where(places[0].element),
            what=f"{'large ' if large else ''}text in {shown(colour)} on {shown(back)} is hard to "
            f"read{more}: contrast {contrast(colour, back):.1f}, at least {least:g} is wanted",
            do=f"use {shown(better)} for the text, or another background",
        )


def _pair(look: Look) -> tuple[Colour, Colour] | None:
    if look.colour is None or look.back is None:
        return None
    return over(look.colour, look.back), look.back


def _pictures(body: Body, all_seen: list[Seen]) -> Iterator[Finding]:
    pictures = [each for each in all_seen if each.element.tag == "img"]
    areas = [_area(each.element) for each in pictures]
    letters = sum(len(" ".join(each.text.split())) for each in all_seen)
    if not pictures:
        return
    known = sum(area for area in areas if area is not None)
    share = known / (known + letters * _LETTER) if known else 0.0
    # Without sizes there is no share; a picture and hardly a word is clear all the same.
    if share <= MOST_PICTURES and not (None in areas and letters < 100):
        return
    told = (
        f"pictures take about {share:.0%} of the mail"
        if share > MOST_PICTURES
        else (f"there are pictures and only {letters} characters of text")
    )
    yield Finding(
        id="mostly-pictures",
        level="warning",
        where=body.where(pictures[0].element),
        what=f"{told}; many people see mail without pictures, and spam filters distrust it",
        do="say what matters in text as well",
    )


def _area(element: Any) -> float | None:
    """Square pixels; None when the author does not say."""
    style = declarations(element.get("style") or "")
    width = _pixels(style.get("width") or element.get("width"))
    height = _pixels(style.get("height") or element.get("height"))
    if width is None or height is None:
        return 0.0 if 0 in (width, height) else None
    # A counting pixel shows nothing.
    return min(width, _WIDTH) * height if width > 2 and height > 2 else 0.0


def _pixels(text: str | None) -> float | None:
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(px|%)?\s*", text or "")
    if found is None:
        return None
    return _WIDTH * float(found[1]) / 100 if found[2] == "%" else float(found[1])
