"""Planning as the database wants it: in ranges that let others write, where all share one lock."""

import time
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlmodel import Session

from campaigns import Beside, Rule, plan_run
from console.database import Database


def plan(
    database: Database,
    run_id: int,
    rule_of: Callable[[Session], Rule],
    *,
    now: datetime,
    zone: ZoneInfo,
) -> None:
    """Plans what is left of a run; a sending lane beside it goes on."""
    if database.dialect != "sqlite":
        write, read = database.write, database.read
        plan_run(run_id, rule_of, write=write, read=read, now=now, zone=zone)
        return
    with closing(Database(database.url, tidies=False)) as own:
        plan_run(
            run_id,
            rule_of,
            write=own.write,
            read=own.read,
            now=now,
            zone=zone,
            beside=Beside(stopwatch=time.monotonic, sleep=time.sleep, tidy=own.tidy),
        )
