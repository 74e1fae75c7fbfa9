"""What is made ahead of its use comes in order, no further than one ahead, with its errors."""

import threading
from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leads.intake.ahead import one_ahead

#: Seconds after which a thread is taken for stuck.
STUCK = 30


@given(st.lists(st.integers()))
def test_everything_comes_once_and_in_order(items: list[int]) -> None:
    assert list(one_ahead(iter(items))) == items


def test_the_next_one_is_made_while_the_present_one_is_worked_on() -> None:
    made = threading.Event()

    def items() -> Iterator[str]:
        yield "first"
        made.set()
        yield "second"

    with closing(one_ahead(items())) as following:
        assert next(following) == "first"
        assert made.wait(STUCK)


def test_an_error_is_told_after_what_came_before_it() -> None:
    def items() -> Iterator[int]:
        yield 1
        yield 2
        raise LookupError("the file ends here")

    got: list[int] = []
    with pytest.raises(LookupError, match="ends here"):
        got.extend(one_ahead(items()))
    assert got == [1, 2]


def test_who_stops_early_leaves_no_thread_and_at_most_one_too_many() -> None:
    made = []

    def items() -> Iterator[int]:
        for n in range(100):
            made.append(n)
            yield n

    before = threading.active_count()
    with closing(one_ahead(items())) as following:
        assert next(following) == 0
    assert made in ([0], [0, 1])
    assert threading.active_count() == before
