"""A real receiver of mail for tests: the demo's own, as a process, with a table to write."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from console.demo.behaviour import SHIPPED
from console.demo.process import ReceiverProcess

StartReceiver = Callable[..., ReceiverProcess]

#: Domains for tests, one for each behaviour.
TABLE = """
[provider."unknown.test"]
unknown_percent = 100
[provider."full.test"]
full_percent = 100
[provider."broken.test"]
full_percent = 100
full_answer = "552 5.2.2 Mailbox full for good"
[provider."slow.test"]
answer_seconds = 0.3
[provider."strict.test"]
per_second = 5.0
burst = 5
[provider."hangup.test"]
per_second = 0.001
burst = 1
rate_answer = "421 4.7.0 Enough for now"
[provider."greylist.test"]
greylist_seconds = 0.5
[provider."drop.test"]
drop_percent = 100
"""


@pytest.fixture
def start_receiver(tmp_path: Path) -> Iterator[StartReceiver]:
    """`start_receiver(table=TOML, port=0, save_mail=False, answers=False)`, ended with the test."""
    started: list[ReceiverProcess] = []

    def start(
        *, table: str = TABLE, port: int = 0, save_mail: bool = False, answers: bool = False
    ) -> ReceiverProcess:
        folder = tmp_path / f"receiver-{len(started)}"
        folder.mkdir()
        providers = SHIPPED
        if table:
            providers = folder / "providers.toml"
            providers.write_text(table, encoding="utf-8")
        receiver = ReceiverProcess(
            folder,
            providers=providers,
            port=port,
            save_mail=save_mail,
            answers=folder / "inbox" if answers else None,
        )
        started.append(receiver)
        return receiver

    yield start
    for receiver in started:
        receiver.stop()


@pytest.fixture
def receiver(start_receiver: StartReceiver) -> ReceiverProcess:
    """A receiver on 127.0.0.1 with the table above; domains not in it take everything."""
    return start_receiver()
