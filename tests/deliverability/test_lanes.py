"""Rows of this room, on both databases: domains, lanes, day caps, identities as they were."""

import threading
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import func, select
from sqlmodel import col

from console.database import Database
from deliverability import (
    OTHER,
    Domain,
    IdentityVersion,
    Lane,
    ProviderError,
    give_day,
    identity_version,
    lanes,
    provider_of_mx,
    seed_domains,
    shipped_providers,
    take_day,
    used_today,
)
from deliverability.providers import shipped_domains

NOW = datetime(2026, 3, 10, 11, 0, tzinfo=UTC)
DAY = date(2026, 3, 10)


def test_seeding_twice_is_seeding_once(database: Database) -> None:
    added, changed = database.write(seed_domains)
    assert (added, changed) == (len(shipped_domains()), 0)
    assert database.write(seed_domains) == (0, 0)
    with database.reading() as session:
        assert session.get_one(Domain, "gmail.com").provider == "google"
        assert session.scalar(select(func.count()).select_from(Domain)) == added


def test_the_workspace_adds_and_overrides_but_dns_knows_better(database: Database) -> None:
    with database.writing() as session:
        session.add(Domain(name="firma.pl", provider="google", checked_at=NOW))
    extra = {"wp": ["Firma.PL", "spółka.pl"], "mail-com": ["email.com"]}
    database.write(lambda s: seed_domains(s, extra))
    with database.reading() as session:
        assert session.get_one(Domain, "firma.pl").provider == "google"
        assert session.get_one(Domain, "xn--spka-rqa88b.pl").provider == "wp"
        assert session.get_one(Domain, "email.com").provider == "mail-com"
    added, changed = database.write(lambda s: seed_domains(s, {}))
    assert (added, changed) == (0, 1)  # email.com is gmx's again


def test_a_domain_that_is_none_is_named(database: Database) -> None:
    with pytest.raises(ProviderError, match="wp"):
        database.write(lambda s: seed_domains(s, {"wp": ["not a domain"]}))


def test_every_provider_gets_a_lane_and_other_always_does(database: Database) -> None:
    alone = database.write(lambda s: lanes(s, "anna"))
    assert list(alone) == [OTHER]
    database.write(seed_domains)
    full = database.write(lambda s: lanes(s, "anna"))
    assert full[OTHER] == alone[OTHER]
    assert {"google", "wp", "onet"} <= set(full)
    assert database.write(lambda s: lanes(s, "anna")) == full
    other = database.write(lambda s: lanes(s, "jan"))
    assert set(other) == set(full)
    assert not set(other.values()) & set(full.values())
    with database.reading() as session:
        assert session.scalar(select(func.count(col(Lane.id)))) == 2 * len(full)


def test_the_day_cap_is_never_passed(database: Database) -> None:
    def take(wanted: int, cap: int = 10) -> int:
        return database.write(lambda s: take_day(s, "anna", DAY, wanted=wanted, cap=cap, now=NOW))

    assert [take(4), take(4), take(4), take(4)] == [4, 4, 2, 0]
    database.write(lambda s: give_day(s, "anna", DAY, count=3))
    assert take(9) == 3
    assert take(1, cap=5) == 0  # a cap lowered during the day
    assert (
        database.write(lambda s: take_day(s, "anna", date(2026, 3, 11), wanted=2, cap=10, now=NOW))
        == 2
    )
    assert database.write(lambda s: take_day(s, "jan", DAY, wanted=2, cap=10, now=NOW)) == 2
    assert database.read(lambda s: used_today(s, "anna", DAY)) == 10
    database.write(lambda s: give_day(s, "anna", DAY, count=99))
    assert database.read(lambda s: used_today(s, "anna", DAY)) >= 0


def test_many_at_once_stay_within_the_cap_together(database: Database) -> None:
    granted: list[int] = []

    def worker() -> None:
        for _ in range(10):
            granted.append(
                database.write(lambda s: take_day(s, "anna", DAY, wanted=3, cap=50, now=NOW))
            )

    threads = [threading.Thread(target=worker) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(granted) == 50
    assert database.read(lambda s: used_today(s, "anna", DAY)) == 50


def test_the_same_facts_of_an_identity_are_one_row(database: Database) -> None:
    def keep(name: str, **body: str) -> int:
        return database.write(lambda s: identity_version(s, name, dict(body), now=NOW))

    first = keep("anna", sender="Anna", address="a@example.com")
    assert keep("anna", address="a@example.com", sender="Anna") == first
    assert keep("anna", sender="Anna Nowak") != first
    assert keep("jan", sender="Anna", address="a@example.com") != first
    with database.reading() as session:
        assert session.get_one(IdentityVersion, first).body == {
            "sender": "Anna",
            "address": "a@example.com",
        }


def test_each_domain_belongs_to_one_provider_and_each_number_has_a_source() -> None:
    every = [d for p in shipped_providers().values() for d in p.domains]
    assert len(every) == len(set(every))
    for provider in shipped_providers().values():
        assert provider.source
        assert all(d == d.lower() and d.isascii() for d in provider.domains)
        assert provider.name != OTHER


@pytest.mark.parametrize(
    ("host", "provider"),
    [
        ("gmail-smtp-in.l.google.com.", "google"),
        ("aspmx.l.GOOGLE.com", "google"),
        ("firma-pl.mail.protection.outlook.com", "microsoft"),
        ("mta5.am0.yahoodns.net", "yahoo"),
        ("notgoogle.com", OTHER),
        ("mx.example.com", OTHER),
    ],
)
def test_mx_names_tell_the_provider(host: str, provider: str) -> None:
    assert provider_of_mx((host,)) == provider
