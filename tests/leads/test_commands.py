"""`potok leads` in a workspace, as a person types it."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy.engine import URL

from console.cli import main

SETTINGS = """
database = "{database}"
time_zone = "Europe/Warsaw"
[pipeline.sales]
stages = ["new", "demo", "won"]
"""

FAIR = """\
Work e-mail;Imię;Nazwisko;Firma;Kraj;Etap;Temat;Branża
anna@firma.example;Anna;Nowak;Żółć i Spółka;Polska;demo;ceny|wdrożenie;prawo
jan@firma.example;Jan;Kos;Kos;PL;;;
nobody;X;Y;Z;PL;;;
ewa@firma.example;Ewa;Lis;Lis;PL;dmo;;
"""


@pytest.fixture
def workspace(tmp_path: Path, database_url: URL) -> Path:
    folder = tmp_path / "acme"
    folder.mkdir()
    database = database_url.render_as_string(hide_password=False)
    (folder / "potok.toml").write_text(SETTINGS.format(database=database), encoding="utf-8")
    (folder / "potok.keys").write_text(f'address = "{"a" * 64}"\nlinks = ["{"b" * 64}"]\n')
    (folder / "potok.keys").chmod(0o600)
    (folder / "fair.csv").write_bytes(FAIR.encode("cp1250"))
    return folder


def potok(workspace: Path, *words: object) -> Result:
    return CliRunner().invoke(main, ["--workspace", str(workspace), "leads", *map(str, words)])


def answer(workspace: Path, *words: object, code: int = 0) -> dict[str, Any]:
    done = potok(workspace, *words, "--json")
    assert done.exit_code == code, done.output
    document: dict[str, Any] = json.loads(done.stdout)
    return document


@pytest.fixture
def filled(workspace: Path) -> Path:
    answer(workspace, "import", workspace / "fair.csv", code=3)
    return workspace


def test_import_tells_what_became_of_every_row(workspace: Path) -> None:
    path = workspace / "fair.csv"
    rehearsed = answer(workspace, "import", path, "--dry-run", code=3)
    assert answer(workspace, "list")["total"] == 0
    assert not path.with_name("fair.rejected.csv").exists()
    done = answer(workspace, "import", path, code=3)
    assert {**done, "rejects_file": None} == rehearsed
    assert {c["column"]: c["field"] for c in done.pop("mapping")} == {
        "Work e-mail": "email",
        "Imię": "first_name",
        "Nazwisko": "last_name",
        "Firma": "company",
        "Kraj": "country",
        "Etap": "stage",
        "Temat": "prefers.topic",
        "Branża": "attr.branża",
    }
    assert done == {
        "read": 4,
        "added": 2,
        "updated": 0,
        "unchanged": 0,
        "rejected": 2,
        "rejects_file": str(path.with_name("fair.rejected.csv")),
        "suppressed": 0,
        "repeated": 0,
    }
    again = answer(workspace, "import", path, code=3)
    assert (again["added"], again["unchanged"], again["rejected"]) == (0, 2, 2)


def test_rejected_rows_can_be_corrected_and_brought_again(filled: Path) -> None:
    path = filled / "fair.rejected.csv"
    with path.open(encoding="utf-8-sig", newline="") as file:
        heading, *rows = csv.reader(file)
    assert heading[:3] == ["line", "reason", "Work e-mail"]
    assert [row[0] for row in rows] == ["4", "5"]
    assert "no @" in rows[0][1]
    assert 'did you mean "demo"' in rows[1][1]
    assert "new, demo, won" in rows[1][1]
    corrected = path.read_text(encoding="utf-8-sig").replace("dmo,", "demo,", 1)
    corrected = corrected.replace(",nobody,", ",nobody@firma.example,")
    corrected = corrected.replace(";dmo;", ";demo;").replace(",dmo,", ",demo,")
    path.write_text(corrected, encoding="utf-8")
    done = answer(filled, "import", path)
    assert (done["added"], done["rejected"]) == (2, 0)


def test_show_tells_everything(filled: Path) -> None:
    shown = answer(filled, "show", "ANNA@firma.example")
    assert list(shown)[-5:] == ["preferences", "consent", "chose", "suppression", "timeline"]
    assert shown["name"] == "Anna Nowak"
    assert shown["company"] == "Żółć i Spółka"
    assert shown["country"] == "PL"
    assert shown["attributes"] == {"branża": "prawo"}
    assert [(p["name"], p["value"], p["said_by"]) for p in shown["preferences"]] == [
        ("topic", "ceny", "fair.csv"),
        ("topic", "wdrożenie", "fair.csv"),
    ]
    assert shown["stage"] == "demo"
    assert shown["suppression"] is None
    assert [(each["kind"], set(each)) for each in shown["timeline"]] == [
        ("imported", {"at", "kind", "data", "by"})
    ]
    text = potok(filled, "show", "anna@firma.example").stdout
    assert "Żółć i Spółka" in text
    assert "imported" in text


def test_every_change_is_on_the_timeline_once(filled: Path) -> None:
    anna = "anna@firma.example"
    steps: list[tuple[object, ...]] = [
        ("set", anna, "company=Nowa", "attr.size=9", "--tag", "vip"),
        ("prefer", anna, "topic=news", "budget=12000"),
        ("stage", anna, "won"),
        ("consent", anna, "given", "--source", "fair", "--date", "2026-01-31"),
        ("consent", anna, "withdrawn"),
    ]
    for step in steps:
        assert answer(filled, *step) == {"email": anna, "changed": True}
        assert answer(filled, *step) == {"email": anna, "changed": False}
    assert answer(filled, "note", anna, "Called:", "later")["changed"]
    shown = answer(filled, "show", anna)
    assert [each["kind"] for each in shown["timeline"]] == [
        *("imported", "changed", "preference", "preference", "stage", "consent", "consent", "note")
    ]
    assert [p["value"] for p in shown["preferences"]] == ["12000", "news"]
    assert shown["consent"][0]["state"] == "withdrawn"
    assert shown["timeline"][-1]["data"] == {"text": "Called: later"}


def test_a_suppressed_address_stays_so_whatever_a_file_says(filled: Path) -> None:
    (filled / "outs.txt").write_text("ANNA@firma.example\nunknown@other.example\nnobody\n")
    first = answer(filled, "suppress", filled / "outs.txt", code=3)
    assert (first["read"], first["added"], first["already"], first["rejected"]) == (3, 2, 0, 1)
    again = answer(filled, "suppress", filled / "outs.txt", code=3)
    assert (again["added"], again["already"]) == (0, 2)
    rules = ("fill", "overwrite", "skip")
    for rule in rules:
        done = answer(filled, "import", filled / "fair.csv", "--on-duplicate", rule, code=3)
        assert done["suppressed"] == 1
    assert answer(filled, "suppressed")["reasons"] == {"imported": 2}
    assert answer(filled, "show", "anna@firma.example")["suppression"]["reason"] == "imported"


def test_only_a_reason_lifts_a_suppression(filled: Path) -> None:
    jan = "jan@firma.example"
    assert answer(filled, "suppress", jan)["added"] == 1
    assert potok(filled, "unsuppress", jan).exit_code == 2
    assert answer(filled, "unsuppress", jan, "--why", "asked by phone")["changed"]
    assert not answer(filled, "unsuppress", jan, "--why", "asked by phone")["changed"]
    last = answer(filled, "show", jan)["timeline"][-1]
    assert (last["kind"], last["data"]["why"]) == ("unsuppressed", "asked by phone")


def test_list_finds_by_text_stage_and_rule(filled: Path) -> None:
    def found(*words: object) -> list[str]:
        return [each["email"] for each in answer(filled, "list", *words)["leads"]]

    assert found() == ["anna@firma.example", "jan@firma.example"]
    assert found("NOWAK") == ["anna@firma.example"]
    assert found("--stage", "new") == ["jan@firma.example"]
    assert found("--segment", 'prefers.topic = "ceny"') == ["anna@firma.example"]
    page = answer(filled, "list", "--limit", "1")
    assert page["total"] == 2
    assert found("--after", page["leads"][0]["id"]) == ["jan@firma.example"]


def test_export_goes_round(filled: Path) -> None:
    out = filled / "out.csv"
    assert answer(filled, "export", out)["leads"] == 2
    assert answer(filled, "import", out, "--on-duplicate", "overwrite")["unchanged"] == 2
    lines = potok(filled, "export", "--lines", "--stage", "demo").stdout.splitlines()
    assert [json.loads(line)["email"] for line in lines] == ["anna@firma.example"]
    assert potok(filled, "export", "--stage", "won").stdout.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "said", "code"),
    [
        (["show", "nobody@x.example"], "potok leads list nobody", 1),
        (["show", "nobody"], "no @", 1),
        (["stage", "anna@firma.example", "dmeo"], 'did you mean "demo"', 1),
        (["set", "anna@firma.example", "compny=x"], 'did you mean "company"', 1),
        (["set", "anna@firma.example"], "FIELD=VALUE", 2),
        (["set", "anna@firma.example", "stage=demo"], "potok leads stage", 2),
        (["set", "anna@firma.example", "prefers.topic=x"], "potok leads prefer", 2),
        (["prefer", "anna@firma.example", "topic"], "NAME=VALUE", 2),
        (["consent", "anna@firma.example", "given"], "--source", 2),
        (
            ["consent", "anna@firma.example", "given", "--source", "x", "--date", "2999-01-01"],
            "has not come yet",
            1,
        ),
        (["suppress", "no-such-file.csv"], "There is no file no-such-file.csv", 1),
        (["import", "no-such-file.csv"], "There is no file no-such-file.csv", 1),
        (["list", "--stage", "xyz"], "new, demo, won", 1),
        (["list", "--segment", "no-such"], "neither a segment nor a rule", 1),
    ],
)
def test_a_mistake_is_one_line_that_says_what_to_do(
    filled: Path, words: list[str], said: str, code: int
) -> None:
    done = potok(filled, *words)
    assert done.exit_code == code, done.output
    assert said in done.stderr
    assert "Traceback" not in done.output
    if code == 1:
        assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("content", "options", "said"),
    [
        (b"", [], "is empty"),
        (b"name,phone\nAnna,1\n", [], "--map 'COLUMN=email'"),
        (b"Kontakt1,phone\na@b.example,1\n", [], "--map 'Kontakt1=email'"),
        (b"email\na@b.example\n", ["--map", "Mail=email"], '"email"'),
        (b"email\na@b.example\n", ["--stage", "dmo"], 'did you mean "demo"'),
        (b"email\na@b.example\n", ["--encoding", "utf-9"], "cp1250"),
        (b"email\na@b.example\n", ["--delimiter", ";;"], "one sign"),
        (b"email\na@b.example\n", ["--consent-date", "31/31/2025"], "2026-03-31"),
        (b"PK\x03\x04rest", [], "as .xlsx or CSV"),
    ],
)
def test_a_file_that_cannot_be_taken_in_changes_nothing(
    workspace: Path, content: bytes, options: list[str], said: str
) -> None:
    (workspace / "bad.csv").write_bytes(content)
    done = potok(workspace, "import", workspace / "bad.csv", *options)
    assert done.exit_code == 1, done.output
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert answer(workspace, "list")["total"] == 0


def test_options_speak_for_rows_that_say_nothing(workspace: Path) -> None:
    path = workspace / "plain.csv"
    path.write_text("email\nkim@firma.example\n")
    answer(
        workspace,
        *("import", path, "--stage", "demo", "--source", "fair"),
        *("--consent-source", "card", "--consent-date", "2026-01-31", "--consent-topic", "news"),
    )
    shown = answer(workspace, "show", "kim@firma.example")
    assert shown["stage"] == "demo"
    assert shown["source"] == "fair"
    [consent] = shown["consent"]
    assert (consent["topic"], consent["state"], consent["source"]) == ("news", "given", "card")
    assert consent["at"] == "2026-01-30T23:00:00Z"
