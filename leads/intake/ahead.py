"""The next one is made while the present one is worked on."""

from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def one_ahead(items: Iterator[T]) -> Generator[T, None, None]:
    """`items`, none of them None, in their order, each made in a thread while the caller works
    on the one before.

    It pays when the caller's work is to wait, as for a database in a process of its own. Raises
    what making an item raised when its turn comes. Close it when not all are taken.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="potok-ahead") as maker:
        waiting: Future[T | None] = maker.submit(next, items, None)
        while (item := waiting.result()) is not None:
            waiting = maker.submit(next, items, None)
            yield item
