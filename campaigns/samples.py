"""How many messages got an answer, and how many of them went bad: what breakers and warm-ups judge.

Counted from the rows themselves whenever it is asked, for those of one identity's lanes or of one
run, by an index of answered messages. A bounce belongs to its message, whenever it came back.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select, text
from sqlmodel import Session, col

from campaigns.states import State
from campaigns.tables import Message, Run
from deliverability import LAST_MESSAGES, Lane, Measure, Scope, Window
from leads import Event, Instant

#: As in the index: SQLite takes it only when the condition is the same to the letter.
ANSWERED = text("message.state IN ('accepted', 'rejected')")
DAY, WEEK = timedelta(hours=24), timedelta(days=7)
#: A report may say that it was written before we noted the server's answer.
_SLACK = timedelta(days=1)
_KINDS = {Measure.BOUNCES: "bounced", Measure.COMPLAINTS: "complained"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Suspect:
    """A run or an identity whose messages are counted."""

    scope: Scope
    key: str
    #: Of the campaign, or the identity.
    name: str
    lanes: tuple[int, ...]
    run_id: int | None = None
    #: Nothing before it counts: it began then, or somebody said "I know".
    since: datetime

    def its(self, since: datetime) -> list[ColumnElement[bool]]:
        """Its messages that were answered since then, as conditions on Message."""
        mine = [col(Message.lane_id).in_(self.lanes), col(Message.settled_at) >= since]
        if self.run_id is not None:
            mine.append(col(Message.run_id) == self.run_id)
        return mine


def lanes_of(session: Session, *identities: str) -> tuple[int, ...]:
    """The numbers of these identities' lanes."""
    found = session.scalars(select(col(Lane.id)).where(col(Lane.identity).in_(identities)))
    return tuple(sorted(number for number in found if number is not None))


def answered(session: Session, suspect: Suspect, since: datetime) -> int:
    """How many of its messages got their last answer since then."""
    return (
        session.scalar(
            select(func.count())
            .select_from(Message)
            .where(*suspect.its(max(since, suspect.since)), ANSWERED)
        )
        or 0
    )


def went_bad(session: Session, suspect: Suspect, measure: Measure, since: datetime) -> int:
    """How many of those bounced for good, or were called spam."""
    since = max(since, suspect.since)
    kind = _KINDS[measure]
    hard: list[ColumnElement[bool]] = []
    if measure is Measure.BOUNCES:
        data: Any = col(Event.data)
        hard.append(data["hard"].as_boolean().is_(True))
    return (
        session.scalar(
            select(func.count(col(Message.id).distinct()))
            .select_from(Event)
            .join(Message, col(Message.id) == col(Event.message_id))
            .where(
                col(Event.kind) == kind,
                col(Event.at) >= since - _SLACK,
                *hard,
                *suspect.its(since),
            )
        )
        or 0
    )


def begin_of_last(session: Session, suspect: Suspect, count: int = LAST_MESSAGES) -> datetime:
    """When the first of its last `count` answers came; where it begins when there are fewer."""
    newest: list[datetime] = []
    for lane in suspect.lanes:
        mine = [col(Message.lane_id) == lane, col(Message.settled_at) >= suspect.since]
        if suspect.run_id is not None:
            mine.append(col(Message.run_id) == suspect.run_id)
        # Lane by lane each is the end of a range of the index; together they would be sorted.
        newest += [
            moment
            for moment in session.scalars(
                select(col(Message.settled_at))
                .where(*mine, ANSWERED)
                .order_by(col(Message.settled_at).desc())
                .limit(count)
            )
            if moment is not None
        ]
    newest.sort(reverse=True)
    return newest[count - 1] if len(newest) >= count else suspect.since


def windows(session: Session, suspect: Suspect, measure: Measure, *, now: datetime) -> list[Window]:
    """What a breaker judges: the last day, the last 200, and for complaints, which take their
    time, the last week as providers count them."""
    starts = {"within 24 hours": now - DAY}
    if measure is Measure.COMPLAINTS:
        starts["within 7 days"] = now - WEEK
    starts[f"the last {LAST_MESSAGES}"] = begin_of_last(session, suspect)
    return [
        Window(
            name=name,
            answered=answered(session, suspect, start),
            bad=went_bad(session, suspect, measure, start),
        )
        for name, start in starts.items()
    ]


def probes(session: Session, suspect: Suspect, since: datetime) -> tuple[int, datetime | None, int]:
    """(answered since, the last one's time, under way or in doubt) of messages that leave first
    after somebody has looked; few by their nature."""
    count, last = session.execute(
        select(func.count(), func.max(col(Message.settled_at), type_=Instant))
        .select_from(Message)
        .where(*suspect.its(since), ANSWERED)
    ).one()
    open_ = [
        col(Message.state).in_([State.SENDING, State.IN_DOUBT]),
        col(Message.claimed_at) >= since,
        col(Message.lane_id).in_(suspect.lanes),
    ]
    if suspect.run_id is not None:
        open_.append(col(Message.run_id) == suspect.run_id)
    under_way = session.scalar(select(func.count()).select_from(Message).where(*open_)) or 0
    return count, last, under_way


def of_identity(session: Session, name: str, since: datetime) -> Suspect:
    """An identity's messages over all its lanes."""
    return Suspect(
        scope=Scope.IDENTITY, key=name, name=name, lanes=lanes_of(session, name), since=since
    )


def of_run(session: Session, run: Run, senders: list[str], since: datetime | None) -> Suspect:
    """A run's messages, whoever of its senders writes them."""
    return Suspect(
        scope=Scope.RUN,
        key=str(run.id),
        name=run.campaign,
        lanes=lanes_of(session, *senders),
        run_id=run.id,
        since=max(run.started_at, since) if since else run.started_at,
    )
