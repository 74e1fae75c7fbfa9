"""The root and the frame: finding commands, errors as lines, exit codes, JSON."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from console.cli import COMMANDS, INTERRUPTED, PIPE_CLOSED, main
from console.cli.frame import Frame, command, group
from console.document import to_json
from console.errors import Refused

Run = Callable[..., Result]
POTOK = Path(sys.executable).with_name("potok")


def invoke(function: Callable[[Frame], None], *arguments: str) -> Result:
    parent = group("parent", help="For this test.")
    command(parent, "child")(function)
    return CliRunner().invoke(parent, ["child", *arguments])


def test_every_command_that_is_listed_can_be_loaded() -> None:
    context = click.Context(main)
    for name in main.list_commands(context):
        loaded = main.get_command(context, name)
        assert loaded is not None and loaded.name == name


def test_a_command_whose_file_is_not_there_is_not_listed(
    monkeypatch: pytest.MonkeyPatch, potok: Run
) -> None:
    monkeypatch.setitem(COMMANDS, "ghost", ("ghost", "Not there."))
    assert "ghost" not in potok("--help").stdout
    assert potok("ghost").exit_code == 2


def test_a_misspelt_command_is_answered_with_the_nearest(potok: Run) -> None:
    done = potok("aply")
    assert done.exit_code == 2
    assert "Did you mean 'apply'?" in done.stderr


def test_help_comes_at_once() -> None:
    """Seconds of processor time, so that a busy machine does not decide."""
    resource = pytest.importorskip("resource", reason="processor times need a POSIX system")
    times = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([POTOK, "--help"], check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(times) < 0.3


def test_an_error_is_one_line_and_debug_shows_the_traceback() -> None:
    def child(frame: Frame) -> None:
        raise Refused("This cannot be, because of that.")

    plain = invoke(child)
    assert plain.exit_code == 1
    assert plain.stderr == "Error: This cannot be, because of that.\n"
    assert plain.stdout == ""
    assert "Traceback" in invoke(child, "--debug").stderr


def test_an_exit_code_is_the_commands_own() -> None:
    def child(frame: Frame) -> None:
        frame.emit({"rejected": 1}, lambda screen: None)
        frame.exit(3)

    done = invoke(child, "--json")
    assert (done.exit_code, json.loads(done.stdout)) == (3, {"rejected": 1})


def test_json_is_one_document_and_talk_goes_elsewhere() -> None:
    def child(frame: Frame) -> None:
        frame.say("working")
        frame.emit(
            {
                "at": datetime(2026, 3, 1, 12, 0, tzinfo=timezone(timedelta(hours=1))),
                "day": date(2026, 3, 1),
                "cost": Decimal("1.50"),
                "name": "Żółć",
            },
            lambda screen: screen.print("for people"),
        )

    done = invoke(child, "--json")
    assert json.loads(done.stdout) == {
        "at": "2026-03-01T11:00:00Z",
        "day": "2026-03-01",
        "cost": "1.50",
        "name": "Żółć",
    }
    assert done.stderr == "working\n"
    assert invoke(child).stdout == "for people\n"


def test_a_naive_moment_never_reaches_a_script() -> None:
    with pytest.raises(TypeError, match="naive"):
        to_json({"at": datetime(2026, 1, 1)})  # noqa: DTZ001 - the fault under test
    assert to_json({"at": datetime(2026, 1, 1, tzinfo=UTC)}) == '{"at": "2026-01-01T00:00:00Z"}'


def test_a_lead_s_square_brackets_are_shown_as_they_are() -> None:
    def child(frame: Frame) -> None:
        frame.emit({}, lambda screen: screen.print("[bold]ACME[/bold] [red]"))

    assert invoke(child).stdout == "[bold]ACME[/bold] [red]\n"


def test_a_question_without_a_terminal_asks_for_yes() -> None:
    def child(frame: Frame) -> None:
        frame.confirm("Really?")

    done = invoke(child)
    assert done.exit_code == 2
    assert "--yes" in done.stderr


def test_the_workspace_is_found_upward_by_variable_and_by_option(
    home: Path, potok: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(home / "segments")
    assert potok("plan").exit_code == 0
    monkeypatch.chdir(tmp_path)
    assert "potok init DIR" in potok("plan").stderr
    assert potok("--workspace", home, "plan").exit_code == 0
    assert potok("plan", "--workspace", home).exit_code == 0
    monkeypatch.setenv("POTOK_WORKSPACE", str(home))
    assert potok("plan").exit_code == 0
    assert "holds no potok.toml" in potok("--workspace", tmp_path, "plan").stderr


SLEEPER = """
import sys, time
from console.cli import main
from console.cli.frame import command
@command(main, "sleep")
def sleep(frame):
    print("ready", flush=True)
    time.sleep(30)
@command(main, "talk")
def talk(frame):
    frame.emit_lines({"n": n} for n in range(200_000))
main.get_command = lambda ctx, name: main.commands[name]
main.resolve_command = lambda ctx, args: (args[0], main.commands[args[0]], args[1:])
main(sys.argv[1:])
"""


def test_ctrl_c_ends_quietly() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SLEEPER, "sleep"], stdout=-1, stderr=-1, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=20)
    assert process.returncode == INTERRUPTED
    assert "Traceback" not in stderr and stderr.strip() == ""


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SLEEPER, "talk"], stdout=-1, stderr=-1, text=True
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        stderr = process.stderr.read()
        process.wait(20)
    assert stderr == ""
    assert process.returncode in (PIPE_CLOSED, 1)
