"""The shipped leads are believable, and nobody real is among them."""

import csv
from collections import Counter
from pathlib import Path

import pytest

import console.demo
from benchmarks.invent_leads import leads, with_faults

SHIPPED = Path(console.demo.__file__).with_name("leads.csv")


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    with SHIPPED.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_there_are_five_hundred_and_six_rows_with_faults(rows: list[dict[str, str]]) -> None:
    good = {row["email"].casefold() for row in rows if row["email"].endswith((".example", ".test"))}
    assert len(rows) == 506
    assert len(good) == 501  # one of them has two @


def test_they_are_what_their_generator_writes(rows: list[dict[str, str]]) -> None:
    assert rows == with_faults(list(leads(500, 1410)))


def test_every_domain_is_a_reserved_one(rows: list[dict[str, str]]) -> None:
    """RFC 2606 2 and RFC 6761 6: mail to these can reach nobody."""
    domains = {row["email"].rpartition("@")[2].lower() for row in rows if "." in row["email"]}
    real = {domain for domain in domains if not domain.endswith(("example", "test"))}
    assert not {domain for domain in real if "." in domain}


def test_polish_surnames_and_titles_agree_with_the_person(rows: list[dict[str, str]]) -> None:
    for row in rows:
        if row["country"] == "PL":
            woman = row["first_name"].endswith("a")
            assert not row["last_name"].endswith("ski" if woman else "ska"), row
            assert not row["job_title"].startswith("Kierownik " if woman else "Kierowniczka"), row


def test_everybody_has_a_name_a_company_and_leave_to_be_written_to(
    rows: list[dict[str, str]],
) -> None:
    needed = ("first_name", "last_name", "company", "country", "stage", "topic", "consent_source")
    assert not [row for row in rows if not all(row[name] for name in needed)]


def test_no_name_is_worn_out(rows: list[dict[str, str]]) -> None:
    names = Counter((row["first_name"], row["last_name"]) for row in rows)
    assert names.most_common(1)[0][1] <= 4
