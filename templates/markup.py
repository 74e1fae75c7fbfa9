"""HTML text to tree and back, without losing or adding anything.

The serialiser is our own: lxml's percent-encodes what stands in links and adds a `<meta>`.
"""

import re
from typing import Any

from lxml import etree

_VOID = frozenset(
    [
        "area",
        "base",
        "br",
        "col",
        "embed",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "param",
        "source",
        "track",
        "wbr",
    ]
)
_RAW = frozenset({"style", "script"})
_DOCTYPE = re.compile(r"<!doctype[^>]*>", re.IGNORECASE)
_REVEALED = re.compile(r"<!\[(if[^\]]*)\]>(.*?)<!\[endif\]>", re.IGNORECASE | re.DOTALL)
_HTML = re.compile(r"<html[\s>]", re.IGNORECASE)

#: Characters nobody can see are written so that a person reading the source can.
_SHOWN = (("\u00a0", "&nbsp;"), ("\u200c", "&zwnj;"), ("\u034f", "&#847;"), ("\u00ad", "&shy;"))

_SKELETON = (
    '<html><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1"></head>'
    "<body>{}</body></html>"
)


def is_document(html: str) -> bool:
    """Whether `html` is a whole page and not the inside of one."""
    return _HTML.search(html) is not None


def whole(html: str) -> str:
    """`html` as a whole document with a doctype; conditional comments in the form parsers keep."""
    html = _DOCTYPE.sub("", html).strip()
    # `<![if !mso]>` is no comment to a parser; `<!--[if !mso]><!-->` means the same.
    html = _REVEALED.sub(r"<!--[\1]><!-->\2<!--<![endif]-->", html)
    if not is_document(html):
        html = _SKELETON.format(html)
    return "<!DOCTYPE html>\n" + html


def parse(html: str) -> Any:
    """The tree of a whole document (lxml element `html`)."""
    text = _DOCTYPE.sub("", html).strip()
    parser = etree.HTMLParser(encoding="utf-8", huge_tree=True, remove_pis=True)
    return etree.fromstring(text.encode(), parser)


def serialise(root: Any) -> str:
    """The document as HTML text, doctype first."""
    parts = ["<!DOCTYPE html>\n"]
    for before in reversed(list(root.itersiblings(preceding=True))):
        _write(before, parts)
    _write(root, parts)
    for after in root.itersiblings():
        _write(after, parts)
    return "".join(parts)


def _write(node: Any, parts: list[str]) -> None:
    if node.tag is etree.Comment:
        parts.append(f"<!--{node.text or ''}-->")
    elif isinstance(node.tag, str):
        attributes = "".join(f' {name}="{_attribute(value)}"' for name, value in node.items())
        parts.append(f"<{node.tag}{attributes}>")
        if node.tag not in _VOID:
            if node.text:
                parts.append(_css(node.text) if node.tag in _RAW else _text(node.text))
            for child in node:
                _write(child, parts)
            parts.append(f"</{node.tag}>")
    if node.tail:
        parts.append(_text(node.tail))


def _braces(text: str) -> str:
    """What would read as Jinja, in a text that is none: written as character references."""
    return re.sub(r"\{(?=[{%#])", "&#123;", text) if "{" in text else text


def _text(text: str) -> str:
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    for char, entity in _SHOWN:
        text = text.replace(char, entity)
    return _braces(text)


def _attribute(text: str) -> str:
    text = text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    return _braces(text).replace("\u00a0", "&nbsp;")


def _css(text: str) -> str:
    return re.sub(r"\{(?=[{%#])", "{ ", text)
