"""Reading a mailbox to its end: batch after batch, mails and position in one transaction each."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlmodel import Session, col

from campaigns.feedback import Desk, Taken, take
from campaigns.noting import is_known, write_down
from campaigns.store import Store
from deliverability import (
    Arrived,
    InboundKind,
    MailboxCursor,
    MailboxReader,
    Reading,
    classify_inbound,
)
from leads import JsonObject

#: Mails read and applied in one transaction.
BATCH = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class Polled:
    """What one reading of a mailbox brought."""

    #: Mails that were new to us.
    new: int = 0
    #: Events written, by kind.
    events: Mapping[str, int] = field(default_factory=dict)
    #: Mails that are about nothing of ours.
    unmatched: int = 0
    #: Mails that could not be read, with the reason.
    unreadable: tuple[str, ...] = ()


def nothing(_point: str) -> None:
    """The fault that never happens; tests pass another."""


async def poll(
    store: Store,
    reader: MailboxReader,
    desk: Desk,
    *,
    now: datetime,
    batch: int = BATCH,
    fault: Callable[[str], None] = nothing,
) -> Polled:
    """Reads what is new in the mailbox and acts on it, batch after batch, to the end.

    Raises deliverability.MailboxError when the mailbox cannot be read. `fault` is told each step.
    """
    new = unmatched = 0
    events: dict[str, int] = {}
    unreadable: tuple[str, ...] = ()
    position = await store.read(lambda session: position_of(session, desk, reader.folder))
    more = True
    while more:
        read = await reader.read(position, now=now, limit=batch)
        fault("read")
        readings = await asyncio.to_thread(_classify, read.mails)
        unreadable = read.unreadable
        if read.mails or read.position != position:
            after = read.position

            def work(
                session: Session,
                readings: list[tuple[Arrived, Reading]] = readings,
                after: JsonObject = after,
            ) -> list[Taken | None]:
                _lock_cursor(session, desk, reader.folder, now=now)
                taken = [_take_safely(session, *one, desk, now=now) for one in readings]
                fault("applied")
                _move_cursor(session, desk, reader.folder, after, now=now)
                fault("moved")
                return taken

            for one in await store.write(work):
                if one is not None:
                    new += 1
                    unmatched += one.lead_id is None
                    if one.event:
                        events[one.event] = events.get(one.event, 0) + 1
            fault("committed")
        position = read.position
        more = read.more
    return Polled(new=new, events=events, unmatched=unmatched, unreadable=unreadable)


def _classify(mails: Sequence[Arrived]) -> list[tuple[Arrived, Reading]]:
    return [(mail, classify_inbound(mail.raw)) for mail in mails]


def position_of(session: Session, desk: Desk, folder: str) -> JsonObject | None:
    """How far the mailbox has been read; None before the first time."""
    row = session.get(MailboxCursor, (desk.identity, folder))
    return None if row is None or not row.position else dict(row.position)


def _lock_cursor(session: Session, desk: Desk, folder: str, *, now: datetime) -> None:
    """Two readers of one mailbox (a command beside `potok run`) take turns."""
    mine = (
        select(MailboxCursor)
        .where(col(MailboxCursor.identity) == desk.identity, col(MailboxCursor.folder) == folder)
        .with_for_update()
    )
    if session.scalars(mine).first() is not None:
        return
    try:
        with session.begin_nested():
            session.add(
                MailboxCursor(identity=desk.identity, folder=folder, position={}, read_at=now)
            )
    except IntegrityError:
        session.scalars(mine).one()


def _move_cursor(
    session: Session, desk: Desk, folder: str, position: JsonObject, *, now: datetime
) -> None:
    row = session.get_one(MailboxCursor, (desk.identity, folder))
    row.position = position
    row.read_at = now
    session.flush()


def _take_safely(
    session: Session, arrived: Arrived, reading: Reading, desk: Desk, *, now: datetime
) -> Taken | None:
    """As `take`; a mail that breaks it is kept unread rather than stopping all behind it."""
    if is_known(session, arrived, identity=desk.identity):
        return None
    try:
        with session.begin_nested():
            return take(session, arrived, reading, desk, now=now)
    except OperationalError:
        raise  # the database, not the mail
    except Exception as error:  # a stranger's mail must not stop the mailbox
        with session.begin_nested():
            write_down(
                session,
                arrived,
                Reading(kind=InboundKind.OTHER),
                None,
                None,
                identity=desk.identity,
                at=arrived.at,
                now=now,
                matched_by=f"not understood: {type(error).__name__}",
            )
        return Taken(kind=InboundKind.OTHER)
