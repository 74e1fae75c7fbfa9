"""Short transactions with breaks between them, so that a sending lane beside an import goes on.

SQLite has one lock for writing and no queue before it: who finds it taken looks again after 1, 2,
5, 10, 15, 20, three times 25, twice 50 and then every 100 ms. A lock that is given back and taken
again at once is therefore missed by everybody, for ever. So a break follows each transaction,
longer than the time between two looks of whoever waited from its start: they always get in, after
one transaction and its break at most. What needs no lock is done in the break; most are no wait.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from sqlmodel import Session

T = TypeVar("T")

#: Runs a function in one transaction of its own: `Database.write`, `Database.read`.
Transaction = Callable[[Callable[[Session], Any]], Any]

#: Rows in one transaction at most.
CHUNK = 2000
_FEWEST = 50
#: Rows from one tidying to the next.
_TIDY = 2000
#: Seconds a transaction is to take; the next ones get fewer rows when one took longer.
_WANTED = 0.08
#: (seconds of a transaction, break after it): looks are at most so far apart until then.
_BREAKS = ((0.12, 0.03), (0.22, 0.055))
_LONG_BREAK = 0.105


class Pace:
    """Gives each chunk its size and each transaction its break, by what the last ones took."""

    def __init__(
        self,
        *,
        stopwatch: Callable[[], float],
        sleep: Callable[[float], None],
        tidy: Callable[[], None] | None = None,
    ) -> None:
        """`stopwatch` tells seconds from any beginning; `sleep` lets seconds go by; `tidy` is work
        for the database in which nobody has to wait, done in a break now and then."""
        self._stopwatch, self._sleep, self._tidy = stopwatch, sleep, tidy
        self._untidy = 0
        #: Rows of the next chunk.
        self.rows = 500
        self._free_until = stopwatch()

    def run(self, transaction: Transaction, work: Callable[[Session], T]) -> T:
        """`transaction(work)`, which writes `rows` rows, after the break of the one before."""
        if self._tidy is not None and self._untidy >= _TIDY:
            self._tidy()
            self._untidy = 0
        left = self._free_until - self._stopwatch()
        if left > 0:
            self._sleep(left)
        began = self._stopwatch()

        def timed(session: Session) -> T:
            nonlocal began
            session.connection()  # waits for the lock
            began = self._stopwatch()
            return work(session)

        try:
            result: T = transaction(timed)
            return result
        finally:
            ended = self._stopwatch()
            self._note(ended - began)
            self._free_until = ended + _break(ended - began)

    def _note(self, seconds: float) -> None:
        self._untidy += self.rows
        fitting = int(self.rows * _WANTED / max(seconds, 0.001))
        # Down at once, up slowly: one quick commit says little of the next.
        self.rows = max(_FEWEST, min(fitting, self.rows * 5 // 4, CHUNK))


def _break(seconds: float) -> float:
    return next((rest for most, rest in _BREAKS if seconds <= most), _LONG_BREAK)
