"""Breakers that tripped, in their rows: they hold over restarts until somebody says "I know"."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import CursorResult, func, insert, literal_column, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from deliverability.breaker import Measure, Scope
from deliverability.limit_tables import HOLDING, Breaker
from leads import Instant

OPEN, HALF_OPEN, CLOSED = "open", "half_open", "closed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """A breaker that holds something back."""

    id: int
    scope: str
    key: str
    measure: str
    #: open | half_open
    state: str
    reason: str
    tripped_at: datetime
    acknowledged_at: datetime | None
    until: datetime | None

    @property
    def open(self) -> bool:
        """Nothing leaves; else a few messages are tried."""
        return self.state == OPEN

    def document(self) -> dict[str, Any]:
        """The form for scripts."""
        return {
            "scope": self.scope,
            "measure": self.measure,
            "state": self.state,
            "reason": self.reason,
            "tripped_at": self.tripped_at,
            "acknowledged_at": self.acknowledged_at,
            "until": self.until,
        }


_COLUMNS = (
    col(Breaker.id),
    col(Breaker.scope),
    col(Breaker.key),
    col(Breaker.measure),
    col(Breaker.state),
    col(Breaker.reason),
    col(Breaker.tripped_at),
    col(Breaker.acknowledged_at),
    col(Breaker.until),
)
# Built once: every claim asks. The condition is spelt out so that the index of those that hold is
# seen to be meant.
_HOLDING = select(*_COLUMNS).where(text(HOLDING)).order_by(col(Breaker.id))


def holding(session: Session) -> list[Held]:
    """Every breaker that holds something back, oldest first; mostly none."""
    rows = session.connection().execute(_HOLDING).all()
    return [Held(**row._mapping) for row in rows]


def held(session: Session, scope: Scope, key: str) -> list[Held]:
    """Those that hold this run, identity or lane."""
    return [each for each in holding(session) if each.scope == scope and each.key == key]


def trip(
    session: Session,
    scope: Scope,
    key: str,
    measure: Measure,
    *,
    reason: str,
    seen: dict[str, Any],
    now: datetime,
    until: datetime | None = None,
) -> bool:
    """Writes down that a breaker tripped; whether it did just now.

    One that is open stays as it is; one that was trying with a few messages ends and trips anew.
    """
    mine = (
        col(Breaker.scope) == scope,
        col(Breaker.key) == key,
        col(Breaker.measure) == measure,
    )
    session.execute(
        update(Breaker)
        .where(*mine, col(Breaker.state) == HALF_OPEN)
        .values(state=CLOSED, closed_at=now)
        .execution_options(synchronize_session=False)
    )
    if session.scalar(select(col(Breaker.id)).where(*mine, col(Breaker.state) == OPEN)):
        return False
    try:
        with session.begin_nested():
            session.execute(
                insert(Breaker).values(
                    scope=scope,
                    key=key,
                    measure=measure,
                    state=OPEN,
                    tripped_at=now,
                    reason=reason[:500],
                    seen=seen,
                    until=until,
                    acknowledged_by="",
                )
            )
    except IntegrityError:
        return False  # somebody else saw the same a moment ago
    return True


def acknowledge(session: Session, scope: Scope, key: str, *, now: datetime, by: str) -> int:
    """A person has seen why: a few messages go first, then the rest. How many were open."""
    done = session.execute(
        update(Breaker)
        .where(col(Breaker.scope) == scope, col(Breaker.key) == key, col(Breaker.state) == OPEN)
        .values(state=HALF_OPEN, acknowledged_at=now, acknowledged_by=by)
        .execution_options(synchronize_session=False)
    )
    assert isinstance(done, CursorResult)  # noqa: S101 - an UPDATE has a row count
    return done.rowcount


def close_breakers(session: Session, ids: Sequence[int], *, now: datetime) -> None:
    """All is well again."""
    session.execute(
        update(Breaker)
        .where(col(Breaker.id).in_(ids), col(Breaker.state) != CLOSED)
        .values(state=CLOSED, closed_at=now)
        .execution_options(synchronize_session=False)
    )


def last_acknowledged(session: Session, scope: Scope, key: str) -> datetime | None:
    """When somebody last said "I know": what came before was looked at and counts no more."""
    return session.scalar(
        select(func.max(col(Breaker.acknowledged_at), type_=Instant)).where(
            col(Breaker.scope) == scope, col(Breaker.key) == key
        )
    )


def tripped_between(
    session: Session, scope: Scope, keys: Sequence[str], start: datetime, end: datetime
) -> int:
    """How often these were stopped from `start` until before `end`, whatever happened since."""
    return (
        session.scalar(
            select(func.count(literal_column("1")))
            .select_from(Breaker)
            .where(
                col(Breaker.scope) == scope,
                col(Breaker.key).in_(keys),
                col(Breaker.tripped_at) >= start,
                col(Breaker.tripped_at) < end,
            )
        )
        or 0
    )
