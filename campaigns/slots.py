"""What the lanes of one identity share: its connections, and the turns of a day that is spread out.

A lane that hangs must cost the others nothing, and none may always be the first.
"""

import asyncio
from datetime import datetime, timedelta

#: Seconds a connection is kept while another lane has none and waits in line for one.
HELD_SECONDS = 10.0
#: How long a turn is kept for a lane that does not come for it.
_PATIENCE = timedelta(seconds=2)


class Slots:
    """The connections an identity may have open at the same time."""

    def __init__(self, total: int, *, shared: bool = True) -> None:
        self._total = total
        #: With `shared` one lane never has them all: a server that hangs leaves one to the others.
        self._most = max(1, total - 1) if shared else total
        self._free = asyncio.Semaphore(total)
        self._held: dict[int, int] = {}
        self._in_line = 0

    @property
    def crowded(self) -> bool:
        """Whether a lane without a connection waits in line for one."""
        return self._in_line > 0

    def may_open(self, lane: int) -> bool:
        """Whether the lane may open one more: its first one always, others while there is room."""
        held = self._held.get(lane, 0)
        return not held or (held < self._most and not self._free.locked() and not self.crowded)

    async def take(self, lane: int) -> None:
        """Waits for a free one; who waits longest gets it."""
        self._in_line += 1
        try:
            await self._free.acquire()
        finally:
            self._in_line -= 1
        self._held[lane] = self._held.get(lane, 0) + 1

    def give(self, lane: int) -> None:
        """One is closed."""
        self._held[lane] -= 1
        self._free.release()


class Turns:
    """Who writes next where messages keep a distance: the lane that has waited longest.

    With N lanes that have something to send each comes at least every N-th time.
    """

    def __init__(self) -> None:
        #: Lane -> when it last asked, in the order in which they began to wait.
        self._waiting: dict[int, datetime] = {}
        self._opens_at: datetime | None = None

    def mine(self, lane: int, now: datetime) -> bool:
        """Whether the lane may try now; asking keeps its place."""
        self._waiting[lane] = now
        for other, asked in list(self._waiting.items()):
            if other == lane:
                return True
            if now <= max(asked, self._opens_at or asked) + _PATIENCE:
                return False
            del self._waiting[other]  # it wants nothing any more
        return True

    def wait_until(self, opens_at: datetime) -> None:
        """Nobody's turn comes before that moment; everybody keeps their place."""
        self._opens_at = opens_at

    def had(self, lane: int) -> None:
        """It had its turn, or there is nothing it could send."""
        self._waiting.pop(lane, None)
