"""`python -m benchmarks.segments`: counts and planning on a crowd of leads, beside SQL by hand.

    python -m benchmarks.segments --leads 100000 --rounds 5
    python -m benchmarks.segments --leads 1000000 --keep /var/tmp/crowd --write

Databases are built once in the folder `--keep` names, else in one that goes away afterwards.
"""

import argparse
import gc
import json
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.engine import URL, make_url
from sqlmodel import Session

from benchmarks.counting import TYPICAL, Typical, by_hand, product
from benchmarks.crowd import Crowd
from benchmarks.crowd_tables import load
from benchmarks.planning import (
    PlanningRound,
    measure_planning,
    memory_of_planning,
    planning_ratio,
)
from benchmarks.postgresql import database_on, postgresql_server
from benchmarks.report import write_section
from console.database import Database
from console.schema import upgrade

KINDS = ("sqlite", "postgresql")


@dataclass(frozen=True, kw_only=True)
class Counted:
    """Milliseconds of each round, by hand and by the product."""

    rule: str
    matching: int
    by_hand: tuple[float, ...]
    product: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """The median of the rounds' own ratios."""
        return median(p / h for h, p in zip(self.by_hand, self.product, strict=True))


def _unprepared(session: Session) -> Connection:
    """The session's connection; psycopg would keep the plan of what is asked again and again,
    and a count is asked once."""
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        raw: Any = connection.connection.dbapi_connection
        raw.prepare_threshold = None
    return connection


def measure_count(database: Database, typical: Typical, rounds: int) -> Counted:
    """Both in turn; the first round warms up. Raises AssertionError when the answers differ."""
    statement = typical.by_hand(database.dialect)
    hand: list[float] = []
    ours: list[float] = []
    for number in range(rounds + 1):
        # As timeit does: what earlier rounds left behind is not paid for by this one.
        gc.disable()
        with database.reading() as session:
            connection = _unprepared(session)
            began = perf_counter()
            expected = by_hand(connection, statement)
            hand.append((perf_counter() - began) * 1000)
        with database.reading() as session:
            _unprepared(session)
            began = perf_counter()
            found = product(session, typical.rule)
            ours.append((perf_counter() - began) * 1000)
        gc.enable()
        assert found == expected, (typical.rule, found, expected)
        if number == 0:
            hand.clear()
            ours.clear()
    return Counted(
        rule=typical.rule, matching=found.matching, by_hand=tuple(hand), product=tuple(ours)
    )


@contextmanager
def crowds(folder: Path, leads: int, seed: int, kinds: list[str]) -> Iterator[dict[str, URL]]:
    """A filled database of each kind."""
    crowd, found = Crowd(leads=leads, seed=seed), {}
    name = f"crowd_{leads}_{seed}"
    if "sqlite" in kinds:
        path = folder / f"{name}.db"
        found["sqlite"] = make_url(f"sqlite:///{path}")
        if not path.exists():
            load(found["sqlite"], crowd)
        _upgrade(found["sqlite"])
    if "postgresql" not in kinds:
        yield found
        return
    with postgresql_server(folder / "postgresql") as server:
        found["postgresql"], new = database_on(server, name)
        if new:
            load(found["postgresql"], crowd)
        _upgrade(found["postgresql"])
        yield found


def _upgrade(url: URL) -> None:
    """A database kept from another day gets today's schema."""
    database = Database(url)
    upgrade(database)
    database.close()


def memory_of_counts(url: URL) -> int:
    """Most memory, in kB, that a process of its own takes for one count of each rule."""
    given = [sys.executable, "-m", "benchmarks.segments_memory", url.render_as_string(False)]
    return int(json.loads(subprocess.run(given, check=True, capture_output=True).stdout))


def counts_table(counted: list[Counted]) -> str:
    rows = [
        "| rule | leads | by hand, ms | product, ms | ratio |",
        "|---|---|---|---|---|",
    ]
    rows += [
        f"| `{each.rule}` | {each.matching:,} | {median(each.by_hand):.1f} |"
        f" {median(each.product):.1f} | {each.ratio:.2f} |"
        for each in counted
    ]
    return "\n".join(rows)


def planning_table(rounds: list[PlanningRound]) -> str:
    rows = [
        "| round | rows | bare, s | rows all alike, s | planned, s | ratio | to rows all alike |"
        " lane's transactions | longest wait, ms |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    rows += [
        f"| {number} | {each.rows:,} | {each.bare:.1f} | {each.alike:.1f} | {each.planned:.1f} |"
        f" {each.ratio:.2f} | {each.ratio_alike:.2f} | {len(each.waits)} | {max(each.waits):.0f} |"
        for number, each in enumerate(rounds, 1)
    ]
    alike = median(each.ratio_alike for each in rounds)
    told = f"**Median ratio: {planning_ratio(rounds):.2f}; to rows all alike: {alike:.2f}.**"
    return "\n".join([*rows, "", told])


def main() -> None:
    options = argparse.ArgumentParser(
        prog="python -m benchmarks.segments", description=(__doc__ or "").split("\n")[0]
    )
    options.add_argument("--leads", type=int, default=100_000)
    options.add_argument("--seed", type=int, default=1410)
    options.add_argument("--rounds", type=int, default=5, help="0 leaves the counts out")
    options.add_argument("--planning-rounds", type=int, default=3, help="0 leaves planning out")
    options.add_argument("--on", choices=[*KINDS, "both"], default="both")
    options.add_argument("--keep", type=Path, help="folder for the databases")
    options.add_argument("--write", action="store_true", help="write it into benchmarks/README.md")
    given = options.parse_args()
    kinds = list(KINDS) if given.on == "both" else [given.on]
    told = [
        f"{given.leads:,} leads, {given.leads * 3:,} preferences, {given.leads * 5:,} events;"
        f" {given.rounds} rounds, medians; {platform.machine()}, Python"
        f" {platform.python_version()}."
    ]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        folder = given.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        with crowds(folder, given.leads, given.seed, kinds) as addresses:
            for kind, url in addresses.items():
                name = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[kind]
                if given.rounds:
                    database = Database(url)
                    counted = [measure_count(database, each, given.rounds) for each in TYPICAL]
                    database.close()
                    told += [f"### {name}: counts", counts_table(counted)]
                    told.append(
                        "One process that counts each once takes"
                        f" {memory_of_counts(url) / 1000:,.0f} MB at most."
                    )
                    print("\n\n".join(told[-3:]), flush=True)
                if given.planning_rounds:
                    rounds = measure_planning(url, given.planning_rounds)
                    told += [f"### {name}: planning", planning_table(rounds)]
                    told.append(
                        "One process that plans them all takes"
                        f" {memory_of_planning(url) / 1000:,.0f} MB at most."
                    )
                    print("\n\n".join(told[-3:]), flush=True)
    if given.write:
        write_section("Segments", "\n\n".join(told))


if __name__ == "__main__":
    main()
