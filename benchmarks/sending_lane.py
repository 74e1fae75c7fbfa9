"""A sending lane as far as the database sees it, in a process of its own: how long it waits.

    python -m benchmarks.sending_lane WORKSPACE

It claims five planned messages (marks them, writes their attempts) in one transaction and records
what became of them (messages, attempts, events) in the next, forty of both a second, until its
standard input ends. Then it prints the milliseconds of every transaction, from asking for it to
its commit's return, as JSON.
"""

import json
import secrets
import select as ready
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter

from sqlalchemy import insert, select, update
from sqlmodel import Session, col

from benchmarks.pipeline import fill
from campaigns import Attempt, Message, begin, plan_range, prepare
from console.wiring import Workspace, open_workspace
from leads import Event

#: Messages of one claim, and seconds between two transactions.
CLAIM, BETWEEN = 5, 0.025
_LEADS = 500


@dataclass(frozen=True, kw_only=True)
class Waits:
    """Milliseconds from asking for a transaction to its commit."""

    transactions: int
    middle: float
    #: Ninety-nine in a hundred took no longer.
    most: float
    longest: float
    #: How many took longer than the 250 ms a lane may have to wait.
    too_long: int


def plan_messages(workspace: Workspace) -> None:
    """Some hundred planned messages for the lane to work on."""
    database, zone, now = workspace.database, workspace.settings.time_zone, workspace.now()
    fill(workspace, _LEADS)

    def plan(session: Session) -> None:
        chosen = prepare(
            session,
            "welcome",
            identities=workspace.settings.identities,
            consent_required=False,
        )
        token = secrets.token_hex(6)
        run = begin(session, chosen, now=now, by="lane", token=token, when_in_doubt="hold")
        plan_range(session, run.id or 0, chosen.rule(zone), now=now, zone=zone)

    database.write(plan)


@contextmanager
def beside(folder: Path) -> Iterator[list[Waits]]:
    """A lane at work while the block runs; its waits are in the list afterwards."""
    found: list[Waits] = []
    child = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.sending_lane", str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[1],
    )
    assert child.stdin is not None and child.stdout is not None
    with child.stdout:
        child.stdout.readline()  # it is open and working
        try:
            yield found
        finally:
            child.stdin.close()
            told = child.stdout.read()
            child.wait()
    found.append(_judged(json.loads(told)))


def _judged(milliseconds: list[float]) -> Waits:
    ordered = sorted(milliseconds)
    return Waits(
        transactions=len(ordered),
        middle=median(ordered),
        most=ordered[len(ordered) * 99 // 100],
        longest=ordered[-1],
        too_long=sum(each > 250 for each in ordered),
    )


def main(folder: str) -> None:
    workspace = open_workspace(Path(folder))
    write, planned = workspace.database.write, workspace.database.read(_planned)
    took: list[float] = []
    number = 0
    sys.stdout.write("\n")
    sys.stdout.flush()
    while not ready.select([sys.stdin], [], [], BETWEEN)[0]:
        chosen = [planned[(number * CLAIM + n) % len(planned)] for n in range(CLAIM)]
        number += 1
        for step in (_claim, _record):
            began = perf_counter()
            write(partial(step, chosen=chosen, number=number, now=workspace.now()))
            took.append(1000 * (perf_counter() - began))
    workspace.close()
    json.dump(took, sys.stdout)


def _claim(session: Session, *, chosen: list[tuple[int, int]], number: int, now: datetime) -> None:
    session.execute(
        update(Message)
        .where(col(Message.id).in_([n for n, _ in chosen]), col(Message.state) == "planned")
        .values(state="sending", owner="lane", claimed_at=now)
    )
    facts = {"number": number, "owner": "lane", "started_at": now, "reply": ""}
    session.execute(insert(Attempt), [{"message_id": n, **facts} for n, _ in chosen])


def _record(session: Session, *, chosen: list[tuple[int, int]], number: int, now: datetime) -> None:
    messages = [n for n, _ in chosen]
    # Planned again, so that the lane never runs dry.
    session.execute(
        update(Message).where(col(Message.id).in_(messages)).values(state="planned", owner=None)
    )
    session.execute(
        update(Attempt)
        .where(col(Attempt.message_id).in_(messages), col(Attempt.number) == number)
        .values(ended_at=now, result="accepted", phase="done", code=250)
    )
    facts = {"at": now, "kind": "sent", "by": "lane", "data": {}}
    session.execute(insert(Event), [{"lead_id": lead, **facts} for _, lead in chosen])


def _planned(session: Session) -> list[tuple[int, int]]:
    """(message, lead) of every message the lane works on."""
    chosen = select(col(Message.id), col(Message.lead_id)).where(col(Message.state) == "planned")
    return [(row.id, row.lead_id) for row in session.execute(chosen.order_by(col(Message.id)))]


if __name__ == "__main__":
    main(sys.argv[1])
