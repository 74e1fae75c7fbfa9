"""Excel workbooks and JSON lines come in as CSV does."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path

import pytest
from openpyxl import Workbook

from console.cli.frame import Frame
from console.database import Database
from leads import FileError, export_documents, open_source
from leads.intake.values import cell_text
from tests.leads.files import everything, lead, stated, sums, taken_in
from tests.leads.test_commands import answer, potok, workspace  # noqa: F401 - a fixture

HEAD = ("E-mail", "First name", "Company size", "Budget", "Met on", "Tags", "Phone")
ANNA = (
    "anna@firma.example",
    "Żaneta",
    12000.0,
    2500.5,
    datetime(2026, 2, 3),  # noqa: DTZ001 - workbooks know no zones
    "vip;fair",
    48601234567,
)


def book(path: Path, **sheets: Sequence[Sequence[object]]) -> Path:
    made = Workbook()
    made.remove(made.worksheets[0])
    for name, rows in sheets.items():
        page = made.create_sheet(name)
        for row in rows:
            page.append(list(row))
    made.save(path)
    return path


def test_a_workbook_comes_in_with_sensible_values(database: Database, tmp_path: Path) -> None:
    rows = [HEAD, ANNA, (None,) * 7, ("nobody", "X"), ("jan@firma.example", "Jan")]
    path = book(tmp_path / "fair.xlsx", Visitors=rows, Other=[("x",)])
    taken = taken_in(database, path)
    assert sums(taken) == (2, 0, 0, 1)
    assert [line for line, _ in taken.reasons] == [4]
    assert taken.rejects_file == tmp_path / "fair.rejected.csv"
    with database.reading() as session:
        anna = lead(session, ANNA[0])
        assert anna.attributes == {"company_size": "12000", "met_on": "2026-02-03"}
        assert (anna.first_name, anna.phone, anna.tags) == (
            "Żaneta",
            "48601234567",
            ["vip", "fair"],
        )
        assert stated(session, ANNA[0]) == {"budget": ["2500.5"]}
    assert sums(taken_in(database, path)) == (0, 0, 2, 1)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, ""),
        (True, "true"),
        (12000.0, "12000"),
        (0.1, "0.1"),
        (7, "7"),
        (date(2026, 3, 1), "2026-03-01"),
        (datetime.fromisoformat("2026-03-01T09:30"), "2026-03-01 09:30:00"),
        (time(9, 30), "09:30:00"),
        ("#N/A", ""),
        ("#1 in Poland", "#1 in Poland"),
    ],
)
def test_values_are_written_as_people_would(value: object, said: str) -> None:
    assert cell_text(value) == said


def test_a_sheet_is_named_and_a_wrong_name_is_told(tmp_path: Path) -> None:
    path = book(tmp_path / "fair.xlsx", Visitors=[HEAD], Staff=[("email",), ("a@x.pl",)])
    assert open_source(path, sheet="Staff").header == ("email",)
    with pytest.raises(FileError, match='has no sheet "Stuff"; it has: Visitors, Staff'):
        open_source(path, sheet="Stuff")
    (tmp_path / "a.csv").write_text("email\na@x.pl\n")
    with pytest.raises(FileError, match="no Excel workbook"):
        open_source(tmp_path / "a.csv", sheet="Staff")


def test_an_empty_sheet_and_a_torn_file_are_told(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="the sheet is empty"):
        open_source(book(tmp_path / "none.xlsx", Empty=[]))
    whole = book(tmp_path / "fair.xlsx", Visitors=[HEAD, ANNA]).read_bytes()
    (tmp_path / "torn.xlsx").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FileError, match="cannot be read as an Excel workbook"):
        open_source(tmp_path / "torn.xlsx")


def lines(path: Path, *rows: object) -> Path:
    text = "\n".join(r if isinstance(r, str) else json.dumps(r, ensure_ascii=False) for r in rows)
    path.write_text(f"{text}\n", encoding="utf-8")
    return path


def test_json_lines_come_in_nested_as_they_are(database: Database, tmp_path: Path) -> None:
    anna = {
        "email": ANNA[0],
        "company": "Żółć",
        "attributes": {"size": 12000.0, "note": None},
        "preferences": {"topic": ["ceny", "a;b"]},
        "tags": ["vip", "fair"],
        "consent": [{"topic": "", "state": "given", "source": "targi", "at": "2026-01-02"}],
    }
    path = lines(
        tmp_path / "fair.jsonl",
        anna,
        "",
        "{broken",
        ["no object"],
        {"email": "jan@firma.example", "phone": "1"},
    )
    taken = taken_in(database, path)
    assert sums(taken) == (2, 0, 0, 2)
    assert taken.reasons == [(n, "the line is no JSON object") for n in (3, 4)]
    with database.reading() as session:
        found = lead(session, ANNA[0])
        assert (found.attributes, found.tags) == ({"size": "12000"}, ["vip", "fair"])
        assert stated(session, ANNA[0]) == {"topic": ["ceny", "a;b"]}
    assert sums(taken_in(database, path)) == (0, 0, 2, 2)


@pytest.mark.parametrize("rule", ["fill", "overwrite"])
def test_exported_lines_change_nothing(database: Database, tmp_path: Path, rule: str) -> None:
    rows = [
        {
            "email": f"l{n}@firma.example",
            "name": f"Ala {n}",
            "stage": "demo",
            "attributes": {"branża": "a;b|c\\d"},
            "preferences": {"topic": ["x;y", "z\\"]},
            "tags": ["a b", "c"],
            "consent": [{"topic": "news", "state": "withdrawn", "at": "2026-01-02T03:04:05.678Z"}],
        }
        for n in range(5)
    ]
    taken_in(database, lines(tmp_path / "first.jsonl", *rows))
    from console.document import to_json

    with database.reading() as session:
        before = everything(session)
        exported = [to_json(document) for document in export_documents(session)]
    again = taken_in(database, lines(tmp_path / "again.jsonl", *exported), on_duplicate=rule)
    assert sums(again) == (0, 0, 5, 0)
    with database.reading() as session:
        assert everything(session) == before


def test_files_that_are_nearly_json_lines_are_told(tmp_path: Path) -> None:
    (tmp_path / "all.json").write_text('[{"email": "a@x.pl"}]')
    with pytest.raises(FileError, match="one object a line"):
        open_source(tmp_path / "all.json")
    (tmp_path / "none.jsonl").write_text("[1]\n")
    with pytest.raises(FileError, match="no line with a JSON object"):
        open_source(tmp_path / "none.jsonl")


@pytest.fixture
def seated(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """Somebody at a terminal who answers every question so."""

    def sit(reply: bool) -> None:
        monkeypatch.setattr(Frame, "attended", property(lambda _: True))
        monkeypatch.setattr(Frame, "confirm", lambda *_, **__: reply)

    return sit


def test_columns_are_shown_and_asked_about_on_a_terminal(
    workspace: Path,  # noqa: F811
    seated: Callable[[bool], None],
) -> None:
    seated(False)
    done = potok(workspace, "import", workspace / "fair.csv")
    assert done.exit_code == 1
    for shown in ("Work e-mail", "anna@firma.example", "attr.branża", "an attribute of your own"):
        assert shown in done.stderr
    assert answer(workspace, "list")["total"] == 0
    seated(True)
    assert potok(workspace, "import", workspace / "fair.csv").exit_code == 3
    assert answer(workspace, "list")["total"] == 2


def test_scripts_are_told_what_was_understood(workspace: Path) -> None:  # noqa: F811
    path = workspace / "fair.csv"
    done = potok(workspace, "import", path, "--map", "Nazwisko=-", "--json")
    assert "Columns: Work e-mail = email" in done.stderr
    assert "Nazwisko = ignored" in done.stderr
    assert json.loads(done.stdout)["mapping"][2] == {
        "column": "Nazwisko",
        "field": "-",
        "by": "given",
        "example": "Nowak",
    }


def test_moments_keep_their_zone() -> None:
    assert cell_text(datetime(2026, 3, 1, tzinfo=UTC)) == "2026-03-01 00:00:00+00:00"
