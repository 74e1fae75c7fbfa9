"""All that a rule can ask about one lead, as plain values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Stated:
    """One preference."""

    name: str
    value: str
    number: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Happened:
    """One event of the timeline."""

    kind: str
    at: datetime
    campaign: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    #: The event's number; 0 where nobody asks.
    id: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class DealFacts:
    """One deal."""

    id: int = 0
    name: str = ""
    amount: Decimal | None = None
    #: ISO 4217.
    currency: str = ""
    #: open | won | lost
    state: str = "open"
    expected_close: date | None = None
    created_at: datetime
    closed_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskFacts:
    """One task."""

    id: int = 0
    title: str = ""
    due_at: datetime | None = None
    done_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """One lead at one moment."""

    #: The columns of `leads.Lead` by name; texts that are not known are empty.
    columns: Mapping[str, Any]
    attributes: Mapping[str, Any] = field(default_factory=dict)
    tags: Sequence[str] = ()
    preferences: Sequence[Stated] = ()
    #: In the order they happened.
    events: Sequence[Happened] = ()
    #: {topic: `given`, `withdrawn` or `pending`}; the empty topic means everything.
    consents: Mapping[str, str] = field(default_factory=dict)
    #: Why the address must not be written to; None when it may.
    suppressed: str | None = None
    deals: Sequence[DealFacts] = ()
    tasks: Sequence[TaskFacts] = ()
