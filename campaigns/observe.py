"""What a worker says while it works: small values that a progress view or a log shows."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from campaigns.queue import Claimed
from campaigns.states import State
from deliverability import Outcome


@dataclass(frozen=True, kw_only=True, slots=True)
class LaneView:
    """A lane as it stands now."""

    lane_id: int
    identity: str
    provider: str
    #: Messages per second it may send; None for as fast as the connections allow.
    rate: float | None
    #: Rows in `sending`.
    under_way: int
    connections: int
    #: When it will claim again, if it waits for a moment; aware UTC.
    next_at: datetime | None
    #: Why it waits, in words; empty while it works.
    waits_for: str


class Observer(Protocol):
    """Told of everything that happens; must not block."""

    def finished(self, claimed: Claimed, outcome: Outcome, state: State | None) -> None: ...

    def skipped(self, claimed: Claimed, why: str) -> None: ...

    def said(self, text: str) -> None:
        """A sentence for a person: a lane paused, a server cannot be reached, a run finished."""
        ...


class Silent:
    """Nobody is looking."""

    def finished(self, claimed: Claimed, outcome: Outcome, state: State | None) -> None:
        pass

    def skipped(self, claimed: Claimed, why: str) -> None:
        pass

    def said(self, text: str) -> None:
        pass
