"""Events of your own: named apart from ours, once each, with typed properties."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlmodel import Session, col

from console.database import Database
from leads import (
    KINDS,
    Circumstances,
    Event,
    FieldError,
    LeadError,
    MappingError,
    Taken,
    UnknownLead,
    event_name,
    merge,
    note_event,
    open_source,
    said_value,
    take_in_events,
)
from tests.conftest import NOW
from tests.leads.files import WARSAW, sums, written
from tests.leads.people import KEY, add, events

ANNA, BOB = "anna@firma.example", "bob@firma.example"


def taken(database: Database, path: Path, **wish: object) -> Taken:
    around = Circumstances(key=KEY, file=path.name, by="ewa", now=NOW, zone=WARSAW)
    return take_in_events(open_source(path), around, write=database.write, **wish)  # type: ignore[arg-type]


def count(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Event)) or 0


@given(st.text(max_size=20) | st.from_regex(r"[a-z]{1,5}\.[a-z]{1,5}", fullmatch=True))
def test_a_name_is_never_one_of_ours(text: str) -> None:
    try:
        name = event_name(text)
    except FieldError as refused:
        assert len(str(refused).splitlines()) == 1
        # What is advised is good.
        assert event_name(str(refused).rpartition("write ")[2])
    else:
        assert name not in KINDS
        assert "." in name


def test_our_own_kinds_are_refused() -> None:
    for kind in KINDS:
        with pytest.raises(FieldError, match="Potok's own"):
            event_name(kind)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5),
        ("-5", -5),
        ("5.50", 5.5),
        ("007", "007"),
        ("00-950", "00-950"),
        ("yes", "yes"),
        ("true", "true"),
        ("1e5", "1e5"),
        ("12,5", "12,5"),
        ("1234567890123456", "1234567890123456"),
        ("", ""),
    ],
)
def test_digits_are_numbers_and_everything_else_is_text(text: str, value: object) -> None:
    found = said_value(text)
    assert (found, type(found)) == (value, type(value))


def test_the_same_event_is_there_once(database: Database) -> None:
    with database.writing() as session:
        lead = add(session)
        said = {"Plan": "pro", "seats": 5.0, "trial": True, "nothing": None, "empty": ""}
        for changed in (True, False):
            noted = note_event(session, lead, "demo.requested", said, at=NOW, by="jan")
            assert noted is changed
        assert note_event(session, lead, "demo.requested", {"seats": 1}, at=NOW, by="jan")
        assert note_event(session, lead, "demo.requested", {"seats": True}, at=NOW, by="jan")
        earlier = NOW - timedelta(days=1)
        assert note_event(session, lead, "demo.requested", said, at=earlier, by="jan")
        assert events(session, lead)[1] == (
            "demo.requested",
            {"properties": {"plan": "pro", "seats": 5, "trial": True}},
        )
        with pytest.raises(UnknownLead):
            note_event(session, lead + 99, "demo.requested", {}, at=NOW, by="jan")
        for wrong in (
            {"x": [1]},
            {"x": {"y": 1}},
            {"!": 1},
            {"x": float("nan")},
            {"a b": 1, "A_b": 2},
        ):
            with pytest.raises(FieldError):
                note_event(session, lead, "demo.requested", wrong, at=NOW, by="jan")
        assert count(session) == 4


def test_numbers_that_are_not_exact_everywhere_are_kept_as_text(database: Database) -> None:
    with database.writing() as session:
        lead = add(session)
        said = {"big": 2**60, "huge": 10**400, "far": 1e300, "nul": "a\x00b"}
        note_event(session, lead, "x.y", said, at=NOW, by="jan")
        [(_, data)] = events(session, lead)
        assert data["properties"] == {
            "big": str(2**60),
            "huge": str(10**400),
            "far": "1e+300",
            "nul": "ab",
        }


def test_a_table_is_taken_in_once(database: Database, tmp_path: Path) -> None:
    with database.writing() as session:
        anna = add(session)
        add(session, BOB)
    path = written(
        tmp_path,
        "E-mail;Zdarzenie;Kiedy;Plan;Seats\n"
        f"{ANNA};demo.requested;2026-03-01 10:00;pro;5\n"
        f"{BOB};demo.requested;2026-03-01 10:00;;\n"
        f"{ANNA};demo.requested;2026-03-01 10:00;pro;5\n"
        f"{ANNA};Demo;2026-03-01;;\n"
        "who@firma.example;demo.requested;2026-03-01;;\n"
        f"{BOB};demo.requested;;;\n"
        f"{BOB};demo.requested;2026-03-11;;\n"
        "nobody;demo.requested;2026-03-01;;\n",
    )
    first = taken(database, path)
    assert sums(first) == (2, 0, 1, 5)
    assert [line for line, _ in first.reasons] == [5, 6, 7, 8, 9]
    assert [why.split(":")[0] for _, why in first.reasons] == [
        '"Demo" is no name for an event',
        "who@firma.example is no lead",
        "the row does not say when; --at gives a time to all that do not",
        '"2026-03-11" has not come yet',
        "'nobody' is no e-mail address",
    ]
    with database.reading() as session:
        assert events(session, anna) == [
            ("demo.requested", {"properties": {"plan": "pro", "seats": 5}})
        ]
        row = session.scalars(select(Event).where(col(Event.lead_id) == anna)).one()
        assert (row.by, row.at.isoformat()) == ("ewa, fair.csv", "2026-03-01T09:00:00+00:00")
    assert sums(taken(database, path)) == (0, 0, 3, 5)
    assert first.rejects_file is not None
    corrected = first.rejects_file.read_text("utf-8-sig").replace("Demo", "demo.seen")
    again = written(tmp_path, corrected, "fair.rejected.csv")
    assert sums(taken(database, again)) == (1, 0, 0, 4)
    with database.reading() as session:
        kinds = [kind for kind, _ in events(session, anna)]
        assert sorted(kinds) == ["demo.requested", "demo.seen"]
        assert events(session, anna)[kinds.index("demo.seen")][1] == {"properties": {}}


def test_json_lines_keep_their_types(database: Database, tmp_path: Path) -> None:
    with database.writing() as session:
        anna = add(session)
    base = {"email": ANNA, "event": "invoice.paid", "at": "2026-03-01T10:00:00Z"}
    rows = [
        base | {"properties": {"sum": 12.5, "late": False, "ref": "007", "none": None}},
        base | {"sum": 12.5, "late": False, "ref": "007"},
        base | {"sum": "12.5"},
        base | {"items": [1]},
        base | {"text": "\ud800"},
    ]
    text = "\n".join([*map(json.dumps, rows), "not json", "[1]"])
    path = written(tmp_path, text, "paid.jsonl")
    assert sums(taken(database, path)) == (2, 0, 1, 4)
    with database.reading() as session:
        assert [data["properties"] for _, data in events(session, anna)] == [
            {"sum": 12.5, "late": False, "ref": "007"},
            {"sum": "12.5"},
        ]


def test_many_rows_go_in_by_chunks_and_a_merged_address_leads_to_the_lead(
    database: Database, tmp_path: Path
) -> None:
    with database.writing() as session:
        anna, bob = add(session), add(session, BOB)
        merge(session, anna, bob, at=NOW, by="jan")
        before = count(session)
    lines = [f"{(ANNA, BOB)[n % 2]},page.seen,2026-03-01,{n}" for n in range(4_100)]
    path = written(tmp_path, "\n".join(["email,event,at,n", *lines]))
    writes: list[int] = []

    def write(work: object) -> object:
        writes.append(1)
        return database.write(work)  # type: ignore[arg-type]

    around = Circumstances(key=KEY, file="fair.csv", by="ewa", now=NOW, zone=WARSAW)
    done = take_in_events(open_source(path), around, write=write)
    assert (sums(done), len(writes)) == ((4_100, 0, 0, 0), 3)
    assert sums(taken(database, path)) == (0, 0, 4_100, 0)
    with database.reading() as session:
        assert count(session) == before + 4_100
        assert len(events(session, anna)) == before + 4_100


def test_a_time_for_rows_without_one_and_a_file_without_the_columns(
    database: Database, tmp_path: Path
) -> None:
    with database.writing() as session:
        add(session)
    path = written(tmp_path, f"email,event\n{ANNA},x.y\n")
    assert sums(taken(database, path, at=NOW)) == (1, 0, 0, 0)
    assert sums(taken(database, path, at=NOW)) == (0, 0, 1, 0)
    for text, said in (
        ("email,what\na@b.example,x.y\n", "--map 'COLUMN=event'"),
        ("event,at\nx.y,2026-03-01\n", "--map 'COLUMN=email'"),
        (f"{ANNA},x.y\n", "no header"),
    ):
        with pytest.raises(LeadError, match=said) as refused:
            taken(database, written(tmp_path, text))
        assert isinstance(refused.value, MappingError)
    mapped = written(tmp_path, f"Wer,Was\n{ANNA},x.z\n")
    assert sums(taken(database, mapped, at=NOW, mapping=("Wer=email", "was=event"))) == (1, 0, 0, 0)
