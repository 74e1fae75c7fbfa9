"""A file of deals opens and changes them, once, and tells every row it could not take in."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlmodel import Session, col

from console.database import Database
from leads import (
    Circumstances,
    Deal,
    Event,
    MappingError,
    Taken,
    close_deal,
    deals_of,
    find_deal,
    merge,
    open_source,
    take_in_deals,
)
from tests.conftest import NOW
from tests.leads.files import WARSAW, sums, written
from tests.leads.people import KEY, add, events

ANNA, BOB = "anna@firma.example", "bob@firma.example"


def taken(database: Database, path: Path, **wish: object) -> Taken:
    around = Circumstances(key=KEY, file=path.name, by="ewa", now=NOW, zone=WARSAW)
    return take_in_deals(open_source(path), around, write=database.write, **wish)  # type: ignore[arg-type]


def shown(session: Session, lead: int) -> list[tuple[object, ...]]:
    return [
        (d.name, d.amount, d.currency, d.state, d.expected_close) for d in deals_of(session, lead)
    ]


def test_rows_open_and_change_deals_and_doing_it_again_changes_nothing(
    database: Database, tmp_path: Path
) -> None:
    with database.writing() as session:
        anna, bob = add(session), add(session, BOB)
    path = written(
        tmp_path,
        "E-mail;Nazwa;Kwota;Waluta;Status;Planowane zamknięcie\n"
        f"{ANNA};Annual plan;12 000,50;PLN;otwarta;20.12.2026\n"
        f"{ANNA};Training;€ 500;;Closed won;\n"
        f"{BOB};Annual plan;;;;\n"
        f"{BOB};annual PLAN;7;EUR;;\n",
    )
    assert sums(taken(database, path)) == (3, 1, 0, 0)
    with database.reading() as session:
        assert shown(session, anna) == [
            ("Annual plan", Decimal("12000.50"), "PLN", "open", date(2026, 12, 20)),
            ("Training", Decimal(500), "EUR", "won", None),
        ]
        assert shown(session, bob) == [("Annual plan", Decimal(7), "EUR", "open", None)]
        assert find_deal(session, anna, "Training").closed_at == NOW
        [(kind, data)] = events(session, bob)
        assert (kind, data["what"], data["file"], data["line"]) == ("deal", "opened", "fair.csv", 5)
        assert data["after"]["amount"] == "7.00"  # type: ignore[index]
        told = session.scalar(select(func.count()).select_from(Event))
    # The last word of a file that contradicts itself is what was known.
    assert sums(taken(database, path)) == (0, 0, 4, 0)
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Event)) == told


def test_what_the_row_says_counts_and_a_closed_deal_stays_closed(
    database: Database, tmp_path: Path
) -> None:
    with database.writing() as session:
        anna = add(session)
    first = f"email,name,amount,currency,state\n{ANNA},Plan,5000,PLN,open\n"
    taken(database, written(tmp_path, first))
    with database.writing() as session:
        close_deal(session, find_deal(session, anna, "Plan").id or 0, "lost", at=NOW, by="jan")
    assert sums(taken(database, written(tmp_path, first))) == (0, 0, 1, 0)
    second = f"email,name,amount,currency,state\n{ANNA},Plan,6000,EUR,\n"
    assert sums(taken(database, written(tmp_path, second))) == (0, 1, 0, 0)
    won = f"email,name,state\n{ANNA},Plan,won\n"
    assert sums(taken(database, written(tmp_path, won))) == (0, 1, 0, 0)
    with database.reading() as session:
        assert shown(session, anna) == [("Plan", Decimal(6000), "EUR", "won", None)]
        assert [data.get("changed") for _, data in events(session, anna)][-2:] == [
            {"amount": ["5000.00", "6000.00"], "currency": ["PLN", "EUR"]},
            {"state": ["lost", "won"]},
        ]


def test_every_row_that_makes_no_sense_is_told_and_can_be_corrected(
    database: Database, tmp_path: Path
) -> None:
    with database.writing() as session:
        anna = add(session)
    path = written(
        tmp_path,
        "email,name,amount,currency,state,expected_close\n"
        f"{ANNA},A,5,PLN,perhaps,\n"
        f"{ANNA},,5,PLN,,\n"
        f"{ANNA},B,5,,,\n"
        f'{ANNA},C,"12,000",PLN,,\n'
        f"{ANNA},D,,,,soon\n"
        "who@firma.example,E,,,,\n"
        "nobody,F,,,,\n"
        f"{ANNA},G,,PLN,,\n",
    )
    done = taken(database, path)
    assert sums(done) == (1, 0, 0, 7)
    assert [line for line, _ in done.reasons] == [2, 3, 4, 5, 6, 7, 8]
    for (_, why), said in zip(
        done.reasons,
        ("won or lost", "no name", "currency", "two amounts", "no date", "no lead", "no @"),
        strict=True,
    ):
        assert said in why
    assert done.rejects_file is not None
    corrected = done.rejects_file.read_text("utf-8-sig").replace("perhaps", "won")
    again = taken(database, written(tmp_path, corrected, "fair.rejected.csv"))
    assert sums(again) == (1, 0, 0, 6)
    with database.reading() as session:
        assert [each[0] for each in shown(session, anna)] == ["A", "G"] or [
            each[0] for each in shown(session, anna)
        ] == ["G", "A"]


def test_a_merged_address_and_a_workbook_of_another_program(
    database: Database, tmp_path: Path
) -> None:
    with database.writing() as session:
        anna, bob = add(session), add(session, BOB)
        merge(session, anna, bob, at=NOW, by="jan")
    path = written(tmp_path, f"Who,What,Netto\n{BOB},Plan,5 EUR\n")
    mapping = ("Who=email", "what=name", "Netto=amount")
    assert sums(taken(database, path, mapping=mapping)) == (1, 0, 0, 0)
    with database.reading() as session:
        assert shown(session, anna) == [("Plan", Decimal(5), "EUR", "open", None)]
    for wrong in (("Who=emial",), ("Whom=email",), ("email",), ()):
        with pytest.raises(MappingError):
            taken(database, path, mapping=wrong)


def test_many_rows_go_in_by_chunks_with_their_own_numbers(
    database: Database, tmp_path: Path
) -> None:
    with database.writing() as session:
        people = {name: add(session, f"{name}@firma.example") for name in ("a", "b", "c")}
    rows = [f"{'abc'[n % 3]}@firma.example,deal {n},{n}.5,EUR" for n in range(4_100)]
    path = written(tmp_path, "\n".join(["email,name,amount,currency", *rows]))
    assert sums(taken(database, path)) == (4_100, 0, 0, 0)
    assert sums(taken(database, path)) == (0, 0, 4_100, 0)
    with database.reading() as session:
        # The event tells of the very deal it belongs to.
        told = {
            row.data["deal"]: (row.lead_id, row.data["name"], row.data["after"]["amount"])
            for row in session.execute(select(Event.lead_id, Event.data))  # type: ignore[call-overload]
        }
        kept = {
            deal.id: (deal.lead_id, deal.name, f"{deal.amount:.2f}")
            for deal in session.scalars(select(Deal).where(col(Deal.lead_id).in_(people.values())))
        }
    assert told == kept
    assert len(kept) == 4_100
