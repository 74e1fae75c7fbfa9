"""Texts that mean something to a database's own stream arrive as they stand in the file."""

import csv
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from console.database import Database
from leads import Event, map_columns, open_source
from leads.intake.bulk import Bulk
from leads.intake.incoming import Reader
from leads.tables import Suppression
from tests.conftest import NOW
from tests.leads.files import lead, stated, taken_in, terms

#: NULL, the end of the rows, signs of control and the mark before them; quotes; letters of 4 bytes.
ODD = (
    *(r"\N", r"\.", "\\", r"\\", r"a\tb", r"C:\new\x41", r"a\b\u0041", "NULL", '"', "'", "{a}"),
    *('{"a": "\\"}', "100 %", "%s", "%(name)s", ":name", "$1", "🦊 żółć", "a\u2028b", "-", "0"),
)


def test_odd_texts_come_in_as_they_are(database: Database, tmp_path: Path) -> None:
    path = tmp_path / "fair.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["email", "company", "prefers.topic", "attr.note", "tags"])
        rows.writerows([f"p{n}@x.example", t, t, f"<{t}>", t] for n, t in enumerate(ODD))
    source = open_source(path)
    reader = Reader(map_columns(source), terms())
    read = [reader.read(row) for row in source.rows()]
    assert taken_in(database, path).counts.added == len(ODD)
    with database.reading() as session:
        for said in read:
            found = lead(session, said.address.email)
            assert found.company == said.fields.get("company", "")
            assert (found.attributes, found.tags) == (said.attributes, said.tags)
            assert stated(session, found.email) == said.preferences
            told = session.scalars(select(Event).where(col(Event.lead_id) == found.id)).one()
            assert told.data.get("preferences", {}) == said.preferences
    assert {said.fields.get("company") for said in read} > {r"\N", "\\", r"a\tb", '{"a": "\\"}'}


def test_a_row_that_is_there_already_is_an_integrity_error(database: Database) -> None:
    names = ("address_key", "reason", "at", "by")

    def twice(session: Session) -> None:
        connection = session.connection()
        rows = Bulk(Suppression.__table__, names, connection.dialect)  # type: ignore[attr-defined]
        row = ("k" * 32, "manual", rows.bind("at")(NOW), "ewa")
        rows.write(connection, [row, row])

    with pytest.raises(IntegrityError):
        database.write(twice)
