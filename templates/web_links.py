"""Links to the web with the words that web statistics read: `utm_source` and its like.

Written into the source when the template is compiled. Our own links (`links.unsubscribe` and the
rest), `mailto:` and pictures stay as they are, and so does a word that is there already.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from urllib.parse import quote_plus

from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from templates.fields import Scope
from templates.pieces import Piece

#: A piece while the text around it is looked at: data starts behind its mark, Jinja is one mark,
#: another for what it prints than for its blocks.
_MARK = re.compile("([\ue000\ue002\ue003])(\\d+)\ue001")
_ALONE = re.compile("\\s*\ue000(\\d+)\ue001(?:\ue002\\d+\ue001)?\\s*")
_KINDS = {"data": "\ue002", "expression": "\ue000", "block": "\ue003"}
_HREF = re.compile(
    r"(<(?:a|area|v:\w+)\b[^<>]*?\shref\s*=\s*)(?:\"([^\"]*)\"|'([^']*)')", re.IGNORECASE
)
#: Where a full stop or a bracket ends the sentence and not the address.
_IN_TEXT = re.compile(r"https?://[^\s<>\"'|\ue003]*[^\s<>\"'|.,;:!?)\]\ue003]", re.IGNORECASE)
_WEB = re.compile(r"\s*(?:[\ue000\ue002]\d+\ue001)?https?://", re.IGNORECASE)
_PRINTED = re.compile(r"\{\{([-+]?)(.*?)([-+]?)\}\}", re.DOTALL)


def with_words(address: str, words: Mapping[str, str], between: str = "&") -> str:
    """The address with each word it does not have yet, before its fragment (RFC 3986 3)."""
    head, fragment, rest = address.partition("#")
    missing = [
        f"{key}={quote_plus(value)}"
        for key, value in words.items()
        if not re.search(rf"[?&;]{key}=", head)
    ]
    if not missing:
        return address
    start = between if "?" in head else "?"
    if head.endswith(("?", "&", "&amp;")):
        start = ""
    return f"{head}{start}{between.join(missing)}{fragment}{rest}"


def tagged(pieces: Sequence[Piece], words: Mapping[str, str], *, html: bool) -> list[Piece]:
    """The pieces of a body with the words in every address of the web that is written out.

    In HTML also a printed address, `href="{{ address }}"`, which is looked at while rendering.
    """
    if not words:
        return list(pieces)
    printed: set[int] = set()

    def in_attribute(found: re.Match[str]) -> str:
        quote = '"' if found[2] is not None else "'"
        value = found[2] if found[2] is not None else found[3]
        if alone := _ALONE.fullmatch(value):
            printed.add(int(alone[1]))
        if not _WEB.match(value):
            return found[0]
        return f"{found[1]}{quote}{with_words(value.strip(), words, '&amp;')}{quote}"

    whole = "".join(
        f"{_KINDS[piece.kind]}{place}\ue001{piece.text if piece.kind == 'data' else ''}"
        for place, piece in enumerate(pieces)
    )
    if html:
        whole = _HREF.sub(in_attribute, whole)
    else:
        whole = _IN_TEXT.sub(lambda found: with_words(found[0], words), whole)
    done: list[Piece] = []
    marks = list(_MARK.finditer(whole))
    for place, mark in enumerate(marks):
        piece = pieces[int(mark[2])]
        end = marks[place + 1].start() if place + 1 < len(marks) else len(whole)
        text = whole[mark.end() : end]
        if mark[1] == "\ue002":
            done.append(replace(piece, text=text))
            continue
        done.append(_looked_at(piece, words) if int(mark[2]) in printed else piece)
        if text:
            # Words behind an address that ends in Jinja: `https://example.com/{{ x }}`.
            done.append(Piece("data", text, piece.file, piece.line))
    return done


def _looked_at(piece: Piece, words: Mapping[str, str]) -> Piece:
    expression = _PRINTED.fullmatch(piece.text)
    if expression is None or expression[2].strip().startswith("links."):
        return piece
    said = ", ".join(f"{key}={value!r}" for key, value in words.items())
    return replace(
        piece, text=f"{{{{{expression[1]} _to_web(({expression[2]}), {said}) {expression[3]}}}}}"
    )


@pass_context
def to_web(context: Context, address: object, **words: str) -> object:
    """A printed address with the words, when it leads to the web and is none of our links."""
    links = context.get("links")
    if not isinstance(address, str) or isinstance(address, Markup) or not isinstance(links, Scope):
        return address
    if address in links.seen.values() or not _WEB.match(address):
        return address
    return with_words(address, words)
