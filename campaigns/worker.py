"""The worker: what `potok run` does. Surveys the queue, keeps a driver per lane, notices the end.

One asyncio process, one writer thread. A survey each second (or when woken) finds lanes with work,
carries on half-done planning, settles runs that are through, and tells lanes what is due.
"""

import asyncio
from contextlib import suppress
from datetime import timedelta
from functools import partial

from sqlmodel import Session

from campaigns.advancing import follow, next_step
from campaigns.candidates import LaneRules
from campaigns.chooser import Chooser
from campaigns.domain_cap import DomainCap, last_hour, read_back
from campaigns.doubt import recover
from campaigns.ended import Ended, how_it_ended
from campaigns.lane import LaneDriver, taken_by
from campaigns.observe import LaneView, Observer, Silent
from campaigns.ranges import plan_on
from campaigns.sending import Sending
from campaigns.settling import settle
from campaigns.slots import Slots, Turns
from campaigns.starter import Starter
from campaigns.store import Clock, Store
from campaigns.survey import Survey, look_round
from campaigns.watching import Watching
from campaigns.worker_state import Fault, Shared, no_fault
from deliverability import OTHER, Held, PaceState
from templates import Compiled, TemplateVersion

#: Seconds between two looks at the queue.
SURVEY_SECONDS = 1.0
#: Ranges planned between two surveys.
_RANGES = 5


class Worker:
    """Sends until told to stop. One per workspace: the caller holds the workspace's lock."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        sending: Sending,
        *,
        owner: str,
        observer: Observer | None = None,
        fault: Fault = no_fault,
    ) -> None:
        self._sending = sending
        self._templates: dict[int, Compiled] = {}
        self._shared = Shared(
            store=store,
            clock=clock,
            owner=owner,
            observer=observer or Silent(),
            zone=sending.zone,
            load=self._load,
            retry=sending.retry,
            fault=fault,
            scribes=sending.scribes,
        )
        shared = self._shared
        self._starter = Starter(store, clock, shared.observer, sending.zone, sending.starting)
        self._chooser = Chooser(store, clock, shared.observer, sending.zone)
        per_hour = sending.domain_per_hour
        self._domains = DomainCap(per_hour) if per_hour is not None else None
        limits = {n: office.identity.limits for n, office in sending.offices.items()}
        self._watching = Watching(store, clock, shared.observer, sending.zone, limits)
        self._drivers: dict[int, LaneDriver] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._slots: dict[str, Slots] = {}
        self._turns: dict[str, Turns] = {}

    def views(self) -> list[LaneView]:
        """Every lane that has had work, for a progress view."""
        return [driver.view() for driver in self._drivers.values()]

    def stop(self) -> None:
        """Claims nothing more; `run` returns when what is on the wire is finished."""
        self._shared.stopping.set()

    async def run(self, *, until_idle: bool = False, patience: timedelta = timedelta(0)) -> Ended:
        """Works until `stop()`; with `until_idle` until nothing can be claimed within `patience`.

        Raises what the store raised when outcomes could not be kept (a full disk): messages under
        way are then in doubt at the next start.
        """
        shared = self._shared
        now = shared.clock.now()
        found = await shared.store.write(lambda s: recover(s, owner=shared.owner, now=now))
        if found["hold"]:
            shared.observer.said(
                f"in doubt: {found['hold']} that were under way when the sender stopped; "
                "potok campaigns resolve NAME lists them"
            )
        if found["resend"]:
            shared.observer.said(f"sending again: {found['resend']} that were under way")
        if self._domains is not None:
            before = await shared.store.read(lambda s: last_hour(s, now=shared.clock.now()))
            read_back(self._domains, before)
        self._starter.open()
        moved = 0
        try:
            while not shared.stopping.is_set():
                moved = int(await self._starter.turn(ended=bool(moved)))
                moved += await self._watching.turn()
                taken = taken_by(self._drivers.values())
                survey = await shared.store.read(
                    partial(look_round, now=shared.clock.now(), lanes=set(self._drivers))
                )
                shared.running = set(survey.running)
                moved += await self._plan(survey) + await self._follow(survey)
                self._meet(survey)
                moved += await self._settle() + await self._chooser.turn()
                # What was under way during the survey may have come back since, due in a moment.
                seen_all = taken is not None and taken == taken_by(self._drivers.values())
                if until_idle and not moved and seen_all and await self._is_idle(survey, patience):
                    break
                await self._nap(briefly=until_idle)
        finally:
            shared.stopping.set()
            self._starter.close()
            for driver in self._drivers.values():
                driver.stop()
            await asyncio.gather(*self._tasks)
            if shared.scribes is not None:
                shared.scribes.close()
        if shared.broken is not None:
            raise shared.broken
        await self._settle()
        return await self._ended()

    async def _nap(self, *, briefly: bool) -> None:
        # A second is long between the last few messages, and for whoever waits for the end.
        busy = briefly or any(driver.view().under_way for driver in self._drivers.values())
        with suppress(TimeoutError):
            await asyncio.wait_for(self._shared.stopping.wait(), 0.2 if busy else SURVEY_SECONDS)

    async def _plan(self, survey: Survey) -> bool:
        """A few short ranges of what somebody began to plan; lanes write between them."""
        shared = self._shared
        for run_id in survey.planning:
            work = partial(plan_on, run_id=run_id, now=shared.clock.now(), zone=shared.zone)
            for _ in range(_RANGES):
                if (await shared.store.write(work)).done:
                    break
        return bool(survey.planning)

    async def _follow(self, survey: Survey) -> bool:
        """Leads enter, leave and walk on in sequences: a batch a survey, so sending goes on."""
        shared = self._shared
        if not survey.sequences:
            return False
        now = shared.clock.now()
        work = partial(follow, now=now, zone=shared.zone)
        return bool(await shared.store.write(work))

    def _meet(self, survey: Survey) -> None:
        for lane_id, (identity, provider, kept) in survey.lanes.items():
            if lane_id not in self._drivers:
                self._open_lane(lane_id, identity, provider, kept, survey.suspended.get(lane_id))
            if lane_id in self._drivers:
                why = survey.stopped.get(identity, "")
                self._drivers[lane_id].wake(survey.due.get(lane_id), kept, stopped=why)

    def _open_lane(
        self,
        lane_id: int,
        identity_name: str,
        provider: str,
        learnt: PaceState,
        suspended: Held | None,
    ) -> None:
        sending = self._sending
        office = sending.offices.get(identity_name)
        if office is None:
            # The identity cannot send now; said once, its messages keep waiting.
            if identity_name not in self._slots:
                self._slots[identity_name] = Slots(0)
                why = sending.absent.get(identity_name, "it is not in potok.toml any more")
                self._shared.observer.said(f"messages of {identity_name} wait: {why}")
            return
        identity = office.identity
        pace = sending.pace(provider)
        paced = sending.pacer is not None
        slots = self._slots.setdefault(
            identity_name, Slots(identity.limits.connections, shared=paced)
        )
        connections = identity.limits.connections
        per_connection = identity.limits.per_connection
        if paced:
            connections = min(connections, pace.connections)
            per_connection = min(per_connection, pace.per_connection)
        driver = LaneDriver(
            self._shared,
            LaneRules(
                lane_id=lane_id,
                identity=identity_name,
                per_day=identity.limits.per_day,
                zone=sending.zone,
                cap=sending.cap,
                warm_up=identity.limits.warm_up,
                spread=identity.limits.spread and paced,
                domains=self._domains if provider == OTHER else None,
            ),
            provider=provider,
            office=office,
            dial=lambda: sending.dial(identity, provider),
            pacer=sending.pacer(identity, provider, learnt) if sending.pacer else None,
            connections=connections,
            per_connection=per_connection,
            slots=slots,
            turns=self._turns.setdefault(identity_name, Turns()),
            window=sending.window,
            suspended=suspended,
        )
        self._drivers[lane_id] = driver
        self._tasks.append(asyncio.create_task(driver.drive()))

    async def _settle(self) -> bool:
        """Settles runs that are through and rows of cancelled ones; whether anything changed."""
        shared = self._shared
        now = shared.clock.now()

        changed, moved = await shared.store.write(partial(settle, now=now))
        for campaign, state in changed:
            shared.observer.said(f"campaign {campaign} is {state}")
        return bool(changed or moved)

    async def _is_idle(self, survey: Survey, patience: timedelta) -> bool:
        now = self._shared.clock.now()
        idle = self._starter.idle(now, patience)
        if not idle or not all(each.idle(now, patience) for each in self._drivers.values()):
            return False
        if not await self._chooser.idle(patience):
            return False
        if not survey.sequences:
            return True
        # Asked after the lanes: what they have just settled may be what a lead waits for.
        step = await self._shared.store.read(lambda session: next_step(session, now=now))
        return step is None or step > now + patience

    async def _ended(self) -> Ended:
        shared = self._shared
        held = tuple(
            f"{view.identity} to {view.provider}: {view.waits_for}"
            for view in self.views()
            if view.waits_for
        )
        return await shared.store.read(
            lambda session: how_it_ended(
                session, held=held, coming=self._starter.coming, now=shared.clock.now()
            )
        )

    async def _load(self, version_id: int) -> Compiled:
        found = self._templates.get(version_id)
        if found is None:

            def work(session: Session) -> Compiled:
                row = session.get_one(TemplateVersion, version_id)
                return Compiled.from_body(row.name, row.body or {})

            found = self._templates[version_id] = await self._shared.store.read(work)
        return found
