"""Leafing through leads: forward meets each lead of the segment once, backward is the way back."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from console.database import Database
from console.leafing import Crowd
from leads import Lead, Permission, suppress
from segments import parse
from tests.conftest import NOW

COUNTRIES = ("PL", "GB", "PL", "", "PL", "GB", "PL")


@pytest.fixture
def ids(database: Database) -> list[int]:
    with database.writing() as session:
        made = [
            Lead(
                email=f"l{n}@d{n}.example",
                domain=f"d{n}.example",
                address_key=f"{n:064x}",
                name=f"Żaneta {n}" if n % 2 else f"Bob {n}",
                company="100% Ltd" if n == 4 else "",
                country=country,
                stage_at=NOW,
                created_at=NOW + timedelta(seconds=n),
                updated_at=NOW,
                draw=n,
                token=f"{n:016x}",
            )
            for n, country in enumerate(COUNTRIES)
        ]
        # One of them was forgotten, one is not written to any more.
        made[2].erased_at = NOW
        session.add_all(made)
        session.flush()
        suppress(session, made[4].address_key, reason="manual", at=NOW, by="test")
        return [each.id or 0 for each in made]


def crowd(rule: str) -> Crowd:
    return Crowd(
        name=rule,
        rule=parse(rule) if rule else None,
        permission=Permission(topic="", consent_required=False),
        now=NOW,
        zone=ZoneInfo("Europe/Warsaw"),
    )


@pytest.mark.parametrize(
    ("rule", "places"),
    [("", [0, 1, 3, 4, 5, 6]), ("country = PL", [0, 4, 6]), ("country = DE", [])],
)
def test_forward_meets_everybody_and_back_again(
    database: Database, ids: list[int], rule: str, places: list[int]
) -> None:
    wanted, leads = [ids[place] for place in places], crowd(rule)
    with database.reading() as session:
        assert leads.count(session) == len(wanted)
        assert leads.first(session, 100) == wanted
        at = next(iter(leads.first(session)), None)
        met = []
        while at is not None:
            met.append(at)
            at = leads.beside(session, at, forward=True)
        assert met == wanted
        back = met[-1:]
        while back and (before := leads.beside(session, back[-1], forward=False)) is not None:
            back.append(before)
        assert back == wanted[::-1]


def test_from_somebody_outside_the_segment_it_goes_on(database: Database, ids: list[int]) -> None:
    with database.reading() as session:
        leads = crowd("country = PL")
        assert leads.beside(session, ids[1], forward=True) == ids[4]
        assert leads.beside(session, ids[5], forward=False) == ids[4]


@pytest.mark.parametrize(
    ("text", "places"),
    [("żaneta", [1, 3, 5]), ("L6@", [6]), ("100%", [4]), ("%", [4]), ("_", []), ("", [0, 1])],
)
def test_search_takes_words_as_they_are(
    database: Database, ids: list[int], text: str, places: list[int]
) -> None:
    with database.reading() as session:
        found = crowd("").found(session, text, limit=2 if not text else 20)
    assert [each.id for each in found] == [ids[place] for place in places]


def test_why_nobody_writes_to_a_lead(database: Database, ids: list[int]) -> None:
    with database.reading() as session:
        assert crowd("").left_out(session, ids[0]) == ""
        assert crowd("").left_out(session, ids[4]) == "suppressed"
