"""Mail companies and how to reach their servers, for whoever sets up an identity."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType

from deliverability.identity import Tls


@dataclass(frozen=True, kw_only=True, slots=True)
class Preset:
    """One company's servers (`presets.toml`)."""

    name: str
    title: str
    host: str
    port: int
    tls: Tls
    #: What to write as user, in words; empty when no login is wanted.
    user: str
    #: IMAP server on port 993, or empty.
    imap: str = ""
    #: Most messages a day the company allows, when it says so.
    per_day: int | None = None
    note: str
    source: str


@lru_cache(maxsize=1)
def presets() -> Mapping[str, Preset]:
    """Every preset by name, in the file's order."""
    data = tomllib.loads(files("deliverability").joinpath("presets.toml").read_text("utf-8"))
    return MappingProxyType({name: Preset(name=name, **row) for name, row in data.items()})
