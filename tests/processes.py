"""Processes for tests that kill them: forked from one that has read the program already.

They begin within milliseconds, so a kill after half a second meets work and not imports.
"""

import multiprocessing
from collections.abc import Callable
from multiprocessing.process import BaseProcess

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(
    [
        "tests.campaigns.sender_process",
        "tests.campaigns.reader_process",
        "tests.leads.import_in_process",
    ]
)


def begin(work: Callable[..., None], *given: object, **named: object) -> BaseProcess:
    """`work` in a process of its own, which shares nothing with this one.

    Kill it with `kill()`; `end` waits for it.
    """
    process = _forks.Process(target=work, args=given, kwargs=named)
    process.start()
    return process


def end(process: BaseProcess, *, within: float = 60.0) -> int:
    """Waits for it: its exit code, minus the signal's number when a signal ended it."""
    process.join(within)
    assert process.exitcode is not None, "it does not end"
    return process.exitcode
