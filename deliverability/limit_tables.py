"""Tables of what limits an identity by itself: breakers that tripped, warm-ups."""

from datetime import date, datetime

from sqlalchemy import Index, text
from sqlmodel import Field

from leads import BigKey, Instant, Json, JsonObject, Row

#: A condition on `breaker`: it still holds something back.
HOLDING = "state <> 'closed'"


class Breaker(Row, table=True):
    """One time sending was stopped because of what came back; kept for good."""

    __tablename__ = "breaker"

    id: int | None = Field(default=None, primary_key=True, sa_type=BigKey)
    #: run | identity | lane
    scope: str
    #: The run's or lane's number, or the identity's name.
    key: str
    #: bounces | complaints | authentication | deferrals
    measure: str
    #: open (nothing leaves), half_open (a few leave first), closed (all is well again)
    state: str
    tripped_at: datetime = Field(sa_type=Instant)
    #: What was seen, in words.
    reason: str
    #: The numbers it was judged by.
    seen: JsonObject = Field(default_factory=dict, sa_type=Json)
    #: Of a lane: when it is tried again by itself.
    until: datetime | None = Field(default=None, sa_type=Instant)
    #: When somebody said "I know", and who; what happened before does not count again.
    acknowledged_at: datetime | None = Field(default=None, sa_type=Instant)
    acknowledged_by: str = ""
    closed_at: datetime | None = Field(default=None, sa_type=Instant)

    __table_args__ = (
        # Every claim asks what is held: mostly nothing.
        Index(
            "ix_breaker_holding",
            "scope",
            "key",
            "measure",
            unique=True,
            sqlite_where=text(HOLDING),
            postgresql_where=text(HOLDING),
        ),
        Index("ix_breaker_scope_key_id", "scope", "key", "id"),
    )


class WarmUp(Row, table=True):
    """How far an identity's warm-up has got. One row each; it survives another schedule."""

    __tablename__ = "warm_up"

    identity: str = Field(primary_key=True)
    #: The schedule's name, or `own`.
    schedule: str
    started: date
    #: Counted from 0; behind the last one it is over.
    step: int = 0
    #: The last local day that was judged; the day after it is the one that counts now.
    judged: date
    #: What the last judgement said, for a person.
    why: str = ""
    updated_at: datetime = Field(sa_type=Instant)
