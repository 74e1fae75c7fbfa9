"""A template folder read into texts: `message.toml` and the bodies by language.

    message.toml     subject, preheader, topic, language, description, [defaults], [defaults.pl],
                     [[attachment]], [links]
    body.html        the HTML part           body.pl.html    the same for leads who speak Polish
    body.txt         the text part           body.pl.txt
    _footer.html     a partial, for `{% include "_footer.html" %}`
    logo.png         a picture, for `<img src="logo.png">`

`subject` and `preheader` are a text, or a table with one text per language.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from templates.enclosed import (
    MEDIA_TYPE,
    Enclosed,
    Pictures,
    travelling,
    type_of,
)
from templates.errors import SourceError
from templates.fields import LEAD_FIELDS, OPEN_FIELDS

MESSAGE = "message.toml"
KEYS = (
    *("subject", "preheader", "topic", "language", "description", "defaults"),
    *("attachment", "links"),
)
_ATTACHMENT_KEYS = ("file", "name", "type")
#: What web statistics read; the three that say where a visit came from.
_LINK_KEYS = ("utm_source", "utm_medium", "utm_campaign")

#: BCP 47: the primary language subtag has two or three letters.
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
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

    def body_file(self, language: str, kind: str) -> str:
        """The file name of a body: `body.pl.html`."""
        named = f"body.{language}.{kind}" if language else f"body.{kind}"
        return named if named in self.files else f"body.{self.language}.{kind}"


def line_of(text: str, key: str) -> int:
    """The line `key` is first set on in a TOML text (1 when it cannot be found)."""
    pattern = re.compile(rf"^\s*(?:\[[^\]]*)?\"?{re.escape(key)}\b")
    for number, line in enumerate(text.splitlines(), 1):
        if pattern.match(line) or re.match(rf"^\s*\[.*\b{re.escape(key)}\"?\s*\]", line):
            return number
    return 1


def _text(name: str, data: bytes) -> str:
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise SourceError(f"{name}:{line}", "is not UTF-8 text", "save it as UTF-8") from None


def _suggestion(word: str, known: tuple[str, ...]) -> str:
    close = get_close_matches(word, known, n=1, cutoff=0.6)
    return f'did you mean "{close[0]}"?' if close else "known are " + ", ".join(known)


class _Message:
    """`message.toml` while it is read: every complaint knows its line."""

    def __init__(self, text: str) -> None:
        self.text = text
        try:
            self.data: dict[str, Any] = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            place = re.search(r"at line (\d+)", str(error))
            line = place[1] if place else str(text.count("\n") + 1)
            what = re.sub(r" \(at .*\)$", "", str(error))
            raise SourceError(f"{MESSAGE}:{line}", f"is not valid TOML: {what}") from None
        for key in self.data:
            if key not in KEYS:
                raise self.error(key, f'unknown key "{key}"', _suggestion(key, KEYS))

    def error(self, key: str, what: str, do: str = "") -> SourceError:
        return SourceError(f"{MESSAGE}:{line_of(self.text, key)}", what, do)

    def word(self, key: str, default: str = "") -> str:
        value = self.data.get(key, default)
        if not isinstance(value, str):
            raise self.error(key, f"{key} must be a text in quotes")
        return value

    def language(self) -> str:
        value = self.word("language", "en").lower()
        if not _LANGUAGE.fullmatch(value):
            raise self.error("language", f'"{value}" is no language', 'write "en" or "pl"')
        return value

    def by_language(self, key: str, own: str) -> dict[str, str]:
        value = self.data.get(key, "")
        if isinstance(value, str):
            return {"": value}
        if not isinstance(value, dict):
            raise self.error(key, f"{key} must be a text, or a table of texts by language")
        for name, text in value.items():
            if not _LANGUAGE.fullmatch(name.lower()) or not isinstance(text, str):
                raise self.error(name, f"{key}.{name} must be a language with a text")
        texts = {("" if name.lower() == own else name.lower()): t for name, t in value.items()}
        if "" not in texts:
            do = f'add {own} = "..." or set language'
            raise self.error(key, f"{key} has no text in the template's own language", do)
        return texts

    def defaults(self, own: str) -> dict[str, dict[str, Any]]:
        table = self.data.get("defaults", {})
        if not isinstance(table, dict):
            raise self.error("defaults", "defaults must be a table")
        found: dict[str, dict[str, Any]] = {"": {}}
        for key, value in table.items():
            if isinstance(value, dict) and key not in OPEN_FIELDS:
                if not _LANGUAGE.fullmatch(key):
                    do = _suggestion(key, OPEN_FIELDS)
                    raise self.error(key, f'"{key}" is no language', do)
                found.setdefault("" if key == own else key, {}).update(self._fields(value))
            else:
                found[""].update(self._fields({key: value}))
        return found

    def attachments(self, files: Mapping[str, bytes]) -> tuple[Enclosed, ...]:
        tables = self.data.get("attachment", [])
        if not isinstance(tables, list) or not all(isinstance(each, dict) for each in tables):
            raise self.error("attachment", "write each attachment as a table: [[attachment]]")
        lines = [
            number
            for number, line in enumerate(self.text.splitlines(), 1)
            if re.match(r"\s*\[\[\s*attachment\s*\]\]", line)
        ]
        return tuple(
            self._attachment(table, lines[place] if place < len(lines) else 1, files)
            for place, table in enumerate(tables)
        )

    def _attachment(self, table: dict[str, Any], line: int, files: Mapping[str, bytes]) -> Enclosed:
        def wrong(what: str, do: str = "") -> SourceError:
            return SourceError(f"{MESSAGE}:{line}", f"attachment: {what}", do)

        for key, value in table.items():
            if key not in _ATTACHMENT_KEYS:
                raise wrong(f'unknown key "{key}"', _suggestion(key, _ATTACHMENT_KEYS))
            if not isinstance(value, str) or not value.strip():
                raise wrong(f"{key} must be a text in quotes")
        if "file" not in table:
            raise wrong("there is no file", 'write file = "prices.pdf"')
        file = table["file"].strip()
        if file not in files or file == MESSAGE:
            others = tuple(sorted(each for each in files if each != MESSAGE))
            raise wrong(f'there is no file "{file}" in the folder', _suggestion(file, others))
        kind = table.get("type", type_of(file)).strip()
        if not MEDIA_TYPE.fullmatch(kind) or kind.startswith(("multipart/", "message/")):
            raise wrong(f'"{kind}" is no type of a file', 'write one like "application/pdf"')
        name = table.get("name", file)
        return Enclosed(name=name, type=kind, data=travelling(files[file]), file=file, line=line)

    def utm(self) -> dict[str, str]:
        table = self.data.get("links", {})
        if not isinstance(table, dict):
            raise self.error("links", "links must be a table")
        for key, value in table.items():
            if key not in _LINK_KEYS:
                raise self.error(key, f'unknown key "{key}"', _suggestion(key, _LINK_KEYS))
            if not isinstance(value, str):
                raise self.error(key, f"{key} must be a text in quotes")
        return {key: table[key].strip() for key in _LINK_KEYS if table.get(key, "").strip()}

    def _fields(self, table: dict[str, Any]) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        for key, value in table.items():
            if key in OPEN_FIELDS and isinstance(value, dict):
                fields.update({f"{key}.{name}": each for name, each in value.items()})
            elif key in LEAD_FIELDS and isinstance(value, (str, int, float, list)):
                fields[key] = value
            elif key in LEAD_FIELDS:
                raise self.error(key, f"the default of {key} must be a text or a number")
            else:
                do = _suggestion(key, LEAD_FIELDS + OPEN_FIELDS)
                raise self.error(key, f'unknown field "{key}" under defaults', do)
        return fields


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


def read_source(files: Mapping[str, bytes], partials: Mapping[str, bytes]) -> Source:
    """A folder's files, checked for names and keys; the Jinja in them is not looked at yet.

    Raises SourceError with file, line and the nearest known key.
    """
    if MESSAGE not in files:
        raise SourceError(MESSAGE, "is missing", 'it holds the subject: subject = "..."')
    message = _Message(_text(MESSAGE, files[MESSAGE]))
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
        elif name != MESSAGE:
            do = _suggestion(name, (MESSAGE, "body.html", "body.txt", f"body.{own}.html"))
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
    )
