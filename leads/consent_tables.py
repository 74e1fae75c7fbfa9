"""The tables of double opt-in: who was asked to confirm, with which words, and what came of it."""

from datetime import datetime

from sqlalchemy import BigInteger, Index
from sqlmodel import Field

from leads.row import BigKey, Instant, Json, Row


class ConsentRequest(Row, table=True):
    """A lead asked to confirm by a link that it allows us to write: the evidence, and an outbox."""

    __tablename__ = "consent_request"

    id: int | None = Field(default=None, primary_key=True, sa_type=BigKey)
    lead_id: int = Field(sa_type=BigInteger, foreign_key="lead.id")
    #: The address that was asked; the answer is its own and of no other.
    address_key: str
    #: What about; the empty topic means everything.
    topics: list[str] = Field(default_factory=list, sa_type=Json)
    #: Where the wish came from: a form's name, a file, a call.
    source: str
    #: Of the page and the mail: `en`, `pl`.
    language: str
    #: Names the words that asked (`consent_wording`).
    wording: str
    asked_at: datetime = Field(sa_type=Instant)
    #: Of the client that filled in the form: its address, shortened, and its User-Agent.
    asked_from: str = ""
    asked_agent: str = ""
    by: str = ""
    #: The identity that asks; empty: the workspace's first.
    identity: str = ""
    expires_at: datetime = Field(sa_type=Instant)
    #: When the mail that asks is to be sent; null when it was, or never will be.
    due_at: datetime | None = Field(default=None, sa_type=Instant)
    tries: int = 0
    sent_at: datetime | None = Field(default=None, sa_type=Instant)
    #: When somebody at the address pressed the button behind the link.
    confirmed_at: datetime | None = Field(default=None, sa_type=Instant)
    confirmed_from: str = ""
    confirmed_agent: str = ""
    #: The words on the page with the button.
    confirmed_wording: str = ""

    __table_args__ = (
        Index("ix_consent_request_lead_id_asked_at", "lead_id", "asked_at"),
        Index("ix_consent_request_due_at", "due_at"),
    )


class ConsentWording(Row, table=True):
    """Words somebody agreed to, kept once: of nobody, so that they outlive everybody."""

    __tablename__ = "consent_wording"

    #: sha256 (hex) of `text`.
    hash: str = Field(primary_key=True)
    language: str
    #: `pl 3f2a9c41`: the language and the version of the pages the words come from.
    version: str
    text: str
    at: datetime = Field(sa_type=Instant)
