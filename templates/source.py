"""A template folder read into texts: `message.toml` and the bodies by language.

    message.toml     subject, preheader, topic, language, description, track_links,
                     track_opens, trap_link, [defaults], [defaults.pl], [[attachment]], [links]
    body.html        the HTML part           body.pl.html    the same for leads who speak Polish
    body.txt         the text part           body.pl.txt
                     (like = "welcome": what is not here is as in templates/welcome)
    _footer.html     a partial, for `{% include "_footer.html" %}`
    logo.png         a picture, for `<img src="logo.png">`

`subject` and `preheader` are a text, or a table with one text per language.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from templates.enclosed import Enclosed, Pictures
from templates.errors import SourceError
from templates.message_file import MESSAGE, MessageFile, suggestion

_BODY = re.compile(r"body(?:\.([A-Za-z0-9-]+))?\.(html|txt)")
_TEXT_FILE = re.compile(r".*\.(html?|txt|toml)", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """What the author wrote, as texts; the empty language is the template's own."""

    language: str = "en"
    topic: str = ""
    description: str = ""
    #: Language to Jinja source.
    subject: Mapping[str, str] = field(default_factory=dict)
    preheader: Mapping[str, str] = field(default_factory=dict)
    html: Mapping[str, str] = field(default_factory=dict)
    text: Mapping[str, str] = field(default_factory=dict)
    #: Language to {`first_name` or `attributes.industry`: value}.
    defaults: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    #: Partials of the folder and of the workspace, by file name.
    partials: Mapping[str, str] = field(default_factory=dict)
    #: Every text file of the folder, by name.
    files: Mapping[str, str] = field(default_factory=dict)
    #: Files that play no part in the mail.
    ignored: tuple[str, ...] = ()
    #: The pictures that the HTML shows, by file name.
    images: Mapping[str, Enclosed] = field(default_factory=dict)
    attachments: tuple[Enclosed, ...] = ()
    #: `utm_source` and its like, for links to the web.
    utm: Mapping[str, str] = field(default_factory=dict)
    #: Whether links to the web lead over our own address, which tells who followed them.
    track_links: bool = False
    #: Whether a picture tells that the mail was opened.
    track_opens: bool = False
    #: Whether a link that people do not see gives scanners away.
    trap_link: bool = False

    def body_file(self, language: str, kind: str) -> str:
        """The file name of a body: `body.pl.html`."""
        named = f"body.{language}.{kind}" if language else f"body.{kind}"
        return named if named in self.files else f"body.{self.language}.{kind}"


def _text(name: str, data: bytes) -> str:
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise SourceError(f"{name}:{line}", "is not UTF-8 text", "save it as UTF-8") from None


def _named(partials: Mapping[str, str], texts: list[str]) -> list[str]:
    """The partials that the texts name, or that such partials name."""
    named: dict[str, str] = {}
    todo = list(texts)
    while todo:
        text = todo.pop()
        for name in partials.keys() - named.keys():
            if name in text:
                named[name] = partials[name]
                todo.append(partials[name])
    return sorted(named)


def like_of(message: bytes) -> str:
    """The name of the template that a `message.toml` says its own is like; empty for none.

    What cannot be read is told when the template is compiled.
    """
    try:
        name = tomllib.loads(message.decode("utf-8-sig")).get("like", "")
    except (UnicodeDecodeError, tomllib.TOMLDecodeError):
        return ""
    return name if isinstance(name, str) else ""


def files_like(
    own: Mapping[str, bytes], like: str, theirs: Mapping[str, bytes]
) -> dict[str, bytes]:
    """The files of a template that is like another, whose `message.toml` goes by a longer name.

    A body of its own takes the place of all bodies of the other.
    """
    written = any(_BODY.fullmatch(name) for name in own)
    taken = {
        name: data
        for name, data in theirs.items()
        if name != MESSAGE and not (written and _BODY.fullmatch(name))
    }
    if MESSAGE in theirs:
        taken[f"{like}/{MESSAGE}"] = theirs[MESSAGE]
    return {**taken, **own}


def _message(files: Mapping[str, bytes]) -> tuple[MessageFile, str]:
    """`message.toml`, completed by that of the template it is like; and the file name of that."""
    message = MessageFile(_text(MESSAGE, files[MESSAGE]))
    like = message.word("like").strip()
    if not like:
        if "like" in message.data:
            raise message.error("like", "like is empty", "write the name of a template")
        return message, ""
    other = f"{like}/{MESSAGE}"
    if other not in files:
        do = "potok templates list shows them"
        raise message.error("like", f'there is no template "{like}" to be like', do)
    try:
        theirs = MessageFile(_text(other, files[other]))
    except SourceError as error:
        raise message.error("like", f'"{like}" cannot be read: {error}') from None
    return MessageFile(message.text, theirs), other


def read_source(files: Mapping[str, bytes], partials: Mapping[str, bytes]) -> Source:
    """A folder's files, checked for names and keys; the Jinja in them is not looked at yet.

    Raises SourceError with file, line and the nearest known key.
    """
    if MESSAGE not in files:
        raise SourceError(MESSAGE, "is missing", 'it holds the subject: subject = "..."')
    message, like = _message(files)
    own = message.language()
    attachments = message.attachments(files)
    attached = {each.file for each in attachments}
    texts = {
        name: _text(name, data)
        for name, data in files.items()
        if _TEXT_FILE.fullmatch(name) and name not in attached
    }
    bodies: dict[str, dict[str, str]] = {"html": {}, "txt": {}}
    found = {n: _text(n, data) for n, data in partials.items() if _TEXT_FILE.fullmatch(n)}
    for name, text in texts.items():
        body = _BODY.fullmatch(name)
        if body:
            language = (body[1] or "").lower()
            bodies[body[2]]["" if language == own else language] = text
        elif name.startswith("_"):
            found[name] = text
        elif name not in (MESSAGE, like):
            do = suggestion(name, (MESSAGE, "body.html", "body.txt", f"body.{own}.html"))
            raise SourceError(name, "is no file of a template", do + "; partials start with _")
    if not bodies["html"].get("") and not bodies["txt"].get(""):
        raise SourceError("body.html", "is missing", "write body.html, body.txt or both")
    pictures = Pictures({**partials, **files})
    html = {
        each: pictures.name(text, f"body.{each}.html" if each else "body.html")
        for each, text in bodies["html"].items()
    }
    for name in _named(found, [*bodies["html"].values(), *bodies["txt"].values()]):
        if name.endswith((".html", ".htm")):
            found[name] = pictures.name(found[name], name)
    used = {*pictures.used, *attached}
    return Source(
        language=own,
        topic=message.word("topic"),
        description=message.word("description"),
        subject=message.by_language("subject", own),
        preheader=message.by_language("preheader", own),
        html=html,
        text=bodies["txt"],
        defaults=message.defaults(own),
        partials=found,
        files=texts,
        ignored=tuple(
            each
            for each in files
            if each not in texts and each not in used and not each.startswith(".")
        ),
        images=pictures.used,
        attachments=attachments,
        utm=message.utm(),
        track_links=message.switch("track_links"),
        track_opens=message.switch("track_opens"),
        trap_link=message.switch("trap_link"),
    )
