"""The tables of this room: domains, lanes and what moved them, day counts, identities as they were,
preflights, what came back."""

from datetime import date, datetime

from sqlalchemy import BigInteger, Index, LargeBinary, UniqueConstraint
from sqlmodel import Field

from leads import BigKey, Instant, Json, JsonObject, Row


class Domain(Row, table=True):
    """Which provider receives mail for a domain. A domain that is absent counts as `other`."""

    __tablename__ = "domain"

    name: str = Field(primary_key=True)
    provider: str = Field(index=True)
    mx: str = ""
    #: When DNS answered; null for rows of the shipped table.
    checked_at: datetime | None = Field(default=None, sa_type=Instant)
    #: mx | address | null_mx | nothing, as DNS said; empty when it was never asked.
    route: str = ""
    #: When to ask again; null: known by name, never asked about.
    due_at: datetime | None = Field(default=None, sa_type=Instant)
    #: How often in a row DNS did not answer.
    failures: int = 0


class Lane(Row, table=True):
    """The queue between one identity and one provider, with what its pace has learnt."""

    __tablename__ = "lane"

    id: int | None = Field(default=None, primary_key=True, sa_type=BigKey)
    identity: str
    provider: str
    #: Messages per second learnt so far; null until the provider has taught us anything.
    rate: float | None = None
    paused_until: datetime | None = Field(default=None, sa_type=Instant)
    #: The server's words that paused it.
    reason: str = ""
    #: All else that the pace needs to go on after a restart (`lane_memory.py`).
    learnt: JsonObject = Field(default_factory=dict, sa_type=Json)
    updated_at: datetime | None = Field(default=None, sa_type=Instant)

    __table_args__ = (UniqueConstraint("identity", "provider"),)


class LaneMove(Row, table=True):
    """One move of a lane's pace: a rate that changed, or a pause that began. Kept for 30 days."""

    __tablename__ = "lane_move"

    id: int | None = Field(default=None, primary_key=True, sa_type=BigKey)
    lane_id: int = Field(sa_type=BigInteger, foreign_key="lane.id")
    at: datetime = Field(sa_type=Instant)
    #: Messages per second before and after.
    rate_before: float
    rate_after: float
    #: Why, in a few words; and what the server said, if it was a server.
    cause: str
    words: str = ""

    __table_args__ = (Index("ix_lane_move_lane_id_at", "lane_id", "at"),)


class IdentityDay(Row, table=True):
    """How many messages an identity used on one local day: its day cap is counted here."""

    __tablename__ = "identity_day"

    identity: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    used: int = 0
    #: When the last of them was claimed: a day that is spread out keeps its distance from it.
    last_at: datetime | None = Field(default=None, sa_type=Instant)


class IdentityVersion(Row, table=True):
    """The facts of an identity that stand in mail (From, postal address, web address), as they
    were when a message left. `potok.toml` is not versioned, but what somebody got must be shown
    again to the letter.
    """

    __tablename__ = "identity_version"

    id: int | None = Field(default=None, primary_key=True, sa_type=BigKey)
    name: str
    hash: str
    body: JsonObject = Field(default_factory=dict, sa_type=Json)
    seen_at: datetime = Field(sa_type=Instant)

    __table_args__ = (UniqueConstraint("name", "hash"),)


class Preflight(Row, table=True):
    """What the last preflight of an identity found (`remembered.py`)."""

    __tablename__ = "preflight"

    identity: str = Field(primary_key=True)
    #: A hash of all it was made from.
    facts: str
    asked_at: datetime = Field(sa_type=Instant)
    rows: JsonObject = Field(default_factory=dict, sa_type=Json)


class MailboxCursor(Row, table=True):
    """How far an identity's mailbox has been read, in the reader's own terms."""

    __tablename__ = "mailbox_cursor"

    identity: str = Field(primary_key=True)
    folder: str = Field(primary_key=True)
    position: JsonObject = Field(default_factory=dict, sa_type=Json)
    read_at: datetime = Field(sa_type=Instant)


class Inbound(Row, table=True):
    """One message that came back. The hash makes reading a mailbox twice harmless."""

    __tablename__ = "inbound"

    id: int | None = Field(default=None, primary_key=True, sa_type=BigKey)
    identity: str
    #: sha256 (hex) of the raw message.
    sha256: str
    read_at: datetime = Field(sa_type=Instant)
    #: The Date header when it can be believed, else when it was read.
    sent_at: datetime = Field(sa_type=Instant)
    #: bounce | complaint | autoreply | unsubscribe | human | other
    kind: str
    from_address: str = ""
    subject: str = ""
    #: The message row it answers and its lead, when found; `matched_by` says by which evidence.
    message_id: int | None = Field(default=None, sa_type=BigInteger, index=True)
    lead_id: int | None = Field(default=None, sa_type=BigInteger, index=True)
    matched_by: str = ""
    raw: bytes = Field(sa_type=LargeBinary)

    __table_args__ = (UniqueConstraint("identity", "sha256"),)
