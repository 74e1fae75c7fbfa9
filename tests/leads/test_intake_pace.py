"""An import lets others write: short transactions, and breaks in which everybody gets in."""

from collections.abc import Callable
from itertools import accumulate, chain, repeat
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlmodel import Session

from console.database import Database
from leads import Event, Lead, Pace, map_columns, open_source, take_in
from tests.leads.files import sums, terms, written

#: Milliseconds between two looks of SQLite's busy handler (sqliteDefaultBusyCallback).
DELAYS = (1, 2, 5, 10, 15, 20, 25, 25, 25, 50, 50)


class Watch:
    """A stopwatch that only goes when somebody sleeps or works."""

    def __init__(self) -> None:
        self.seconds = 100.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds


class NoDatabase:
    """Stands in for a session: takes its connection and nothing else."""

    def connection(self) -> None:
        pass


def looks_of_a_waiter(until: float) -> list[float]:
    """When somebody who found the lock taken at 0 looks again, in seconds."""
    found = []
    for at in accumulate(chain((0,), DELAYS, repeat(100))):
        found.append(at / 1000)
        if at / 1000 > until:
            return found
    raise AssertionError


def paced(watch: Watch) -> Pace:
    return Pace(stopwatch=watch, sleep=watch.sleep)


def spend(pace: Pace, watch: Watch, seconds: float) -> None:
    def transaction(work: Callable[[Session], Any]) -> Any:
        result = work(NoDatabase())  # type: ignore[arg-type]
        watch.seconds += seconds
        return result

    pace.run(transaction, lambda _: None)


@given(st.floats(0, 2), st.floats(0, 1))
def test_whoever_waits_gets_in_after_the_transaction(held: float, share: float) -> None:
    """Wherever inside the transaction the waiting began."""
    watch = Watch()
    pace = paced(watch)
    spend(pace, watch, held)
    released = watch.seconds
    spend(pace, watch, 0)
    taken_again = watch.seconds
    waited = held * share
    looks = looks_of_a_waiter(waited + taken_again - released)
    assert any(waited <= look <= waited + taken_again - released for look in looks)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_a_slow_transaction_makes_the_next_one_smaller(durations: list[float]) -> None:
    watch = Watch()
    pace = paced(watch)
    for held in durations:
        before = pace.rows
        spend(pace, watch, held)
        assert 50 <= pace.rows <= 2000
        if held > 0.2:
            assert pace.rows < before or pace.rows == 50


def test_quick_transactions_grow_to_the_most_rows() -> None:
    watch = Watch()
    pace = paced(watch)
    for _ in range(20):
        spend(pace, watch, 0.001)
    assert pace.rows == 2000


def test_work_outside_the_transaction_counts_as_the_break() -> None:
    watch = Watch()
    pace = paced(watch)
    spend(pace, watch, 0.05)
    watch.seconds += 0.5
    spend(pace, watch, 0.05)
    assert watch.slept == []


def test_tidying_is_done_between_transactions_and_counts_as_the_break() -> None:
    watch = Watch()
    told: list[float] = []

    def tidy() -> None:
        told.append(watch.seconds)
        watch.seconds += 0.5

    pace = Pace(stopwatch=watch, sleep=watch.sleep, tidy=tidy)
    for _ in range(12):
        spend(pace, watch, 0.01)
    assert len(told) >= 2
    assert len(watch.slept) == 11 - len(told), "who tidied need not sleep as well"


@pytest.mark.parametrize("held", [0.0, 0.3])
def test_a_paced_import_takes_in_every_row_once(
    held: float, database: Database, tmp_path: Path
) -> None:
    watch = Watch()
    sizes: list[int] = []

    def write(work: Callable[[Session], Any]) -> Any:
        def slowly(session: Session) -> Any:
            before = session.scalar(select(func.count()).select_from(Lead)) or 0
            result = work(session)
            after = session.scalar(select(func.count()).select_from(Lead)) or 0
            sizes.append(after - before)
            watch.seconds += held
            return result

        return database.write(slowly)

    path = written(tmp_path, "email\n" + "".join(f"p{n % 3000}@x.pl\n" for n in range(3100)))
    source = open_source(path)
    taken = take_in(
        source,
        map_columns(source),
        terms(),
        write=write,
        read=database.read,
        dice=Random(1),
        pace=paced(watch),
    )
    assert sums(taken) == (3000, 0, 100, 0)
    with database.reading() as session:
        for table in (Lead, Event):
            assert session.scalar(select(func.count()).select_from(table)) == 3000
    assert max(sizes) <= 2000
    if held:
        assert 50 in sizes, "transactions that take too long get fewer rows"
