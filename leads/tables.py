"""The tables of this room. Every other room reads them through the names in `leads`."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, Index, UniqueConstraint, text
from sqlmodel import Field

from leads.row import BigKey, Hundredths, Instant, Json, JsonObject, Row


class Lead(Row, table=True):
    """A person we may write to. Filled by intake, changed only through this room's verbs."""

    __tablename__ = "lead"

    id: int | None = Field(default=None, primary_key=True, sa_type=BigKey)
    #: The address as it was given; mail goes to exactly this.
    email: str
    #: HMAC of the normalised address (`address_key`), 32 hex digits: who this is.
    address_key: str = Field(unique=True)
    #: IDNA form of the address's domain, lower case: decides the lane.
    domain: str = Field(index=True)
    name: str = ""
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    job_title: str = ""
    phone: str = ""
    #: ISO 3166-1 alpha-2, upper case, or empty.
    country: str = ""
    #: BCP 47 primary language, lower case, or empty.
    language: str = ""
    #: IANA zone name or empty.
    timezone: str = ""
    owner: str = ""
    #: Where we met: the import's `--source` or the CSV column.
    source: str = ""
    pipeline: str = "sales"
    stage: str = "new"
    stage_at: datetime = Field(sa_type=Instant)
    score: float = 0.0
    attributes: JsonObject = Field(default_factory=dict, sa_type=Json)
    tags: list[str] = Field(default_factory=list, sa_type=Json)
    #: 31-bit random number, set once: splits and samples are arithmetic on it.
    draw: int = Field(sa_type=BigInteger)
    #: 64-bit random hex (16 digits), set once: names the lead in Message-IDs and links.
    token: str = Field(unique=True)
    created_at: datetime = Field(sa_type=Instant)
    updated_at: datetime = Field(sa_type=Instant)
    merged_into: int | None = Field(default=None, sa_type=BigInteger)
    erased_at: datetime | None = Field(default=None, sa_type=Instant)

    __table_args__ = (
        # A stage-only segment is one range of this index; 5 ms on 1,000,000 leads.
        Index("ix_lead_pipeline_stage_stage_at", "pipeline", "stage", "stage_at"),
    )


class Preference(Row, table=True):
    """One thing a lead told us (or somebody learnt), with who said it and when."""

    __tablename__ = "preference"

    id: int | None = Field(default=None, primary_key=True, sa_type=BigKey)
    lead_id: int = Field(sa_type=BigInteger, foreign_key="lead.id")
    #: What it is about: `topic`, `budget`, `frequency`; lower-case word.
    name: str
    value: str
    #: The value as a number when it is one, so that `prefers.budget >= 5000` compares numbers.
    number: float | None = None
    said_by: str = ""
    said_at: datetime = Field(sa_type=Instant)

    __table_args__ = (
        UniqueConstraint("lead_id", "name", "value"),
        Index("ix_preference_name_value_lead_id", "name", "value", "lead_id"),
    )


class Consent(Row, table=True):
    """Whether a lead allowed us to write about a topic; the empty topic means everything."""

    __tablename__ = "consent"

    id: int | None = Field(default=None, primary_key=True, sa_type=BigKey)
    lead_id: int = Field(sa_type=BigInteger, foreign_key="lead.id")
    topic: str = ""
    #: `given` or `withdrawn`.
    state: str
    #: How it was obtained: a form's name, a fair, a contract.
    source: str = ""
    at: datetime = Field(sa_type=Instant)
    by: str = ""

    __table_args__ = (UniqueConstraint("lead_id", "topic"),)


class Suppression(Row, table=True):
    """An address that must not be written to. Belongs to the address, outlives the lead."""

    __tablename__ = "suppression"

    address_key: str = Field(primary_key=True)
    #: `opted_out`, `hard_bounce`, `complaint`, `manual` or `imported`.
    reason: str
    at: datetime = Field(sa_type=Instant)
    #: Who or what did it: a campaign's name, a file, a person.
    by: str = ""


class Event(Row, table=True):
    """The shared memory of all rooms: one thing that happened to one lead."""

    __tablename__ = "event"

    id: int | None = Field(default=None, primary_key=True, sa_type=BigKey)
    lead_id: int = Field(sa_type=BigInteger, foreign_key="lead.id")
    at: datetime = Field(sa_type=Instant)
    kind: str
    campaign: str | None = None
    template: str | None = None
    message_id: int | None = Field(default=None, sa_type=BigInteger)
    by: str = ""
    data: dict[str, Any] = Field(default_factory=dict, sa_type=Json)

    __table_args__ = (
        Index("ix_event_lead_id_at", "lead_id", "at"),
        # Behaviour rules and results start from a kind (and campaign), then a time range.
        Index("ix_event_kind_campaign_at", "kind", "campaign", "at"),
        Index("ix_event_message_id_kind", "message_id", "kind"),
    )


class Deal(Row, table=True):
    """One thing a lead may buy. Changed only through the verbs in `deals.py`."""

    __tablename__ = "deal"

    id: int | None = Field(default=None, primary_key=True, sa_type=BigKey)
    lead_id: int = Field(sa_type=BigInteger, foreign_key="lead.id")
    name: str
    #: In units of the currency, two decimals; a number of hundredths in the database, so that it
    #: compares and adds up exactly on both. Empty while nobody knows it.
    amount: Decimal | None = Field(default=None, sa_type=Hundredths)
    #: ISO 4217, upper case; empty when there is no amount.
    currency: str = ""
    #: `open`, `won` or `lost`.
    state: str = "open"
    #: A day of the calendar, whatever the time zone.
    expected_close: date | None = None
    created_at: datetime = Field(sa_type=Instant)
    #: When it was won or lost; empty while it is open.
    closed_at: datetime | None = Field(default=None, sa_type=Instant)
    updated_at: datetime = Field(sa_type=Instant)

    __table_args__ = (
        Index("ix_deal_lead_id_state", "lead_id", "state"),
        # Leads with an open deal of at least so much, or expected to close by a day.
        Index("ix_deal_state_amount_lead_id", "state", "amount", "lead_id"),
        Index("ix_deal_state_expected_close_lead_id", "state", "expected_close", "lead_id"),
    )


class Task(Row, table=True):
    """One thing somebody is to do for a lead. Changed only through the verbs in `tasks.py`."""

    __tablename__ = "task"

    id: int | None = Field(default=None, primary_key=True, sa_type=BigKey)
    lead_id: int = Field(sa_type=BigInteger, foreign_key="lead.id")
    title: str
    due_at: datetime | None = Field(default=None, sa_type=Instant)
    #: Empty while it is open.
    done_at: datetime | None = Field(default=None, sa_type=Instant)
    #: Who is to do it; empty means nobody in particular.
    owner: str = ""
    created_at: datetime = Field(sa_type=Instant)
    #: Who wrote it down.
    by: str = ""

    __table_args__ = (
        Index("ix_task_lead_id", "lead_id"),
        # The next open task of a lead, and whose open tasks are overdue.
        Index(
            "ix_task_open_lead_id_due_at",
            "lead_id",
            "due_at",
            sqlite_where=text("done_at IS NULL"),
            postgresql_where=text("done_at IS NULL"),
        ),
        Index(
            "ix_task_open_due_at_lead_id",
            "due_at",
            "lead_id",
            sqlite_where=text("done_at IS NULL"),
            postgresql_where=text("done_at IS NULL"),
        ),
    )


class Import(Row, table=True):
    """One reading of one file: what came in, by whom, with which result."""

    __tablename__ = "import"

    id: int | None = Field(default=None, primary_key=True, sa_type=BigKey)
    file: str
    sha256: str
    started_at: datetime = Field(sa_type=Instant)
    #: Empty until the last chunk is in: a killed import shows as unfinished.
    finished_at: datetime | None = Field(default=None, sa_type=Instant)
    by: str = ""
    mapping: JsonObject = Field(default_factory=dict, sa_type=Json)
    counts: JsonObject = Field(default_factory=dict, sa_type=Json)
