"""The worker's eye on what comes back: judges soon after a bounce or a complaint is known, and each
day when it is over."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from campaigns.breaking import Name, act, look
from campaigns.day_end import turn_days
from campaigns.observe import Observer
from campaigns.store import Clock, Store
from deliverability import Limits

#: How often those with something against them are judged again while more answers come.
AGAIN = timedelta(seconds=5)


class Watching:
    """Asked once a survey; costs one look at the newest events when nothing bad happened."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        observer: Observer,
        zone: ZoneInfo,
        limits: Mapping[str, Limits],
    ) -> None:
        self._store = store
        self._clock = clock
        self._observer = observer
        self._zone = zone
        self._limits = {name: each for name, each in limits.items() if each.warm_up is not None}
        self._today: date | None = None
        self._newest: int | None = None
        self._suspects: frozenset[Name] = frozenset()
        self._judged_at: datetime | None = None

    async def turn(self) -> bool:
        """Judges, stops what must stop, lets go on what went well; whether anything changed."""
        now = self._clock.now()
        await self._turn_day(now)
        due = self._judged_at is None or now >= self._judged_at + AGAIN
        again = self._suspects if due else frozenset()
        found = await self._store.read(partial(look, after=self._newest, again=again, now=now))
        self._newest = found.newest
        # Who is not judged this time stays suspected.
        self._suspects = found.suspects if due else self._suspects | found.suspects
        if due:
            self._judged_at = now
        if not (found.trips or found.well):
            return False
        said = await self._store.write(partial(act, found=found, now=now))
        for each in said:
            self._observer.said(each)
        return bool(said)

    async def _turn_day(self, now: datetime) -> None:
        """Warm-ups are judged once a local day, before anything of it leaves."""
        today = now.astimezone(self._zone).date()
        if today == self._today or not self._limits:
            return
        work = partial(turn_days, identities=self._limits, now=now, zone=self._zone)
        for each in await self._store.write(work):
            self._observer.said(each)
        self._today = today
