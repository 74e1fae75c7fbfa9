"""`potok run` as a command: what it leaves behind when it ends."""

import signal
from collections.abc import Callable, Iterator

import pytest
from click.testing import Result

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture(autouse=True)
def _as_in_a_terminal() -> Iterator[None]:
    before = [(s, signal.getsignal(s)) for s in (signal.SIGINT, signal.SIGTERM)]
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    yield
    for number, handler in before:
        signal.signal(number, handler)


def test_ctrl_c_and_sigterm_are_heard_again_after_it(potok: Callable[..., Result]) -> None:
    assert potok("run", "--until-idle").exit_code == 0
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
