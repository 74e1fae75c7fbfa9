"""The worker's one pen: outcomes wait while a write is under way and leave together in the next.

A commit costs the same for one outcome and for fifty, so at full speed they share one; a paced
worker has one at a time and nothing waits for company.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from campaigns.finish_together import Finishing, finish_together
from campaigns.states import State
from campaigns.store import Store
from deliverability import Lessons, save_pace

#: Told the new state, or what the store raised.
Written = Callable[[State | None, BaseException | None], None]


@dataclass(frozen=True, slots=True)
class _Waiting:
    finishing: Finishing
    #: What its lane learnt from the outcome: mostly nothing.
    lessons: Lessons | None
    written: Written


class Finisher:
    """Writes outcomes down in the order they came, each with what its lane has learnt."""

    def __init__(self, store: Store, owner: str, fault: Callable[[str], None]) -> None:
        self._store = store
        self._owner = owner
        self._fault = fault
        self._waiting: list[_Waiting] = []
        self._writing: asyncio.Task[None] | None = None

    def put(self, finishing: Finishing, lessons: Lessons | None, written: Written) -> None:
        """Writes it down soon; `written` is called when it is committed, or never will be."""
        self._waiting.append(_Waiting(finishing, lessons, written))
        if self._writing is None:
            self._writing = asyncio.get_running_loop().create_task(self._write())

    async def _write(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                await self._write_down(batch)
        finally:
            self._writing = None

    async def _write_down(self, batch: list[_Waiting]) -> None:
        states: list[State | None]
        try:
            states = await self._store.write(lambda session: self._work(session, batch))
        except Exception as error:
            if len(batch) > 1 and not isinstance(error, OperationalError):
                # One of them may be what cannot be written: the others do not go down with it.
                for each in batch:
                    await self._write_down([each])
                return
            for each in batch:
                each.written(None, error)
            return
        for each, state in zip(batch, states, strict=True):
            each.written(state, None)

    def _work(self, session: Session, batch: list[_Waiting]) -> list[State | None]:
        states = finish_together(session, [each.finishing for each in batch], owner=self._owner)
        for each in batch:
            if each.lessons is not None:
                lane_id = each.finishing.claimed.lane_id
                save_pace(session, lane_id, each.lessons, now=each.finishing.at)
        for _ in batch:
            self._fault("finishing")
        return states
