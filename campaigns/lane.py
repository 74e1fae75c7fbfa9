"""One lane at work: waits for its turn, opens connections, claims just in time, sends, finishes.

The order is what keeps promises small: a slot in the pace, then a free connection, and only then
the claim. So rows in `sending` never exceed the open connections (or the stated window at full
speed), and a server that cannot be reached costs no message an attempt.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress as ignore
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session

from campaigns.finish import finish, skip_unmade
from campaigns.observe import LaneView, Observer
from campaigns.queue import Claimed, Claims, LaneRules, claim
from campaigns.store import Clock, Store
from campaigns.writing import Office, Written, write_message
from deliverability import (
    Cause,
    ConnectError,
    Connection,
    Outcome,
    Pacer,
    PaceState,
    Phase,
    Verdict,
    save_pace,
)
from templates import Compiled, RenderError

#: Seconds a connection waits for its next message before it is closed.
IDLE_SECONDS = 30.0
#: Longest wait between two tries to reach a server that cannot be reached, in seconds.
LONGEST_BACKOFF = 300.0

Dial = Callable[[], Awaitable[Connection]]
Load = Callable[[int], Awaitable[Compiled]]
Fault = Callable[[str], None]


def no_fault(_point: str) -> None:
    """In production nothing breaks on purpose."""


@dataclass(kw_only=True)
class Shared:
    """What all lanes of a worker have in common."""

    store: Store
    clock: Clock
    owner: str
    observer: Observer
    zone: ZoneInfo
    load: Load
    #: (this deferral's number, seed) -> how long to wait, None to give up.
    retry: Callable[[int, str], timedelta | None]
    fault: Fault = no_fault
    #: Runs that may send, as of the last survey: what a paused one still had claimed goes back.
    running: set[int] = field(default_factory=set)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    #: The first failure of the store: the worker must end, since outcomes cannot be kept.
    broken: BaseException | None = None


class LaneDriver:
    """Drives one lane until the worker stops."""

    def __init__(
        self,
        shared: Shared,
        rules: LaneRules,
        *,
        provider: str,
        office: Office,
        dial: Dial,
        pacer: Pacer | None,
        connections: int,
        per_connection: int,
        slots: asyncio.Semaphore,
        window: int,
    ) -> None:
        self.rules = rules
        self.provider = provider
        self.due: datetime | None = None
        self.blocked_until: datetime | None = None
        self.waits_for = ""
        self.under_way = 0
        self._shared = shared
        self._office = office
        self._dial = dial
        self._pacer = pacer
        self._connections = connections
        self._per_connection = per_connection
        self._slots = slots
        self._window = window if pacer is None else connections
        self._waiting: asyncio.Queue[Claimed] = asyncio.Queue()
        self._carriers: set[asyncio.Task[None]] = set()
        self._idle_carriers = 0
        self._finishing: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._after_run = 0
        self._unreached = 0

    # -- what others see ---------------------------------------------------------------------

    def view(self) -> LaneView:
        """The lane as it stands, for a progress view."""
        return LaneView(
            lane_id=self.rules.lane_id,
            identity=self.rules.identity,
            provider=self.provider,
            rate=self._pacer.rate if self._pacer else None,
            under_way=self.under_way,
            connections=len(self._carriers),
            next_at=self.blocked_until,
            waits_for=self.waits_for,
        )

    def wake(self, due: datetime | None, kept: PaceState | None) -> None:
        """The survey found (or no longer finds) waiting rows; `kept` is the lane's row.

        A row whose pause somebody lifted (`campaigns resume`) lifts ours, unless an outcome of our
        own is just being written there.
        """
        self.due = due
        pacer = self._pacer
        if (
            pacer is not None
            and kept is not None
            and kept.paused_until is None
            and pacer.state.paused_until is not None
            and not self.under_way
        ):
            pacer.resume()
            self.blocked_until, self.waits_for = None, ""
        self._changed.set()

    def idle(self, now: datetime, patience: timedelta) -> bool:
        """Nothing is under way and nothing can be claimed within `patience`."""
        if self.under_way:
            return False
        if self.due is None or self.due > now + patience:
            return True
        return self.blocked_until is not None and self.blocked_until > now + patience

    # -- the feeder --------------------------------------------------------------------------

    async def drive(self) -> None:
        """Feeds the connections until the worker stops, then gives back what nobody took."""
        shared = self._shared
        try:
            while not shared.stopping.is_set():
                wait = await self._step()
                if wait is not None:
                    await self._pause(wait)
        except Exception as error:  # the store failed: outcomes cannot be kept any more
            shared.broken = shared.broken or error
            shared.stopping.set()
        finally:
            await self._drain()

    async def _pause(self, seconds: float) -> None:
        self._changed.clear()
        stop = asyncio.ensure_future(self._shared.stopping.wait())
        change = asyncio.ensure_future(self._changed.wait())
        await asyncio.wait({stop, change}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for task in (stop, change):
            task.cancel()
            with ignore(asyncio.CancelledError):
                await task

    async def _step(self) -> float | None:
        """One look at the lane; returns seconds to wait, or None to look again at once."""
        now = self._shared.clock.now()
        if self.blocked_until is not None:
            if now < self.blocked_until:
                return min(1.0, (self.blocked_until - now).total_seconds())
            self.blocked_until, self.waits_for = None, ""
        if self.due is None or self.due > now:
            return 1.0 if self.due is None else min(1.0, (self.due - now).total_seconds())
        room = self._window - self.under_way
        if room <= 0:
            return 1.0
        if self._pacer is not None:
            slot = self._pacer.next_slot(now)
            if slot > now:
                wait = (slot - now).total_seconds()
                if self._pacer.paused(now):
                    kept = self._pacer.state
                    self._block(kept.paused_until or slot, kept.reason)
                return min(1.0, wait)
        if not await self._free_carrier():
            return 1.0
        return await self._claim(1 if self._pacer is not None else room)

    async def _claim(self, limit: int) -> float | None:
        shared = self._shared
        now = shared.clock.now()

        def work(session: Session) -> Claims:
            claims = claim(
                session,
                self.rules,
                owner=shared.owner,
                limit=limit,
                after_run=self._after_run,
                now=now,
            )
            shared.fault("claiming")
            return claims

        claims = await shared.store.write(work)
        shared.fault("claimed")
        self._after_run = claims.last_run
        for claimed in claims.claimed:
            if self._pacer is not None:
                self._pacer.took(now)
            self.under_way += 1
            self._waiting.put_nowait(claimed)
        if claims.day_is_full:
            tomorrow = now.astimezone(self.rules.zone).date() + timedelta(days=1)
            midnight = datetime.combine(tomorrow, time(), tzinfo=self.rules.zone)
            self._block(
                midnight,
                f"{self.rules.identity} has used its {self.rules.per_day} messages of today",
            )
        if not claims.claimed and not claims.more:
            # Nothing left that is due: the next survey says when to look again.
            self.due = None
        return None

    def _block(self, until: datetime, why: str) -> None:
        if why != self.waits_for:
            self._shared.observer.said(
                f"{self.rules.identity} to {self.provider} waits until "
                f"{until.astimezone(self.rules.zone):%H:%M:%S}: {why}"
            )
        self.blocked_until, self.waits_for = until, why

    # -- connections -------------------------------------------------------------------------

    async def _free_carrier(self) -> bool:
        """Whether a connection is open and free; opens one when the limits allow."""
        if self._pacer is not None and self._idle_carriers > 0:
            return True
        if len(self._carriers) >= self._connections:
            return self._idle_carriers > 0 or self._pacer is None
        if self._slots.locked() and self._carriers:
            # Other lanes of this identity hold the remaining connections: use what we have.
            return self._idle_carriers > 0 or self._pacer is None
        await self._slots.acquire()
        try:
            connection = await self._dial()
        except ConnectError as error:
            self._slots.release()
            self._cannot_reach(error.cause, str(error))
            return False
        except BaseException:
            self._slots.release()
            raise
        self._unreached = 0
        self._idle_carriers += 1
        carrier = asyncio.create_task(self._carry(connection))
        self._carriers.add(carrier)
        carrier.add_done_callback(self._carrier_ended)
        return True

    def _carrier_ended(self, task: asyncio.Task[None]) -> None:
        self._carriers.discard(task)
        self._slots.release()
        if not task.cancelled() and task.exception() is not None:
            self._shared.broken = self._shared.broken or task.exception()
            self._shared.stopping.set()
        self._changed.set()

    def _cannot_reach(self, cause: Cause, why: str) -> None:
        self._unreached += 1
        seconds = min(LONGEST_BACKOFF, 5.0 * 2 ** (self._unreached - 1))
        self._block(self._shared.clock.now() + timedelta(seconds=seconds), why)

    async def _carry(self, connection: Connection) -> None:
        """One connection's life: message after message until it is used up, idle or broken."""
        served = 0
        try:
            while served < self._per_connection and connection.usable:
                try:
                    claimed = await asyncio.wait_for(self._waiting.get(), IDLE_SECONDS)
                except TimeoutError:
                    break
                self._idle_carriers -= 1
                try:
                    await self._deliver(connection, claimed, first=served == 0)
                finally:
                    self._idle_carriers += 1
                served += 1
        finally:
            self._idle_carriers -= 1
            await connection.close()

    async def _deliver(self, connection: Connection, claimed: Claimed, *, first: bool) -> None:
        shared = self._shared
        if shared.stopping.is_set() or claimed.run_id not in shared.running:
            self._give_back(claimed, "paused before it was sent")
            return
        compiled = await shared.load(claimed.template_version_id)
        try:
            written = write_message(claimed, compiled, self._office)
        except RenderError as error:
            self._spawn(self._skip(claimed, str(error)))
            return
        outcome = await connection.send(written.envelope)
        now = shared.clock.now()
        if self._pacer is not None:
            self._pacer.on_outcome(now, outcome)
        if outcome.verdict is Verdict.UNSENT:
            # A connection that served before may have gone stale; a fresh one that fails is news.
            if first:
                self._cannot_reach(outcome.cause, outcome.reply)
        else:
            self._unreached = 0
        self._spawn(self._finish(claimed, outcome, written, compiled.name))

    def _give_back(self, claimed: Claimed, why: str) -> None:
        outcome = Outcome(verdict=Verdict.UNSENT, phase=Phase.CONNECT, reply=why)
        self._spawn(self._finish(claimed, outcome, None, ""))

    # -- finishing ---------------------------------------------------------------------------

    def _spawn(self, work: Awaitable[None]) -> None:
        """The connection goes on with the next message while this one's outcome is committed."""
        task: asyncio.Task[None] = asyncio.ensure_future(work)
        self._finishing.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._finishing.discard(task)
        self.under_way -= 1
        if not task.cancelled() and task.exception() is not None:
            self._shared.broken = self._shared.broken or task.exception()
            self._shared.stopping.set()
        self._changed.set()

    async def _finish(
        self, claimed: Claimed, outcome: Outcome, written: Written | None, template: str
    ) -> None:
        shared = self._shared
        now = shared.clock.now()
        pace = self._pacer.state if self._pacer is not None else None

        def work(session: Session) -> object:
            state = finish(
                session,
                claimed,
                outcome,
                owner=shared.owner,
                now=now,
                sent=written.sent if written else None,
                retry_after=shared.retry(claimed.deferrals + 1, str(claimed.message_id)),
                day=claimed.claimed_at.astimezone(self.rules.zone).date(),
                template=template,
            )
            if pace is not None:
                save_pace(session, self.rules.lane_id, pace, now=now)
            shared.fault("finishing")
            return state

        state = await shared.store.write(work)
        shared.observer.finished(claimed, outcome, state)  # type: ignore[arg-type]

    async def _skip(self, claimed: Claimed, why: str) -> None:
        shared = self._shared
        now = shared.clock.now()
        day = claimed.claimed_at.astimezone(self.rules.zone).date()
        await shared.store.write(
            lambda session: skip_unmade(
                session, claimed, owner=shared.owner, now=now, why=why, day=day
            )
        )
        shared.observer.skipped(claimed, why)

    async def _drain(self) -> None:
        """What is on the wire is finished; what nobody took goes back unsent."""
        while not self._waiting.empty():
            self._give_back(self._waiting.get_nowait(), "the sender was stopped before it was sent")
        for carrier in list(self._carriers):
            if self._idle_carriers == len(self._carriers):
                carrier.cancel()
        while self._carriers or self._finishing:
            pending = {*self._carriers, *self._finishing}
            if self._carriers and self._idle_carriers >= len(self._carriers):
                for carrier in self._carriers:
                    carrier.cancel()
            await asyncio.wait(pending, timeout=0.05)
