"""A TOML file read against `known_settings`: values with their defaults, errors with file:line."""

import difflib
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from console.errors import SettingsError
from console.known_settings import BY_PATH, SETTINGS
from console.setting import Setting

_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\]#]+?)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(
    r"""^\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*="""
)
_NAME = re.compile(r"^[a-z0-9][a-z0-9_-]{0,63}$")
_AT_LINE = re.compile(r" \(at line (\d+), column (\d+)\)$")

Path_ = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """A file's text and the line each key stands on."""

    #: As people know it: `potok.toml`, `campaigns/welcome.toml`.
    name: str
    lines: dict[Path_, int]

    def line(self, path: Path_) -> int:
        """The line of `path`, or of the nearest table around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def error(self, path: Path_, text: str) -> SettingsError:
        # One line, whatever control characters the file holds.
        shown = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
        return SettingsError(f"{self.name}:{self.line(path)}: {shown}")


def read_toml(path: Path, name: str) -> tuple[dict[str, Any], Source]:
    """The parsed file and where everything stands in it.

    Raises SettingsError for what is no TOML or no UTF-8, OSError when it cannot be read.
    """
    raw = path.read_bytes()
    try:
        # Windows editors put a byte order mark in front; it says nothing.
        text = raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise SettingsError(f"{name}:{line}: not in UTF-8; save the file as UTF-8") from error
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        at = _AT_LINE.search(str(error))
        line = int(at[1]) if at else text.count("\n") + 1
        what = _AT_LINE.sub("", str(error)).removesuffix(" (at end of document)")
        rows = text.splitlines()
        shown = rows[line - 1].strip()[:60] if line <= len(rows) else ""
        if "twice" in what or "overwrite" in what.lower():
            raise SettingsError(f"{name}:{line}: this stands in the file twice: {shown}") from error
        hint = f" in: {shown}" if shown else ""
        raise SettingsError(f"{name}:{line}: this is no TOML: {what}{hint}") from error
    return data, Source(name, _lines(text))


def _lines(text: str) -> dict[Path_, int]:
    found: dict[Path_, int] = {}
    table: Path_ = ()
    counts: dict[Path_, int] = {}
    quote = ""
    for number, line in enumerate(text.splitlines(), 1):
        if quote:
            quote = "" if quote in line else quote
            continue
        if header := _HEADER.match(line):
            table = _parts(header[2])
            if header[1] == "[[":
                counts[table] = counts.get(table, -1) + 1
                found.setdefault(table, number)
                table = (*table, counts[table])
            found.setdefault(table, number)
        elif key := _KEY.match(line):
            found.setdefault(table + _parts(key[1]), number)
            value = line[key.end() :].strip()
            for mark in ('"""', "'''"):
                if value.startswith(mark) and value.count(mark) == 1:
                    quote = mark
    return found


def _parts(text: str) -> Path_:
    return tuple(part.strip().strip("\"'") for part in re.split(r"\s*\.\s*", text.strip()))


@dataclass(frozen=True, slots=True)
class Section:
    """One table of the file, checked: every key known, every value of its kind and range."""

    source: Source
    data: dict[str, Any]
    path: Path_ = ()

    @property
    def pattern(self) -> tuple[str, ...]:
        """The path as `known_settings` writes it."""
        return _pattern(self.path)

    def __getitem__(self, key: str) -> Any:
        """The value given, else the setting's default."""
        setting = BY_PATH[".".join((*self.pattern, key))]
        return self.data.get(key, setting.default)

    def given(self, key: str) -> bool:
        return key in self.data

    def table(self, key: str) -> "Section":
        """A table in this one; empty when the file has none."""
        return Section(self.source, self.data.get(key, {}), (*self.path, key))

    def tables(self, key: str) -> Iterator[tuple[str, "Section"]]:
        """Tables whose names the marketer chose: `[identity.anna]`, `[identity.jan]`."""
        inner = self.table(key)
        for name in inner.data:
            yield name, inner.table(name)

    def array(self, key: str) -> Iterator["Section"]:
        """`[[...]]` tables in their order."""
        for number, row in enumerate(self.data.get(key, [])):
            yield Section(self.source, row, (*self.path, key, number))

    def error(self, key: str, text: str) -> SettingsError:
        """An error about `key` of this table, ready to be raised."""
        return self.source.error((*self.path, key), self._where() + text)

    def _where(self) -> str:
        names = [str(part) for part in self.path if isinstance(part, str)]
        return f"[{'.'.join(names)}] " if names else ""

    def check(self) -> None:
        """Raises SettingsError for the first key that is unknown, misplaced or out of range."""
        for key, value in self.data.items():
            pattern = self._known(key)
            setting = BY_PATH.get(".".join(pattern))
            if setting is not None:
                self._fits(key, value, setting)
            elif isinstance(value, dict):
                self.table(key).check()
            elif isinstance(value, list) and (*pattern[:-1], pattern[-1] + "[]") in _TABLES:
                if not all(isinstance(row, dict) for row in value):
                    raise self.error(key, f"{key} is written as [[...]] tables")
                for row in self.array(key):
                    row.check()
            else:
                name = ".".join((*map(str, self.path), key))
                raise self.error(key, f"{key} is a table: write [{name}] above its settings")
        for setting in SETTINGS:
            *table, last = setting.path.split(".")
            if setting.required and tuple(table) == self.pattern and last not in self.data:
                raise self.error("", f"{last} is missing: write {last} = {setting.allowed()}")

    def _known(self, key: str) -> tuple[str, ...]:
        children = _CHILDREN.get(self.pattern, set())
        if key in children or f"{key}[]" in children:
            return (*self.pattern, key)
        if "*" in children:
            if not _NAME.match(key):
                raise self.error(
                    key, f"{key!r} cannot be a name: use small letters, digits, - and _"
                )
            return (*self.pattern, "*")
        if "password_env" in children and key in ("password", "pass", "secret"):
            raise self.error(
                key,
                f'{key}: no password stands in this file; write password_env = "NAME" and keep it '
                "in the environment variable of that name, or password_file",
            )
        known = sorted(child.removesuffix("[]") for child in children)
        near = difflib.get_close_matches(key, known, n=1, cutoff=0.55)
        hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
        raise self.error(key, f"unknown setting {key!r}; {hint}")

    def _fits(self, key: str, value: Any, setting: Setting) -> None:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        right = {
            "text": isinstance(value, str),
            "texts": isinstance(value, list) and all(isinstance(v, str) for v in value),
            "whole number": number and isinstance(value, int),
            "whole numbers": _fits_all(value, setting),
            "number": number,
            "yes or no": isinstance(value, bool),
        }[setting.kind]
        if setting.choices:
            right = value in setting.choices
        if right and number:
            right = (setting.least is None or value >= setting.least) and (
                setting.most is None or value <= setting.most
            )
        if right and setting.required and value in ("", []):
            right = False
        if not right:
            shown = "a table" if isinstance(value, dict) else repr(value).replace("'", '"')
            raise self.error(key, f"{key} = {shown[:80]}: write {setting.allowed()}")


def _fits_all(value: Any, setting: Setting) -> bool:
    """Whether it is a list of whole numbers in range, with at least one."""
    return (
        isinstance(value, list)
        and len(value) > 0
        and all(isinstance(each, int) and not isinstance(each, bool) for each in value)
        and all((setting.least or 0) <= each <= (setting.most or each) for each in value)
    )


def _pattern(path: Path_) -> tuple[str, ...]:
    found: list[str] = []
    for part in path:
        if isinstance(part, int):
            found[-1] += "[]"
        elif part in _CHILDREN.get(tuple(found), set()) or (
            f"{part}[]" in _CHILDREN.get(tuple(found), set())
        ):
            found.append(part)
        else:
            found.append("*")
    return tuple(found)


def _tree() -> dict[tuple[str, ...], set[str]]:
    children: dict[tuple[str, ...], set[str]] = {}
    for setting in SETTINGS:
        parts = tuple(setting.path.split("."))
        for depth in range(len(parts)):
            children.setdefault(parts[:depth], set()).add(parts[depth])
    return children


_CHILDREN = _tree()
_TABLES = set(_CHILDREN)
