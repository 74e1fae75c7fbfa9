"""No file lifts a suppression, whatever its form and whatever it says of consent."""

import json
from pathlib import Path

import pytest
from openpyxl import Workbook
from sqlalchemy import select
from sqlmodel import col

from console.database import Database
from leads import STRENGTH, Lead, Permission, address_key, mailable, parse_address, suppress
from leads.suppression import suppression_of
from leads.wishes import bar
from tests.conftest import NOW
from tests.leads.files import KEY, taken_in, written

ANNA = "anna@example.pl"
ROW = {"email": ANNA, "consent": "yes", "consent.news": "yes", "unsubscribed": "no"}


def file_of(folder: Path, kind: str) -> Path:
    if kind == "xlsx":
        book = Workbook()
        sheet = book.active
        assert sheet is not None
        sheet.append(list(ROW))
        sheet.append(list(ROW.values()))
        book.save(folder / "a.xlsx")
        return folder / "a.xlsx"
    if kind == "jsonl":
        return written(folder, json.dumps(ROW) + "\n", "a.jsonl")
    mark = {"csv": ",", "semicolon": ";", "tab": "\t"}[kind]
    return written(folder, f"{mark.join(ROW)}\n{mark.join(ROW.values())}\n", "a.csv")


@pytest.mark.parametrize("reason", sorted(STRENGTH))
@pytest.mark.parametrize("kind", ["csv", "semicolon", "tab", "xlsx", "jsonl"])
def test_a_suppression_outlives_a_file_that_says_yes(
    sqlite_url: object, tmp_path: Path, kind: str, reason: str
) -> None:
    database = Database(sqlite_url)  # type: ignore[arg-type]
    key = address_key(parse_address(ANNA), KEY)
    database.write(lambda s: suppress(s, key, reason=reason, at=NOW, by="link"))
    path = file_of(tmp_path, kind)
    for rule in ("fill", "overwrite"):
        taken = taken_in(database, path, on_duplicate=rule)
        assert taken.counts.suppressed == 1
    with database.reading() as session:
        held = suppression_of(session, key)
        assert held is not None
        assert held.reason == reason
        for topic in ("", "news"):
            may = select(col(Lead.id)).where(mailable(Permission(topic=topic)))
            assert session.scalars(may).all() == []


@pytest.mark.parametrize("kind", ["csv", "xlsx", "jsonl"])
def test_a_topic_that_was_switched_off_outlives_it_too(
    database: Database, tmp_path: Path, kind: str
) -> None:
    key = address_key(parse_address(ANNA), KEY)
    database.write(lambda s: bar(s, key, {"news"}, at=NOW, by="page"))
    taken_in(database, file_of(tmp_path, kind), on_duplicate="overwrite")
    with database.reading() as session:
        for topic, count in (("news", 0), ("prices", 1)):
            may = select(col(Lead.id)).where(mailable(Permission(topic=topic)))
            assert len(session.scalars(may).all()) == count


def test_a_consent_that_was_asked_for_is_not_read_as_one(
    database: Database, tmp_path: Path
) -> None:
    """As `leads export` writes it: asked, and not answered."""
    row = {"email": ANNA, "consent": [{"topic": "news", "state": "pending", "source": "form x"}]}
    taken_in(database, written(tmp_path, json.dumps(row) + "\n", "a.jsonl"))
    with database.reading() as session:
        needs = Permission(topic="news", consent_required=True)
        assert session.scalars(select(col(Lead.id)).where(mailable(needs))).all() == []
