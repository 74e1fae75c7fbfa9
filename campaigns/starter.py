"""The worker's starter: looks what is due, starts it, and sets the alarm for the next time.

It looks when the alarm rings, and every half minute besides: what was applied in the meantime is
armed then, and a machine that slept through an alarm notices.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session

from campaigns.errors import CampaignError
from campaigns.finding import Finding
from campaigns.missed import Decision
from campaigns.observe import Observer
from campaigns.schedule import Alarm
from campaigns.starting import Due, NextStart, Starting, due_starts, next_starts, start_due
from campaigns.store import Clock, Store

#: Longest time until an applied schedule is armed.
LOOK_EVERY = timedelta(seconds=30)


class Starter:
    """Starts campaigns by schedule. `open` it in the event loop, `turn` it often, `close` it.

    Without `starting` it starts nothing.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        observer: Observer,
        zone: ZoneInfo,
        starting: Starting | None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._observer = observer
        self._zone = zone
        self._starting = starting
        self._alarm = Alarm(self._rang)
        self._ringing = starting is not None
        self._looked_at: datetime | None = None
        self._waiting = False
        self._told: set[tuple[str, datetime]] = set()
        #: What comes next, soonest first.
        self.coming: tuple[NextStart, ...] = ()

    def open(self) -> None:
        """Begins to watch the clock."""
        self._alarm.open()

    def close(self) -> None:
        """Starts nothing any more."""
        self._alarm.close()

    async def _rang(self) -> None:
        self._ringing = True

    async def turn(self, *, ended: bool = False) -> bool:
        """Starts what is due, when it is time to look; whether anything was started or noted.

        `ended` says that a run may have ended since the last turn, for which a start may wait.
        """
        starting, now, seen = self._starting, self._clock.now(), self._looked_at
        fresh = seen is not None and abs(now - seen) < LOOK_EVERY
        if starting is None or (fresh and not self._ringing and not (ended and self._waiting)):
            return False
        self._ringing, self._looked_at = False, now
        due, self.coming = await self._store.read(lambda session: self._look(session, now))
        self._waiting = any(each.behind is not None for each in due)
        said: list[tuple[str, str]] = []
        if any(each.behind is None for each in due):
            told = await self._opinions(starting, due)
            said = await self._store.write(
                lambda session: start_due(
                    session, starting, now=now, zone=self._zone, opinions=told
                )
            )
        for name, words in said:
            self._observer.said(f"campaign {name}: {words}")
        for each in due:
            self._tell(each)
        self._alarm.set({each.campaign: each.at for each in self.coming})
        return bool(said)

    async def _opinions(
        self, starting: Starting, due: Sequence[Due]
    ) -> dict[str, Sequence[Finding]]:
        """What others say of the mails that are about to start; lanes send on meanwhile."""
        found: dict[str, Sequence[Finding]] = {}
        for each in due:
            if starting.opinions is None or each.behind or each.decision is not Decision.START:
                continue
            name = each.armed.definition.name
            # What is wrong with the campaign itself is told by the start.
            with suppress(CampaignError):
                found[name] = await asyncio.to_thread(
                    starting.opinions, name, each.armed.when.only_new
                )
            for finding in found.get(name, ()):
                if finding.level == "warning":
                    self._observer.said(f"campaign {name}: {finding.what} ({finding.where})")
        return found

    def _look(self, session: Session, now: datetime) -> tuple[list[Due], tuple[NextStart, ...]]:
        return (
            due_starts(session, now=now, zone=self._zone),
            tuple(next_starts(session, now=now, zone=self._zone)),
        )

    def _tell(self, due: Due) -> None:
        """Says once that a start waits for the campaign's run before it."""
        name = due.armed.definition.name
        if due.behind is not None and (name, due.moment) not in self._told:
            self._told.add((name, due.moment))
            self._observer.said(
                f"campaign {name}: was due {due.local(self._zone)} and waits, because its run "
                f"before that is still {due.behind.state}"
            )

    def idle(self, now: datetime, patience: timedelta) -> bool:
        """Nothing starts within `patience`."""
        return not self._ringing and not any(each.at <= now + patience for each in self.coming)
