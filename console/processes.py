"""Other processes of this program, for work that is CPU alone."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def spawned(
    processes: int, begin: Callable[..., None] | None = None, *given: Any
) -> ProcessPoolExecutor:
    """Processes that begin anew, so that no lock or connection of this one is copied.

    Each calls `begin(*given)` first. They ignore Ctrl-C, because whoever started them ends them,
    and go when that process is gone, however it ended.
    """
    return ProcessPoolExecutor(
        processes,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_begin,
        initargs=(begin, given),
    )


@contextmanager
def quiet_start(*, begun: bool = False) -> Iterator[None]:
    """Processes started inside ignore Ctrl-C from their first moment; we stop them ourselves."""
    if begun or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _begin(begin: Callable[..., None] | None, given: tuple[Any, ...]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_leave_with, args=(parent.sentinel,), daemon=True).start()
    if begin is not None:
        begin(*given)


def _leave_with(sentinel: int) -> None:
    """Ends this process when the one that started it is gone."""
    from multiprocessing.connection import wait

    wait([sentinel])
    os._exit(1)
