"""Colours as CSS writes them, and how well one can be read on another (WCAG 2.1)."""

import re
from collections.abc import Mapping
from colorsys import hls_to_rgb
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType

#: Red, green, blue from 0 to 255, and how much covers what is behind it, from 0 to 1.
Colour = tuple[float, float, float, float]

BLACK: Colour = (0, 0, 0, 1)
WHITE: Colour = (255, 255, 255, 1)

_HEX = re.compile(r"#?([0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})", re.IGNORECASE)
_FUNCTION = re.compile(r"(rgb|hsl)a?\(([^()]*)\)", re.IGNORECASE)


@lru_cache(maxsize=1)
def _named() -> Mapping[str, Colour]:
    text = files("templates").joinpath("colours.txt").read_text("utf-8")
    rows = (line.split() for line in text.splitlines() if line and not line.startswith("#"))
    return MappingProxyType({name: _of_hex(code[1:]) for name, code in rows})


def _of_hex(digits: str) -> Colour:
    if len(digits) < 6:
        digits = "".join(digit * 2 for digit in digits)
    red, green, blue, cover = (int(digits[at : at + 2] or "ff", 16) for at in (0, 2, 4, 6))
    return red, green, blue, cover / 255


@lru_cache(maxsize=1024)
def colour_of(text: str) -> Colour | None:
    """A colour as CSS or `bgcolor=` writes it; None for what is none we can compute."""
    text = text.strip().lower()
    if text == "transparent":
        return 0, 0, 0, 0
    if text in _named():
        return _named()[text]
    code = _HEX.fullmatch(text)
    if code:
        return _of_hex(code[1])
    call = _FUNCTION.fullmatch(text)
    if call is None:
        return None
    parts = [part for part in re.split(r"[\s,/]+", call[2].strip()) if part]
    try:
        return _of_parts(call[1], parts)
    except ValueError:
        return None


def _of_parts(model: str, parts: list[str]) -> Colour:
    if len(parts) not in (3, 4):
        raise ValueError("a colour has three parts, and how opaque it is")
    cover = _share(parts[3]) if len(parts) == 4 else 1.0
    if model == "rgb":
        red, green, blue = (
            _share(part) * 255 if part.endswith("%") else min(max(float(part), 0), 255)
            for part in parts[:3]
        )
        return red, green, blue, cover
    hue = float(parts[0].removesuffix("deg")) % 360 / 360
    made = hls_to_rgb(hue, _share(parts[2]), _share(parts[1]))
    return made[0] * 255, made[1] * 255, made[2] * 255, cover


def _share(text: str) -> float:
    number = float(text[:-1]) / 100 if text.endswith("%") else float(text)
    return min(max(number, 0.0), 1.0)


def over(front: Colour, back: Colour) -> Colour:
    """What is seen of `front` on an opaque `back`."""
    cover = front[3]
    red, green, blue = (
        f * cover + b * (1 - cover) for f, b in zip(front[:3], back[:3], strict=True)
    )
    return red, green, blue, 1.0


def _luminance(colour: Colour) -> float:
    # WCAG 2.1, "relative luminance".
    linear = [
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4
        for part in (each / 255 for each in colour[:3])
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: Colour, other: Colour) -> float:
    """WCAG 2.1 contrast ratio of two opaque colours, from 1 to 21."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def readable(text: Colour, back: Colour, least: float) -> Colour:
    """The colour nearest to `text`, darker or lighter, that has `least` contrast on `back`."""
    for step in range(1, 101):
        for end in (BLACK, WHITE):
            mixed = over((*end[:3], step / 100), text)
            if contrast(_whole(mixed), back) >= least:
                return _whole(mixed)
    return max((BLACK, WHITE), key=lambda end: contrast(end, back))


def _whole(colour: Colour) -> Colour:
    return round(colour[0]), round(colour[1]), round(colour[2]), 1.0


def shown(colour: Colour) -> str:
    """`#rrggbb`."""
    return "#" + "".join(f"{round(part):02x}" for part in colour[:3])
