"""Addresses: the quick way agrees with the library, and one person has one key."""

import hmac
import unicodedata
from collections.abc import Iterable

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from leads import AddressError, address_key, parse_address
from tests.leads.odd_addresses import DOMAINS, LOCALS, long_addresses, odd_addresses

KEY = b"k" * 32

LOCALS_IN_USE = st.text(
    alphabet=st.characters(categories=("L", "N"), include_characters=".-_+'!#"),
    min_size=1,
    max_size=20,
)
LABELS = st.from_regex(r"[a-zA-Z0-9]([a-zA-Z0-9-]{0,10}[a-zA-Z0-9])?", fullmatch=True)
IDN = st.sampled_from(["żółw", "müller", "ελλάδα", "bücher", "Łódź", "例え", "xn--mller-kva"])
DOMAINS_IN_USE = st.builds(
    lambda labels, top: ".".join([*labels, top]),
    st.lists(st.one_of(LABELS, IDN), min_size=1, max_size=3),
    st.sampled_from(["pl", "com", "example", "PL", "co.uk"]),
)
ADDRESSES = st.builds(lambda local, domain: f"{local}@{domain}", LOCALS_IN_USE, DOMAINS_IN_USE)


def library(text: str) -> tuple[str, str] | None:
    try:
        found = validate_email(
            text,
            check_deliverability=False,
            allow_smtputf8=True,
            strict=True,
            test_environment=True,
        )
    except EmailNotValidError:
        return None
    return found.local_part, (found.ascii_domain or found.domain).lower()


@given(st.one_of(ADDRESSES, st.text(max_size=40), st.emails()))
@example("x" * 64 + "@example.com")
@example("x" * 65 + "@example.com")
@example("a@" + ".".join(["b" * 60] * 4) + ".com")
@example("a..b@example.com")
@example(".a@example.com")
@example("a@example")
def test_the_quick_way_gives_the_library_s_answer(text: str) -> None:
    expected = library(text.strip())
    try:
        found = parse_address(text)
    except AddressError:
        assert expected is None
    else:
        assert expected == (found.local, found.domain)


def differing(texts: Iterable[str]) -> list[str]:
    """Those that the quick way and the library judge differently."""
    found = []
    for text in texts:
        try:
            address = parse_address(text)
            answer = address.local, address.domain
        except AddressError:
            answer = None
        if answer != library(text.strip()):
            found.append(text)
    return found


@pytest.mark.slow
def test_odd_addresses_get_the_library_s_answer(proof: bool) -> None:
    assert differing(odd_addresses(each=1 if proof else 3)) == []


def test_long_addresses_get_the_library_s_answer() -> None:
    assert differing(long_addresses()) == []


@st.composite
def mutations(draw: st.DrawFn) -> str:
    """A real-looking or odd address with a few characters put in, taken out or swapped."""
    local = draw(st.one_of(st.sampled_from(LOCALS), LOCALS_IN_USE))
    domain = draw(st.one_of(st.sampled_from(DOMAINS), DOMAINS_IN_USE))
    letters = list(f"{local}@{domain}")
    strange = st.one_of(
        st.sampled_from("@.-_+\"'<>[]()\\ ,;:xX0é中א٣\u0301\u0338\u200d\u00ad．。"), st.characters()
    )
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(letters)))
        letters[place : place + draw(st.integers(0, 2))] = draw(st.lists(strange, max_size=2))
    return "".join(letters)


@settings(max_examples=500)
@given(mutations())
def test_mutated_addresses_get_the_library_s_answer(text: str) -> None:
    assert differing([text]) == []


@given(st.binary(min_size=0, max_size=150), LOCALS_IN_USE, DOMAINS_IN_USE)
def test_a_key_is_the_hmac_of_the_folded_address(key: bytes, local: str, domain: str) -> None:
    text = f"{local}@{domain}"
    assume(library(text) is not None)
    address = parse_address(text)
    folded = f"{unicodedata.normalize('NFC', address.local).casefold()}@{address.domain}"
    expected = hmac.digest(key, folded.encode(), "sha256").hex()[:32]
    assert address_key(address, key) == expected


def good(text: str) -> bool:
    return library(text) is not None


@given(ADDRESSES.filter(good))
def test_reading_what_was_read_changes_nothing(text: str) -> None:
    once = parse_address(text)
    again = parse_address(once.email)
    assert again == once
    assert address_key(again, KEY) == address_key(once, KEY)


@given(ADDRESSES.filter(good))
def test_one_person_has_one_key_however_the_address_is_written(text: str) -> None:
    address = parse_address(text)
    key = address_key(address, KEY)
    assert len(key) == 32
    local, _, domain = text.rpartition("@")
    forms = [
        f"{local}@{address.domain}",
        f"{local}@{domain.upper()}",
        f"{unicodedata.normalize('NFD', local)}@{domain}",
        f"  {text}\n",
    ]
    if local.isascii():
        forms += [f"{local.upper()}@{domain}", f"{local.lower()}@{domain}"]
    for form in filter(good, map(str.strip, forms)):
        assert address_key(parse_address(form), KEY) == key
    assert address_key(address, b"another key" * 3) != key


def test_dots_and_plus_tags_are_different_people() -> None:
    keys = {
        address_key(parse_address(text), KEY)
        for text in ("anna.nowak@x.pl", "annanowak@x.pl", "anna.nowak+news@x.pl")
    }
    assert len(keys) == 3


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "there is no address"),
        ("anna", "'anna' is no e-mail address: it has no @"),
        ("Anna <a@x.pl>", "write only a@x.pl"),
        ("mailto:a@x.pl", "write only a@x.pl"),
        ("a@x.pl; b@x.pl", "more than one address"),
        ("a@x.pl,b@x.pl", "more than one address"),
        ("a@localhost", "period"),
        ("a b@x.pl", "SPACE"),
    ],
)
def test_a_reason_is_one_line_that_people_understand(text: str, reason: str) -> None:
    with pytest.raises(AddressError) as error:
        parse_address(text)
    assert reason in str(error.value)
    assert "\n" not in str(error.value)


@given(st.text(min_size=1, max_size=300))
def test_a_reason_is_one_short_line_for_anything(text: str) -> None:
    try:
        parse_address(text)
    except AddressError as error:
        assert len(str(error).splitlines()) == 1
        assert len(str(error)) < 700
