"""What a claim looks at: a run's due messages in a lane, and all that speaks against them.

One query, read in the claiming transaction; `admit.py` decides on each row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ColumnElement,
    Row,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal,
    null,
    or_,
    select,
    update,
)
from sqlmodel import Session, col

from campaigns.admit import Chosen
from campaigns.domain_cap import DomainCap
from campaigns.runs import Terms
from campaigns.sequence_runs import is_sequence
from campaigns.sequences import EnrolmentState
from campaigns.states import WRITTEN, State
from campaigns.tables import Enrolment, Message, Run
from deliverability import Schedule, takes_no_mail
from leads import WEEK, Event, FrequencyCap, Instant, Lead, Wish, why_left_out


@dataclass(frozen=True, kw_only=True, slots=True)
class LaneRules:
    """What a claim must know besides the rows."""

    lane_id: int
    identity: str
    #: Messages the identity may send on one local day; None means no cap.
    per_day: int | None
    #: The workspace's zone: whose midnight ends a day, and the zone of leads without one.
    zone: ZoneInfo
    cap: FrequencyCap | None = None
    #: The way up of a new sender: less than `per_day` while it lasts.
    warm_up: Schedule | None = None
    #: The day's messages keep a distance from each other.
    spread: bool = False
    #: How many messages an hour a company gets; None: any number, as in lanes of big providers.
    domains: DomainCap | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Due:
    """The columns of a due message that claiming needs."""

    id: int
    lead_id: int
    attempts: int
    deferrals: int
    template_version_id: int
    rfc_message_id: str
    due_at: datetime
    expires_at: datetime

    @property
    def claim(self) -> tuple[int, int]:
        """What claiming it is called: the message and which attempt at it."""
        return self.id, self.attempts + 1


_DUE_COLUMNS = (
    col(Message.id),
    col(Message.lead_id),
    col(Message.attempts),
    col(Message.deferrals),
    col(Message.template_version_id),
    col(Message.rfc_message_id),
    col(Message.due_at),
    col(Message.expires_at),
)


def _recent(since: str) -> list[ColumnElement[Any]]:
    """How many messages since the moment of this name count against a limit, and when the oldest of
    them was sent.

    `sending` and `in_doubt` count too: somebody may have received them.
    """
    other = Message.__table__.alias("other")  # type: ignore[attr-defined]
    when = func.coalesce(other.c.settled_at, other.c.claimed_at, type_=Instant)
    counted = and_(
        other.c.lead_id == col(Lead.id),
        other.c.state.in_(sorted(WRITTEN)),
        when > bindparam(since, type_=Instant),
    )
    return [
        select(func.count()).select_from(other).where(counted).scalar_subquery(),
        select(func.min(when, type_=Instant)).where(counted).scalar_subquery(),
    ]


#: Made once: they take as long as a short claim. Against the workspace's limit, when there is none,
#: and against the lead's own, if it has one.
_CAPPED = _recent("capped_since")
_NO_CAP: list[ColumnElement[Any]] = [literal(0), literal(None, Instant)]
_OWN = [
    case((col(Wish.per_week).is_not(None), each), else_=null()) for each in _recent("week_since")
]


def _answered(run: Run, *, sequence: bool) -> ColumnElement[bool]:
    """A human answered this campaign; in a sequence: anything we sent, since the lead entered."""
    since = col(Event.id) > col(Enrolment.event_id) if sequence else None
    return exists().where(
        col(Event.lead_id) == col(Lead.id),
        # coalesce keeps SQLite from starting at the index on kind: it would read every reply to the
        # campaign once per candidate instead of the lead's own few events.
        func.coalesce(col(Event.kind), "") == "replied",
        col(Event.campaign) == run.campaign if since is None else since,
    )


#: RFC 7505 4: mail for a domain that says it takes none is not even tried.
_NO_MAIL_SERVER = case((takes_no_mail(col(Lead.domain)), literal("no_mail_server")), else_=null())


def _left(terms: Terms) -> ColumnElement[str | None]:
    """Why a sequence must not go on for this lead, even if nobody has noticed yet."""
    ended = func.coalesce(func.nullif(col(Enrolment.reason), ""), literal("left_sequence"))
    rules: list[tuple[ColumnElement[bool], ColumnElement[str]]] = [
        (func.coalesce(col(Enrolment.state), "") != EnrolmentState.ACTIVE, ended)
    ]
    if terms.exits:
        places = [
            and_(col(Lead.pipeline) == pipeline, col(Lead.stage) == stage)
            for pipeline, stage in terms.exits
        ]
        rules.append((or_(*places), literal("left_stage")))
    return case(*rules, else_=null())


def candidates(
    session: Session, run: Run, rules: LaneRules, *, wanted: int, now: datetime
) -> Sequence[tuple[Any, ...]]:
    """The columns of `Due`, what speaks against it (a reason, or `Chosen`), the lead's zone,
    country and domain, whether it answered, and what counts against the workspace's limit: a number
    and a time."""
    terms = Terms.of_body(run.terms)
    sequence = is_sequence(run)
    reason = func.coalesce(why_left_out(terms.permission), _NO_MAIL_SERVER)
    if sequence:
        reason = func.coalesce(reason, _left(terms))
    due = [
        col(Message.run_id) == run.id,
        col(Message.lane_id) == rules.lane_id,
        col(Message.state) == State.PLANNED,
        col(Message.due_at) <= now,
    ]
    if run.released_to is not None:
        due.append(col(Message.id) <= run.released_to)
    wanted_rows = (
        select(
            *_DUE_COLUMNS,
            reason,
            col(Lead.timezone),
            col(Lead.country),
            col(Lead.domain),
            _answered(run, sequence=sequence),
            *(_CAPPED if rules.cap is not None else _NO_CAP),
            *_OWN,
            col(Wish.paused_until),
            col(Wish.per_week),
        )
        .join(Lead, col(Lead.id) == col(Message.lead_id))
        .outerjoin(Wish, col(Wish.lead_id) == col(Message.lead_id))
        .where(*due)
        .order_by(col(Message.due_at), col(Message.id))
        .limit(wanted)
        # SQLite has one writer and ignores this; on PostgreSQL two claimers never meet.
        .with_for_update(of=Message, skip_locked=True)
    )
    if sequence:
        wanted_rows = wanted_rows.outerjoin(Enrolment, col(Enrolment.message_id) == col(Message.id))
    since = {"week_since": now - timedelta(days=WEEK)}
    if rules.cap is not None:
        since["capped_since"] = now - timedelta(days=rules.cap.days)
    found = session.execute(wanted_rows, since).all()
    return [_facts(session, row, sequence, now) for row in found]


def _facts(session: Session, row: Row[Any], sequence: bool, now: datetime) -> tuple[Any, ...]:
    columns = tuple(row)
    due, (reason, zone, country, domain, replied, count, first) = columns[:8], columns[8:15]
    own_count, own_first, paused_until, per_week = columns[15:]
    if reason is None and (paused_until is not None or per_week is not None):
        reason = Chosen(
            paused_until=paused_until,
            per_week=per_week,
            recent=own_count or 0,
            oldest_recent=own_first,
        )
        if sequence and (until := reason.free_at(now)) is not None:
            due = _kept(session, due, until)
    return (*due, reason, zone, country, domain, replied, count, first)


def _kept(session: Session, due: tuple[Any, ...], until: datetime) -> tuple[Any, ...]:
    """A step of a sequence outlasts what keeps it back, and lives as long from then on.

    The lead asked for a rest or for fewer mails, not for the sequence to be given up.
    """
    facts = Due(**dict(zip(Due.__slots__, due, strict=True)))
    expires_at = until + (facts.expires_at - facts.due_at)
    session.execute(
        update(Message)
        .where(col(Message.id) == facts.id, col(Message.state) == State.PLANNED)
        .values(expires_at=expires_at)
        .execution_options(synchronize_session=False)
    )
    return (*due[:-1], expires_at)
