"""What the parts of a worker have in common: clock, store, runs that may send, how it ended."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from zoneinfo import ZoneInfo

from campaigns.finisher import Finisher
from campaigns.observe import Observer
from campaigns.scribes import Scribes
from campaigns.store import Clock, Store
from templates import Compiled

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
    #: Who writes messages in other processes; None: this one does.
    scribes: Scribes | None = None
    #: Runs that may send, as of the last survey: what a paused one still had claimed goes back.
    running: set[int] = field(default_factory=set)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    #: The first failure of the store: the worker must end, since outcomes cannot be kept.
    broken: BaseException | None = None
    finisher: Finisher = field(init=False)

    def __post_init__(self) -> None:
        self.finisher = Finisher(self.store, self.owner, self.fault)
