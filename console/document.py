"""Results as JSON: dates in RFC 3339 UTC, money as strings, everything else as it is."""

import json
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import PurePath
from typing import Any


def to_json(document: Mapping[str, Any] | list[Any], *, indent: int | None = None) -> str:
    """`document` as JSON text, letters as they are.

    Raises TypeError for a value without an agreed form, and for a naive datetime.
    """
    return json.dumps(document, default=_form, ensure_ascii=False, indent=indent)


def rfc3339(moment: datetime) -> str:
    """`2026-03-10T11:00:00Z`; microseconds only when there are any (RFC 3339 5.6)."""
    if moment.tzinfo is None:
        raise TypeError(f"a naive datetime has no place in a result: {moment!r}")
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _form(value: object) -> Any:
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Decimal | PurePath):
        return str(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    if isinstance(value, Mapping):
        return dict(value)
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")
