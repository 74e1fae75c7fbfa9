"""The tables of what people chose themselves on their preference page."""

from datetime import datetime

from sqlalchemy import BigInteger, Index
from sqlmodel import Field

from leads.row import BigKey, Instant, Row


class Wish(Row, table=True):
    """How a lead wants to be written to, in its own words; no row: it never chose."""

    __tablename__ = "wish"

    lead_id: int = Field(primary_key=True, sa_type=BigInteger, foreign_key="lead.id")
    #: At most so many mails in seven days; null: no limit of its own.
    per_week: int | None = None
    #: No mail before then.
    paused_until: datetime | None = Field(default=None, sa_type=Instant)
    #: BCP 47 primary language it chose to read, which files and people do not change; or empty.
    language: str = ""
    at: datetime = Field(sa_type=Instant)
    #: Where it was said: the page, or who heard it.
    by: str = ""


class BarredTopic(Row, table=True):
    """A topic an address must not be written to about. Outlives the lead, as `suppression` does."""

    __tablename__ = "barred_topic"

    address_key: str = Field(primary_key=True)
    topic: str = Field(primary_key=True)
    at: datetime = Field(sa_type=Instant)
    by: str = ""

    __table_args__ = (Index("ix_barred_topic_topic_address_key", "topic", "address_key"),)


class AddressChange(Row, table=True):
    """A new address a lead asked for: it holds once somebody there says so."""

    __tablename__ = "address_change"

    id: int | None = Field(default=None, primary_key=True, sa_type=BigKey)
    lead_id: int = Field(sa_type=BigInteger, foreign_key="lead.id")
    email: str
    address_key: str
    domain: str
    #: Of the page, and so of the mail that asks: `en`, `pl`.
    language: str
    #: The mail whose link led to the page, if one did: its sender asks.
    message_id: int | None = Field(default=None, sa_type=BigInteger)
    asked_at: datetime = Field(sa_type=Instant)
    expires_at: datetime = Field(sa_type=Instant)
    #: When the mail that asks is to be sent; null when it was, or never will be.
    due_at: datetime | None = Field(default=None, sa_type=Instant)
    tries: int = 0
    sent_at: datetime | None = Field(default=None, sa_type=Instant)
    #: When somebody at the new address confirmed it.
    confirmed_at: datetime | None = Field(default=None, sa_type=Instant)

    __table_args__ = (
        Index("ix_address_change_lead_id", "lead_id"),
        Index("ix_address_change_address_key", "address_key"),
        Index("ix_address_change_due_at", "due_at"),
    )
