"""The text part, made from the HTML template once: Jinja renders it like everything else.

Links become footnotes, data tables lines, lists dashes or numbers, quotations lines with `>`.
Links are marked while the text is made and numbered after rendering, because loops decide how many
there are.
"""

import re
from typing import Any

from lxml import etree

from templates.markup import parse
from templates.protect import Protected, Token
from templates.text_shape import (
    END_NUMBERS,
    IN,
    LINK_END,
    LINK_START,
    NUMBER,
    NUMBERS,
    OUT,
    QUOTE,
    SPACE,
    UNQUOTE,
    finish,
)

#: A line end that was written, an empty line between blocks, a line's own end where it is a row
#: or an item; not line ends that the HTML source happened to have.
_BREAK, _BLOCK, _EDGE = "\x03", "\x04", "\x07"
_EDGES = re.compile(rf"\s*[{_BLOCK}{_EDGE}](?:\s*[{_BLOCK}{_EDGE}])*\s*")

_SKIPPED = frozenset({"head", "style", "script", "title", "template", "noscript", "svg"})
_BLOCKS = frozenset(
    {
        *("address", "article", "center", "div", "dl", "figure", "footer", "form", "header"),
        *("h1", "h2", "h3", "h4", "h5", "h6", "main", "nav", "p", "section", "table"),
        *("blockquote", "ol", "pre", "ul"),
    }
)
_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all|font-size\s*:\s*0(?![.\d])",
    re.I,
)
#: Spaces that do not break, and marks that only tell where to: nothing for plain text.
_INVISIBLE = {0xA0: " ", 0xAD: None, 0x200B: None, 0x200C: None, 0x34F: None, 0xFEFF: None}
_RULE = "-" * 20


def text_source(protected: Protected) -> tuple[str, list[tuple[int, str, int]]]:
    """The text template of a protected HTML document, and its map of lines."""
    words = _Walker(protected).text(parse(protected.html))
    words = _lone_blocks(protected, words)
    # Braces that came from `&#123;` are text and must not become Jinja now.
    words = re.sub(r"\{([{%#])", r'{{ "{\1" }}', words)
    source, lines = protected.restore(words, _shown)
    return source, lines


def _lone_blocks(protected: Protected, words: str) -> str:
    """Blocks alone on their line take its line end with them, or loops would print gaps."""
    word = rf"{protected.prefix}\d+x"

    def glue(line: re.Match[str]) -> str:
        indexes = [int(each) for each in re.findall(rf"{protected.prefix}(\d+)x", line[0])]
        blocks = all(protected.tokens[index].piece.kind == "block" for index in indexes)
        return line[0].rstrip("\n") if blocks else line[0]

    # A list or quotation that begins before them begins on the next line just as well.
    begun = f"[{IN}{NUMBERS}{QUOTE}]*"
    return re.sub(rf"^{begun}(?:[ ]*{word})+[ ]*\n", glue, words, flags=re.MULTILINE)


def text_of(html: str) -> str:
    """The text part of HTML that is already rendered."""
    walker = _Walker(Protected(html, (), "zq0q"))
    return finish(walker.text(parse(html)))


def _shown(token: Token) -> str:
    # In tags Jinja only decides attributes, which a text has not.
    return "" if token.place in ("tag", "style", "script") else token.piece.text


class _Walker:
    """Collects the words of a tree; whitespace is settled at the end."""

    def __init__(self, protected: Protected) -> None:
        self.protected = protected
        self.pattern = protected.pattern()
        self.parts: list[str] = []

    def text(self, root: Any) -> str:
        for node in root.itersiblings(preceding=True):
            self._comment(node)
        self._walk(root)
        text = "".join(self.parts).translate(_INVISIBLE)
        text = re.sub(r"[ \t\r\n\f]+", " ", text)
        text = re.sub(rf" *{_BREAK} *", "\n", text)
        text = _EDGES.sub(lambda found: "\n\n" if _BLOCK in found[0] else "\n", text)
        return text.strip() + "\n"

    def _comment(self, node: Any) -> None:
        """Our own sentinels count; any other comment is nothing to read."""
        if node.tag is etree.Comment and self.pattern.fullmatch(f"<!--{node.text}-->"):
            self.parts.append(node.text)

    def _walk(self, node: Any) -> None:
        if not isinstance(node.tag, str):
            self._comment(node)
        elif node.tag in _SKIPPED or self._hidden(node):
            self._keep_settings(node)
        else:
            handler = getattr(self, f"_{node.tag}", None)
            if handler is not None:
                handler(node)
            elif node.tag in _BLOCKS:
                self._block(node)
            else:
                self._children(node)
        if node.tail:
            self.parts.append(node.tail)

    def _hidden(self, node: Any) -> bool:
        return "hidden" in node.attrib or _HIDDEN.search(node.get("style") or "") is not None

    def _keep_settings(self, node: Any) -> None:
        """What `{% set %}` says in a skipped part is still wanted further on."""
        for inner in node.iter(etree.Comment):
            self._comment(inner)

    def _children(self, node: Any) -> None:
        if node.text:
            self.parts.append(node.text)
        for child in node:
            self._walk(child)

    def _block(self, node: Any) -> None:
        self.parts.append(_BLOCK)
        self._children(node)
        self.parts.append(_BLOCK)

    def _br(self, _node: Any) -> None:
        self.parts.append(_BREAK)

    def _hr(self, _node: Any) -> None:
        self.parts.append(f"{_BLOCK}{_RULE}{_BLOCK}")

    def _img(self, node: Any) -> None:
        self.parts.append(node.get("alt") or "")

    def _a(self, node: Any) -> None:
        self._children(node)
        href = (node.get("href") or "").strip()
        if href and not href.startswith("#"):
            self.parts.append(LINK_START + href + LINK_END)

    def _li(self, node: Any) -> None:
        numbered = node.getparent() is not None and node.getparent().tag == "ol"
        # What follows on more lines stands below the item's first word.
        lines = any(each.tag == "br" or each.tag in _BLOCKS for each in node.iterdescendants())
        self.parts.append(f"{_EDGE}{NUMBER if numbered else '- '}{IN if lines else ''}")
        start = len(self.parts)
        self._children(node)
        self._alone(start)
        self.parts.append((OUT if lines else "") + _EDGE)

    def _alone(self, start: int) -> None:
        """An item's first and last words stand on the item's own lines, also in a paragraph."""
        inside = range(start, len(self.parts))
        for places in (inside, reversed(inside)):
            for place in places:
                if self.parts[place] == _BLOCK:
                    self.parts[place] = ""
                elif self.parts[place].strip() and not self._says_nothing(self.parts[place]):
                    break

    def _says_nothing(self, words: str) -> bool:
        """Whether it is one of Jinja's own blocks, such as `{% if %}` around a paragraph."""
        found = re.fullmatch(rf"{self.protected.prefix}(\d+)x", words.strip())
        return found is not None and self.protected.tokens[int(found[1])].piece.kind == "block"

    def _ul(self, node: Any) -> None:
        inner = next(node.iterancestors("li"), None) is not None
        edge = _EDGE if inner else _BLOCK
        before, after = (NUMBERS, END_NUMBERS) if node.tag == "ol" else ("", "")
        self.parts.append(edge + before)
        self._children(node)
        self.parts.append(after + edge)

    _ol = _ul

    def _blockquote(self, node: Any) -> None:
        self.parts.append(_BLOCK + QUOTE)
        self._children(node)
        self.parts.append(UNQUOTE + _BLOCK)

    def _dt(self, node: Any) -> None:
        self.parts.append(_EDGE)
        self._children(node)
        self.parts.append(_EDGE)

    def _dd(self, node: Any) -> None:
        self.parts.append(_EDGE + IN)
        self._children(node)
        self.parts.append(OUT + _EDGE)

    def _pre(self, node: Any) -> None:
        start = len(self.parts)
        self._children(node)
        words = "".join(self.parts[start:]).strip("\r\n").replace("\r\n", "\n")
        words = words.replace("\t", SPACE * 4).replace(" ", SPACE).replace("\n", _BREAK)
        self.parts[start:] = [_BLOCK, words, _BLOCK]

    def _table(self, node: Any) -> None:
        if _single_cell(node) is None:
            self._block(node)
        else:
            self._children(node)

    def _td(self, node: Any) -> None:
        row = node.getparent()
        table = next(node.iterancestors("table"), None)
        if table is not None and _single_cell(table) is node:
            self._children(node)
        elif _is_line(row):
            if any(cell.tag in ("td", "th") for cell in node.itersiblings(preceding=True)):
                self.parts.append(" " if _is_layout(table) else " | ")
            self._children(node)
        else:
            self._block(node)

    _th = _td

    def _tr(self, node: Any) -> None:
        table = next(node.iterancestors("table"), None)
        if table is not None and _single_cell(table) is not None:
            self._children(node)
            return
        edge = _EDGE if _is_line(node) and not _is_layout(table) else _BLOCK
        self.parts.append(edge)
        self._children(node)
        self.parts.append(edge)


def _is_layout(table: Any) -> bool:
    return table is not None and (table.get("role") or "").lower() in ("presentation", "none")


def _single_cell(table: Any) -> Any:
    """The only cell of a table that is just a box around a few words; else None."""
    cells = list(table.iter("td", "th"))
    if len(cells) != 1 or any(each.tag in _BLOCKS for each in cells[0].iterdescendants()):
        return None
    return cells[0]


def _is_line(row: Any) -> bool:
    """Whether a row is data to be read across, and not a box of the layout."""
    if row is None or row.tag != "tr":
        return False
    for each in row.iterdescendants():
        if each.tag in _BLOCKS and not (each.tag == "table" and _single_cell(each) is not None):
            return False
    return True
