"""A template folder read into texts: `message.toml` and the bodies by language.

    message.toml     subject, preheader, topic, language, description, [defaults], [defaults.pl]
    body.html        the HTML part           body.pl.html    the same for leads who speak Polish
    body.txt         the text part           body.pl.txt
    _footer.html     a partial, for `{% include "_footer.html" %}`

`subject` and `preheader` are a text, or a table with one text per language.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from templates.errors import SourceError
from templates.fields import LEAD_FIELDS, OPEN_FIELDS

MESSAGE = "message.toml"
KEYS = ("subject", "preheader", "topic", "language", "description", "defaults")

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


def read_source(files: Mapping[str, bytes], partials: Mapping[str, bytes]) -> Source:
    """A folder's files, checked for names and keys; the Jinja in them is not looked at yet.

    Raises SourceError with file, line and the nearest known key.
    """
    if MESSAGE not in files:
        raise SourceError(MESSAGE, "is missing", 'it holds the subject: subject = "..."')
    texts = {name: _text(name, data) for name, data in files.items() if _TEXT_FILE.fullmatch(name)}
    message = _Message(texts[MESSAGE])
    own = message.language()
    bodies: dict[str, dict[str, str]] = {"html": {}, "txt": {}}
    found = {name: _text(name, data) for name, data in partials.items()}
    ignored = []
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
    ignored = [name for name in files if name not in texts and not name.startswith(".")]
    if not bodies["html"].get("") and not bodies["txt"].get(""):
        raise SourceError("body.html", "is missing", "write body.html, body.txt or both")
    return Source(
        language=own,
        topic=message.word("topic"),
        description=message.word("description"),
        subject=message.by_language("subject", own),
        preheader=message.by_language("preheader", own),
        html=bodies["html"],
        text=bodies["txt"],
        defaults=message.defaults(own),
        partials=found,
        files=texts,
        ignored=tuple(ignored),
    )
