"""DMARC records and the walk up the tree of names (RFC 9989)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliverability.preflight.dmarc import (
    DmarcRecord,
    names_to_ask,
    read_dmarc,
    report_refused,
    walk,
)
from tests.deliverability.names import SILENT, Names


def zone(**records: str) -> Names:
    """`example__com="..."` -> a TXT at _dmarc.example.com."""
    return Names(
        {f"_dmarc.{name.replace('__', '.')}": [{"TXT": text}] for name, text in records.items()}
    )


def test_a_long_name_is_asked_for_in_eight_steps() -> None:
    # The example of RFC 9989 4.10: labels beyond eight are jumped over.
    assert names_to_ask("a.b.c.d.e.f.g.h.i.j.mail.example.com") == [
        "a.b.c.d.e.f.g.h.i.j.mail.example.com",
        "g.h.i.j.mail.example.com",
        "h.i.j.mail.example.com",
        "i.j.mail.example.com",
        "j.mail.example.com",
        "mail.example.com",
        "example.com",
        "com",
    ]


@given(st.lists(st.text("ab", min_size=1, max_size=3), min_size=1, max_size=40).map(".".join))
def test_no_name_costs_more_than_eight_questions(domain: str) -> None:
    names = names_to_ask(domain)
    assert names[0] == domain and len(names) <= 8
    assert names[-1] == domain.rpartition(".")[2]


async def test_the_organisation_is_the_shortest_name_with_a_record() -> None:
    names = zone(
        example__com="v=DMARC1; p=reject", mail__example__com="v=DMARC1; p=none; sp=reject"
    )
    found = await walk(names, "a.mail.example.com")
    assert found.organisation == "example.com"
    # The record of the organisation, not of the nearest name above, says what happens to a name
    # without its own.
    assert found.record is not None and found.record.domain == "example.com"
    assert found.policy() == "reject"


async def test_psd_n_makes_an_organisation_of_its_own_and_ends_the_walk() -> None:
    names = zone(example__com="v=DMARC1; p=reject", mail__example__com="v=DMARC1; p=none; psd=n")
    found = await walk(names, "a.mail.example.com")
    assert found.organisation == "mail.example.com"
    assert [name for name, _ in names.asked] == [
        "_dmarc.a.mail.example.com",
        "_dmarc.mail.example.com",
    ]


async def test_below_a_public_suffix_the_organisation_is_one_label_longer() -> None:
    names = zone(bank="v=DMARC1; p=reject; psd=y")
    found = await walk(names, "mail.acme.bank")
    assert found.organisation == "acme.bank"
    assert found.record is not None and found.record.domain == "bank"
    assert (await walk(names, "bank")).organisation == "bank"


async def test_a_domain_without_any_record_is_its_own_organisation() -> None:
    found = await walk(Names({}), "mail.example.com")
    assert (found.organisation, found.record) == ("mail.example.com", None)


async def test_two_records_count_as_none() -> None:
    names = Names({"_dmarc.a.test": [{"TXT": "v=DMARC1; p=none"}, {"TXT": "v=DMARC1; p=reject"}]})
    found = await walk(names, "a.test")
    assert (found.record, found.doubled) == (None, ("a.test",))


async def test_other_texts_at_the_name_do_not_matter() -> None:
    names = Names({"_dmarc.a.test": [{"TXT": "hello"}, {"TXT": "v=DMARC1;p=reject"}]})
    found = await walk(names, "a.test")
    assert found.policy() == "reject"


async def test_a_silent_name_is_told_and_not_taken_for_empty() -> None:
    found = await walk(Names({"_dmarc.a.test": [SILENT]}), "a.test")
    assert found.unanswered == ("a.test",)


@pytest.mark.parametrize(
    ("text", "own", "below", "unborn"),
    [
        ("v=DMARC1; p=reject", "reject", "reject", "reject"),
        ("v=DMARC1; p=reject; sp=none", "reject", "none", "none"),
        ("v=DMARC1; p=none; sp=quarantine; np=reject", "none", "quarantine", "reject"),
        # t=y: one step milder.
        ("v=DMARC1; p=reject; t=y", "quarantine", "quarantine", "quarantine"),
        ("v=DMARC1; p=quarantine; t=y", "none", "none", "none"),
        # A missing p is none.
        ("v=DMARC1; rua=mailto:d@a.test", "none", "none", "none"),
    ],
)
async def test_what_receivers_are_asked_to_do(text: str, own: str, below: str, unborn: str) -> None:
    names = zone(a__test=text)
    assert (await walk(names, "a.test")).policy() == own
    assert (await walk(names, "b.a.test")).policy() == below
    assert (await walk(names, "b.a.test")).policy(exists=False) == unborn


def test_removed_tags_and_a_missing_policy_are_pointed_out() -> None:
    record = read_dmarc("v=DMARC1; pct=50; ri=3600; rua=https://x.test", "a.test")
    assert record is not None
    assert record.p == "none"
    assert record.oddities == (
        "pct= was removed from DMARC and is ignored now",
        "ri= was removed from DMARC and is ignored now",
        "p= is missing: receivers take it for p=none",
        "rua: https://x.test is no mailto: address",
    )


@pytest.mark.parametrize(
    "text", ["", "v=DMARC2; p=none", "v=dmarc1; p=none", "p=none; v=DMARC1", "v=DMARC10", "v=spf1"]
)
def test_a_record_begins_with_its_version(text: str) -> None:
    assert read_dmarc(text, "a.test") is None


@given(st.text(max_size=80).map("v=DMARC1;".__add__))
def test_any_record_is_read(text: str) -> None:
    assert isinstance(read_dmarc(text, "a.test"), DmarcRecord)


async def test_reports_to_others_need_their_word() -> None:
    names = Names(
        {
            "_dmarc.a.test": [
                {"TXT": "v=DMARC1; rua=mailto:x@m.a.test,mailto:y@yes.test,mailto:z@no.test"}
            ],
            "a.test._report._dmarc.yes.test": [{"TXT": "v=DMARC1"}],
        }
    )
    record = (await walk(names, "a.test")).record
    assert record is not None
    assert await report_refused(names, record) == (["z@no.test"], [])
