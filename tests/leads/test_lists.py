"""Attributes that are lists: from files and by hand, out again and back, beside single values."""

import json
from pathlib import Path

import pytest
from sqlmodel import Session

from console.database import Database
from console.document import to_json
from leads import FieldError, Lead, export_documents, export_rows, merge, set_fields
from tests.conftest import NOW
from tests.leads.files import sums, taken_in, written
from tests.leads.people import add, events, lead_id
from tests.leads.test_export import to_file

ANNA, BOB = "anna@firma.example", "bob@firma.example"


def attributes(session: Session, email: str) -> dict[str, object]:
    return session.get_one(Lead, lead_id(session, email)).attributes


def test_json_lines_bring_arrays_as_lists_beside_single_values(
    database: Database, tmp_path: Path
) -> None:
    lines = [
        {"email": ANNA, "attributes": {"likes": ["seo", "a;b", 7]}, "branches": ["Łódź", "Łódź"]},
        {"email": BOB, "attributes": {"likes": "seo"}, "branches": []},
        {"email": "c@firma.example", "tags": ["x", "y"], "topic": ["p", "q"]},
    ]
    path = written(tmp_path, "\n".join(map(json.dumps, lines)), "fair.jsonl")
    assert sums(taken_in(database, path)) == (3, 0, 0, 0)
    with database.reading() as session:
        assert attributes(session, ANNA) == {"likes": ["seo", "a;b", "7"], "branches": ["Łódź"]}
        assert attributes(session, BOB) == {"likes": "seo"}
        assert attributes(session, "c@firma.example") == {}
    for rule in ("fill", "overwrite", "skip"):
        assert sums(taken_in(database, path, on_duplicate=rule)) == (0, 0, 3, 0)


@pytest.mark.parametrize(
    ("heading", "mapping"),
    [("attr.likes[]", ()), ("Likes[]", ()), ("Likes", ("Likes=attr.likes[]",))],
)
def test_a_csv_column_is_a_list_when_it_is_called_so(
    database: Database, tmp_path: Path, heading: str, mapping: tuple[str, ...]
) -> None:
    path = written(tmp_path, f"email,{heading}\n{ANNA},seo; ads|seo\n{BOB},\n")
    assert sums(taken_in(database, path, mapping=mapping)) == (2, 0, 0, 0)
    with database.reading() as session:
        assert attributes(session, ANNA) == {"likes": ["seo", "ads"]}
        assert attributes(session, BOB) == {}


def test_a_changed_list_is_told_with_before_and_after(database: Database, tmp_path: Path) -> None:
    first = written(tmp_path, f"email,attr.likes[]\n{ANNA},seo\n")
    taken_in(database, first)
    second = written(tmp_path, f"email,attr.likes[],attr.size\n{ANNA},ads;seo,9\n")
    taken_in(database, second, on_duplicate="overwrite")
    with database.reading() as session:
        data = events(session, lead_id(session, ANNA))[-1][1]
        assert data["changed"] == {
            "attr.likes": [["seo"], ["ads", "seo"]],
            "attr.size": [None, "9"],
        }


def test_a_list_is_set_and_cleared_by_hand(database: Database) -> None:
    with database.writing() as session:
        lead = add(session, attributes={"likes": "old"})
        for text, changed in (("seo; ads", True), ("seo;ads", False), ("", True)):
            said = {"likes[]": text}
            assert set_fields(session, lead, {}, attributes=said, at=NOW, by="jan") is changed
        assert [data["changed"] for _, data in events(session, lead)] == [
            {"attr.likes": ["old", ["seo", "ads"]]},
            {"attr.likes": [["seo", "ads"], None]},
        ]
        with pytest.raises(FieldError, match="10000"):
            set_fields(session, lead, {}, attributes={"x[]": "a;" + "b" * 10_000}, at=NOW, by="j")


def test_lists_go_out_and_come_back_as_they_were(database: Database, tmp_path: Path) -> None:
    with database.writing() as session:
        add(session, attributes={"likes": ["seo", "a;b", "c|d\\"], "size": "9"})
        add(session, BOB, attributes={"likes": "single; still one"})
    with database.reading() as session:
        heading, *_ = export_rows(session)
        assert heading[-3:] == ["attr.likes", "attr.likes[]", "attr.size"]
        lines = "\n".join(to_json(each) for each in export_documents(session))
        before = [attributes(session, each) for each in (ANNA, BOB)]
    table = to_file(database, tmp_path / "out.csv")
    documents = written(tmp_path, lines, "out.jsonl")
    for path in (table, documents):
        for rule in ("fill", "overwrite"):
            assert sums(taken_in(database, path, on_duplicate=rule)) == (0, 0, 2, 0)
        with database.writing() as session:
            for name in ("event", "lead"):
                session.connection().exec_driver_sql(f"DELETE FROM {name}")
        assert sums(taken_in(database, path)) == (2, 0, 0, 0)
        with database.reading() as session:
            assert [attributes(session, each) for each in (ANNA, BOB)] == before


def test_merging_keeps_a_list_and_fills_an_empty_one(database: Database) -> None:
    with database.writing() as session:
        kept = add(session, attributes={"likes": ["seo"], "branches": []})
        other = add(session, BOB, attributes={"likes": ["ads"], "branches": ["PL"]})
        merge(session, kept, other, at=NOW, by="jan")
    with database.reading() as session:
        assert attributes(session, ANNA) == {"likes": ["seo"], "branches": ["PL"]}
