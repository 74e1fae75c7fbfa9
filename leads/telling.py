"""Values as the data of an event keeps them, so that a change can be read back and undone."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any


def plain_value(value: Any) -> Any:
    """`value` as JSON: amounts as text with two decimals, days ISO 8601, instants RFC 3339 UTC."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:.2f}"
    return value


def plain_values(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Every value of `facts` as JSON."""
    return {name: plain_value(value) for name, value in facts.items()}


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, list[Any]]:
    """{name: [before, after]} as JSON, for all of `after` that differs."""
    return {
        name: [plain_value(before[name]), plain_value(value)]
        for name, value in after.items()
        if value != before[name]
    }
