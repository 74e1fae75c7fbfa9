"""One lane: waits for its turn, opens connections, and claims just in time.

The order is what keeps promises small: a slot in the pace, then a free connection, and only then
the claim. So rows in `sending` never exceed the open connections (or the stated window at full
speed), and a server that cannot be reached costs no message an attempt. `delivery.py` does the
rest.
"""

import asyncio
from collections.abc import Iterable
from contextlib import suppress as ignore
from datetime import datetime, time, timedelta

from sqlmodel import Session

from campaigns.candidates import LaneRules
from campaigns.connections import Connections, Dial
from campaigns.delivery import Delivery
from campaigns.observe import LaneView
from campaigns.queue import Claims, claim
from campaigns.slots import Slots, Turns
from campaigns.suspension import Suspension
from campaigns.worker_state import Shared
from campaigns.writing import Office
from deliverability import Held, Pacer, PaceState

#: Longest wait between two tries to reach a server that cannot be reached, in seconds.
LONGEST_BACKOFF = 300.0
#: Seconds between two looks whether messages on trial went well.
TRIAL_SECONDS = 5.0
#: Seconds between two looks whether it is this lane's turn.
TURN_SECONDS = 0.2


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
        slots: Slots,
        turns: Turns,
        window: int,
        suspended: Held | None = None,
    ) -> None:
        self.rules = rules
        self.provider = provider
        self.due: datetime | None = None
        self.blocked_until: datetime | None = None
        self.waits_for = ""
        self._shared = shared
        self._pacer = pacer
        self._turns = turns
        self._window = window if pacer is None else connections
        self._changed = asyncio.Event()
        self._suspension = Suspension(shared, rules.lane_id, suspended)
        self._delivery = Delivery(
            shared,
            rules,
            office=office,
            pacer=pacer,
            per_connection=per_connection,
            on_change=self._changed.set,
            on_trouble=self._cannot_send,
            on_answer=self._suspension.answered,
            crowded=lambda: slots.crowded,
        )
        self._connections = Connections(
            shared,
            self._delivery,
            lane_id=rules.lane_id,
            identity=rules.identity,
            dial=dial,
            slots=slots,
            most=connections,
            pacer=pacer,
            block=self._block,
            on_trouble=self._cannot_send,
        )
        self._stopped = ""
        self._after_run = 0
        self._unreached = 0
        self._seen = 0

    # -- what others see ---------------------------------------------------------------------

    def view(self) -> LaneView:
        """The lane as it stands, for a progress view."""
        return LaneView(
            lane_id=self.rules.lane_id,
            identity=self.rules.identity,
            provider=self.provider,
            rate=self._pacer.rate if self._pacer else None,
            under_way=self._delivery.under_way,
            connections=len(self._delivery.connections),
            next_at=self.blocked_until,
            waits_for=self.waits_for,
        )

    def wake(self, due: datetime | None, kept: PaceState | None, *, stopped: str = "") -> None:
        """The survey found (or no longer finds) waiting rows; `kept` is the lane's row, `stopped`
        why a breaker holds the identity.

        A row whose pause somebody lifted (`campaigns resume`) lifts ours, unless an outcome of our
        own is just being written there.
        """
        self.due = due
        self._hold(stopped)
        pacer = self._pacer
        if (
            pacer is not None
            and kept is not None
            and kept.paused_until is None
            and pacer.pause[0] is not None
            and not self._delivery.under_way
        ):
            pacer.resume()
            self.blocked_until, self.waits_for = None, ""
        self._changed.set()

    def _hold(self, why: str) -> None:
        if why and why != self._stopped and self.due is not None:
            self._shared.observer.said(f"{self.rules.identity} to {self.provider} waits: {why}")
        if why != self._stopped:
            self._stopped = self.waits_for = why

    def idle(self, now: datetime, patience: timedelta) -> bool:
        """Nothing is under way and nothing can be claimed within `patience`."""
        if self._delivery.under_way:
            return False
        if self._stopped:
            return True
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
            await self._delivery.drain()
            await self._suspension.written()

    async def _pause(self, seconds: float) -> None:
        self._changed.clear()
        with ignore(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), seconds)

    def stop(self) -> None:
        """The worker is stopping: do not sleep over it."""
        self._changed.set()

    async def _step(self) -> float | None:
        """One look at the lane; returns seconds to wait, or None to look again at once."""
        now = self._shared.clock.now()
        if self.blocked_until is not None:
            if now < self.blocked_until:
                return min(1.0, (self.blocked_until - now).total_seconds())
            self.blocked_until, self.waits_for = None, ""
        if self._delivery.in_line and not await self._connections.ready():
            return 1.0
        if self._stopped or self.due is None:
            return 1.0
        if self.due > now:
            return min(1.0, (self.due - now).total_seconds())
        until = self._suspension.until
        if until is not None and now < until:
            self._block(until, self._suspension.reason)
            return None
        room = self._window - self._delivery.under_way
        few = self._suspension.few(self._delivery.under_way)
        if few is not None:
            room = min(room, few)
        if room <= 0 or (self._pacer is None and few is None and room < self._window // 2):
            # At full speed half a window is claimed at a time: a claim costs what ten finishes do.
            return 1.0
        if self._pacer is not None:
            slot = self._pacer.next_slot(now)
            if slot > now:
                if self._pacer.paused(now):
                    until, why = self._pacer.pause
                    self._block(until or slot, why)
                return min(1.0, (slot - now).total_seconds())
        if not await self._connections.ready():
            return 1.0
        if self.rules.spread and not self._turns.mine(self.rules.lane_id, now):
            return TURN_SECONDS
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
        for claimed in await self._delivery.informed(claims.claimed, now):
            if self._pacer is not None:
                key = f"{claimed.campaign}:{claimed.recipient.lead_id}"
                self._pacer.took(now, key=key)
            self._delivery.put(claimed)
        if claims.opens_at is not None:
            self._turns.wait_until(claims.opens_at)
        else:
            self._turns.had(self.rules.lane_id)
        if claims.held:
            # On trial it is asked again in a moment: what was sent may have turned out well.
            trial = now + timedelta(seconds=TRIAL_SECONDS)
            self._block(claims.opens_at or trial, claims.held)
        if claims.day_is_full:
            tomorrow = now.astimezone(self.rules.zone).date() + timedelta(days=1)
            midnight = datetime.combine(tomorrow, time(), tzinfo=self.rules.zone)
            self._block(
                midnight,
                f"{self.rules.identity} has used its {claims.allowance} messages of today",
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

    def _cannot_send(self, why: str) -> None:
        """The server or our own set-up is at fault: wait, longer each time it happens again."""
        if self._delivery.handed_over > self._seen:
            # It worked in between: this is a new trouble, not the old one going on.
            self._seen, self._unreached = self._delivery.handed_over, 0
        self._unreached += 1
        seconds = min(LONGEST_BACKOFF, 5.0 * 2 ** (self._unreached - 1))
        self._block(self._shared.clock.now() + timedelta(seconds=seconds), why)


def taken_by(drivers: Iterable[LaneDriver]) -> int | None:
    """How many messages these lanes have claimed so far; None while one of them is under way."""
    deliveries = [driver._delivery for driver in drivers]
    if any(each.under_way for each in deliveries):
        return None
    return sum(each.taken for each in deliveries)
