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
        self._asked_at: datetime | None = None
        #: By running run without a choice: when its verdict is asked for again.
        self._next: dict[int, datetime] = {}
        #: By run: when its verdict is due; runs of which that is not known are not there.
        self._due: dict[int, datetime] = {}
        #: Runs whose rest is on its way into the queue.
        self._releasing: set[int] = set()

    async def turn(self) -> bool:
        """Decides what is due and lets a portion go; whether anything changed."""
        now = self._clock.now()
        changed = False
        if self._looked_at is None or abs(now - self._looked_at) >= LOOK_EVERY:
            self._looked_at = now
            changed = await self._look(now)
        for run_id in sorted(self._releasing):
            work = partial(release, run_id=run_id, now=now, zone=self._zone)
            if await self._store.write(work):
                changed = True
            else:
                self._releasing.discard(run_id)
        return changed

    async def idle(self, patience: timedelta) -> bool:
        """Nothing is decided or let go within `patience`; asked when nothing else is to be done.

        The last mail of a test may just have left, so a moment that was not known is asked for.
        """
        now = self._clock.now()
        if self._next.keys() - self._due.keys():
            if self._asked_at is not None and abs(now - self._asked_at) < LOOK_EVERY:
                return False
            self._asked_at, self._looked_at = now, None
            self._next = {run_id: self._due.get(run_id, now) for run_id in self._next}
            if await self.turn():
                return False
        return not self._releasing and not any(at <= now + patience for at in self._due.values())

    async def _look(self, now: datetime) -> bool:
        made, new = await self._store.read(partial(self._found, now=now))
        self._releasing |= made
        changed = False
        for run_id, campaign, choice in new:
            if not await self._store.write(partial(settle_choice, run_id=run_id, choice=choice)):
                continue  # somebody chose at this moment: the next look finds it
            changed = True
            if choice.number is not None:
                self._releasing.add(run_id)
            waiting = await self._store.read(partial(reserved, run_id=run_id))
            self._observer.said(f"campaign {campaign}: {_told(campaign, choice, waiting)}")
        return changed

    def _found(
        self, session: Session, *, now: datetime
    ) -> tuple[set[int], list[tuple[int, str, Choice]]]:
        """Runs with a choice whose rest waits; and (run, its campaign, choice) of new ones."""
        made: set[int] = set()
        new: list[tuple[int, str, Choice]] = []
        runs = session.scalars(
            select(Run).where(col(Run.state) == RunState.RUNNING, col(Run.planned_at).is_not(None))
        ).all()
        asked, self._next = self._next, {}
        due, self._due = self._due, {}
        for run in runs:
            assert run.id is not None  # noqa: S101 - it came from the database
            if not Terms.of_body(run.terms).keeps_back:
                continue
            if (chosen := choice_of(run)) is not None:
                if chosen.number is not None and reserved(session, run.id):
                    made.add(run.id)
                continue
            if asked.get(run.id, now) > now:
                self._next[run.id] = asked[run.id]
                self._due |= {run.id: due[run.id]} if run.id in due else {}
                continue
            choice, at = decide(session, run, now=now)
            if choice is not None:
                new.append((run.id, run.campaign, choice))
                continue
            self._next[run.id] = at or now + ASK_EVERY
            self._due |= {run.id: at} if at is not None else {}
        return made, new


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
