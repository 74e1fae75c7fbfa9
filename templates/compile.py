"""From a template folder to a compiled template: syntax checked, CSS inlined, text part made."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache

from jinja2 import TemplateSyntaxError

from leads import JsonObject
from templates.compiled import Compiled, Part, TextFrom, Texts, name_part
from templates.enclosed import Enclosed, bytes_of, require_size
from templates.environment import Environment, make_environment
from templates.errors import SourceError
from templates.imported import imported, knowing_links
from templates.inline import inline_source
from templates.markup import is_document, whole
from templates.message_file import MESSAGE, line_of
from templates.pieces import Piece, flatten, split
from templates.plaintext import text_source
from templates.protect import protect
from templates.questions import closed_segments, questions
from templates.source import Source, read_source
from templates.tracked_links import without_marks
from templates.web_links import tagged

#: Mail clients show the first words of the body beside the subject. The preheader goes there, and
#: behind it filling that no client shows, so that the rest of the mail is not drawn in as well.
#: No tiny letters among the means: spam filters count those.
_PREHEADER = (
    '<div style="display:none;max-height:0;max-width:0;overflow:hidden;mso-hide:all;opacity:0">',
    "</div>",
)
_PADDING = "&#847;&zwnj;&nbsp;" * 90


def compile_template(
    name: str,
    files: Mapping[str, bytes],
    *,
    partials: Mapping[str, bytes] | None = None,
    segments: Mapping[str, JsonObject] | None = None,
) -> Compiled:
    """The template in `files` (by file name), with the workspace's `partials` (`_*.html`).

    `segments` are the closed bodies of all there are; without it those asked about stay unknown.
    The result is closed: rendering it reads nothing else. Raises SourceError with file and line.
    """
    source = _unmarked(read_source(files, partials or {}))
    environment = make_environment(source.partials)
    languages = {**source.subject, **source.html, **source.text}
    texts = {
        language: _texts(environment, source, language)
        for language in sorted(languages, key=lambda each: (each != "", each))
    }
    used = imported(environment, source)
    _attachment_names(environment, source)
    asked = questions(environment, [*_parts(texts, source)], [*used.values()])
    return Compiled(
        name=name,
        language=source.language,
        topic=source.topic,
        description=source.description,
        texts=texts,
        partials=used,
        files=dict(sorted(source.files.items())),
        images=_images(source, texts, used.values()),
        attachments=source.attachments,
        segments=closed_segments(asked.segments, segments),
        asks=asked.others,
        track_links=source.track_links,
        track_opens=source.track_opens,
        trap_link=source.trap_link and source.track_links,
    )


def _unmarked(source: Source) -> Source:
    """Where no link is tracked, none needs a mark that says so."""
    if source.track_links:
        return source
    return replace(
        source,
        html={each: without_marks(text) for each, text in source.html.items()},
        partials={name: without_marks(text) for name, text in source.partials.items()},
    )


def _texts(environment: Environment, source: Source, language: str) -> Texts:
    """All parts for one language; what it has no text for comes from the template's own."""
    body = language if language in source.html or language in source.text else ""
    subject = source.subject.get(language, source.subject[""])
    subject_line = line_of(source.files[MESSAGE], "subject")
    try:
        split(environment, subject, MESSAGE)
    except SourceError as error:
        raise SourceError(f"{MESSAGE}:{subject_line}", f"subject: {error.what}") from None
    # A text-only mail has no place for a preheader, but a mistake in it is still one.
    _preheader(environment, source, source.preheader.get(language, source.preheader[""]))
    html, text = None, None
    text_from: TextFrom = "author"
    after, where = "", ""
    if source.html.get(body, "").strip():
        html, after, where = _html(environment, source, language, body)
    if source.text.get(body, "").strip():
        file = source.body_file(body, "txt")
        pieces = flatten(environment, source.text[body], file, source.partials)
        pieces = knowing_links(pieces, source.utm)
        text = _part(tagged(pieces, source.utm, html=False), file)
    elif html is not None:
        text, text_from = _derived(environment, source, body)
    if html is None and text is None:
        raise SourceError(source.body_file(body, "html"), "is empty")
    for part, kind in ((html, "html"), (text, "txt")):
        if part is not None:
            _makes_code(environment, part, kind)
    return Texts(
        subject=Part(source=subject, file=MESSAGE, lines=((1, MESSAGE, subject_line),)),
        html=html,
        text=text,
        text_from=text_from,
        inline_after_render=after,
        inline_where=where,
        defaults={**source.defaults.get("", {}), **source.defaults.get(language, {})},
    )


def _images(
    source: Source, texts: Mapping[str, Texts], partials: Iterable[str]
) -> tuple[Enclosed, ...]:
    """The pictures that some part may show."""
    shown = [each.html.source for each in texts.values() if each.html is not None]
    shown += partials
    found = {n: each for n, each in source.images.items() if any(each.cid in t for t in shown)}
    require_size(
        {each.file: len(bytes_of(each)) for each in (*found.values(), *source.attachments)}
    )
    return tuple(found[name] for name in sorted(found))


def _parts(texts: Mapping[str, Texts], source: Source) -> Iterator[Part]:
    for each in texts.values():
        yield from (part for part in (each.subject, each.html, each.text) if part is not None)
    for enclosed in source.attachments:
        yield name_part(enclosed)


def _attachment_names(environment: Environment, source: Source) -> None:
    """Raises SourceError for a name that Jinja cannot read."""
    for each in source.attachments:
        try:
            split(environment, each.name, MESSAGE)
        except SourceError as error:
            raise SourceError(f"{MESSAGE}:{each.line}", f"attachment: {error.what}") from None


def _makes_code(environment: Environment, part: Part, kind: str) -> None:
    """What Jinja finds only when it makes code, such as a block's name used twice."""
    try:
        environment.compile(part.source, name=f"part.{kind}")
    except TemplateSyntaxError as error:
        raise SourceError(part.place(error.lineno), error.message or "syntax error") from None


def _part(pieces: list[Piece], file: str) -> Part:
    lines, line, parts = [], 1, []
    for piece in pieces:
        if piece.kind != "data":
            lines.append((line, piece.file, piece.line))
        parts.append(piece.text)
        line += piece.text.count("\n")
    return Part(source="".join(parts), file=file, lines=tuple(lines))


def _html_pieces(environment: Environment, source: Source, body: str) -> list[Piece]:
    file = source.body_file(body, "html")
    pieces = flatten(environment, source.html[body], file, source.partials)
    pieces = knowing_links(pieces, source.utm)
    shell = whole("\0").split("\0") if not is_document(_data(pieces)) else []
    if len(shell) == 2:
        pieces = [Piece("data", shell[0], file, 1), *pieces, Piece("data", shell[1], file, 1)]
    return tagged(pieces, source.utm, html=True)


def _data(pieces: list[Piece]) -> str:
    return "".join(piece.text for piece in pieces if piece.kind == "data")


def _html(
    environment: Environment, source: Source, language: str, body: str
) -> tuple[Part, str, str]:
    file = source.body_file(body, "html")
    pieces = _html_pieces(environment, source, body)
    preheader = source.preheader.get(language, source.preheader[""])
    protected = protect(pieces, after_body=_preheader(environment, source, preheader))
    inlined = inline_source(protected, f"{file}:1")
    part = Part(source=inlined.source, file=file, lines=tuple(inlined.lines))
    return part, inlined.after, inlined.where


def _preheader(environment: Environment, source: Source, text: str) -> list[Piece]:
    if not text.strip():
        return []
    line = line_of(source.files[MESSAGE], "preheader")
    try:
        pieces = split(environment, text, MESSAGE)
    except SourceError as error:
        raise SourceError(f"{MESSAGE}:{line}", f"preheader: {error.what}") from None
    inner = [Piece(each.kind, _plain(each), MESSAGE, line) for each in pieces]
    return [
        Piece("data", _PREHEADER[0], MESSAGE, line),
        *inner,
        Piece("data", _PADDING + _PREHEADER[1], MESSAGE, line),
    ]


def _plain(piece: Piece) -> str:
    """The preheader is text, not HTML: its own `&` and `<` are meant as such."""
    if piece.kind != "data":
        return piece.text
    return piece.text.replace("&", "&amp;").replace("<", "&lt;")


def _derived(environment: Environment, source: Source, body: str) -> tuple[Part | None, TextFrom]:
    """The text part made from the HTML template, unless only rendering shows what it says."""
    file = source.body_file(body, "html")
    pieces = _html_pieces(environment, source, body)
    if any(piece.keyword in ("import", "from", "include") for piece in pieces) or any(
        re.search(r"\|\s*safe\b", piece.text) for piece in pieces if piece.kind != "data"
    ):
        return None, "rendered"
    text, lines = text_source(protect(pieces))
    try:
        split(environment, text, file)
    except SourceError:
        # A block that opens in one tag and closes in another cannot be taken apart.
        return None, "rendered"
    return Part(source=text, file=file, lines=tuple(lines)), "template"


@lru_cache(maxsize=128)
def environment_for(partials: tuple[tuple[str, str], ...]) -> Environment:
    """The environment of a compiled template; equal partials share one."""
    return make_environment(dict(partials))
