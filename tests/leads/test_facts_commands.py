"""`potok leads deal`, `task`, `event` and `events`, as a person types them."""

import json
from pathlib import Path

import pytest
from sqlalchemy.engine import URL

from tests.leads.test_commands import SETTINGS, answer, potok

ANNA, JAN = "anna@firma.example", "jan@firma.example"


@pytest.fixture
def workspace(tmp_path: Path, database_url: URL) -> Path:
    folder = tmp_path / "acme"
    folder.mkdir()
    database = database_url.render_as_string(hide_password=False)
    (folder / "potok.toml").write_text(SETTINGS.format(database=database), encoding="utf-8")
    (folder / "potok.keys").write_text(f'address = "{"a" * 64}"\nlinks = ["{"b" * 64}"]\n')
    (folder / "potok.keys").chmod(0o600)
    (folder / "two.csv").write_text(f"email\n{ANNA}\n{JAN}\n")
    answer(folder, "import", folder / "two.csv")
    return folder


def test_a_deal_from_its_opening_to_its_end(workspace: Path) -> None:
    added = answer(
        workspace,
        *("deal", "add", ANNA, "Annual plan", "--amount", "12000", "--currency", "pln"),
        *("--closes", "2026-12-20"),
    )
    deal = added["deal"]
    assert (deal["amount"], deal["currency"], deal["state"]) == ("12000.00", "PLN", "open")
    assert (deal["expected_close"], deal["closed_at"]) == ("2026-12-20", None)
    change = ("deal", "change", ANNA, "annual plan", "--amount", "14000.50", "--closes", "")
    for changed in (True, False):
        done = answer(workspace, *change)
        assert (done["changed"], done["deal"]["amount"]) == (changed, "14000.50")
        assert done["deal"]["expected_close"] is None
    renamed = answer(workspace, "deal", "change", ANNA, str(deal["id"]), "--rename", "Two years")
    assert renamed["deal"]["name"] == "Two years"
    for changed in (True, False):
        done = answer(workspace, "deal", "close", ANNA, "Two years", "won")
        assert (done["changed"], done["deal"]["state"]) == (changed, "won")
    assert answer(workspace, "deal", "reopen", ANNA, "Two years")["changed"]
    assert [each["name"] for each in answer(workspace, "deal", "list", ANNA)["deals"]] == [
        "Two years"
    ]
    shown = answer(workspace, "show", ANNA)
    assert shown["deals"] == answer(workspace, "deal", "list", ANNA)["deals"]
    text = potok(workspace, "show", ANNA).stdout
    assert '"Two years", 14 000.50 PLN, open' in text
    assert "12000.00 -> 14000.50" in text
    assert "Two years" in potok(workspace, "deal", "list", ANNA).stdout
    assert "has no deal" in potok(workspace, "deal", "list", JAN).stdout


def test_a_task_until_it_is_done(workspace: Path) -> None:
    added = answer(workspace, "task", "add", JAN, "Call back", "--due", "2026-03-11")["task"]
    # The last minute of the day in Warsaw.
    assert (added["due_at"], added["done_at"]) == ("2026-03-11T22:59:00Z", None)
    moved = answer(workspace, "task", "change", JAN, "call back", "--due", "2026-03-12 14:30")
    assert moved["task"]["due_at"] == "2026-03-12T13:30:00Z"
    assert "2026-03-12 14:30 overdue" in potok(workspace, "task", "list", JAN).stdout
    for changed in (True, False):
        assert answer(workspace, "task", "done", JAN, "Call back")["changed"] is changed
    assert "done" in potok(workspace, "show", JAN).stdout
    assert answer(workspace, "task", "reopen", JAN, "Call back")["task"]["done_at"] is None
    cleared = answer(
        workspace,
        "task",
        "change",
        JAN,
        "Call back",
        "--due",
        "",
        "--owner",
        "ewa",
        "--title",
        "Ring",
    )
    assert (cleared["task"]["due_at"], cleared["task"]["owner"]) == (None, "ewa")
    assert [each["title"] for each in answer(workspace, "task", "list", JAN)["tasks"]] == ["Ring"]
    assert "has no task" in potok(workspace, "task", "list", ANNA).stdout


def test_an_event_of_your_own(workspace: Path) -> None:
    event = ("event", JAN, "demo.requested", "--set", "plan=pro", "--set", "seats=5")
    at = ("--at", "2026-03-01 10:00")
    for changed in (True, False):
        done = answer(workspace, *event, *at)
        assert (done["changed"], done["at"]) == (changed, "2026-03-01T09:00:00Z")
    [last] = [e for e in answer(workspace, "show", JAN)["timeline"] if "." in e["kind"]]
    assert last["data"] == {"properties": {"plan": "pro", "seats": 5}}
    assert "plan = pro, seats = 5" in potok(workspace, "show", JAN).stdout


def test_files_of_deals_and_events(workspace: Path) -> None:
    deals = workspace / "deals.csv"
    deals.write_text(f"email,name,amount,currency\n{ANNA},Plan,5,EUR\nwho@x.example,Plan,5,EUR\n")
    done = answer(workspace, "deal", "import", deals, code=3)
    assert (done["read"], done["added"], done["rejected"]) == (2, 1, 1)
    assert done["rejects"] == [
        {"line": 3, "reason": "who@x.example is no lead: potok leads import brings leads in"}
    ]
    told = potok(workspace, "deal", "import", deals)
    assert told.exit_code == 3
    assert "added 0, updated 0, unchanged 1, rejected 1" in told.stdout
    events = workspace / "events.jsonl"
    row = {"email": ANNA, "event": "invoice.paid", "at": "2026-03-01", "sum": 12.5, "late": False}
    events.write_text(json.dumps(row) + "\n")
    assert answer(workspace, "events", events)["added"] == 1
    assert answer(workspace, "events", events)["unchanged"] == 1
    assert "sum = 12.5, late = no" in potok(workspace, "show", ANNA).stdout


def test_an_export_in_lines_has_them_and_comes_back_as_it_was(workspace: Path) -> None:
    answer(workspace, "deal", "add", ANNA, "Plan", "--amount", "5 EUR")
    answer(workspace, "task", "add", ANNA, "Call")
    answer(workspace, "event", ANNA, "demo.requested")
    answer(workspace, "set", ANNA, "attr.likes[]=seo;ads")
    out = workspace / "out.jsonl"
    answer(workspace, "export", out)
    first = json.loads(out.read_text().splitlines()[0])
    assert (first["deals"][0]["name"], first["deals"][0]["amount"]) == ("Plan", "5.00")
    assert first["tasks"][0]["title"] == "Call"
    assert first["events"][0]["event"] == "demo.requested"
    assert first["attributes"] == {"likes": ["seo", "ads"]}
    again = answer(workspace, "import", out, "--on-duplicate", "overwrite")
    assert (again["unchanged"], again["added"]) == (2, 0)
    assert not [c for c in again["mapping"] if c["column"].startswith(("deals", "tasks", "events"))]


@pytest.mark.parametrize(
    ("words", "said", "code"),
    [
        (["deal", "add", ANNA, "Plan", "--amount", "5"], "currency", 1),
        (["deal", "add", ANNA, "Plan", "--amount", "12,000"], "12000 or 12.00", 1),
        (["deal", "add", ANNA, "Plan", "--currency", "PLN"], "no amount", 1),
        (["deal", "add", ANNA, "Plan", "--closes", "soon"], "no date", 1),
        (["deal", "add", "who@firma.example", "Plan"], "no lead", 1),
        (["deal", "close", ANNA, "Plan", "won"], "deal add", 1),
        (["deal", "close", ANNA, "Plan", "open"], "won", 2),
        (["deal", "change", ANNA, "Plan"], "--amount", 2),
        (["task", "done", ANNA, "Call"], "task add", 1),
        (["task", "add", ANNA, " "], "says nothing", 1),
        (["task", "change", ANNA, "Call"], "--due", 2),
        (["event", ANNA, "sent"], "Potok's own", 1),
        (["event", ANNA, "a.b", "--set", "x"], "NAME=VALUE", 2),
        (["event", ANNA, "a.b", "--at", "2999-01-01"], "not come yet", 1),
        (["events", "no-such.csv"], "There is no file no-such.csv", 1),
        (["deal", "import", "no-such.csv"], "There is no file no-such.csv", 1),
    ],
)
def test_a_mistake_is_one_line_that_says_what_to_do(
    workspace: Path, words: list[str], said: str, code: int
) -> None:
    done = potok(workspace, *words)
    assert done.exit_code == code, done.output
    assert said in done.stderr
    assert "Traceback" not in done.output
    if code == 1:
        assert len(done.stderr.strip().splitlines()) == 1
