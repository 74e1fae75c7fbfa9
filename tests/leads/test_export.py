"""What is written out comes back as it was, whatever people are called."""

import csv
import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session, col

from console.database import Database
from console.document import to_json
from leads import (
    PAUSE,
    Choice,
    Evidence,
    Lead,
    choose,
    export_documents,
    export_rows,
    give_consent,
    prefer,
    set_fields,
    suppress,
    withdraw_consent,
)
from tests.conftest import NOW
from tests.laws import tried_on
from tests.leads.files import everything, sums, taken_in
from tests.leads.people import add, key_of

#: Letters of all kinds, with everything that has a meaning in CSV.
TEXT = st.text(
    st.characters(exclude_categories=("C", "Z")) | st.sampled_from(' ,;|"\\\n=+-@'), max_size=30
)
WORDS = st.text(st.sampled_from('aąż;|\\", '), min_size=1, max_size=8).filter(str.strip)


def table(session: Session) -> list[dict[str, str]]:
    heading, *rows = export_rows(session)
    return [dict(zip(heading, row, strict=True)) for row in rows]


def to_file(database: Database, path: Path) -> Path:
    with database.reading() as session, path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(export_rows(session))
    return path


def test_every_lead_has_a_cell_for_everything_anybody_said(database: Database) -> None:
    with database.writing() as session:
        anna = add(session, attributes={"industry": "legal"}, tags=["vip", "pl"])
        bob = add(session, "bob@firma.example", attributes={"size": "9"})
        prefer(session, anna, "topic", ["news", "a;b"], at=NOW, by="jan")
        give_consent(session, anna, source="fair in Poznań", at=NOW, by="jan")
        withdraw_consent(session, bob, topic="news", at=NOW, by="bob")
        suppress(session, key_of("bob@firma.example"), reason="opted_out", at=NOW, by="bob")
        add(session, "gone@firma.example", merged_into=anna)
    with database.reading() as session:
        first, second = table(session)
    assert (first["prefers.topic"], second["prefers.topic"]) == (r"news;a\;b", "")
    assert (first["attr.industry"], first["attr.size"], second["attr.size"]) == ("legal", "", "9")
    assert first["consent.*"] == "given 2026-03-10T11:00:00Z fair in Poznań"
    assert second["consent.news"] == "withdrawn 2026-03-10T11:00:00Z"
    assert (first["left_out"], second["left_out"]) == ("", "opted_out")
    assert first["tags"] == "vip;pl"


def test_a_choice_of_leads_brings_only_its_own_columns(database: Database) -> None:
    with database.writing() as session:
        anna = add(session, attributes={"industry": "legal"})
        add(session, "bob@firma.example", stage="demo", attributes={"size": "9"})
        prefer(session, anna, "topic", ["news"], at=NOW, by="jan")
    with database.reading() as session:
        heading, *rows = export_rows(session, col(Lead.stage) == "demo")
    assert len(rows) == 1
    assert "attr.size" in heading
    assert not {"attr.industry", "prefers.topic"} & set(heading)


def test_documents_hold_the_same_and_are_json(database: Database) -> None:
    with database.writing() as session:
        anna = add(session, company="Żółć", attributes={"industry": "legal"})
        prefer(session, anna, "topic", ["news"], at=NOW, by="jan")
        give_consent(session, anna, source="fair", at=NOW, by="jan")
    with database.reading() as session:
        [document] = export_documents(session)
    read = json.loads(to_json(document))
    assert read["company"] == "Żółć"
    assert read["preferences"] == {"topic": ["news"]}
    assert read["attributes"] == {"industry": "legal"}
    assert read["consent"] == [
        {
            "topic": "",
            "state": "given",
            "source": "fair",
            "at": "2026-03-10T11:00:00Z",
            "confirmed_at": None,
        }
    ]
    assert read["left_out"] is None


def test_an_export_changes_nothing_when_it_is_read_back(database: Database, tmp_path: Path) -> None:
    with database.writing() as session:
        for n in range(30):
            lead = add(session, f"l{n}@firma.example", stage="new", tags=["a"] * (n % 2))
            prefer(session, lead, "topic", [f"t{n % 3}", "x|y"], at=NOW, by="jan")
            give_consent(session, lead, topic="news", source="fair", at=NOW, by="jan")
    with database.reading() as session:
        before = everything(session)
    path = to_file(database, tmp_path / "out.csv")
    for rule in ("fill", "overwrite", "skip"):
        assert sums(taken_in(database, path, on_duplicate=rule)) == (0, 0, 30, 0)
    with database.reading() as session:
        assert everything(session) == before


@tried_on(15, long=80)
@given(
    company=TEXT,
    note=TEXT,
    topics=st.lists(WORDS, max_size=3),
    local=st.from_regex(r"[a-z][a-z0-9+._-]{0,8}[a-z0-9]", fullmatch=True).filter(
        lambda text: ".." not in text
    ),
)
def test_it_comes_back_in_an_empty_place_as_it_was(
    sqlite_url: object, tmp_path: Path, company: str, note: str, topics: list[str], local: str
) -> None:
    database = Database(sqlite_url)  # type: ignore[arg-type]
    try:
        path = tmp_path / "out.csv"
        with database.writing() as session:
            _empty(session)
            lead = add(session, f"{local}@firma.example")
            set_fields(
                session, lead, {"company": company}, attributes={"note": note}, at=NOW, by="jan"
            )
            prefer(session, lead, "topic", topics, at=NOW, by="jan")
        to_file(database, path)
        with database.writing() as session:
            [before] = table(session)
            _empty(session)
        assert sums(taken_in(database, path)) == (1, 0, 0, 0)
        with database.reading() as session:
            [after] = table(session)
        own = {"created_at", "stage_at"}
        assert {k: v for k, v in after.items() if k not in own} == {
            k: v for k, v in before.items() if k not in own
        }
    finally:
        database.close()


def _empty(session: Session) -> None:
    for name in ("event", "preference", "consent", "lead"):
        session.connection().exec_driver_sql(f"DELETE FROM {name}")


def test_a_document_says_what_the_lead_chose(database: Database) -> None:
    with database.writing() as session:
        lead = add(session)
        add(session, "jan@firma.example")
        page = Evidence(source="preference page")
        choice = Choice(topics={"news": False}, frequency="weekly", pause="begin")
        choose(session, lead, choice, page, at=NOW, by="page")
        first, second = export_documents(session)
    assert first["chose"] == {
        "per_week": 1,
        "paused_until": NOW + PAUSE,
        "language": "",
        "topics_off": ["news"],
    }
    assert second["chose"] is None
