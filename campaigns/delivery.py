"""After the claim: messages over connections. Take one in line, write it, send it, hand on what
came of it; the next does not wait until that is committed (`finisher.py`, `under_way`)."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from campaigns.candidates import LaneRules
from campaigns.circumstances import asks, circumstances
from campaigns.finish import skip_unmade
from campaigns.finish_together import Finishing
from campaigns.queue import Claimed
from campaigns.scribes import Draft, Unwritten, write_or_say
from campaigns.slots import HELD_SECONDS
from campaigns.states import State
from campaigns.worker_state import Shared
from campaigns.writing import Office, Written
from deliverability import (
    Connection,
    Outcome,
    Pacer,
    Phase,
    Verdict,
    is_stale,
    save_pace,
)
from templates import Compiled

#: Seconds a connection waits for its next message before it is closed.
IDLE_SECONDS = 30.0
#: Seconds between two looks of an idle connection whether another lane needs it.
LOOK_SECONDS = 1.0


class Delivery:
    """The sending half of a lane: messages in line, connections that take them, outcomes."""

    def __init__(
        self,
        shared: Shared,
        rules: LaneRules,
        *,
        office: Office,
        pacer: Pacer | None,
        per_connection: int,
        on_change: Callable[[], None],
        on_trouble: Callable[[str], None],
        on_answer: Callable[[Outcome], None],
        crowded: Callable[[], bool],
    ) -> None:
        #: Claimed and not yet settled in the database.
        self.under_way = 0
        #: Messages that ever got in line.
        self.taken = 0
        #: Messages a server has answered for, with whatever answer.
        self.handed_over = 0
        #: Open connections, and how many of them wait for a message.
        self.connections: set[asyncio.Task[None]] = set()
        self.free = 0
        self._shared = shared
        self._rules = rules
        self._office = office
        self._pacer = pacer
        self._per_connection = per_connection
        self._on_change = on_change
        self._on_trouble = on_trouble
        self._on_answer = on_answer
        self._crowded = crowded
        self._line: asyncio.Queue[Claimed] = asyncio.Queue()
        #: Messages in line that are being written elsewhere.
        self._drafts: dict[int, Draft] = {}

    @property
    def in_line(self) -> bool:
        """Whether a claimed message waits for a connection."""
        return not self._line.empty()

    async def informed(self, claims: Sequence[Claimed], now: datetime) -> list[Claimed]:
        """The claimed messages with what their templates ask; most ask nothing and cost nothing.

        When it cannot be looked up they go back unsent, and the failure goes on.
        """
        try:
            return await self._informed(claims, now)
        except Exception:
            for each in claims:
                self.under_way += 1
                self._give_back(each, "what its template asks could not be looked up")
            raise

    async def _informed(self, claims: Sequence[Claimed], now: datetime) -> list[Claimed]:
        waiting: dict[int, list[Claimed]] = {}
        for claimed in claims:
            waiting.setdefault(claimed.template_version_id, []).append(claimed)
        found: dict[int, Claimed] = {each.message_id: each for each in claims}
        for version_id, batch in waiting.items():
            compiled = await self._shared.load(version_id)
            if not asks(compiled):
                self._begin_to_write(batch, compiled)
                continue
            ids = [each.recipient.lead_id for each in batch]
            look = partial(
                circumstances, compiled=compiled, lead_ids=ids, now=now, zone=self._rules.zone
            )
            told = await self._shared.store.read(look)
            for each in batch:
                known = told[each.recipient.lead_id]
                found[each.message_id] = replace(each, circumstances=known)
            self._begin_to_write([found[each.message_id] for each in batch], compiled)
        return list(found.values())

    def _begin_to_write(self, batch: Sequence[Claimed], compiled: Compiled) -> None:
        if self._shared.scribes is not None:
            self._drafts |= self._shared.scribes.begin(batch, compiled, self._office)

    def put(self, claimed: Claimed) -> None:
        """A claimed message gets in line."""
        self.under_way += 1
        self.taken += 1
        self._line.put_nowait(claimed)

    def add(self, connection: Connection, release: Callable[[], None]) -> None:
        """An open connection starts taking messages; `release` is called when it has ended."""
        self.free += 1
        task = asyncio.create_task(self._carry(connection))
        self.connections.add(task)

        def ended(task: asyncio.Task[None]) -> None:
            self.connections.discard(task)
            release()
            if not task.cancelled() and task.exception() is not None:
                self._shared.broken = self._shared.broken or task.exception()
                self._shared.stopping.set()
            self._on_change()

        task.add_done_callback(ended)

    async def _carry(self, connection: Connection) -> None:
        """One connection's life: message after message until it is used up, idle or broken."""
        served, time = 0, asyncio.get_running_loop().time
        opened = idle_since = time()
        try:
            while served < self._per_connection and connection.usable:
                if self._crowded() and time() - opened >= HELD_SECONDS:
                    break  # another lane has none
                claimed = await self._next()
                if claimed is None:
                    if time() - idle_since >= IDLE_SECONDS:
                        break
                    continue
                self.free -= 1
                try:
                    await self._deliver(connection, claimed, fresh=served == 0)
                finally:
                    self.free += 1
                    idle_since = time()
                served += 1
        finally:
            self.free -= 1
            await connection.close()

    async def _next(self) -> Claimed | None:
        """The next in line; None when none came for a moment."""
        if self.in_line:
            return self._line.get_nowait()
        try:
            return await asyncio.wait_for(self._line.get(), LOOK_SECONDS)
        except TimeoutError:
            return None

    async def _deliver(self, connection: Connection, claimed: Claimed, *, fresh: bool) -> None:
        shared = self._shared
        paused = shared.stopping.is_set() or claimed.run_id not in shared.running
        if paused or is_stale(claimed.claimed_at, now=shared.clock.now()):
            self._give_back(claimed, "paused, or this computer slept, before it was sent")
            return
        compiled = await shared.load(claimed.template_version_id)
        draft = self._drafts.pop(claimed.message_id, None)
        written = await draft if draft is not None else None
        if written is None:
            written = write_or_say(claimed, compiled, self._office)
        if isinstance(written, Unwritten):
            if written.ours:  # the lane waits until somebody has looked
                self._on_trouble(written.why)
                self._give_back(claimed, written.why)
            else:
                await self._skip(claimed, written.why)
            return
        outcome = await connection.send(written.envelope)
        if self._pacer is not None:
            self._pacer.on_outcome(shared.clock.now(), outcome)
        self._on_answer(outcome)
        if outcome.verdict is not Verdict.UNSENT:
            self.handed_over += 1
        elif fresh:
            # A connection that served before may have gone stale; a fresh one that fails is news.
            self._on_trouble(outcome.reply)
        self._finish(claimed, outcome, written, compiled.name)

    def _give_back(self, claimed: Claimed, why: str) -> None:
        outcome = Outcome(verdict=Verdict.UNSENT, phase=Phase.CONNECT, reply=why)
        self._finish(claimed, outcome, None, "")

    def _finish(
        self, claimed: Claimed, outcome: Outcome, written: Written | None, template: str
    ) -> None:
        """The connection goes on with the next message while this one's outcome is committed."""
        shared = self._shared
        if outcome.verdict is Verdict.UNSENT:
            self._never_left(claimed)
        self._drafts.pop(claimed.message_id, None)
        accepted = outcome.verdict is Verdict.ACCEPTED
        finishing = Finishing(
            claimed=claimed,
            outcome=outcome,
            at=shared.clock.now(),
            sent=written.sent if written else None,
            retry_after=(
                None if accepted else shared.retry(claimed.deferrals + 1, str(claimed.message_id))
            ),
            day=claimed.claimed_at.astimezone(self._rules.zone).date(),
            template=template,
        )

        def committed(state: State | None, error: BaseException | None) -> None:
            if error is None:
                shared.observer.finished(claimed, outcome, state)
            self._ended(error)

        lessons = self._pacer.take_lessons() if self._pacer is not None else None
        shared.finisher.put(finishing, lessons, committed)

    def _never_left(self, claimed: Claimed) -> None:
        """Its company has not seen it."""
        if self._rules.domains is not None:
            self._rules.domains.gave_back((claimed.message_id, claimed.attempt))

    def _ended(self, error: BaseException | None) -> None:
        """One message less under way. A failure of the store ends the worker: outcomes could not
        be kept."""
        self.under_way -= 1
        if error is not None:
            self._shared.broken = self._shared.broken or error
            self._shared.stopping.set()
        self._on_change()

    async def keep_pace(self) -> None:
        """Writes down what the pacer learnt from something that was no message's outcome."""
        now = self._shared.clock.now()
        if self._pacer is not None and (lessons := self._pacer.take_lessons()) is not None:
            await self._shared.store.write(
                lambda session: save_pace(session, self._rules.lane_id, lessons, now=now)
            )

    async def _skip(self, claimed: Claimed, why: str) -> None:
        shared = self._shared
        now = shared.clock.now()
        day = claimed.claimed_at.astimezone(self._rules.zone).date()
        try:
            await shared.store.write(
                lambda session: skip_unmade(
                    session, claimed, owner=shared.owner, now=now, why=why, day=day
                )
            )
        except Exception as error:
            self._ended(error)
            return
        self._never_left(claimed)
        shared.observer.skipped(claimed, why)
        self._ended(None)

    async def drain(self) -> None:
        """What is on the wire is finished; what nobody took goes back unsent."""
        while self.in_line:
            self._give_back(self._line.get_nowait(), "the sender was stopped before it was sent")
        while self.connections or self.under_way:
            if self.free >= len(self.connections):
                for task in self.connections:
                    task.cancel()
            await asyncio.sleep(0.01)
