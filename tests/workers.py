"""How several workers share the tests: one by one, but those of some files stay together."""

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

#: Their tests share what takes long to prepare: a second worker would only wait for the first.
TOGETHER = ("tests/journeys/test_demo.py",)


class _Shared(LoadScopeScheduling):
    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return file if file in TOGETHER else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling | None:
    """Instead of xdist's groups, whose mark this pytest does not read."""
    return _Shared(config, log) if config.getvalue("dist") == "load" else None
