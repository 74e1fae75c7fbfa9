"""The last look at a mail's bytes: what is right passes, every single fault is found."""

import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliverability import EnvelopeError, compose, is_stale
from deliverability.outgoing import refuse_malformed
from tests.deliverability.samples import ANNA, DATE, mail, parts

ENVELOPE = {"sender": "anna@example.com", "recipient": "jan@example.org"}


def look(data: bytes, *, thorough: bool = True, **changes: str) -> None:
    given = {**ENVELOPE, "from_address": "anna@example.com"} | changes
    refuse_malformed(data, thorough=thorough, **given)  # type: ignore[arg-type]


GOOD = mail().data


def test_a_usual_mail_passes() -> None:
    look(GOOD)


#: What is wrong -> (the change, a word of the reason).
FAULTS = {
    "a second From": (lambda d: b"From: eve@example.net\r\n" + d, "from stands there 2 times"),
    "a second Subject in capitals": (lambda d: b"SUBJECT: x\r\n" + d, "subject stands there 2"),
    "no Date": (lambda d: re.sub(rb"\r\nDate:[^\r]*", b"", d), "date stands there 0"),
    "no Message-ID": (lambda d: re.sub(rb"\r\nMessage-ID:[^\r]*", b"", d), "message-id stands"),
    "another author": (lambda d: d.replace(b"<anna@example.com>", b"<eve@example.net>"), "From"),
    "two authors": (
        lambda d: d.replace(b"<anna@example.com>", b"<eve@example.net>, <anna@example.com>"),
        "From holds",
    ),
    "a bare LF in the header": (lambda d: d.replace(b"\r\nDate", b"\nDate"), "CR or LF alone"),
    "a bare CR in the header": (lambda d: d.replace(b"note", b"no\rte"), "CR or LF alone"),
    "a NUL": (lambda d: d.replace(b"this is it", b"this\0is it"), "NUL"),
    "a long line": (lambda d: d.replace(b"this is it", b"x" * 999), "longer than 998"),
    "a Message-ID without a domain": (
        lambda d: re.sub(rb"Message-ID: <[^>]*>", b"Message-ID: <abc>", d),
        "Message-ID",
    ),
    "a header that does not end": (lambda d: d.partition(b"\r\n\r\n")[0], None),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("thorough", [True, False])
def test_a_single_fault_is_found(fault: str, thorough: bool) -> None:
    change, reason = FAULTS[fault]
    data = change(GOOD)
    assert data != GOOD
    with pytest.raises(EnvelopeError, match=reason or "malformed"):
        look(data, thorough=thorough)


def test_lone_line_ends_in_the_body_are_found_by_the_thorough_look() -> None:
    for odd in (b"this\nis it", b"this\ris it", b"this\n.\nis it", b"this\r.\ris it"):
        with pytest.raises(EnvelopeError, match="CR or LF alone"):
            look(GOOD.replace(b"this is it", odd))


@pytest.mark.parametrize("size", [997, 998])
def test_998_octets_are_the_longest_line(size: int) -> None:
    look(GOOD.replace(b"this is it", b"x" * size, 1).replace(b"x.\r\n", b"x\r\n"))


@pytest.mark.parametrize(
    ("sender", "recipient"),
    [
        ("a" * 65 + "@example.com", "jan@example.org"),
        ("anna@example.com", "jan@" + "b" * 250 + ".pl"),
        ("anna@example.com", "ż" * 33 + "@example.org"),
        ("", "jan@example.org"),
        ("anna@example.com", "@example.org"),
    ],
)
def test_addresses_longer_than_servers_take(sender: str, recipient: str) -> None:
    with pytest.raises(EnvelopeError, match="longer than"):
        look(GOOD, sender=sender, recipient=recipient)


TEXTS = st.text(max_size=300)


@given(TEXTS, TEXTS, TEXTS, TEXTS, st.booleans())
def test_whatever_compose_makes_passes_the_thorough_look(
    name: str, subject: str, text: str, html: str, with_html: bool
) -> None:
    """The proof of what is true by construction: line ends of bodies above all."""
    try:
        made = compose(
            ANNA,
            **parts(to_name=name, subject=subject, text=text, html=html if with_html else None),
        )
    except EnvelopeError as refused:
        assert "malformed" not in str(refused)
        return
    look(made.data, from_address="anna@example.com")


def test_the_first_mail_of_an_identity_gets_the_thorough_look(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from dataclasses import replace

    from deliverability import envelope

    looks: list[bool] = []

    def note(*_: object, thorough: bool = False, **__: object) -> None:
        looks.append(thorough)

    monkeypatch.setattr(envelope, "refuse_malformed", note)
    for _ in range(3):
        compose(replace(ANNA, from_name="Somebody new"), **parts())
    assert looks == [True, False, False]


@pytest.mark.parametrize(
    ("late", "stale"),
    [(timedelta(0), False), (timedelta(minutes=59), False), (timedelta(hours=2), True)],
)
def test_a_mail_is_not_sent_hours_after_it_was_dated(late: timedelta, stale: bool) -> None:
    assert is_stale(DATE, now=DATE + late) is stale
    assert is_stale(DATE, now=DATE - late) is stale
