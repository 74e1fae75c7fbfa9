"""A campaign with a schedule really leaves, by the real clock, and by the real command."""

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from console.cli import main

#: The real command in a process of its own, except that it looks for new schedules each second.
POTOK = """
from datetime import timedelta
import campaigns.starter
assert campaigns.starter.LOOK_EVERY == timedelta(seconds=30)
campaigns.starter.LOOK_EVERY = timedelta(seconds=1)
from console.cli import main
main()
"""


def potok(workspace: Path, *arguments: str) -> Result:
    done = CliRunner().invoke(main, ["--workspace", str(workspace), *arguments])
    assert done.exit_code == 0, done.output
    return done


def once(moment: datetime) -> str:
    """In UTC, which has no hour that comes twice."""
    return f'at = "{moment:%Y-%m-%d %H:%M:%S}"\nzone = "UTC"'


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh workspace with one lead; its identity writes into a folder."""
    home = tmp_path_factory.mktemp("schedule") / "acme"
    made = CliRunner().invoke(main, ["init", str(home), "--yes", "--time-zone", "Europe/Warsaw"])
    assert made.exit_code == 0, made.output
    people = home.parent / "people.csv"
    people.write_text("email,first_name\nala@kot.example,Ala\n", "utf-8")
    potok(home, "leads", "import", str(people))
    # What is applied already takes no time when the schedule is.
    potok(home, "apply")
    return home


@pytest.fixture
def workspace(prepared: Path, tmp_path: Path) -> Path:
    """A copy of it for each test."""
    return Path(shutil.copytree(prepared, tmp_path / "acme"))


def schedule(workspace: Path, when: str) -> None:
    path = workspace / "campaigns" / "welcome.toml"
    text = path.read_text("utf-8").partition("\n[when]")[0]
    path.write_text(f"{text}\n[when]\n{when}\n", "utf-8")
    potok(workspace, "apply")


def mails(workspace: Path) -> list[Path]:
    return sorted((workspace / "outbox").glob("*.eml"))


def test_it_leaves_while_potok_runs_at_its_moment_and_not_before(workspace: Path) -> None:
    running = subprocess.Popen(
        [sys.executable, "-c", POTOK, "--workspace", str(workspace), "run"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        deadline = time.monotonic() + 60
        while not (workspace / ".potok.lock").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        # Applied beside a worker that runs.
        at = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=3)
        schedule(workspace, once(at))
        while not mails(workspace) and time.monotonic() < deadline:
            time.sleep(0.05)
        left = datetime.now(UTC)
        # The file is there; what became of it is committed a moment later.
        running.send_signal(signal.SIGTERM)
        told = running.communicate(timeout=60)[1]
    finally:
        running.kill()
        running.wait()
    assert running.returncode == 0
    assert len(mails(workspace)) == 1
    assert left >= at
    assert "campaign welcome: starts (was due " in told
    status = json.loads(potok(workspace, "campaigns", "status", "welcome", "--json").stdout)
    assert status["accepted"] == 1
    assert status["run"]["occurrence"] == at.isoformat()


def test_a_few_seconds_ahead_is_worth_waiting_for(workspace: Path) -> None:
    at = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=3)
    schedule(workspace, once(at))
    done = potok(workspace, "run", "--until-idle", "--wait", "30", "--json")
    assert datetime.now(UTC) >= at
    assert json.loads(done.stdout)["accepted"] == 1
    assert len(mails(workspace)) == 1
    # Once is once, however often potok runs.
    assert json.loads(potok(workspace, "run", "--until-idle", "--json").stdout)["accepted"] == 0


def test_what_passed_while_the_machine_was_down_is_asked_about(workspace: Path) -> None:
    # The next time is an hour away: none comes while the test runs, whatever the clock says.
    coming = datetime.now(UTC) + timedelta(hours=1)
    cron = f"{coming.minute} {coming.hour} * * *"
    schedule(workspace, f'cron = "{cron}"\nzone = "UTC"')
    # As if it had been applied the day before yesterday.
    applied = (datetime.now(UTC) - timedelta(days=2)).strftime("%Y-%m-%d %H:%M:%S.%f")
    with sqlite3.connect(workspace / "potok.db") as database:
        database.execute("UPDATE campaign SET applied_at = ?", (applied,))
    database.close()
    done = potok(workspace, "run", "--until-idle")
    assert not mails(workspace)
    assert "Next start: welcome, " in done.stdout
    (row,) = json.loads(potok(workspace, "campaigns", "list", "--json").stdout)["campaigns"]
    assert row["state"] == "paused"
    assert "potok campaigns resume welcome sends it now" in row["reason"]
    assert row["next_start"]
    potok(workspace, "campaigns", "resume", "welcome")
    sent = json.loads(potok(workspace, "run", "--until-idle", "--json").stdout)
    assert sent["accepted"] == 1
    assert json.loads(potok(workspace, "campaigns", "verify", "welcome", "--json").stdout)["ok"]
