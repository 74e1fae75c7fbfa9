"""What one rendering may use up: loop rounds, and characters printed or worked on.

Whatever takes time or memory spends from it, so it bounds both without asking a clock, and the
same template is stopped at the same place on every machine.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any

from jinja2.exceptions import SecurityError

#: Rounds of all loops together in one rendering of one part.
MAX_ROUNDS = 20_000
#: Characters one part may have; also the bound of every text made on the way.
MAX_CHARACTERS = 2_000_000
#: Bits of the largest number a multiplication may give.
MAX_BITS = 1_024


class Budget:
    """What one rendering may still use up."""

    __slots__ = ("characters", "held", "rounds")

    def __init__(self) -> None:
        self.rounds = MAX_ROUNDS
        self.characters = 2 * MAX_CHARACTERS
        #: Values taken out of the HTML until it is inlined, escaped.
        self.held: list[str] = []

    def round(self) -> None:
        self.rounds -= 1
        if self.rounds < 0:
            raise SecurityError(f"the loops go round more than {MAX_ROUNDS:,} times")

    def spend(self, characters: int) -> None:
        self.characters -= characters
        if self.characters < 0:
            raise SecurityError(f"the text grows beyond {MAX_CHARACTERS:,} characters")


#: None while Jinja folds constants at compile time: what an author typed out is small enough.
_present: ContextVar[Budget | None] = ContextVar("budget", default=None)


@contextmanager
def budget() -> Iterator[Budget]:
    """One rendering's budget, in force inside the block."""
    fresh = Budget()
    token = _present.set(fresh)
    try:
        yield fresh
    finally:
        _present.reset(token)


def in_force() -> Budget | None:
    """The budget in force; None while Jinja folds constants."""
    return _present.get()


def spend(characters: int) -> None:
    """Takes `characters` from the budget in force. Raises SecurityError when it is used up."""
    left = _present.get()
    if left is not None:
        left.spend(characters)


def weigh(value: Any) -> None:
    """Spends what reading all of `value` takes. Short texts are free, their number is bounded."""
    if isinstance(value, str):
        if len(value) > 1000:
            spend(len(value))
    elif isinstance(value, (list, tuple, dict, range)):
        spend(len(value))
        for each in value.values() if isinstance(value, dict) else value:
            if isinstance(each, str):
                spend(len(each))
            elif isinstance(each, (list, tuple, dict)):
                weigh(each)


#: Filters that take longer than reading, and how many times as long.
_DEAR = {"sort": 4, "groupby": 4, "unique": 2, "dictsort": 4}


def weighed(name: str, filter: Callable[..., Any]) -> Callable[..., Any]:
    """`filter`, paying for the value it is given."""
    at = 1 if hasattr(filter, "jinja_pass_arg") else 0

    @wraps(filter)
    def paying(*arguments: Any, **named: Any) -> Any:
        value = arguments[at] if len(arguments) > at else None
        if not isinstance(value, str) or len(value) > 1000:
            for _ in range(_DEAR.get(name, 1)):
                weigh(value)
        if name == "sum":
            value = list(value or ())
            if any(isinstance(each, (list, tuple)) for each in value):
                raise SecurityError("sum adds numbers, not lists")
            arguments = (*arguments[:at], value, *arguments[at + 1 :])
        return filter(*arguments, **named)

    return paying


def measured(value: Any) -> Any:
    """`value`, paid for."""
    if isinstance(value, str):
        spend(len(value))
    else:
        weigh(value)
    return value
