"""The worker's chooser: notices that a verdict is due, writes the choice down, lets the rest go."""

from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlmodel import Session, col

from campaigns.choosing import Choice, choice_of, decide, release, reserved, settle_choice
from campaigns.observe import Observer
from campaigns.runs import Terms
from campaigns.states import RunState
from campaigns.store import Clock, Store
from campaigns.tables import Run

#: Longest until somebody's `campaigns choose` is noticed.
LOOK_EVERY = timedelta(seconds=5)
#: Until a verdict is asked for again whose moment is not known yet: it reads the run's messages.
ASK_EVERY = timedelta(minutes=1)


class Chooser:
    """Decides about variants. `turn` it often."""

    def __init__(self, store: Store, clock: Clock, observer: Observer, zone: ZoneInfo) -> None:
        self._store = store
        self._clock = clock
        self._observer = observer
        self._zone = zone
        self._looked_at: datetime | None = None
        #: By run: when its verdict is asked for again.
        self._next: dict[int, datetime] = {}
        #: By run: when its verdict is due, where that is known.
        self._due: dict[int, datetime] = {}
        #: Runs whose rest is on its way into the queue.
        self._releasing: set[int] = set()

    async def turn(self) -> bool:
        """Decides what is due and lets a portion go; whether anything changed."""
        now = self._clock.now()
        fresh = self._looked_at is not None and abs(now - self._looked_at) < LOOK_EVERY
        changed = False
        if not fresh:
            self._looked_at = now
            changed = await self._look(now)
        for run_id in sorted(self._releasing):
            work = partial(release, run_id=run_id, now=now, zone=self._zone)
            if await self._store.write(work):
                changed = True
            else:
                self._releasing.discard(run_id)
        return changed

    async def _look(self, now: datetime) -> bool:
        changed = False
        decided = await self._store.read(partial(self._found, now=now))
        for run_id, campaign, choice, new in decided:
            if new and not await self._store.write(
                partial(settle_choice, run_id=run_id, choice=choice)
            ):
                continue
            changed = changed or new
            self._due.pop(run_id, None)
            if choice.number is not None:
                self._releasing.add(run_id)
            if new:
                waiting = await self._store.read(partial(reserved, run_id=run_id))
                self._observer.said(f"campaign {campaign}: {_told(campaign, choice, waiting)}")
        return changed

    def _found(self, session: Session, *, now: datetime) -> list[tuple[int, str, Choice, bool]]:
        """(run, its campaign, its choice, whether it is new) of every run that has one."""
        found: list[tuple[int, str, Choice, bool]] = []
        runs = session.scalars(
            select(Run).where(col(Run.state) == RunState.RUNNING, col(Run.planned_at).is_not(None))
        ).all()
        for run in runs:
            assert run.id is not None  # noqa: S101 - it came from the database
            if not Terms.of_body(run.terms).keeps_back:
                continue
            if (made := choice_of(run)) is not None:
                if self._next.get(run.id) is None or made.number is not None:
                    found.append((run.id, run.campaign, made, False))
                continue
            if self._next.get(run.id, now) > now:
                continue
            choice, due = decide(session, run, now=now)
            if choice is not None:
                found.append((run.id, run.campaign, choice, True))
                continue
            self._next[run.id] = due or now + ASK_EVERY
            if due is not None:
                self._due[run.id] = due
        return found

    def idle(self, now: datetime, patience: timedelta) -> bool:
        """Nothing is decided or let go within `patience`."""
        return not self._releasing and not any(at <= now + patience for at in self._due.values())


def _told(campaign: str, choice: Choice, waiting: int) -> str:
    """The choice in a sentence for a marketer."""
    rest = f"the {waiting:,} leads kept back"
    if choice.how == "won":
        return f"{choice.variant} is better: {choice.why}; {rest} get it"
    if choice.how == "person":
        return f"{choice.by or 'somebody'} chose {choice.variant} for {rest}"
    if choice.number is not None:
        return f"not decided: {choice.why}; {rest} get the first variant, {choice.variant}"
    return (
        f"not decided: {choice.why}; {rest} wait for you: potok campaigns choose {campaign} VARIANT"
    )
