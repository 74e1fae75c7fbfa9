"""A reader of a mailbox to run as a process of its own: a test lets it die at an exact point."""

import asyncio
import os
import signal
import time
from pathlib import Path

from sqlalchemy.engine import URL

from campaigns import poll
from console.database import Database, Store
from deliverability import Maildir
from tests.campaigns.answering import DESK, LATER


def read_on(
    url: URL, maildir: Path, *, fault: str | None = None, nth: int = 1, slow: float = 0.0
) -> None:
    """Reads everything, `slow` seconds a point, and dies the `nth` time it passes `fault`."""
    left = nth

    def passed(point: str) -> None:
        nonlocal left
        time.sleep(slow)
        if point == fault:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    database = Database(url)
    store = Store(database)
    asyncio.run(poll(store, Maildir(maildir), DESK, now=LATER, batch=4, fault=passed))
    store.close()
    database.close()
