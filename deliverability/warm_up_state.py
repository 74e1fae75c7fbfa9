"""How far each identity's warm-up has got, in its row."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from deliverability.limit_tables import WarmUp
from deliverability.warm_up import Schedule, shipped_schedules


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """Where a warm-up stands."""

    schedule: str
    started: date
    #: Counted from 0.
    step: int
    #: The last local day that was judged.
    judged: date
    why: str


_COLUMNS = (
    col(WarmUp.schedule),
    col(WarmUp.started),
    col(WarmUp.step),
    col(WarmUp.judged),
    col(WarmUp.why),
)


def progress(session: Session, identity: str) -> Progress | None:
    """None when it never began."""
    row = session.execute(select(*_COLUMNS).where(col(WarmUp.identity) == identity)).first()
    return Progress(**row._mapping) if row is not None else None


def begin_warm_up(
    session: Session, identity: str, schedule: Schedule, *, today: date, now: datetime
) -> Progress:
    """The row of an identity's warm-up, made today when there is none; another schedule than the
    one it followed goes on at the step that allows as much."""
    found = progress(session, identity)
    if found is not None and found.schedule != schedule.name:
        before = shipped_schedules().get(found.schedule)
        allowed = (before.allowance(found.step) or 0) if before is not None else 0
        step = max((n for n, each in enumerate(schedule.steps) if each <= allowed), default=0)
        why = f"it follows {schedule.name} now, and {found.schedule} no more"
        set_step(session, identity, step=step, why=why, now=now, schedule=schedule.name)
        found = progress(session, identity)
    if found is None:
        try:
            with session.begin_nested():
                session.execute(
                    insert(WarmUp).values(
                        identity=identity,
                        schedule=schedule.name,
                        started=today,
                        step=0,
                        judged=today - timedelta(days=1),
                        why="",
                        updated_at=now,
                    )
                )
        except IntegrityError:
            pass  # somebody else began it just now
        found = progress(session, identity)
        assert found is not None  # noqa: S101 - it was made above
    return found


def set_step(
    session: Session,
    identity: str,
    *,
    step: int,
    why: str,
    now: datetime,
    judged: date | None = None,
    schedule: str | None = None,
) -> None:
    """Writes the step of the days to come, and why."""
    changes: dict[str, object] = {"step": step, "why": why[:300], "updated_at": now}
    if judged is not None:
        changes["judged"] = judged
    if schedule is not None:
        changes["schedule"] = schedule
    session.execute(
        update(WarmUp)
        .where(col(WarmUp.identity) == identity)
        .values(**changes)
        .execution_options(synchronize_session=False)
    )


def allowance(warm_up: Schedule | None, step: int, per_day: int | None) -> int | None:
    """Messages a day: the smaller of the day cap and the warm-up's step; None: no limit."""
    own = warm_up.allowance(step) if warm_up is not None else None
    return min((each for each in (own, per_day) if each is not None), default=None)


def allowance_today(
    session: Session, identity: str, warm_up: Schedule | None, per_day: int | None
) -> int | None:
    """The same at the step the identity stands at; a warm-up that has not begun stands at its
    first."""
    if warm_up is None:
        return per_day
    step = session.scalar(select(col(WarmUp.step)).where(col(WarmUp.identity) == identity))
    return allowance(warm_up, step or 0, per_day)
