"""A template's source as a row of pieces: plain text, expressions, blocks.

Includes are put in place and layouts filled here, once, so that inlining and the text part see
the whole document. `{% raw %}` becomes expressions that print the braces.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches

from jinja2 import Environment, TemplateSyntaxError, nodes

from templates.errors import SourceError

_INCLUDE = re.compile(
    r"""\{%[-+]?\s*include\s+(["'])(?P<name>[^"']+)\1\s*(?:with context\s*)?[-+]?%\}"""
)
_EXTENDS = re.compile(r"""\{%[-+]?\s*extends\s+(["'])(?P<name>[^"']+)\1\s*[-+]?%\}""")
_BLOCK = re.compile(r"\{%[-+]?\s*block\s+(?P<name>\w+)(?:\s+(?:scoped|required))*\s*[-+]?%\}")
_SUPER = re.compile(r"\{\{[-+]?\s*super\(\)\s*[-+]?\}\}")
_KEYWORD = re.compile(r"\{%[-+]?\s*(\w+)")
_BRACES = re.compile(r"\{[{%#]")
#: Layouts inside layouts, partials inside partials.
_DEEPEST = 12


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the source."""

    #: `data`, `expression` or `block`.
    kind: str
    text: str
    file: str
    line: int

    @property
    def keyword(self) -> str:
        """`for` of `{% for x in y %}`; empty for data and expressions."""
        found = _KEYWORD.match(self.text) if self.kind == "block" else None
        return found[1] if found else ""

    @property
    def opens(self) -> bool:
        """Whether an `{% end... %}` belongs to this block."""
        keyword = self.keyword
        if keyword == "set":
            return "=" not in self.text
        return keyword in ("if", "for", "macro", "call", "filter", "with", "block", "autoescape")


def split(environment: Environment, text: str, file: str) -> list[Piece]:
    """`text` cut at its Jinja delimiters; comments are dropped.

    Raises SourceError where Jinja itself cannot read it.
    """
    try:
        _known_filters(environment, environment.parse(text, file), file)
        return list(_cut(environment, text, file))
    except TemplateSyntaxError as error:
        raise SourceError(f"{error.name or file}:{error.lineno}", error.message or "") from None


def _known_filters(environment: Environment, tree: nodes.Template, file: str) -> None:
    """Jinja itself would only complain about these when the code is made."""
    for kind, known in ((nodes.Filter, environment.filters), (nodes.Test, environment.tests)):
        for node in tree.find_all(kind):
            if node.name not in known:
                names = sorted(name for name in known if name[0].isalpha() and len(name) > 1)
                close = get_close_matches(node.name, names, n=1, cutoff=0.6)
                word = "filter" if kind is nodes.Filter else "test"
                raise SourceError(
                    f"{file}:{node.lineno}",
                    f'there is no {word} "{node.name}"',
                    f'did you mean "{close[0]}"?' if close else "known are " + ", ".join(names),
                )


def _cut(environment: Environment, text: str, file: str) -> Iterator[Piece]:
    kinds = {"variable": "expression", "block": "block", "comment": ""}
    gathered, start, inside, raw = "", 1, "", False
    for line, token, value in environment.lexer.tokeniter(text, file):
        name, _, edge = token.rpartition("_")
        if name == "raw":
            raw = edge == "begin"
        elif edge == "begin" and name in kinds:
            gathered, start, inside = value, line, name
        elif edge == "end" and name in kinds:
            if kinds[name]:
                yield Piece(kinds[name], gathered + value, file, start)
            inside = ""
        elif inside:
            gathered += value
        elif raw:
            yield from _literal(value, file, line)
        else:
            yield Piece("data", value, file, line)


def _literal(text: str, file: str, line: int) -> Iterator[Piece]:
    """Text that only looks like Jinja."""
    at = 0
    for brace in _BRACES.finditer(text):
        line_here = line + text.count("\n", 0, brace.start())
        yield Piece("data", text[at : brace.start()], file, line + text.count("\n", 0, at))
        yield Piece("expression", '{{ "' + brace[0] + '" }}', file, line_here)
        at = brace.end()
    yield Piece("data", text[at:], file, line + text.count("\n", 0, at))


def flatten(
    environment: Environment, text: str, file: str, partials: Mapping[str, str], *, depth: int = 0
) -> list[Piece]:
    """`text` as pieces with its includes and its layout put in place."""
    pieces: list[Piece] = []
    for piece in split(environment, text, file):
        included = _INCLUDE.fullmatch(piece.text) if piece.kind == "block" else None
        if included is None:
            pieces.append(piece)
            continue
        # What a partial sets stays inside it, as Jinja has it.
        pieces.append(replace(piece, text="{% with %}"))
        pieces += _partial(environment, included["name"], piece, partials, depth)
        pieces.append(replace(piece, text="{% endwith %}"))
    for at, piece in enumerate(pieces):
        extended = _EXTENDS.fullmatch(piece.text) if piece.kind == "block" else None
        if extended is not None:
            layout = _partial(environment, extended["name"], piece, partials, depth)
            return _fill(layout, pieces[at + 1 :])
    return pieces


def _partial(
    environment: Environment, name: str, piece: Piece, partials: Mapping[str, str], depth: int
) -> list[Piece]:
    where = f"{piece.file}:{piece.line}"
    if name not in partials:
        known = ", ".join(sorted(partials)) or "none"
        raise SourceError(where, f'there is no partial "{name}"', f"known are: {known}")
    if depth >= _DEEPEST:
        raise SourceError(where, f'partials include each other without end ("{name}")')
    return flatten(environment, partials[name], name, partials, depth=depth + 1)


def closing(pieces: list[Piece], at: int) -> int:
    """The index of the `{% end... %}` of the block that opens at `at`."""
    depth = 0
    for index in range(at, len(pieces)):
        piece = pieces[index]
        if piece.opens:
            depth += 1
        elif piece.keyword.startswith("end"):
            depth -= 1
            if depth == 0:
                return index
    return len(pieces) - 1


def _fill(layout: list[Piece], child: list[Piece]) -> list[Piece]:
    """`layout` with its blocks replaced by those of `child`."""
    blocks: dict[str, list[Piece]] = {}
    before: list[Piece] = []
    at = 0
    while at < len(child):
        piece = child[at]
        block = _BLOCK.fullmatch(piece.text)
        if block:
            end = closing(child, at)
            blocks[block["name"]] = child[at + 1 : end]
            at = end
        elif piece.opens:
            end = closing(child, at)
            before += child[at : end + 1]
            at = end
        elif piece.keyword in ("set", "import", "from"):
            before.append(piece)
        at += 1
    return before + _replaced(layout, blocks)


def _replaced(layout: list[Piece], blocks: dict[str, list[Piece]]) -> list[Piece]:
    """The blocks of `layout`, and the blocks inside those, with the child's contents."""
    filled: list[Piece] = []
    at = 0
    while at < len(layout):
        piece = layout[at]
        block = _BLOCK.fullmatch(piece.text)
        if not block:
            filled.append(piece)
            at += 1
            continue
        end = closing(layout, at)
        own = layout[at + 1 : end]
        contents: list[Piece] = []
        for inner in blocks.get(block["name"], own):
            contents += own if _SUPER.fullmatch(inner.text) else [inner]
        others = {name: each for name, each in blocks.items() if name != block["name"]}
        # The block's name stays, so that a layout over this one can be filled as well.
        filled += [piece, *_replaced(contents, others), layout[end]]
        at = end + 1
    return filled
