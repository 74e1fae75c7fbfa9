"""A reader of a mailbox as a process of its own, so that a test can let it die at an exact point.

python -m tests.campaigns.reader_process URL MAILDIR [--fault POINT --nth N] [--slow SECONDS]
"""

import argparse
import asyncio
import os
import signal
import time
from pathlib import Path

from sqlalchemy.engine import make_url

from campaigns import poll
from console.database import Database, Store
from deliverability import Maildir
from tests.campaigns.answering import DESK, LATER


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("url")
    options.add_argument("maildir", type=Path)
    options.add_argument("--fault")
    options.add_argument("--nth", type=int, default=1)
    options.add_argument("--slow", type=float, default=0.0)
    given = options.parse_args()
    left = given.nth

    def fault(point: str) -> None:
        nonlocal left
        time.sleep(given.slow)
        if point == given.fault:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    database = Database(make_url(given.url))
    store = Store(database)
    asyncio.run(poll(store, Maildir(given.maildir), DESK, now=LATER, batch=4, fault=fault))
    store.close()
    database.close()


if __name__ == "__main__":
    main()
