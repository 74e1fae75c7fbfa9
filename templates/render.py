"""One lead's message out of a compiled template: pure, no input but the arguments."""

import re
import sys
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from jinja2 import Template, UndefinedError
from jinja2.exceptions import SecurityError, TemplateError

from templates.circumstances import circumstances, circumstances_again
from templates.compile import environment_for
from templates.compiled import Compiled, Part, Texts, name_part
from templates.enclosed import Enclosed, file_name
from templates.environment import HELD, MAX_CHARACTERS, Environment, budget
from templates.errors import RenderError
from templates.fields import FieldError, Letter, clean, scopes
from templates.inline import inline_css
from templates.plaintext import text_of
from templates.rendered import Rendered
from templates.text_shape import finish
from templates.tracked_links import Track, tracked
from templates.unseen import Unseen, with_unseen

#: RFC 5322 2.1.1 bounds a line at 998 octets; a subject people read is far shorter.
MAX_SUBJECT = 400


@lru_cache(maxsize=512)
def _code(environment: Environment, source: str, kind: str) -> Template:
    """The compiled Jinja code of one part, made once in a process (4-5 ms each)."""
    code = environment.compile(source, name=f"part.{kind}", filename=f"<part.{kind}>")
    return environment.template_class.from_code(
        environment, code, environment.globals, lambda: True
    )


def render(
    compiled: Compiled, letter: Letter, *, environment: Environment | None = None
) -> Rendered:
    """The message `letter.recipient` gets, in the language they read if there is one.

    `environment` is another one than the template's, such as one that takes notes.
    Raises RenderError naming lead, place and field; nothing half-made is returned.
    """
    language = compiled.texts_for(letter.recipient.language)
    read: dict[str, Any] = {}
    try:
        defaults = compiled.texts[language].defaults
        within = {name: name in letter.segments for name in compiled.segments}
        names = scopes(letter.recipient, letter.sender, letter.links, read, defaults)
        names |= circumstances(letter.deals, within, read)
        return _render(compiled, language, names, read, environment, letter.track, letter.unseen)
    except RenderError as error:
        raise RenderError(
            error.where, error.what, lead=letter.recipient.email, field=error.field
        ) from error


def render_again(
    compiled: Compiled,
    read: Mapping[str, Any],
    *,
    language: str,
    track: Track | None = None,
    unseen: Unseen | None = None,
) -> Rendered:
    """The very same message, from what `Rendered.read` and `Rendered.language` kept of it.

    `track` makes the links that `Letter.track` made; `unseen` is `Letter.unseen`, or nothing for
    a page that is only looked at.
    """
    notes: dict[str, Any] = {}
    lead, sender, links = (read.get(name, {}) for name in ("lead", "sender", "links"))
    names = scopes(lead, sender, links, notes, compiled.texts[language].defaults)
    names |= circumstances_again(read, notes)
    return _render(compiled, language, names, notes, track=track, unseen=unseen)


def _render(
    compiled: Compiled,
    language: str,
    given: Mapping[str, Any],
    read: dict[str, Any],
    environment: Environment | None = None,
    track: Track | None = None,
    unseen: Unseen | None = None,
) -> Rendered:
    texts = compiled.texts[language]
    environment = environment or environment_for(tuple(compiled.partials.items()))
    names = {**environment.globals, **given}
    names["language"] = language or compiled.language

    held: list[str] = []

    def part(which: Part, kind: str) -> str:
        return _part(environment, which, kind, names, held)

    subject = _one_line(part(texts.subject, "txt"), texts.subject)
    html = None if texts.html is None else part(texts.html, "html")
    if html is not None and texts.inline_after_render:
        html = _inlined(html, held)
    text = _text(texts, html, part)
    if html is not None and compiled.track_links:
        # Last, so that the text shows where links lead and equal choices are still inlined once.
        html = tracked(html, track or str, names["links"].seen.values())
    if html is not None and unseen is not None:
        html = with_unseen(html, unseen)
    attachments = tuple(_attached(each, environment, names) for each in compiled.attachments)
    return Rendered(
        subject=subject,
        text=text,
        html=html,
        language=language,
        read={name: fields for name, fields in read.items() if fields},
        images=tuple(each for each in compiled.images if f"cid:{each.cid}" in (html or "")),
        attachments=attachments,
    )


#: Each set of choices a template makes is inlined once (premailer takes some 100 ms).
_inline_choices = lru_cache(maxsize=256)(inline_css)


def _inlined(html: str, held: list[str]) -> str:
    """The rendered HTML with its CSS inlined and the held values back in their places."""
    done = _inline_choices(html)

    def put_back(found: re.Match[str]) -> str:
        place = int(found[1])
        # A lead's own text may look like a stand-in; it is left alone.
        return held[place] if place < len(held) else found[0]

    return HELD.sub(put_back, done)


def _text(texts: Texts, html: str | None, part: Any) -> str:
    if texts.text is None:
        return text_of(html or "")
    text: str = part(texts.text, "txt")
    return finish(text) if texts.text_from == "template" else text


def _attached(each: Enclosed, environment: Environment, names: dict[str, Any]) -> Enclosed:
    """An attachment under the name this lead sees."""
    if "{" not in each.name:
        name = each.name
    else:
        name = _part(environment, name_part(each), "txt", names, [])
    return replace(each, name=file_name(name) or file_name(each.file))


def _one_line(text: str, part: Part) -> str:
    """A subject in one line, whatever the fields in it held (RFC 5322 2.2: no CR or LF)."""
    subject = " ".join(clean(text).split())
    where = part.place(1)
    if not subject:
        raise RenderError(where, "the subject is empty")
    if len(subject) > MAX_SUBJECT:
        raise RenderError(where, f"the subject has {len(subject):,} characters")
    return subject


def _part(
    environment: Environment, part: Part, kind: str, names: dict[str, Any], held: list[str]
) -> str:
    template = _code(environment, part.source, kind)
    chunks: list[str] = []
    size = 0
    with budget() as spent:
        try:
            for chunk in template.root_render_func(template.new_context(names, shared=True)):
                size += len(chunk)
                if size > MAX_CHARACTERS:
                    raise SecurityError(f"the text grows beyond {MAX_CHARACTERS:,} characters")
                chunks.append(chunk)
        except Exception as error:  # whatever a template does wrong is its own error
            raise _blame(error, template, part) from error
    held += spent.held
    return "".join(chunks)


def _blame(error: Exception, template: Template, part: Part) -> RenderError:
    line = _line(template)
    where = part.place(line)
    if isinstance(error, FieldError):
        return RenderError(where, str(error), field=error.field)
    if isinstance(error, RecursionError):
        return RenderError(where, "a macro calls itself without end")
    if isinstance(error, (UndefinedError, TemplateError)):
        return RenderError(where, error.message or type(error).__name__)
    return RenderError(where, f"{type(error).__name__}: {error}")


def _line(template: Template) -> int:
    """The line of the template that raised the exception being handled."""
    trace = sys.exc_info()[2]
    line = 1
    while trace is not None:
        if trace.tb_frame.f_globals.get("__jinja_template__") is template:
            line = template.get_corresponding_lineno(trace.tb_lineno)
        trace = trace.tb_next
    return line
