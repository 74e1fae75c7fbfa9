"""The tables of this room. Every other room reads them through the names in `leads`."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, Index, UniqueConstraint, column, text
from sqlmodel import Field

from leads.folded import folded
from leads.row import BigKey, Hundredths, Instant, Json, JsonObject, Row

#: The leads that no campaign writes to, whatever it is about: a condition on `lead`.
BARRED = "merged_into IS NOT NULL OR erased_at IS NOT NULL OR suppressed IS NOT NULL"


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
    #: The reason `suppression` has for this address: a copy that triggers of the database keep, so
    #: that counting needs no join. Whether a mail may leave is asked of `suppression` itself.
    suppressed: str | None = None

    __table_args__ = (
        # A stage-only segment is one range of this index: 3 ms on 1,000,000 leads. PostgreSQL
        # reads ids from it without touching the leads.
        Index(
            "ix_lead_pipeline_stage_stage_at",
            "pipeline",
            "stage",
            "stage_at",
            postgresql_include=["id"],
        ),
        # Those nobody writes to, 3 of 100 leads: counting the ones of a stage takes 1 ms, by a
        # join with `suppression` 50 ms on SQLite and 60 to 200 on PostgreSQL.
        Index(
            "ix_lead_barred",
            "pipeline",
            "stage",
            "stage_at",
            "merged_into",
            "erased_at",
            "suppressed",
            sqlite_where=text(BARRED),
            postgresql_where=text(BARRED),
            postgresql_include=["id"],
        ),
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
        # A stated text in any capitals: 10 ms for a tenth of 1,000,000 leads, 190 without.
        Index(
            "ix_preference_name_folded_lead_id",
            "name",
            folded(column("value")),
            "lead_id",
            postgresql_include=["value"],
        ),
        # A stated number. By lead first: each counts once, and asked per lead it is never the
        # worse way in, which SQLite would take without statistics.
        Index(
            "ix_preference_name_lead_id_number",
            "name",
            "lead_id",
            "number",
            sqlite_where=text("number IS NOT NULL"),
            postgresql_where=text("number IS NOT NULL"),
        ),
    )


class Consent(Row, table=True):
    """Whether a lead allowed us to write about a topic; the empty topic means everything."""

    __tablename__ = "consent"

    id: int | None = Field(default=None, primary_key=True, sa_type=BigKey)
    lead_id: int = Field(sa_type=BigInteger, foreign_key="lead.id")
    topic: str = ""
    #: `given`, `withdrawn`, or `pending`: asked, and not answered yet.
    state: str
    #: How it was obtained: a form's name, a fair, a contract.
    source: str = ""
    at: datetime = Field(sa_type=Instant)
    by: str = ""
    #: When the lead confirmed it by the link in a mail to its address; null when it never did.
    confirmed_at: datetime | None = Field(default=None, sa_type=Instant)

    __table_args__ = (
        UniqueConstraint("lead_id", "topic"),
        # Who took it back, by topic: few, and every count leaves them out.
        Index(
            "ix_consent_withdrawn",
            "topic",
            "lead_id",
            sqlite_where=text("state = 'withdrawn'"),
            postgresql_where=text("state = 'withdrawn'"),
        ),
    )


class Suppression(Row, table=True):
    """An address that must not be written to. Belongs to the address, outlives the lead."""

    __tablename__ = "suppression"

    address_key: str = Field(primary_key=True)
    #: `opted_out`, `hard_bounce`, `complaint`, `manual`, `imported` or `unconfirmed`.
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
        # Behaviour rules and results start from a kind (and campaign), then a time range, and want
        # nothing but the leads: 70,000 of them by 4 ms, 150 when the rows are read for it.
        Index("ix_event_kind_campaign_at", "kind", "campaign", "at", "lead_id"),
        Index("ix_event_kind_at_lead_id", "kind", "at", "lead_id"),
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
