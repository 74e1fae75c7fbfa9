"""Messages over connections: take one in line, write it, send it, write down what came of it.

Everything here happens after the claim. The next message does not wait for the last one's outcome
to be committed; `under_way` counts a message until it is.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from sqlmodel import Session

from campaigns.candidates import LaneRules
from campaigns.circumstances import asks, circumstances
from campaigns.finish import finish, skip_unmade
from campaigns.observe import Observer
from campaigns.queue import Claimed
from campaigns.states import State
from campaigns.store import Clock, Store
from campaigns.writing import Office, Written, write_message
from deliverability import (
    Connection,
    EnvelopeError,
    Outcome,
    Pacer,
    Phase,
    SigningError,
    Verdict,
    save_pace,
)
from templates import Compiled, RenderError

#: Seconds a connection waits for its next message before it is closed.
IDLE_SECONDS = 30.0

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
        self._line: asyncio.Queue[Claimed] = asyncio.Queue()
        self._finishing: set[asyncio.Task[None]] = set()

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
                continue
            ids = [each.recipient.lead_id for each in batch]
            look = partial(
                circumstances, compiled=compiled, lead_ids=ids, now=now, zone=self._rules.zone
            )
            told = await self._shared.store.read(look)
            for each in batch:
                known = told[each.recipient.lead_id]
                found[each.message_id] = replace(each, circumstances=known)
        return list(found.values())

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
            self._note(task)

        task.add_done_callback(ended)

    async def _carry(self, connection: Connection) -> None:
        """One connection's life: message after message until it is used up, idle or broken."""
        served = 0
        try:
            while served < self._per_connection and connection.usable:
                try:
                    claimed = await asyncio.wait_for(self._line.get(), IDLE_SECONDS)
                except TimeoutError:
                    break
                self.free -= 1
                try:
                    await self._deliver(connection, claimed, fresh=served == 0)
                finally:
                    self.free += 1
                served += 1
        finally:
            self.free -= 1
            await connection.close()

    async def _deliver(self, connection: Connection, claimed: Claimed, *, fresh: bool) -> None:
        shared = self._shared
        if shared.stopping.is_set() or claimed.run_id not in shared.running:
            self._give_back(claimed, "paused before it was sent")
            return
        compiled = await shared.load(claimed.template_version_id)
        try:
            written = write_message(claimed, compiled, self._office)
        except (RenderError, EnvelopeError) as error:
            self._spawn(self._skip(claimed, str(error)))
            return
        except SigningError as error:
            # Our key is at fault, not this lead: the lane waits until somebody has looked.
            self._on_trouble(str(error))
            self._give_back(claimed, str(error))
            return
        outcome = await connection.send(written.envelope)
        if self._pacer is not None:
            self._pacer.on_outcome(shared.clock.now(), outcome)
        if outcome.verdict is not Verdict.UNSENT:
            self.handed_over += 1
        elif fresh:
            # A connection that served before may have gone stale; a fresh one that fails is news.
            self._on_trouble(outcome.reply)
        self._spawn(self._finish(claimed, outcome, written, compiled.name))

    def _give_back(self, claimed: Claimed, why: str) -> None:
        outcome = Outcome(verdict=Verdict.UNSENT, phase=Phase.CONNECT, reply=why)
        self._spawn(self._finish(claimed, outcome, None, ""))

    def _spawn(self, work: Awaitable[None]) -> None:
        """The connection goes on with the next message while this one's outcome is committed."""
        task: asyncio.Task[None] = asyncio.ensure_future(work)
        self._finishing.add(task)

        def finished(task: asyncio.Task[None]) -> None:
            self._finishing.discard(task)
            self.under_way -= 1
            self._note(task)

        task.add_done_callback(finished)

    def _note(self, task: asyncio.Task[None]) -> None:
        """A failure of the store ends the worker: outcomes could not be kept."""
        if not task.cancelled() and task.exception() is not None:
            self._shared.broken = self._shared.broken or task.exception()
            self._shared.stopping.set()
        self._on_change()

    async def _finish(
        self, claimed: Claimed, outcome: Outcome, written: Written | None, template: str
    ) -> None:
        shared = self._shared
        now = shared.clock.now()
        pace = self._pacer.state if self._pacer is not None else None

        def work(session: Session) -> State | None:
            state = finish(
                session,
                claimed,
                outcome,
                owner=shared.owner,
                now=now,
                sent=written.sent if written else None,
                retry_after=shared.retry(claimed.deferrals + 1, str(claimed.message_id)),
                day=claimed.claimed_at.astimezone(self._rules.zone).date(),
                template=template,
            )
            if pace is not None:
                save_pace(session, self._rules.lane_id, pace, now=now)
            shared.fault("finishing")
            return state

        state = await shared.store.write(work)
        shared.observer.finished(claimed, outcome, state)

    async def _skip(self, claimed: Claimed, why: str) -> None:
        shared = self._shared
        now = shared.clock.now()
        day = claimed.claimed_at.astimezone(self._rules.zone).date()
        await shared.store.write(
            lambda session: skip_unmade(
                session, claimed, owner=shared.owner, now=now, why=why, day=day
            )
        )
        shared.observer.skipped(claimed, why)

    async def drain(self) -> None:
        """What is on the wire is finished; what nobody took goes back unsent."""
        while self.in_line:
            self._give_back(self._line.get_nowait(), "the sender was stopped before it was sent")
        while self.connections or self._finishing:
            if self.free >= len(self.connections):
                for task in self.connections:
                    task.cancel()
            await asyncio.wait({*self.connections, *self._finishing}, timeout=0.05)
