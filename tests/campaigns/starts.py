"""Starts by schedule by hand: an armed campaign, the worker's turns, what they left."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

from sqlalchemy import select, update
from sqlmodel import Session, col

from campaigns import plan_range
from campaigns.rules import frozen_rule
from campaigns.runs import latest_run
from campaigns.settling import settle
from campaigns.starting import Starting, start_due
from campaigns.tables import Message, Run
from console.database import Database
from tests.campaigns.world import ANNA, ZONE, add_leads, apply_campaign

#: Monday after the world's Tuesday, 9:00 in Warsaw.
MONDAY = datetime(2026, 3, 16, 8, 0, tzinfo=UTC)

WEEK = timedelta(days=7)

LATE = timedelta(hours=2)

_tokens = count(1)


def starting(**changes: object) -> Starting:
    given = Starting(
        identities={"anna": ANNA},
        consent_required=False,
        base_url="",
        when_in_doubt="hold",
        token=lambda: f"{next(_tokens):012x}",
    )
    return replace(given, **changes)  # type: ignore[arg-type]


def arm(database: Database, *, leads: int = 3, **when: object) -> None:
    """`leads` leads and the campaign `hello`, which starts on Mondays unless `when` says else."""
    if leads:
        database.write(lambda s: add_leads(s, leads))
    given = when if "at" in when else {"cron": "0 9 * * mon"} | when
    database.write(lambda s: apply_campaign(s, when=given))


def turn(database: Database, now: datetime, **changes: object) -> list[str]:
    """What the worker does at `now`: starts, plans, settles. The words it says."""
    said = database.write(lambda s: start_due(s, starting(**changes), now=now, zone=ZONE))
    plan(database, now)
    return [words for _, words in said]


def plan(database: Database, now: datetime) -> None:
    def work(session: Session) -> None:
        for run_id in session.scalars(select(col(Run.id)).where(col(Run.state) == "planning")):
            assert run_id is not None
            plan_range(session, run_id, frozen_rule(session, run_id, zone=ZONE), now=now, zone=ZONE)

    database.write(work)


def accept_all(database: Database, now: datetime) -> None:
    """Everything that waits has arrived."""

    def work(session: Session) -> None:
        session.execute(
            update(Message)
            .where(col(Message.state) == "planned")
            .values(state="accepted", settled_at=now)
        )
        settle(session, now=now)

    database.write(work)


def runs(database: Database) -> list[tuple[str, str]]:
    with database.reading() as session:
        found = session.execute(select(col(Run.occurrence), col(Run.state)).order_by(col(Run.id)))
        return [(occurrence, state) for occurrence, state in found]


def newest(database: Database) -> Run:
    with database.reading() as session:
        run = latest_run(session, "hello")
        assert run is not None
        return run


def waiting(database: Database, run: Run) -> int:
    with database.reading() as session:
        rows = session.scalars(
            select(col(Message.state)).where(col(Message.run_id) == run.id)
        ).all()
        return rows.count("planned")
