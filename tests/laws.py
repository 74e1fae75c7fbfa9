"""How many examples a law is tried on that asks a database about each of them."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

#: Set by `--proof`, before the tests are read.
long_form = False


def tried_on(short: int, *, long: int) -> Callable[[Any], Any]:
    """`short` examples in every run, and `long` in `make proof`; each run chooses others."""

    def decorate(test: Any) -> Any:
        many = settings(
            max_examples=long if long_form else short,
            deadline=None,
            suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
        )
        return pytest.mark.slow(many(test))

    return decorate
