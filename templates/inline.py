"""CSS moved from `<style>` to the elements, once per version, on the source with Jinja hidden.

Premailer takes 120-150 ms a document, so it must not run per recipient. Inlining first and
rendering later gives the same document unless Jinja decides what a selector looks at; such
templates are found here and inlined after rendering instead.
"""

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lxml import etree
from premailer import Premailer

from templates.errors import SourceError
from templates.markup import parse, serialise
from templates.protect import Protected, Token
from templates.style_sheet import css_of, imports, selectors_of, set_aside

_STRUCTURAL = re.compile(r":(?:first|last|only|nth|empty|not|has)[\w-]*|[+~](?![^(\[]*[)\]])")
_ATTRIBUTE_SELECTOR = re.compile(r"\[\s*([\w-]+)")
_MARKUP_FILTER = re.compile(r"\|\s*safe\b|\bcaller\s*\(|\bsuper\s*\(|\bself\.")
_EXPRESSION = re.compile(r"\{\{([-+]?)(.*?)([-+]?)\}\}", re.DOTALL)
_MADE_MARKUP = ("macro", "call", "filter", "set")


@dataclass(frozen=True, slots=True)
class Inlined:
    """The HTML source to render from."""

    source: str
    #: (line in `source`, file, line in that file) for each Jinja piece.
    lines: list[tuple[int, str, int]]
    #: Why inlining has to wait until after rendering; empty when it is done.
    after: str = ""
    #: `file:line` of that reason.
    where: str = ""


#: Characters of CSS that are put onto elements: so many in some 2,500 short rules take 3 s.
MAX_CSS = 50_000


def inline_css(html: str) -> str:
    """A whole HTML document with its CSS on the elements; media queries stay in `<style>`.

    Raises SourceError for CSS that cannot be read.
    """
    root = parse(html)
    _refuse_endless(root, "<style>")
    return serialise(_inline_tree(root))


def _inline_tree(root: Any) -> Any:
    set_aside(root)
    premailer = Premailer(
        allow_network=False,
        allow_loading_external_files=False,
        # Dark mode and phone rules only win over inline styles by being !important.
        strip_important=False,
        # Widths written in attributes are for Outlook and stay as they are.
        disable_basic_attributes=["width", "height"],
        disable_validation=True,
        cssutils_logging_level=logging.CRITICAL + 1,
    )
    try:
        done = premailer.transform(root)
    except RecursionError:
        do = "write the rules one after another"
        raise SourceError("<style>", "the rules stand inside each other too deep", do) from None
    return done.getroot() if hasattr(done, "getroot") else done


def refuse_external(root: Any, where: str) -> None:
    """Raises SourceError for style sheets that are not in the document itself."""
    for link in root.iter("link"):
        if "stylesheet" in (link.get("rel") or "").lower():
            raise SourceError(
                where,
                f"CSS in another file ({link.get('href')}) does not reach mail clients",
                "put the rules into <style>",
            )
    if imports(root):
        do = "put the rules into <style>"
        raise SourceError(where, "@import in CSS does not reach mail clients", do)


def _refuse_endless(root: Any, where: str) -> None:
    """Raises SourceError for more CSS than can be put onto elements in seconds."""
    size = len(css_of(root))
    if size > MAX_CSS:
        raise SourceError(
            where,
            f"there are {size:,} characters of CSS; {MAX_CSS:,} are the most",
            "take out the rules this mail does not use",
        )


def inline_source(protected: Protected, where: str) -> Inlined:
    """Inlines the protected document, or says why that must wait for the rendering."""
    root = parse(protected.html)
    refuse_external(root, where)
    _refuse_endless(root, where)
    plain, lines = protected.restore(protected.html)
    css = css_of(root)
    if next(root.iter("style"), None) is None:
        return Inlined(plain, lines)
    reason = _why_not(protected, css) or _crossing(protected, root)
    if not reason:
        try:
            html = serialise(_inline_tree(root))
        except SourceError as error:
            raise SourceError(where, f"<style>: {error.what}", error.do) from None
        if protected.intact(html):
            source, lines = protected.restore(html)
            return Inlined(source, lines)
        reason = ("the HTML parser moves or drops a part with Jinja in it", None)
    token = reason[1]
    place = f"{token.piece.file}:{token.piece.line}" if token else where
    plain, lines = protected.restore(protected.html, _holding(protected, css))
    return Inlined(plain, lines, reason[0], place)


def _holding(protected: Protected, css: str) -> Callable[[Token], str]:
    """Puts the Jinja back so that mere values are held out of the HTML until it is inlined.

    Then messages differ only by the choices made, and each set of choices is inlined once. Not
    where a block captures its output: there the template itself could look at a stand-in.
    """
    captured = any(
        token.piece.keyword in ("macro", "call", "filter", "import", "from", "include", "extends")
        or (token.piece.keyword == "set" and token.piece.opens)
        for token in protected.tokens
    )
    looked_at = {"class", "id", "style", *_attributes_in(selectors_of(css))}

    def put(token: Token) -> str:
        expression = _EXPRESSION.fullmatch(token.piece.text)
        if (
            captured
            or expression is None
            or _MARKUP_FILTER.search(token.piece.text)
            or token.place not in ("text", "attribute", "title")
            or token.attribute in looked_at
        ):
            return token.piece.text
        return f"{{{{{expression[1]} _held(({expression[2]})) {expression[3]}}}}}"

    return put


def _attributes_in(selectors: str) -> set[str]:
    return {name.lower() for name in _ATTRIBUTE_SELECTOR.findall(selectors)}


def _why_not(protected: Protected, css: str) -> tuple[str, Token | None] | None:
    selectors = selectors_of(css)
    named = _attributes_in(selectors)
    structural = _STRUCTURAL.search(selectors)
    for token in protected.tokens:
        if token.place == "style":
            return "Jinja stands inside <style>", token
        if token.place == "tag":
            return "Jinja decides a tag or its attributes", token
        if token.place == "attribute" and token.attribute in {"class", "id", "style", *named}:
            return f"Jinja decides a {token.attribute} that CSS looks at", token
        keyword = token.piece.keyword
        if keyword in ("import", "from", "include", "extends"):
            return "macros come from another file", token
        if token.piece.kind == "expression" and _MARKUP_FILTER.search(token.piece.text):
            return "an expression may print HTML", token
        if structural and keyword and token.place == "text":
            return f"CSS counts elements ({structural[0].strip()}) and Jinja changes them", token
    return _markup_in_macros(protected)


def _markup_in_macros(protected: Protected) -> tuple[str, Token] | None:
    """Macros and captured blocks are printed elsewhere, where other rules may match."""
    found = list(protected.pattern().finditer(protected.html))
    opened: list[tuple[Token, int]] = []
    for match, token in zip(found, protected.tokens, strict=True):
        if token.piece.opens:
            opened.append((token, match.end()))
        elif token.piece.keyword.startswith("end") and opened:
            start, at = opened.pop()
            inside = protected.pattern().sub("", protected.html[at : match.start()])
            if start.piece.keyword in _MADE_MARKUP and "<" in inside:
                return f"a {start.piece.keyword} block holds HTML that is printed elsewhere", start
    return None


def _crossing(protected: Protected, root: Any) -> tuple[str, Token] | None:
    """The first block whose parts do not stand side by side: Jinja decides an element there."""
    pattern = protected.pattern()
    parents: dict[int, Any] = {}
    for comment in root.getroottree().iter(etree.Comment):
        match = pattern.fullmatch(f"<!--{comment.text}-->")
        if match:
            parents[int(match[1])] = comment.getparent()
    stack: list[tuple[object, ...]] = []
    for index, token in enumerate(protected.tokens):
        keyword = token.piece.keyword
        if not keyword:
            continue
        around = parents.get(index)
        place = (token.place, around) if token.place == "text" else (token.place, token.number)
        if token.piece.opens:
            stack.append(place)
        elif keyword.startswith(("el", "end")):
            if not stack or stack[-1] != place:
                return "a Jinja block opens and closes in different elements", token
            if keyword.startswith("end"):
                stack.pop()
    return None
