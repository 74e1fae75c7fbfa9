"""Day caps: how many messages an identity may still use today, counted where everyone sees it."""

from datetime import date, datetime

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from deliverability.tables import IdentityDay


def take_day(
    session: Session, identity: str, day: date, *, wanted: int, cap: int, now: datetime
) -> int:
    """Takes up to `wanted` messages out of the identity's local `day`; how many it may have.

    The row stays locked until the caller's transaction ends, so several processes together never
    go over the cap.
    """
    used = _used(session, identity, day)
    granted = min(wanted, max(0, cap - used))
    if granted:
        session.execute(
            update(IdentityDay)
            .where(
                col(IdentityDay.identity) == identity,
                col(IdentityDay.day) == day,
                col(IdentityDay.used) + granted <= cap,
            )
            .values(used=col(IdentityDay.used) + granted, last_at=now)
            .execution_options(synchronize_session=False)
        )
    return granted


def give_day(session: Session, identity: str, day: date, *, count: int) -> None:
    """Gives back what was taken for messages that did not leave; never below zero."""
    session.execute(
        update(IdentityDay)
        .where(
            col(IdentityDay.identity) == identity,
            col(IdentityDay.day) == day,
            col(IdentityDay.used) >= count,
        )
        .values(used=col(IdentityDay.used) - count)
        .execution_options(synchronize_session=False)
    )


def last_taken(session: Session, identity: str) -> datetime | None:
    """When the identity's last message was claimed, today or on an earlier day."""
    return session.scalar(
        select(col(IdentityDay.last_at))
        .where(col(IdentityDay.identity) == identity, col(IdentityDay.last_at).is_not(None))
        .order_by(col(IdentityDay.day).desc())
        .limit(1)
    )


def used_today(session: Session, identity: str, day: date) -> int:
    """How many messages the identity used on that local day."""
    return (
        session.scalar(
            select(col(IdentityDay.used)).where(
                col(IdentityDay.identity) == identity, col(IdentityDay.day) == day
            )
        )
        or 0
    )


def _used(session: Session, identity: str, day: date) -> int:
    reading = (
        select(col(IdentityDay.used))
        .where(col(IdentityDay.identity) == identity, col(IdentityDay.day) == day)
        .with_for_update()
    )
    used = session.scalar(reading)
    if used is not None:
        return used
    try:
        with session.begin_nested():
            session.execute(insert(IdentityDay).values(identity=identity, day=day, used=0))
    except IntegrityError:
        # Another process opened this day a moment ago; its row counts.
        return session.scalar(reading) or 0
    return 0
