"""`python -m benchmarks.endurance`: minutes of sending at full speed; does memory stay flat?

A workspace with more leads than can be written to in that time is planned by a process of its own;
this one then sends to Debian's smtp-sink, and every five seconds the resident memory of it and of
the processes that write for it is noted. Flat means: at the end at most 1.2 times what it was after
the first tenth (a minute of ten).

    python -m benchmarks.endurance --minutes 10 --messages 900000 --write
"""

import argparse
import asyncio
import os
import platform
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

from benchmarks.pipeline import fill, loop_factory, new_workspace, opened, plan, smtp_sink
from benchmarks.report import write_section
from campaigns import require_run, status_of
from console.database import Store
from console.sending import only_sender, open_sender

EVERY = 5.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """Seconds since the start; messages accepted; resident memory in kB."""

    at: float
    own: int
    helpers: int


def resident(pid: int) -> int:
    """Resident memory of a process in kB; 0 when it is gone."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text("ascii", "replace").splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
    return 0


def children(pid: int) -> list[int]:
    """The processes this one started."""
    with suppress(OSError):
        return [
            int(each)
            for task in Path(f"/proc/{pid}/task").iterdir()
            for each in (task / "children").read_text("ascii").split()
        ]
    return []


def prepare(folder: Path, messages: int) -> None:
    """Fills and plans; memory that takes is not this program's."""
    new_workspace(folder)
    workspace = opened(folder, 0, 1)
    fill(workspace, messages)
    plan(workspace)
    workspace.close()


def measure(folder: Path, port: int, minutes: float, apart: set[int]) -> tuple[list[Sample], int]:
    """The samples, and how many messages were accepted."""
    workspace = opened(folder, port, 10)
    store = Store(workspace.database)
    samples: list[Sample] = []

    async def send() -> None:
        worker = open_sender(workspace, store, paced=False)
        running = asyncio.create_task(worker.run(until_idle=True, patience=timedelta(seconds=5)))
        began = monotonic()
        while not running.done() and monotonic() - began < minutes * 60:
            await asyncio.wait([running], timeout=EVERY)
            pid = os.getpid()
            others = [each for each in children(pid) if each not in apart]
            samples.append(
                Sample(
                    at=monotonic() - began,
                    own=resident(pid),
                    helpers=sum(map(resident, others)),
                )
            )
        worker.stop()
        await running

    with only_sender(workspace), asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(send())
    store.close()
    accepted = workspace.database.read(lambda s: status_of(s, require_run(s, "welcome"))).accepted
    workspace.close()
    return samples, accepted


def table(samples: list[Sample], accepted: int) -> str:
    whole = samples[-1].at
    marks = [next(s for s in samples if s.at >= whole * share) for share in (0.1, 0.25, 0.5, 0.75)]
    rows = [
        f"{accepted:,} messages in {whole / 60:.1f} minutes, {accepted / whole:,.0f} a second;"
        f" SQLite; {platform.machine()}, Python {platform.python_version()}.",
        "",
        "| after, minutes | sender, MB | processes that write for it, MB |",
        "|---|---|---|",
        *(
            f"| {each.at / 60:.1f} | {each.own / 1024:.0f} | {each.helpers / 1024:.0f} |"
            for each in [*marks, samples[-1]]
        ),
    ]
    first, last = marks[0], samples[-1]
    own, helpers = last.own / first.own, last.helpers / max(first.helpers, 1)
    rows += ["", f"**At the end {own:.2f} times the first mark (the others {helpers:.2f}).**"]
    return "\n".join(rows)


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m benchmarks.endurance", description=__doc__)
    options.add_argument("--minutes", type=float, default=10.0)
    options.add_argument("--messages", type=int, default=900_000, help="leads to have at hand")
    options.add_argument("--prepare", type=Path, help=argparse.SUPPRESS)
    options.add_argument("--write", action="store_true", help="write benchmarks/README.md")
    given = options.parse_args()
    if given.prepare is not None:
        prepare(given.prepare, given.messages)
        return
    with TemporaryDirectory() as name, smtp_sink() as port:
        folder = Path(name) / "workspace"
        again = [sys.executable, "-m", "benchmarks.endurance", "--prepare", str(folder)]
        subprocess.run([*again, "--messages", str(given.messages)], check=True)
        samples, accepted = measure(folder, port, given.minutes, set(children(os.getpid())))
    text = table(samples, accepted)
    print(text)
    if given.write:
        write_section("Endurance", text)


if __name__ == "__main__":
    main()
