"""What is wrong with a template, before anybody gets it.

Errors stop a send; warnings and notices do not. Fields are checked in the Jinja itself, so a
misspelt one in a branch that nobody has taken yet is found as well.
"""

from collections.abc import Iterator, Mapping, Sequence

from leads import JsonObject
from templates.check_body import read_body
from templates.check_fields import paths, unknown_fields
from templates.check_html import html_findings
from templates.check_links import host_findings, text_links
from templates.check_message import message_findings
from templates.check_tracking import Tracking, tracked_link_findings, tracking_findings
from templates.compile import compile_template
from templates.compiled import Compiled, Texts
from templates.environment import Environment, make_environment
from templates.errors import SourceError
from templates.finding import Finding
from templates.message_file import MESSAGE, line_of
from templates.source import Source, read_source

#: Gmail cuts a message whose HTML is larger than 102 kB and hides the rest, the opt-out link
#: included, behind "View entire message". Google does not document the figure; mail makers
#: measured it: https://help.activecampaign.com/hc/en-us/articles/115001060524
CLIPPED_BYTES = 102 * 1024


_TOO_DEEP = Finding(
    id="source",
    level="error",
    where="body.html",
    what="elements stand inside each other too deep",
    do="close what is open, and write one after another",
)


def check(
    template: Compiled | Mapping[str, bytes],
    *,
    partials: Mapping[str, bytes] | None = None,
    segments: Mapping[str, JsonObject] | None = None,
    link_domains: Sequence[str] = (),
    tracking: Tracking | None = None,
) -> list[Finding]:
    """All findings of a compiled template, or of a folder's files with the workspace's partials.

    `segments` are the bodies of those there are; without them any name is taken.
    `link_domains` are those links may lead to, with all below them; none allow every domain.
    `tracking` is how links would be tracked; None: nobody knows, so nothing is said about it.

    Errors come first. Never raises for what a template says: a file that cannot be read is a
    finding too.
    """
    partials = partials or {}
    if isinstance(template, Compiled):
        compiled, files = template, template.folder()
        partials = {name: text.encode() for name, text in template.partials.items()}
    else:
        files = dict(template)
    try:
        source = read_source(files, partials)
        if not isinstance(template, Compiled):
            compiled = compile_template("", files, partials=partials, segments=segments)
    except SourceError as error:
        do = error.do or "correct the line"
        return [Finding(id=error.id, level="error", where=error.where, what=error.what, do=do)]
    except RecursionError:
        return [_TOO_DEEP]
    order = {"error": 0, "warning": 1, "notice": 2}
    try:
        unique = dict.fromkeys(_findings(source, compiled, link_domains, tracking))
    except RecursionError:
        return [_TOO_DEEP]
    return sorted(unique, key=lambda finding: order[finding.level])


def _findings(
    source: Source, compiled: Compiled, domains: Sequence[str], tracking: Tracking | None
) -> Iterator[Finding]:
    environment = make_environment(source.partials)
    yield from message_findings(source)
    yield from tracking_findings(source, tracking)
    for name, text in _jinja_texts(source):
        yield from unknown_fields(environment, name, text)
    looked_at: set[str] = set()
    for language, texts in compiled.texts.items():
        yield from _parts(compiled, texts, environment)
        body = language if language in source.html else ""
        if texts.html is not None and body in source.html and body not in looked_at:
            looked_at.add(body)
            read = read_body(
                environment,
                source.html[body],
                source.body_file(body, "html"),
                source.partials,
                after=texts.inline_after_render,
            )
            yield from html_findings(read, domains)
            for element in read.elements():
                if element.tag in ("a", "area"):
                    yield from tracked_link_findings(read, element, source, tracking)
    for language, text in source.text.items():
        for line, host in text_links(text):
            where = f"{source.body_file(language, 'txt')}:{line}"
            yield from host_findings(host, where, domains)
    for name in source.ignored:
        yield Finding(
            id="ignored-file",
            level="notice",
            where=name,
            what="this file is not part of the mail",
            do='show a picture with <img src="FILE">, or send the file along: [[attachment]]',
        )


def _jinja_texts(source: Source) -> Iterator[tuple[str, str]]:
    for language in {*source.html, *source.text}:
        if language in source.html:
            yield source.body_file(language, "html"), source.html[language]
        if language in source.text:
            yield source.body_file(language, "txt"), source.text[language]
    for name, text in source.partials.items():
        yield name, text
    for key, texts in (("subject", source.subject), ("preheader", source.preheader)):
        for text in texts.values():
            # Blank lines in front bring the text to its line in message.toml.
            yield MESSAGE, "\n" * (line_of(source.files[MESSAGE], key) - 1) + text


def _parts(compiled: Compiled, texts: Texts, environment: Environment) -> Iterator[Finding]:
    for part, kind in ((texts.html, "html"), (texts.text, "txt")):
        if part is None:
            continue
        # A text made from the HTML shows what the HTML shows.
        if kind == "txt" and texts.text_from != "author":
            continue
        read = paths(environment, part.source)
        for partial in compiled.partials.values():
            read |= paths(environment, partial)
        for path, finding in _REQUIRED.items():
            alternatives = (path, "links.mailto_unsubscribe") if "unsub" in path else (path,)
            if not any(each in read for each in alternatives):
                yield Finding(
                    id=finding[0],
                    level="error",
                    where=f"{part.file}:1",
                    what=finding[1],
                    do=finding[2] if kind == "txt" else finding[3],
                )
    if texts.html is None:
        return
    if texts.inline_after_render:
        yield Finding(
            id="inline-after-render",
            level="notice",
            where=texts.inline_where,
            what=f"{texts.inline_after_render}, so CSS is inlined after rendering (slower)",
            do="write out each variant in full between {% if %} and {% else %} to make it fast",
        )
    if texts.text_from == "rendered":
        yield Finding(
            id="text-after-render",
            level="notice",
            where=f"{texts.html.file}:1",
            what="the text part is made from every rendered message (slower)",
            do="write the text part yourself: body.txt",
        )
    size = len(texts.html.source.encode())
    if size > CLIPPED_BYTES:
        yield Finding(
            id="too-large",
            level="error",
            where=f"{texts.html.file}:1",
            what=f"the HTML has {size // 1024} kB; Gmail cuts a mail at 102 kB",
            do="shorten it: the part that is cut holds the opt-out link",
        )


#: What every part has to show: finding id, what, what to do in text, in HTML.
_REQUIRED = {
    "links.unsubscribe": (
        "no-opt-out",
        "there is no opt-out link",
        "add: Unsubscribe: {{ links.unsubscribe }}",
        'add <a href="{{ links.unsubscribe }}">Unsubscribe</a>',
    ),
    "sender.postal_address": (
        "no-postal-address",
        "the sender's postal address is not shown",
        "add {{ sender.postal_address }} at the end",
        "add {{ sender.postal_address }} to the footer",
    ),
}
