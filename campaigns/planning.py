"""From a segment to message rows: one INSERT ... SELECT per range of lead ids.

Every lead the rule matches gets a row, those who must not be written to as `skipped(reason)`, so
sums hold and "why did Anna not get it" has an answer. Nothing is loaded into Python: Message-IDs
are concatenated in SQL, due times are computed per distinct time zone and listed there, and
each lead's reason is worked out once. A claim asks again, lead by lead. What it costs beside a bare
INSERT ... SELECT of the same rows: `benchmarks/README.md`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    String,
    and_,
    case,
    exists,
    func,
    insert,
    join,
    literal,
    null,
    select,
    update,
)
from sqlalchemy.sql.selectable import FromClause
from sqlmodel import Session, col

from campaigns.runs import Terms
from campaigns.states import WRITTEN, RunState, State
from campaigns.tables import Message, Run
from campaigns.window import Window, zone_of
from deliverability import OTHER, Domain, lanes
from leads import Instant, Lead, why_left_out_of

#: Leads per transaction. Message-IDs are random, so near the end of a big run each range dirties
#: most of their unique index: with 1,000,000 leads on SQLite ranges of 20,000 take 2.7 times as
#: long as a bare INSERT ... SELECT, ranges of 50,000 twice as long, and hold the lock for 0.9 s.
RANGE = 50_000

#: Zones so frequent are listed whenever they are due.
_FREQUENT = 20

#: `where(now)` of the frozen segment: which leads match, at one moment.
Rule = Callable[[datetime], ColumnElement[bool]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Planned:
    """What one range did."""

    #: Rows written by this call.
    rows: int
    #: Highest lead id that is planned now.
    up_to: int
    #: Highest lead id there is: for a progress bar.
    last: int
    #: The run may send now, or was paused or cancelled meanwhile: there is nothing left to plan.
    done: bool


def left_out(
    terms: Terms, campaign: str, *, low: int | None = None, high: int | None = None
) -> ColumnElement[str | None]:
    """Why a matching lead gets no mail in this run, as SQL; NULL for those who do.

    For all leads, or for those with `low` < id <= `high`.
    """
    reason = why_left_out_of(terms.permission, low, high)
    if not terms.again:
        return reason
    earlier = select(col(Run.id)).where(col(Run.campaign) == campaign)
    written = exists().where(
        col(Message.run_id).in_(earlier),
        col(Message.lead_id) == col(Lead.id),
        col(Message.state).in_(sorted(WRITTEN)),
    )
    return func.coalesce(reason, case((written, literal("already_written")), else_=null()))


def plan_range(
    session: Session, run_id: int, rule: Rule, *, now: datetime, zone: ZoneInfo, size: int = RANGE
) -> Planned:
    """Plans the next `size` lead ids of a run; the last range lets it send.

    Safe to repeat and safe beside another planner: the run's row says how far planning got and the
    unique key of `message` takes no lead twice.
    """
    run = session.scalars(select(Run).where(col(Run.id) == run_id).with_for_update()).one()
    last = session.scalar(select(func.max(col(Lead.id)))) or 0
    if run.state != RunState.PLANNING:
        return Planned(rows=0, up_to=run.planned_to, last=last, done=True)
    low = run.planned_to
    high = session.scalar(
        select(col(Lead.id))
        .where(col(Lead.id) > low)
        .order_by(col(Lead.id))
        .offset(size - 1)
        .limit(1)
    )
    final = high is None
    high = last if high is None else high
    rows = _insert(session, run, rule, low=low, high=high, now=now, zone=zone) if high > low else 0
    changes: dict[str, object] = {"planned_to": max(low, high)}
    if final:
        changes |= {"planned_at": now, "state": RunState.RUNNING}
        first = run.terms.get("first")
        if first:
            changes["released_to"] = _nth_waiting(session, run_id, first)
    session.execute(
        update(Run)
        .where(col(Run.id) == run_id, col(Run.planned_to) == low)
        .values(**changes)
        .execution_options(synchronize_session=False)
    )
    return Planned(rows=rows, up_to=max(low, high), last=last, done=final)


def _nth_waiting(session: Session, run_id: int, n: int) -> int | None:
    """The id of the n-th row that may leave; None when there are no more than n."""
    return session.scalar(
        select(col(Message.id))
        .where(col(Message.run_id) == run_id, col(Message.state) == State.PLANNED)
        .order_by(col(Message.id))
        .offset(n - 1)
        .limit(1)
    )


def _insert(
    session: Session,
    run: Run,
    rule: Rule,
    *,
    low: int,
    high: int,
    now: datetime,
    zone: ZoneInfo,
) -> int:
    terms = Terms.of_body(run.terms)
    by_provider = lanes(session, run.identity)
    in_range = and_(col(Lead.id) > low, col(Lead.id) <= high)
    source: FromClause = join(Lead, Domain, col(Domain.name) == col(Lead.domain), isouter=True)
    lane = case(by_provider, value=col(Domain.provider), else_=by_provider[OTHER])
    due: ColumnElement[datetime] = literal(now, Instant)
    if terms.window is not None:
        due = _due(session, in_range, terms.window, now=now, zone=zone)
    # The limit, which is no limit, keeps the databases from working the reason out for each column
    # it decides.
    lead = (
        select(
            col(Lead.id).label("id"),
            col(Lead.token).label("token"),
            lane.label("lane_id"),
            due.label("due"),
            left_out(terms, run.campaign, low=low, high=high).label("reason"),
        )
        .select_from(source)
        .where(in_range, rule(run.started_at))
        .order_by(col(Lead.id))
        .limit(high - low)
        .subquery("lead")
    )
    rfc_message_id = (
        literal(f"{run.token}.mail.0.", String) + lead.c.token + literal(f"@{terms.domain}", String)
    )
    waiting = lead.c.reason.is_(None)
    selected = select(
        literal(run.id).label("run_id"),
        lead.c.id,
        literal(0),
        literal("mail"),
        lead.c.lane_id,
        literal(run.template_version_id),
        case((waiting, literal(State.PLANNED.value)), else_=literal(State.SKIPPED.value)),
        func.coalesce(lead.c.reason, ""),
        lead.c.due,
        literal(run.started_at + terms.expires_after, Instant),
        rfc_message_id,
        literal(0),
        literal(0),
        case((waiting, null()), else_=literal(now, Instant)),
        literal(""),
    )
    columns = [
        "run_id",
        "lead_id",
        "pass",
        "step",
        "lane_id",
        "template_version_id",
        "state",
        "reason",
        "due_at",
        "expires_at",
        "rfc_message_id",
        "attempts",
        "deferrals",
        "settled_at",
        "reply",
    ]
    # No conflict clause: rows and `planned_to` commit together, so a range is never inserted twice.
    statement = insert(Message).from_select(columns, selected, include_defaults=False)
    done = session.execute(statement)
    assert isinstance(done, CursorResult)  # noqa: S101 - an INSERT has a row count
    return done.rowcount


def _due(
    session: Session,
    in_range: ColumnElement[bool],
    window: Window,
    *,
    now: datetime,
    zone: ZoneInfo,
) -> ColumnElement[datetime]:
    """When the window next opens where the lead is, as SQL.

    A list of moments, each with its zones, which the databases walk from the one most leads have:
    SQLite would walk a joined table from end to end. A zone unknown to us counts as the
    workspace's.
    """
    named = select(col(Lead.timezone)).where(in_range).group_by(col(Lead.timezone))
    default = window.next_opening(now, zone)
    openings: dict[datetime, list[str]] = {}
    for number, name in enumerate(session.scalars(named.order_by(func.count().desc()))):
        opening = window.next_opening(now, _zone_of(name, zone))
        # The frequent zones are listed although the end of the list says the same of them.
        if opening != default or number < _FREQUENT:
            openings.setdefault(opening, []).append(name)
    usual = literal(default, Instant)
    if not openings:
        return usual
    moments = [
        (col(Lead.timezone).in_(names), literal(opening, Instant))
        for opening, names in openings.items()
    ]
    return case(*moments, else_=usual)


#: Python itself keeps eight zones and reads the others from their files again: 600 cost 150 ms.
_zone_of = lru_cache(maxsize=2048)(zone_of)


def planning_runs(session: Session) -> list[int]:
    """Ids of runs whose planning has begun and not ended: a worker carries on with these."""
    return [
        run_id
        for run_id in session.scalars(
            select(col(Run.id)).where(col(Run.state) == RunState.PLANNING).order_by(col(Run.id))
        )
        if run_id is not None
    ]
