"""What stands in `<style>`: which part goes onto elements and which has to stay."""

import re
from typing import Any

_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_BLOCK = r"\{(?:[^{}]|\{[^{}]*\})*\}"
#: Rules premailer would drop: fonts, animations, questions about the client.
_DROPPED = re.compile(
    rf"@(?:font-face|supports|(?:-\w+-)?keyframes|layer|container)\b[^{{}};]*{_BLOCK}",
    re.IGNORECASE,
)
_AT_RULE = re.compile(rf"@[\w-]+[^{{}};]*(?:{_BLOCK}|;)")
_SELECTORS = re.compile(r"([^{}]+)\{")
_IGNORED = "data-premailer"


def _styles(root: Any) -> list[Any]:
    """The style sheets premailer looks at."""
    return [style for style in root.iter("style") if style.get(_IGNORED) != "ignore"]


def css_of(root: Any) -> str:
    """All CSS of a document that is to be put onto its elements."""
    return "\n".join(style.text or "" for style in _styles(root))


def selectors_of(css: str) -> str:
    """The selectors that are matched against elements, which those in media queries are not."""
    return " ".join(_SELECTORS.findall(_AT_RULE.sub("", _COMMENT.sub("", css))))


def imports(root: Any) -> bool:
    """Whether any style sheet asks for another one."""
    return any(
        re.search(r"@import\b", _COMMENT.sub("", style.text or ""), re.IGNORECASE)
        for style in root.iter("style")
    )


def set_aside(root: Any) -> None:
    """Moves the rules premailer would drop into style sheets that it leaves alone."""
    for style in _styles(root):
        kept = _DROPPED.findall(style.text or "")
        if kept:
            style.text = _DROPPED.sub("", style.text)
            aside = style.makeelement("style", {_IGNORED: "ignore"})
            aside.text, aside.tail = "\n".join(kept), style.tail
            style.tail = None
            style.addnext(aside)
