"""Tokens in links: only ours are believed, each for its own purpose."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from deliverability import Ticket, make_token, read_token

OLD, NEW = b"o" * 32, b"n" * 32


@given(st.text("0123456789abcdef", min_size=16, max_size=16), st.integers(0, 2**62))
def test_what_was_signed_is_read_back(lead: str, message: int) -> None:
    token = make_token([OLD, NEW], "unsubscribe", lead, message)
    assert re.fullmatch(r"[A-Za-z0-9_.-]+", token)
    ticket = Ticket(purpose="unsubscribe", lead_token=lead, message_id=message)
    assert read_token([OLD, NEW], "unsubscribe", token) == ticket
    assert token == make_token([OLD, NEW], "unsubscribe", lead, message)
    assert read_token([OLD, NEW], "view", token) is None


def test_links_in_old_mails_work_after_a_key_was_added() -> None:
    before = make_token([OLD], "unsubscribe", "0" * 16, 7)
    assert read_token([OLD, NEW], "unsubscribe", before) is not None
    assert read_token([NEW], "unsubscribe", before) is None
    assert make_token([OLD, NEW], "unsubscribe", "0" * 16, 7) != before


@given(st.text(max_size=500))
def test_anything_else_is_refused_quietly(text: str) -> None:
    assert read_token([NEW], "unsubscribe", text) is None


@given(st.integers(0, 200), st.characters(codec="ascii"))
@example(72, "/")
def test_a_changed_letter_is_refused(place: int, letter: str) -> None:
    token = make_token([NEW], "unsubscribe", "0123456789abcdef", 7)
    place %= len(token)
    changed = token[:place] + letter + token[place + 1 :]
    if changed != token:
        assert read_token([NEW], "unsubscribe", changed) is None


@pytest.mark.parametrize("odd", ["é", " ", "\n", "=", "\x00"])
def test_a_token_has_one_spelling(odd: str) -> None:
    token = make_token([NEW], "unsubscribe", "0123456789abcdef", 7)
    for spelt in (token + odd, token[:-3] + odd + token[-3:], odd + token):
        assert read_token([NEW], "unsubscribe", spelt) is None


def test_no_key_is_a_mistake_not_a_signature() -> None:
    with pytest.raises(ValueError, match="key"):
        make_token([], "unsubscribe", "0" * 16, 7)
