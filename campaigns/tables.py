"""The tables of this room: what was asked for (campaign, sequence, run), who is on the way through
a sequence (enrolment), and what became of it (message, attempt)."""

from datetime import datetime

from sqlalchemy import BigInteger, Column, Index, Integer, UniqueConstraint, text
from sqlmodel import Field

from leads import BigKey, Instant, Json, JsonObject, Row, Version


class Campaign(Version, table=True):
    """A campaign as it was applied; `body` is the file's content."""

    __tablename__ = "campaign"
    __table_args__ = (Index("ix_campaign_name_id", "name", "id"),)


class Run(Row, table=True):
    """One start of a campaign, with the versions it froze.

    Pause and cancel change this row, never its million messages.
    """

    __tablename__ = "run"

    id: int | None = Field(default=None, primary_key=True, sa_type=BigKey)
    campaign: str = Field(index=True)
    #: `once`, or the UTC instant the schedule or `--again` named.
    occurrence: str
    #: 48-bit random hex (12 digits): names the run in Message-IDs.
    token: str = Field(unique=True)
    #: Null in the runs of sequences, whose leads come by trigger and whose steps name templates.
    campaign_id: int | None = Field(default=None, sa_type=BigInteger, foreign_key="campaign.id")
    segment_version_id: int | None = Field(
        default=None, sa_type=BigInteger, foreign_key="segment_version.id"
    )
    template_version_id: int | None = Field(
        default=None, sa_type=BigInteger, foreign_key="template_version.id"
    )
    identity: str
    #: planning | running | paused | cancelled | finished
    state: str = Field(index=True)
    #: Why it is paused, in words for a marketer.
    reason: str = ""
    #: hold | resend: what happens to a message whose fate is unknown.
    when_in_doubt: str = "hold"
    #: Highest lead id whose range is planned; planning goes on from here after a kill.
    planned_to: int = Field(default=0, sa_type=BigInteger)
    #: Set by the last range; nothing leaves before.
    planned_at: datetime | None = Field(default=None, sa_type=Instant)
    #: With `--first N`: only rows up to this id may leave until somebody resumes the run.
    released_to: int | None = Field(default=None, sa_type=BigInteger)
    started_at: datetime = Field(sa_type=Instant)
    finished_at: datetime | None = Field(default=None, sa_type=Instant)
    by: str = ""
    #: What planning needs again after a kill (topic, window, expiry, first), fixed at start.
    terms: JsonObject = Field(default_factory=dict, sa_type=Json)
    #: Which variant the leads get that were kept back (`choosing.py`); empty until that is known.
    choice: JsonObject = Field(default_factory=dict, sa_type=Json)

    __table_args__ = (UniqueConstraint("campaign", "occurrence"),)


class Message(Row, table=True):
    """One mail to one lead, written down before anything is sent.

    States and moves: `campaigns/states.py`.
    """

    __tablename__ = "message"

    id: int | None = Field(default=None, primary_key=True, sa_type=BigKey)
    run_id: int = Field(sa_type=BigInteger, foreign_key="run.id")
    lead_id: int = Field(sa_type=BigInteger, foreign_key="lead.id")
    pass_: int = Field(default=0, sa_column=Column("pass", Integer, nullable=False, default=0))
    #: `mail` for campaigns; the step's name for sequences.
    step: str = "mail"
    lane_id: int = Field(sa_type=BigInteger, foreign_key="lane.id")
    template_version_id: int = Field(sa_type=BigInteger, foreign_key="template_version.id")
    state: str
    #: Why it was skipped, rejected or is in doubt.
    reason: str = ""
    due_at: datetime = Field(sa_type=Instant)
    expires_at: datetime = Field(sa_type=Instant)
    #: The Message-ID without angle brackets; the same for every attempt (RFC 5322 3.6.4). Unique,
    #: because the tokens of runs and leads are, and found through them (`rfc_message_id.py`).
    rfc_message_id: str
    #: Attempts written so far; numbers the next one.
    attempts: int = 0
    #: How often a server asked us to come back: indexes the retry plan.
    deferrals: int = 0
    #: The process that holds a `sending` row.
    owner: str | None = None
    claimed_at: datetime | None = Field(default=None, sa_type=Instant)
    #: When the state stopped changing.
    settled_at: datetime | None = Field(default=None, sa_type=Instant)
    #: The server's last words and, from them, the relay's own id for the message.
    reply: str = ""
    relay_id: str | None = None
    subject: str | None = None
    #: What the template read, so that the mail can be shown again exactly.
    context: JsonObject | None = Field(default=None, sa_type=Json)
    identity_version_id: int | None = Field(default=None, sa_type=BigInteger)

    __table_args__ = (
        # One row per lead and step: the promise that nobody is written to twice is this line.
        UniqueConstraint("run_id", "lead_id", "pass", "step"),
        # A claim reads the head of this index per active run; rows of paused runs are not visited.
        Index(
            "ix_message_due",
            "run_id",
            "lane_id",
            "due_at",
            "id",
            sqlite_where=text("state = 'planned'"),
            postgresql_where=text("state = 'planned'"),
        ),
        Index(
            "ix_message_open",
            "state",
            "run_id",
            sqlite_where=text("state IN ('sending', 'in_doubt')"),
            postgresql_where=text("state IN ('sending', 'in_doubt')"),
        ),
        Index("ix_message_run_id_state", "run_id", "state", "reason"),
        # Breakers and warm-ups count answers of a lane, or of a run in it, since a moment.
        Index(
            "ix_message_answered",
            "lane_id",
            "settled_at",
            "run_id",
            sqlite_where=text("state IN ('accepted', 'rejected')"),
            postgresql_where=text("state IN ('accepted', 'rejected')"),
        ),
        # The frequency cap counts a lead's messages of the last days.
        Index("ix_message_lead_id_settled_at", "lead_id", "settled_at"),
        Index(
            "ix_message_relay_id",
            "relay_id",
            sqlite_where=text("relay_id IS NOT NULL"),
            postgresql_where=text("relay_id IS NOT NULL"),
        ),
    )


class Attempt(Row, table=True):
    """One try to hand a message to a server; written before the server is spoken to."""

    __tablename__ = "attempt"

    id: int | None = Field(default=None, primary_key=True, sa_type=BigKey)
    message_id: int = Field(sa_type=BigInteger, foreign_key="message.id")
    number: int
    owner: str
    started_at: datetime = Field(sa_type=Instant)
    ended_at: datetime | None = Field(default=None, sa_type=Instant)
    #: accepted | rejected | deferred | unsent | in_doubt | skipped; null while under way.
    result: str | None = None
    #: How far the dialogue got: connect, mail, rcpt, data, body, done.
    phase: str | None = None
    code: int | None = None
    enhanced: str | None = None
    reply: str = ""

    __table_args__ = (UniqueConstraint("message_id", "number"),)


class Sequence(Version, table=True):
    """A sequence as it was applied, closed: stages, entry rule and topic stand in `body`."""

    __tablename__ = "sequence"
    __table_args__ = (Index("ix_sequence_name_id", "name", "id"),)


class Enrolment(Row, table=True):
    """One lead's way through one sequence. Only its next message exists.

    The steps are those of the version it started with (`sequence_id`).
    """

    __tablename__ = "enrolment"

    id: int | None = Field(default=None, primary_key=True, sa_type=BigKey)
    #: The sequence's name, over all its versions.
    sequence: str
    sequence_id: int = Field(sa_type=BigInteger, foreign_key="sequence.id")
    run_id: int = Field(sa_type=BigInteger, foreign_key="run.id")
    lead_id: int = Field(sa_type=BigInteger, foreign_key="lead.id")
    #: 1 for the first time this lead enters the sequence, then 2, ...
    pass_: int = Field(default=1, sa_column=Column("pass", Integer, nullable=False))
    #: The event that started it; what happens to the lead after it (a higher id) can end it.
    event_id: int = Field(sa_type=BigInteger)
    #: The step it stands at, by name.
    step: str
    #: When to look at it: the end of a wait, or when its message is due.
    due_at: datetime = Field(sa_type=Instant)
    #: Its latest message; null before the first.
    message_id: int | None = Field(default=None, sa_type=BigInteger, foreign_key="message.id")
    #: active | done | exited
    state: str
    #: Why it was exited.
    reason: str = ""
    enrolled_at: datetime = Field(sa_type=Instant)
    ended_at: datetime | None = Field(default=None, sa_type=Instant)
    #: The event that ended it, when one did: entering the stage before it counts as the same way.
    end_event_id: int | None = Field(default=None, sa_type=BigInteger)

    __table_args__ = (
        UniqueConstraint("sequence", "lead_id", "pass"),
        # Nobody walks through a sequence twice at the same time: the database says so.
        Index(
            "ix_enrolment_active",
            "lead_id",
            "sequence",
            unique=True,
            sqlite_where=text("state = 'active'"),
            postgresql_where=text("state = 'active'"),
        ),
        # Each survey reads the head of this index per running sequence.
        Index(
            "ix_enrolment_due",
            "run_id",
            "due_at",
            "id",
            sqlite_where=text("state = 'active'"),
            postgresql_where=text("state = 'active'"),
        ),
        # A claim finds the enrolment of a message.
        Index("ix_enrolment_message_id", "message_id"),
    )
