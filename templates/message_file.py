"""`message.toml` while it is read: every complaint knows its line and the nearest right word."""

import re
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from templates.enclosed import MEDIA_TYPE, Enclosed, travelling, type_of
from templates.errors import SourceError
from templates.fields import LEAD_FIELDS, OPEN_FIELDS

MESSAGE = "message.toml"
KEYS = (
    *("subject", "preheader", "topic", "language", "description", "defaults"),
    *("attachment", "links", "track_links", "track_opens", "trap_link", "like"),
)
_ATTACHMENT_KEYS = ("file", "name", "type")
#: What web statistics read; the three that say where a visit came from.
_LINK_KEYS = ("utm_source", "utm_medium", "utm_campaign")

#: BCP 47: the primary language subtag has two or three letters.
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")


def line_of(text: str, key: str) -> int:
    """The line `key` is first set on in a TOML text (1 when it cannot be found)."""
    pattern = re.compile(rf"^\s*(?:\[[^\]]*)?\"?{re.escape(key)}\b")
    for number, line in enumerate(text.splitlines(), 1):
        if pattern.match(line) or re.match(rf"^\s*\[.*\b{re.escape(key)}\"?\s*\]", line):
            return number
    return 1


def suggestion(word: str, known: tuple[str, ...]) -> str:
    close = get_close_matches(word, known, n=1, cutoff=0.6)
    return f'did you mean "{close[0]}"?' if close else "known are " + ", ".join(known)


class MessageFile:
    """`message.toml` while it is read: every complaint knows its line."""

    def __init__(self, text: str, like: "MessageFile | None" = None) -> None:
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
                raise self.error(key, f'unknown key "{key}"', suggestion(key, KEYS))
        if like is not None:
            if "like" in like.data:
                name = self.data["like"]
                do = f'write like = "{like.data["like"]}", or give it a body of its own'
                raise self.error("like", f'"{name}" is like another template itself', do)
            # What is said of the template is not said of the one it is like.
            theirs = {key: value for key, value in like.data.items() if key != "description"}
            self.data = theirs | self.data

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
                    do = suggestion(key, OPEN_FIELDS)
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
                raise wrong(f'unknown key "{key}"', suggestion(key, _ATTACHMENT_KEYS))
            if not isinstance(value, str) or not value.strip():
                raise wrong(f"{key} must be a text in quotes")
        if "file" not in table:
            raise wrong("there is no file", 'write file = "prices.pdf"')
        file = table["file"].strip()
        if file not in files or file == MESSAGE:
            others = tuple(sorted(each for each in files if each != MESSAGE))
            raise wrong(f'there is no file "{file}" in the folder', suggestion(file, others))
        kind = table.get("type", type_of(file)).strip()
        if not MEDIA_TYPE.fullmatch(kind) or kind.startswith(("multipart/", "message/")):
            raise wrong(f'"{kind}" is no type of a file', 'write one like "application/pdf"')
        name = table.get("name", file)
        return Enclosed(name=name, type=kind, data=travelling(files[file]), file=file, line=line)

    def switch(self, key: str) -> bool:
        """`track_links`, `track_opens` or `trap_link`; off unless said."""
        value = self.data.get(key, False)
        if not isinstance(value, bool):
            raise self.error(key, f"{key} must be true or false, without quotes")
        return value

    def utm(self) -> dict[str, str]:
        table = self.data.get("links", {})
        if not isinstance(table, dict):
            raise self.error("links", "links must be a table")
        for key in ("track_links", "track_opens", "trap_link"):
            if key in table:
                do = "write it above the first [table]"
                raise self.error(key, f"{key} is no part of [links]", do)
        for key, value in table.items():
            if key not in _LINK_KEYS:
                raise self.error(key, f'unknown key "{key}"', suggestion(key, _LINK_KEYS))
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
                do = suggestion(key, LEAD_FIELDS + OPEN_FIELDS)
                raise self.error(key, f'unknown field "{key}" under defaults', do)
        return fields
