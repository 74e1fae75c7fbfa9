"""What this room needs of a database and of time. `console` brings the real ones."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol, TypeVar

from sqlmodel import Session

T = TypeVar("T")


class Store(Protocol):
    """Writes are committed when they return and may run twice; reads see one snapshot."""

    async def write(self, work: Callable[[Session], T]) -> T: ...

    async def read(self, work: Callable[[Session], T]) -> T: ...


class Clock(Protocol):
    """Time as an argument: the real one in production, a virtual one in tests."""

    def now(self) -> datetime:
        """Aware UTC."""
        ...

    async def sleep(self, seconds: float) -> None: ...
