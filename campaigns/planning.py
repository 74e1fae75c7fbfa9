"""From a segment to message rows: one INSERT ... SELECT per range of lead ids.

Every lead the rule matches gets a row, those who must not be written to as `skipped(reason)`, so
sums hold and "why did Anna not get it" has an answer. Nothing is loaded into Python: Message-IDs
are concatenated in SQL, due times are computed per distinct time zone and listed there, and
each lead's reason is worked out once. A claim asks again, lead by lead. How ranges follow each
other beside a sending lane: `ranges.py`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ColumnElement,
    CursorResult,
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

from campaigns import drawing
from campaigns.holdout import HELD_OUT, held_out
from campaigns.openings import openings
from campaigns.runs import Terms
from campaigns.states import WRITTEN, RunState, State
from campaigns.tables import Message, Run
from campaigns.window import Window
from deliverability import Domain
from leads import Instant, Lead, why_left_out_of

#: Lead ids per transaction when nobody has to wait for it.
RANGE = 50_000

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
    reasons = [why_left_out_of(terms.permission, low, high)]
    if terms.again:
        earlier = select(col(Run.id)).where(col(Run.campaign) == campaign)
        written = exists().where(
            col(Message.run_id).in_(earlier),
            col(Message.lead_id) == col(Lead.id),
            col(Message.state).in_(sorted(WRITTEN)),
        )
        reasons.append(case((written, literal("already_written")), else_=null()))
    if terms.holdout:
        # Last, so that those held out are like those written to in everything else.
        held = held_out(campaign, terms.holdout)
        reasons.append(case((held, literal(HELD_OUT)), else_=null()))
    return reasons[0] if len(reasons) == 1 else func.coalesce(*reasons)


@dataclass(frozen=True, kw_only=True, slots=True)
class Ahead:
    """The next range of a run, and what can be known of it before anybody is kept waiting."""

    #: The range is `low` < id <= `high`; `last` is the highest id there is.
    low: int
    high: int
    last: int
    #: When the window next opens where each of its leads is.
    due: ColumnElement[datetime]


def look_ahead(
    session: Session, run: Run, *, now: datetime, zone: ZoneInfo, size: int = RANGE
) -> Ahead:
    """The next `size` lead ids of a run; only reads.

    What changes until `plan_range` is judged again by the claim.
    """
    low = run.planned_to
    first, last = session.execute(
        select(
            select(func.min(col(Lead.id))).where(col(Lead.id) > low).scalar_subquery(),
            select(func.max(col(Lead.id))).scalar_subquery(),
        )
    ).one()
    # Numbers nobody has are jumped over.
    high = low if first is None else min(first + size - 1, last)
    terms = Terms.of_body(run.terms)

    def opening(window: Window | None) -> ColumnElement[datetime]:
        if window is None or high <= low:
            return literal(now, Instant)
        return openings(session, _between(low, high), window, now=now, zone=zone)

    return Ahead(low=low, high=high, last=last or 0, due=drawing.due(run, terms, opening))


def plan_range(
    session: Session,
    run_id: int,
    rule: Rule,
    *,
    now: datetime,
    zone: ZoneInfo,
    size: int = RANGE,
    ahead: Ahead | None = None,
) -> Planned:
    """Plans the next `size` lead ids of a run; the last range lets it send.

    `ahead` is that range when it was looked at already; somebody else may have planned it since.
    Safe to repeat and safe beside another planner: the run's row says how far planning got and the
    unique key of `message` takes no lead twice.
    """
    run = session.scalars(select(Run).where(col(Run.id) == run_id).with_for_update()).one()
    if run.state != RunState.PLANNING:
        last = session.scalar(select(func.max(col(Lead.id)))) or 0
        return Planned(rows=0, up_to=run.planned_to, last=last, done=True)
    if ahead is None or ahead.low != run.planned_to:
        ahead = look_ahead(session, run, now=now, zone=zone, size=size)
    rows = _insert(session, run, rule, ahead, now=now) if ahead.high > ahead.low else 0
    final = ahead.high >= ahead.last
    changes: dict[str, object] = {"planned_to": ahead.high}
    if final:
        changes |= {"planned_at": now, "state": RunState.RUNNING}
        first = run.terms.get("first")
        if first:
            changes["released_to"] = _nth_waiting(session, run_id, first)
    session.execute(
        update(Run)
        .where(col(Run.id) == run_id, col(Run.planned_to) == ahead.low)
        .values(**changes)
        .execution_options(synchronize_session=False)
    )
    return Planned(rows=rows, up_to=ahead.high, last=ahead.last, done=final)


def _between(low: int, high: int) -> ColumnElement[bool]:
    return and_(col(Lead.id) > low, col(Lead.id) <= high)


def _nth_waiting(session: Session, run_id: int, n: int) -> int | None:
    """The id of the n-th row that may leave; None when there are no more than n."""
    return session.scalar(
        select(col(Message.id))
        .where(col(Message.run_id) == run_id, col(Message.state) == State.PLANNED)
        .order_by(col(Message.id))
        .offset(n - 1)
        .limit(1)
    )


def _insert(session: Session, run: Run, rule: Rule, ahead: Ahead, *, now: datetime) -> int:
    terms = Terms.of_body(run.terms)
    low, high = ahead.low, ahead.high
    source: FromClause = join(Lead, Domain, col(Domain.name) == col(Lead.domain), isouter=True)
    # The limit, which is no limit, keeps the databases from working the reason out for each column
    # it decides.
    lead = (
        select(
            col(Lead.id).label("id"),
            drawing.lane(session, run, terms).label("lane_id"),
            ahead.due.label("due"),
            left_out(terms, run.campaign, low=low, high=high).label("reason"),
            drawing.template(run, terms).label("template_version_id"),
            drawing.rfc_message_id(run, terms).label("rfc_message_id"),
            drawing.state(run.campaign, terms).label("state"),
        )
        .select_from(source)
        .where(_between(low, high), rule(run.started_at))
        .order_by(col(Lead.id))
        .limit(high - low)
        .subquery("lead")
    )
    waiting = lead.c.reason.is_(None)
    selected = select(
        literal(run.id).label("run_id"),
        lead.c.id,
        literal(0),
        literal("mail"),
        lead.c.lane_id,
        lead.c.template_version_id,
        case((waiting, lead.c.state), else_=literal(State.SKIPPED.value)),
        func.coalesce(lead.c.reason, ""),
        lead.c.due,
        literal(run.started_at + terms.expires_after, Instant),
        lead.c.rfc_message_id,
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
    done = session.execute(statement, execution_options={"preserve_rowcount": True})
    assert isinstance(done, CursorResult)  # noqa: S101 - an INSERT has a row count
    return done.rowcount


def planning_runs(session: Session) -> list[int]:
    """Ids of runs whose planning has begun and not ended: a worker carries on with these."""
    return [
        run_id
        for run_id in session.scalars(
            select(col(Run.id)).where(col(Run.state) == RunState.PLANNING).order_by(col(Run.id))
        )
        if run_id is not None
    ]
