"""`potok demo` as people run it: the real command in a process of its own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from console.demo.answering import Kind, read_answered
from console.demo.record import read_record


def potok(*arguments: str, **more: object) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", "from console.cli import main; main()", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=150, **more)  # type: ignore[call-overload,no-any-return]


@pytest.fixture(scope="module")
def played(
    tmp_path_factory: pytest.TempPathFactory, worker_id: str
) -> tuple[dict[str, object], Path]:
    """The demo, run once for all workers: its document and its workspace."""
    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id == "master" else base.parent
    result, folder = shared / "demo.json", shared / "demo-workspace"
    with FileLock(shared / "demo.lock"):
        if not result.exists():
            done = potok("demo", "--keep", str(folder), "--json")
            assert done.returncode == 0, done.stderr
            result.write_text(done.stdout, encoding="utf-8")
    return json.loads(result.read_text(encoding="utf-8")), folder


def test_it_ends_well_within_a_minute(played: tuple[dict[str, object], Path]) -> None:
    assert played[0]["seconds"] < 60  # type: ignore[operator]


def test_every_sum_holds_and_none_is_empty(
    played: tuple[dict[str, object], Path],
) -> None:
    document = played[0]
    assert document["ok"] is True
    assert document["matching"] == document["status"]["planned"]  # type: ignore[index]
    campaign, sequence = document["status"]["accepted"], document["sequence"]["sent"]  # type: ignore[index]
    assert document["recorded"] == campaign + sequence
    assert campaign > 250
    assert document["status"]["rejected"] > 0  # type: ignore[index]
    assert document["leads"] == {"read": 506, "added": 500, "repeated": 2, "rejected": 4}


def test_deferred_ones_were_brought_again_within_the_run(
    played: tuple[dict[str, object], Path],
) -> None:
    taken = read_record(played[1] / "received" / "taken.jsonl")
    assert any(line.recipient.endswith("@szara-lista.example") for line in taken)
    assert played[0]["status"]["deferred"] == 0  # type: ignore[index]


def test_what_came_back_is_of_every_kind(played: tuple[dict[str, object], Path]) -> None:
    answered = read_answered(played[1] / "received" / "answered.jsonl")
    assert {line.kind for line in answered} == set(Kind)
    assert played[0]["answered"] == len(answered) == len(list((played[1] / "inbox/new").iterdir()))


def test_who_answers_the_first_mail_of_the_sequence_gets_no_second(
    played: tuple[dict[str, object], Path],
) -> None:
    assert played[0]["sequence"] == {"leads": 6, "sent": 11}
    shown = potok("--workspace", str(played[1]), "sequences", "status", "after-demo", "--json")
    assert json.loads(shown.stdout)["exited"] == {"replied": 1}


def test_the_story_of_somebody_who_wrote_back_is_there(
    played: tuple[dict[str, object], Path],
) -> None:
    email = str(played[0]["somebody"])
    shown = potok("--workspace", str(played[1]), "leads", "show", email, "--json")
    kinds = [entry["kind"] for entry in json.loads(shown.stdout)["timeline"]]
    assert kinds[0] == "imported"
    assert "replied" in kinds[kinds.index("sent") :]


def test_the_mails_lie_there_to_be_opened(
    played: tuple[dict[str, object], Path],
) -> None:
    mails = list((played[1] / "received" / "mail").glob("*.eml"))
    assert len(mails) == played[0]["recorded"]


def test_the_workspace_can_be_used_afterwards(
    played: tuple[dict[str, object], Path],
) -> None:
    status = potok("--workspace", str(played[1]), "campaigns", "status", "answers", "--json")
    assert status.returncode == 0, status.stderr
    assert json.loads(status.stdout)["accepted"] == played[0]["status"]["accepted"]  # type: ignore[index]
    checked = potok("--workspace", str(played[1]), "campaigns", "verify", "answers", "--json")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_it_leaves_a_workspace_that_is_there_alone(
    played: tuple[dict[str, object], Path],
) -> None:
    before = sorted(path.name for path in played[1].iterdir())
    again = potok("demo", "--keep", str(played[1]))
    assert again.returncode == 1
    assert "is a workspace already" in again.stderr
    assert "Traceback" not in again.stderr
    assert sorted(path.name for path in played[1].iterdir()) == before
