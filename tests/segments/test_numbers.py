"""Which texts of an attribute count as numbers: the same everywhere, also on older servers."""

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy.engine import URL
from sqlmodel import Session, col, delete, select

from console.database import Database
from leads import Lead
from segments import parse, where
from tests.segments import rules

#: What the attribute may be, and whether it is a number of at least 7.
KNOWN: list[tuple[Any, bool]] = [
    ("7", True),
    ("07", True),
    ("7.50", True),
    ("9" * 15, True),
    (10**20, True),
    (7, True),
    (7.5, True),
    (["x", "8"], True),
    ("9" * 16, False),
    ("-9", False),
    ("6.99", False),
    ("", False),
    (" 7", False),
    ("+9", False),
    (".9", False),
    ("9.", False),
    ("1e5", False),
    ("1.0e+20", False),
    ("1_000", False),
    ("0x1F", False),
    ("NaN", False),
    ("Infinity", False),
    ("٩", False),
    ("[9]", False),
    (True, False),
    (None, False),
    ({"n": 9}, False),
    (["9" * 16, "1e5"], False),
]
NUMBERS = list(enumerate(KNOWN, 1))


def _fill(session: Session, now: datetime) -> None:
    session.execute(delete(Lead))
    for number, (value, _) in NUMBERS:
        session.add(
            Lead(
                id=number,
                email=f"lead{number}@example.com",
                address_key=f"key{number}",
                domain="example.com",
                stage_at=now,
                draw=number,
                token=f"{number:016x}",
                created_at=now,
                updated_at=now,
                attributes={"n": value},
            )
        )


def _chosen(database: Database, rule: str, *, whole: bool) -> list[Any]:
    clause = where(parse(rule), now=rules.NOW, zone=rules.ZONE, whole=whole)
    with database.reading() as session:
        chosen = select(col(Lead.id)).where(clause).order_by(col(Lead.id))
        return [KNOWN[(number or 0) - 1][0] for number in session.scalars(chosen)]


@pytest.mark.parametrize("whole", [False, True])
def test_only_plain_numbers_are_numbers(database: Database, now: datetime, whole: bool) -> None:
    database.write(lambda session: _fill(session, now))
    assert _chosen(database, "attr.n >= 7", whole=whole) == [each for each, yes in KNOWN if yes]


@pytest.mark.parametrize("rule", ["attr.n >= 7", "attr.n < 7", "attr.n = 7.5"])
def test_a_server_before_16_finds_the_same(postgres_url: URL, now: datetime, rule: str) -> None:
    database = Database(postgres_url)
    database.write(lambda session: _fill(session, now))
    newer = _chosen(database, rule, whole=True)
    database.writer.dialect.server_version_info = (15, 4)  # type: ignore[attr-defined]
    database.writer.clear_compiled_cache()
    assert _chosen(database, rule, whole=True) == newer
    database.close()
