"""`potok templates coverage`: everybody rendered in several processes, on both databases."""

import csv
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import insert, true, update
from sqlalchemy.engine import URL
from sqlmodel import col

from console import covering
from console.cli import main
from console.covering import cover
from console.covering_desk import Told, desk_for
from console.errors import Refused
from console.previews import compiled_now
from console.wiring import Workspace, open_workspace
from leads import Lead, Permission, Suppression
from segments import parse
from tests.conftest import NOW
from tests.templates.letters import SETTINGS

HTML = """<p>Hi {{ lead.first_name|default("") }},</p>
{% if lead.country == "PL" %}<p>{{ lead.company }}</p>{% else %}<p>abroad</p>{% endif %}
<p>{{ sender.postal_address }} <a href="{{ links.unsubscribe }}">out</a></p>
"""
NAMES = ("Anna", "JOHN", "", "mr.", "zofia", "Łukasz", "\u202ex")


@pytest.fixture
def folder(tmp_path: Path, database_url: URL) -> Path:
    path = tmp_path / "acme"
    template = path / "templates" / "spring"
    template.mkdir(parents=True)
    address = database_url.render_as_string(hide_password=False)
    (path / "potok.toml").write_text(SETTINGS.format(database=address), encoding="utf-8")
    (path / "potok.keys").write_text(f'address = "{"a" * 64}"\nlinks = ["{"b" * 64}"]\n')
    (path / "potok.keys").chmod(0o600)
    (template / "message.toml").write_text('subject = "Hello {{ lead.first_name or lead.email }}"')
    (template / "body.html").write_text(HTML)
    return path


@pytest.fixture
def workspace(folder: Path) -> Iterator[Workspace]:
    opened = open_workspace(folder)
    yield opened
    opened.close()


def people(workspace: Workspace, count: int, *, company: str = "ACME") -> None:
    rows: list[dict[str, Any]] = [
        {
            "email": f"lead{n}@firma.example",
            "domain": "firma.example",
            "address_key": f"key{n:060}",
            "first_name": NAMES[n % len(NAMES)],
            "company": company,
            "country": ("PL", "DE")[n % 2],
            "stage_at": NOW,
            "created_at": NOW,
            "updated_at": NOW,
            "draw": n,
            "token": f"{n:016x}",
        }
        for n in range(count)
    ]

    def work(session: Any) -> None:
        session.execute(insert(Lead), rows)
        barred = {"address_key": rows[0]["address_key"], "reason": "opted_out", "at": NOW, "by": ""}
        session.execute(insert(Suppression), [barred])

    workspace.database.write(work)


def covered(workspace: Workspace, **given: Any) -> tuple[Any, list[Told]]:
    compiled = compiled_now(workspace, "spring")
    desk = desk_for(workspace, compiled, workspace.settings.identities["anna"])
    told: list[Told] = []
    return cover(workspace, desk, parse("everyone"), tell=told.extend, **given), told


def potok(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["--workspace", str(folder), "templates", "coverage", *words])


def test_several_processes_find_what_one_finds_in_the_same_order(workspace: Workspace) -> None:
    people(workspace, 1_300)
    steps: list[tuple[int, int]] = []
    one, told = covered(workspace, processes=1)
    two, again = covered(workspace, processes=2, progress=lambda *done: steps.append(done))
    assert two.tally == one.tally
    assert again == told
    assert one.tally.messages == 1_299
    assert [each.lead_id for each in told] == sorted(each.lead_id for each in told)
    assert steps[-1] == (1_299, 1_299)
    assert (one.audience.matching, one.audience.left_out) == (1_300, {"opted_out": 1})


def test_a_process_that_is_killed_is_told_and_none_stays(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    people(workspace, 3_000)
    seen: list[int] = []

    def kill_one(_done: int, _all: int) -> None:
        if not seen:
            import multiprocessing

            seen.extend(each.pid or 0 for each in multiprocessing.active_children())
            os.kill(seen[0], signal.SIGKILL)

    with pytest.raises(Refused, match="ended from outside"):
        covered(workspace, processes=2, progress=kill_one)
    assert len(seen) == 2
    for pid in seen:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


@pytest.fixture
def _ctrl_c_is_heard() -> Iterator[None]:
    """As in a terminal, whatever the shell, or another test, made of SIGINT before."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_ctrl_c_is_heard")
def test_ctrl_c_ends_the_processes(workspace: Workspace) -> None:
    people(workspace, 3_000)
    seen: list[int] = []

    def press(_done: int, _all: int) -> None:
        import multiprocessing

        seen.extend(each.pid or 0 for each in multiprocessing.active_children())
        for pid in seen:
            # A terminal sends it to all of them.
            os.kill(pid, signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        covered(workspace, processes=2, progress=press)
    for pid in seen:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_never_more_than_a_few_pages_are_under_way(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    people(workspace, 6_000)
    read = done = most = 0
    pages = covering._pages

    def counted(*given: Any) -> Iterator[Any]:
        nonlocal read, most
        for page in pages(*given):
            read += len(page)
            most = max(most, read - done)
            yield page

    def progress(so_far: int, _all: int) -> None:
        nonlocal done
        done = so_far

    monkeypatch.setattr(covering, "_pages", counted)
    covered(workspace, processes=2, progress=progress)
    assert read == 5_999
    assert most <= 7 * covering.PAGE


def test_the_command_says_what_is_wrong_and_for_whom(workspace: Workspace, folder: Path) -> None:
    people(workspace, 30)
    done = potok(folder, "spring")
    assert done.exit_code == 0, done.stderr
    assert "spring for everybody: 29 messages (1 of 30 leads are left out)" in done.stdout
    assert 'lead2@firma.example (3) "Hi ,"' in done.stdout
    assert "lead.first_name: all capitals" in done.stdout
    assert 'body.html:2  if lead.country == "PL"' in done.stdout
    assert "All of 29 messages can be made." in done.stdout


def test_a_message_that_cannot_be_made_is_exit_code_one(workspace: Workspace, folder: Path) -> None:
    people(workspace, 30, company="")
    done = potok(folder, "spring")
    assert done.exit_code == 1
    assert "body.html:2: lead.company is empty for this lead and has no default" in done.stdout
    assert "14 messages of 29 cannot be made." in done.stdout
    only = potok(folder, "spring", "--segment", "country = DE")
    assert only.exit_code == 0
    assert '0  never       body.html:2  if lead.country == "PL"' in only.stdout


def test_the_file_and_the_document_hold_every_lead(workspace: Workspace, folder: Path) -> None:
    people(workspace, 300, company="")
    file = folder / "odd.csv"
    done = potok(folder, "spring", "--csv", str(file), "--json")
    totals = json.loads(done.stdout)
    assert "leads" not in totals
    rows = list(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))
    streamed = json.loads(potok(folder, "spring", "--json").stdout)
    assert [(row["finding"], row["email"], row["note"]) for row in rows] == [
        (row["finding"], row["email"], row["note"]) for row in streamed["leads"]
    ]
    for each in streamed["findings"]:
        same = [r for r in rows if all(r[h] == each[k] for h, k in SAME.items())]
        assert len(same) == each["leads"]
    assert streamed["failed"] == sum(row["finding"] == "failed" for row in rows) == 149
    assert {key: streamed[key] for key in totals if key != "file"} == {
        key: totals[key] for key in totals if key != "file"
    }


SAME = {"finding": "finding", "field_or_part": "what", "where": "where", "said": "said"}


def test_the_applied_version_is_looked_at_when_asked_for(
    workspace: Workspace, folder: Path
) -> None:
    people(workspace, 10)
    missing = potok(folder, "spring", "--applied")
    assert missing.exit_code == 1
    assert 'no applied template "spring"' in missing.stderr
    applied = CliRunner().invoke(main, ["--workspace", str(folder), "apply"])
    assert applied.exit_code == 0, applied.output
    (folder / "templates" / "spring" / "body.html").write_text("<p>{{ lead.phone }}</p>")
    assert potok(folder, "spring", "--applied").exit_code == 0
    assert potok(folder, "spring").exit_code == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("sprng",), 'did you mean "spring"?'),
        (("spring", "--segment", "contry = PL"), "country"),
        (("spring", "--segment", "nobody"), "neither a segment nor a rule"),
        (("spring", "--identity", "ana"), '"anna"'),
    ],
)
def test_mistakes_are_one_line(folder: Path, words: tuple[str, ...], said: str) -> None:
    done = potok(folder, *words)
    assert done.exit_code == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_nobody_to_write_to_is_said(folder: Path) -> None:
    done = potok(folder, "spring")
    assert done.exit_code == 0
    assert "nobody of everybody" not in done.stdout
    assert json.loads(potok(folder, "spring", "--json").stdout)["leads"] == []


def test_a_plan_tries_a_sample_and_says_what_cannot_be_made(
    workspace: Workspace, folder: Path
) -> None:
    people(workspace, 30, company="")
    at = ["--workspace", str(folder)]
    for words in (
        ("segments", "create", "all", "everyone"),
        ("campaigns", "create", "news", "--segment", "all", "--template", "spring"),
    ):
        done = CliRunner().invoke(main, [*at, *words])
        assert done.exit_code == 0, done.output
    planned = json.loads(
        CliRunner().invoke(main, [*at, "campaigns", "plan", "news", "--json"]).stdout
    )
    (finding,) = [each for each in planned["findings"] if each["id"] == "cannot-render"]
    assert finding["level"] == "warning"
    assert finding["where"] == "templates/spring/body.html:2"
    assert finding["what"].startswith("14 of 29 messages cannot be made; lead2@firma.example: ")
    assert "potok templates coverage spring --applied --segment all" in finding["do"]


def test_a_sample_of_many_is_a_few_hundred(workspace: Workspace) -> None:
    people(workspace, 2_000)

    def spread(session: Any) -> None:
        session.execute(update(Lead).values(draw=(col(Lead.id) * 1_048_583) % (2**31 - 1)))

    workspace.database.write(spread)
    compiled = compiled_now(workspace, "spring")
    desk = desk_for(workspace, compiled, workspace.settings.identities["anna"])
    with workspace.database.reading() as session:
        some = covering.cover_some(session, desk, true(), Permission(), of=1_999)
        everybody = covering.cover_some(session, desk, true(), Permission(), of=1)
    assert 150 < some.messages < 350
    assert covering.SAMPLE < everybody.messages <= 3 * covering.SAMPLE
