"""`python -m benchmarks.coverage`: a template rendered for everybody, with one process and more.

    python -m benchmarks.coverage --leads 100000 --rounds 3
    python -m benchmarks.coverage --keep /var/tmp/crowd --write

Two templates: the `welcome` starter, and one of 25 kB with 40 conditions and 60 printed fields.
"""

import argparse
import json
import platform
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

from sqlalchemy.engine import URL

from benchmarks.crowd import NOW
from benchmarks.report import write_section
from benchmarks.segments import crowds
from console.covering import cover
from console.covering_desk import desk_for
from console.new_workspace import Answers, make_workspace
from console.previews import compiled_now
from console.wiring import Workspace, open_workspace
from segments import parse

#: Bytes of HTML that the long template makes.
_LONG = 25_000
_FIELDS = ("first_name", "company", "job_title", "country", "stage", "email")


@dataclass(frozen=True, kw_only=True)
class Run:
    template: str
    processes: int
    messages: int
    seconds: float

    @property
    def rate(self) -> float:
        """Messages a second."""
        return self.messages / self.seconds


def workspace_on(url: URL, folder: Path) -> Path:
    """A workspace in `folder` whose database is the crowd's."""
    make_workspace(folder, Answers(time_zone="Europe/Warsaw"), now=NOW)
    settings = folder / "potok.toml"
    text = settings.read_text(encoding="utf-8")
    old = 'database = "sqlite:///potok.db"'
    assert old in text
    new = f'database = "{url.render_as_string(hide_password=False)}"'
    settings.write_text(text.replace(old, new), encoding="utf-8")
    long = folder / "templates" / "long"
    long.mkdir()
    defaults = "\n".join(f'{name} = "yours"' for name in _FIELDS)
    (long / "message.toml").write_text(
        f'subject = "News for {{{{ lead.first_name }}}}"\n[defaults]\n{defaults}\n'
    )
    (long / "body.html").write_text(_long_body())
    return folder


def _long_body() -> str:
    """40 conditions and 60 printed fields in 25 kB."""
    parts = ["<style>p { margin: 0 0 8px; color: #333 } .note { color: #777 }</style>"]
    filling = "Words that everybody gets and that nobody decides about, line after line. "
    for number in range(40):
        field, other = _FIELDS[number % 6], _FIELDS[number * 5 % 6]
        parts.append(
            f"{{% if lead.{field} and lead.score > {number % 7} %}}"
            f"<p>{filling * 6} {{{{ lead.{field} }}}}</p>\n"
            f"{{% else %}}<p class='note'>{filling * 6}</p>{{% endif %}}\n"
        )
        if number % 2:
            parts.append(f"<p>{{{{ lead.{other} }}}}</p>\n")
    parts.append(
        "<p>{{ sender.name }}, {{ sender.postal_address }}"
        " <a href='{{ links.unsubscribe }}'>Unsubscribe</a></p>"
    )
    return "".join(parts)


def measure(workspace: Workspace, template: str, processes: int) -> Run:
    """One coverage of everybody who may be written to."""
    compiled = compiled_now(workspace, template)
    (sender,) = workspace.settings.identities.values()
    desk = desk_for(workspace, compiled, sender)
    began = perf_counter()
    found = cover(workspace, desk, parse("everyone"), processes=processes)
    took = perf_counter() - began
    assert found.tally.failed == 0 and found.tally.messages == found.audience.mailable
    return Run(template=template, processes=processes, messages=found.tally.messages, seconds=took)


def memory(folder: Path) -> tuple[int, int]:
    """(most of the reading process, most of any that renders), in kB, with two of these."""
    given = [sys.executable, "-m", "benchmarks.coverage_memory", str(folder)]
    reading, rendering = json.loads(subprocess.run(given, check=True, capture_output=True).stdout)
    return reading, rendering


def speed_table(runs: list[Run]) -> str:
    rows = [
        "| template | processes | messages | seconds (each round) | messages a second, median |",
        "|---|---|---|---|---|",
    ]
    for template, processes in dict.fromkeys((run.template, run.processes) for run in runs):
        same = [run for run in runs if (run.template, run.processes) == (template, processes)]
        seconds = " ".join(f"{run.seconds:.1f}" for run in same)
        rows.append(
            f"| `{template}` | {processes} | {same[0].messages:,} | {seconds} |"
            f" {median(run.rate for run in same):,.0f} |"
        )
    return "\n".join(rows)


def main() -> None:
    options = argparse.ArgumentParser(
        prog="python -m benchmarks.coverage", description=(__doc__ or "").split("\n")[0]
    )
    options.add_argument("--leads", type=int, default=100_000)
    options.add_argument("--seed", type=int, default=1410)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--processes", type=int, nargs="+", default=[1, 2])
    options.add_argument("--keep", type=Path, help="folder for the databases")
    options.add_argument("--write", action="store_true", help="write it into benchmarks/README.md")
    given = options.parse_args()
    runs: list[Run] = []
    told = []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        folder = given.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        for leads in (given.leads // 10, given.leads):
            with crowds(folder, leads, given.seed, ["sqlite"]) as addresses:
                path = workspace_on(addresses["sqlite"], Path(scratch) / f"acme-{leads}")
                reading, rendering = memory(path)
                told.append(
                    f"{leads:,} leads: {reading / 1000:,.0f} MB at most in the process that reads,"
                    f" {rendering / 1000:,.0f} MB in each of the two that render."
                )
                print(told[-1], flush=True)
                if leads < given.leads:
                    continue
                workspace = open_workspace(path)
                for _ in range(given.rounds):
                    for template in ("welcome", "long"):
                        for processes in given.processes:
                            runs.append(measure(workspace, template, processes))
                            print(runs[-1], flush=True)
                workspace.close()
    text = (
        f"{runs[0].messages:,} of {given.leads:,} leads may be written to; {given.rounds} rounds in"
        f" turn, SQLite; {platform.machine()}, Python {platform.python_version()}.\n\n"
        f"{speed_table(runs)}\n\n" + "\n".join(told)
    )
    print(text)
    if given.write:
        write_section("Coverage", text)


if __name__ == "__main__":
    main()
