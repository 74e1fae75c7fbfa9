"""A lane's own breaker: too many of its last answers asked us to come back, so it rests."""

import asyncio
from collections.abc import Callable
from datetime import datetime

from sqlmodel import Session

from campaigns.worker_state import Shared
from deliverability import (
    LANE_ANSWERS,
    MOST_DEFERRED,
    Cause,
    DeferralBreaker,
    Held,
    Level,
    Measure,
    Outcome,
    Scope,
    Verdict,
    close_breakers,
    held,
    trip,
)

#: Deferrals with a cure of their own: the pace slows down, greylisting passes, a box is emptied.
_CURED = frozenset({Cause.RATE, Cause.GREYLIST, Cause.MAILBOX})
_ANSWERS = frozenset({Verdict.ACCEPTED, Verdict.REJECTED, Verdict.DEFERRED})


class Suspension:
    """Follows a lane's answers and keeps its row in step; a restart finds the rest it began."""

    def __init__(self, shared: Shared, lane_id: int, kept: Held | None) -> None:
        self.reason = kept.reason if kept is not None else ""
        self._shared = shared
        self._key = str(lane_id)
        self._breaker = DeferralBreaker(kept.until if kept is not None else None)
        self._writing: set[asyncio.Task[None]] = set()

    @property
    def until(self) -> datetime | None:
        """Suspended until then; a moment that has passed means a few messages go first."""
        return self._breaker.until

    def few(self, under_way: int) -> int | None:
        """How many may be claimed while it tries with a few; None: as many as you like."""
        return self._breaker.room(under_way)

    def answered(self, outcome: Outcome) -> None:
        """One answer of the lane's servers."""
        if outcome.verdict not in _ANSWERS or (
            outcome.verdict is Verdict.DEFERRED and outcome.cause in _CURED
        ):
            return
        now, before = self._shared.clock.now(), self.until
        level = self._breaker.answered(now, deferred=outcome.verdict is Verdict.DEFERRED)
        if level is Level.TRIP and self.until != before:
            self.reason = (
                f"more than {MOST_DEFERRED:.0%} of the last {LANE_ANSWERS} answers asked us to "
                f"come back: {outcome.code} {outcome.reply}"
            )
            self._write(lambda session: self._trip(session, now))
        elif before is not None and self.until is None:
            self.reason = ""
            self._write(lambda session: self._close(session, now))

    async def written(self) -> None:
        """Returns when everything is in the database."""
        while self._writing:
            await asyncio.wait(self._writing)

    def _write(self, work: Callable[[Session], None]) -> None:
        task: asyncio.Task[None] = asyncio.create_task(self._kept(work))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def _kept(self, work: Callable[[Session], None]) -> None:
        await self._shared.store.write(work)

    def _trip(self, session: Session, now: datetime) -> None:
        self._close(session, now)
        trip(
            session,
            Scope.LANE,
            self._key,
            Measure.DEFERRALS,
            reason=self.reason,
            seen={"answers": LANE_ANSWERS},
            now=now,
            until=self.until,
        )

    def _close(self, session: Session, now: datetime) -> None:
        close_breakers(session, [each.id for each in held(session, Scope.LANE, self._key)], now=now)
