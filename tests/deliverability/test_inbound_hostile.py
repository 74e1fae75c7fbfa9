"""Strangers write what they like: nothing makes the reader fail, hang or grow."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deliverability import InboundKind, Reading, classify_inbound
from tests.deliverability.mails import complaint, reply, report

SEEDS = [report(), complaint(), reply("hello"), reply("stop", Auto_Submitted="no")]

#: Seconds one mail may take here, on a machine that does other things too.
PATIENCE = 2.0

NASTY: dict[str, bytes] = {
    "nothing": b"",
    "one line end": b"\n",
    "NUL": b"\0" * 1_000_000,
    "CR only": b"Subject: x\r\rhello\r" * 50_000,
    "no header end": b"Subject: x",
    "deep multipart": b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(5_000)
    ),
    "deep with one boundary": b"Content-Type: multipart/mixed; boundary=b\n\n"
    + b"--b\nContent-Type: multipart/mixed; boundary=b\n\n" * 10_000,
    "deep enclosed": b"Content-Type: message/rfc822\n\n" * 20_000,
    "many fields": b"a: b\n" * 200_000,
    "long folded field": b"Subject: x\n" + b"\tx\n" * 200_000,
    "parentheses": b"From: " + b"(" * 100_000 + b"\n\nx",
    "brackets": b"Content-Type: text/html\n\n" + b"<" * 1_000_000,
    "styles": b"Content-Type: text/html\n\n" + b"<style>" * 100_000,
    "encoded words": b"Subject: " + b"=?utf-8?q?a?= " * 50_000 + b"\n\nhi",
    "references": b"References: " + b"<a@b> " * 100_000 + b"\n\nhi",
    "recipients": b"From: mailer-daemon\nContent-Type: message/delivery-status\n\n"
    + b"Final-Recipient: rfc822; a@b\nAction: failed\n\n" * 20_000,
    "addresses": b"From: mailer-daemon@x\nSubject: undeliverable\n\n" + b"x@y.z\n" * 100_000,
    "odd charset": b"Content-Type: text/plain; charset=punycode\n\n" + b"a-" * 500_000,
    "escapes": b"Content-Type: text/plain; charset=unicode_escape\n\n\\N{DIGIT ONE}",
    "half a character": b"Content-Type: text/plain; charset=utf-7\n\n+2AA-",
    "bad base64": b"Content-Transfer-Encoding: base64\n\n" + b"=A" * 100_000,
    "bad date": b"Date: Mon, 99 Foo 99999999999999 99:99:99 +9999999\n\nx",
}  # fmt: skip


@pytest.mark.parametrize("name", NASTY)
def test_a_nasty_mail_is_read_in_no_time(name: str) -> None:
    began = time.perf_counter()
    reading = classify_inbound(NASTY[name])
    assert time.perf_counter() - began < PATIENCE
    assert isinstance(reading, Reading)
    # What a database must take: no NUL, no half characters.
    text = reading.subject + reading.from_address + reading.origin.text
    assert "\0" not in text
    text.encode("utf-8")


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=4000))
def test_any_bytes_are_something(raw: bytes) -> None:
    assert classify_inbound(raw).kind in InboundKind


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(SEEDS),
    st.lists(
        st.tuples(
            st.integers(0, 3000),
            st.integers(0, 200),
            st.one_of(
                st.binary(max_size=30),
                st.sampled_from(
                    [
                        b"\r",
                        b"\n\n",
                        b"--b1/mx",
                        b"=?utf-8?b?",
                        b"<",
                        b"@",
                        b"Final-Recipient:",
                        b"Content-Type: multipart/mixed; boundary=b\n\n",
                        b'charset="utf-16"\n',
                    ]
                ),
            ),
        ),
        max_size=12,
    ),
)
def test_mutilated_reports_are_something(seed: bytes, cuts: list[tuple[int, int, bytes]]) -> None:
    raw = seed
    for at, length, put in cuts:
        raw = raw[:at] + put + raw[at + length :]
    reading = classify_inbound(raw)
    assert reading.kind in InboundKind
    (reading.subject + reading.origin.text).encode("utf-8")


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300), st.text(max_size=60))
def test_people_may_write_anything_without_becoming_a_bounce(text: str, subject: str) -> None:
    clean = "".join(c for c in subject if c.isprintable())
    kind = classify_inbound(reply(text, subject=f"Re: {clean}")).kind
    assert kind not in (InboundKind.BOUNCE, InboundKind.COMPLAINT)
