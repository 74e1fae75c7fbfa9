"""The tables of `inbound.toml` as patterns, read once."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Any

from deliverability.outcome import Cause


@lru_cache(maxsize=1)
def _table() -> Mapping[str, Any]:
    found: dict[str, Any] = tomllib.loads(
        files("deliverability").joinpath("inbound.toml").read_text("utf-8")
    )
    return found


@lru_cache(maxsize=64)
def words(table: str, key: str) -> re.Pattern[str]:
    """The pattern `[table] key`."""
    return re.compile(_table()[table][key], re.IGNORECASE | re.MULTILINE)


@lru_cache(maxsize=1)
def reasons() -> Sequence[tuple[Cause, re.Pattern[str]]]:
    """What words in reports are about, in order."""
    return tuple(
        (Cause(row["cause"]), re.compile(row["words"], re.IGNORECASE)) for row in _table()["reason"]
    )
