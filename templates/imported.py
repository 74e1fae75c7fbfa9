"""Partials that are needed while rendering: those whose macros a body imports."""

import re
from collections.abc import Mapping

from jinja2 import Environment, meta

from templates.pieces import Piece, split
from templates.source import Source
from templates.web_links import tagged

_IMPORT_END = re.compile(r"\s*(?:with(?:out)? context\s*)?([-+]?%\})\Z")


def imported(environment: Environment, source: Source) -> dict[str, str]:
    """Their names and texts as they are rendered, with those that they need themselves.

    Links in them get the same words for web statistics as those of the body.
    """
    known: set[str] = set()
    todo = [*source.html.values(), *source.text.values()]
    while todo:
        for name in meta.find_referenced_templates(environment.parse(todo.pop())):
            if name is not None and name in source.partials and name not in known:
                known.add(name)
                todo.append(source.partials[name])
    return {name: _with_words(environment, source, name) for name in sorted(known)}


def knowing_links(pieces: list[Piece], words: Mapping[str, str]) -> list[Piece]:
    """Imports see the mail's own links when links get words: those links get none."""
    if not words:
        return pieces
    return [
        Piece(each.kind, _IMPORT_END.sub(r" with context \1", each.text), each.file, each.line)
        if each.keyword in ("import", "from")
        else each
        for each in pieces
    ]


def _with_words(environment: Environment, source: Source, name: str) -> str:
    text = source.partials[name]
    if not source.utm:
        return text
    pieces = knowing_links(split(environment, text, name), source.utm)
    worded = tagged(pieces, source.utm, html=not name.endswith(".txt"))
    return "".join(each.text for each in worded)
