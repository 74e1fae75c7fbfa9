"""What the rooms above may know of a lead: a frozen copy, taken inside one transaction."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipient:
    """A lead as it was at one moment, ready to be judged, rendered for and written to."""

    #: Primary key of the lead row.
    lead_id: int
    #: The address as it was given; may hold non-ASCII letters.
    email: str
    #: IDNA domain, lower case.
    domain: str
    #: 16 hex digits naming the lead in links and Message-IDs.
    token: str
    name: str = ""
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    job_title: str = ""
    phone: str = ""
    country: str = ""
    language: str = ""
    timezone: str = ""
    owner: str = ""
    source: str = ""
    stage: str = ""
    #: When the present stage was entered, aware UTC.
    stage_at: datetime
    score: float = 0.0
    #: `attributes["industry"]`: whatever columns the marketer brought along.
    attributes: Mapping[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    #: `preferences["topic"]` is the list of stated values, in the order they were stated.
    preferences: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenDeal:
    """A deal that is neither won nor lost, as it was at one moment."""

    name: str
    #: In units of `currency`; None while nobody knows it.
    amount: Decimal | None = None
    #: ISO 4217; empty without an amount.
    currency: str = ""
    #: Where the lead stands in its pipeline.
    stage: str = ""
    expected_close: date | None = None
