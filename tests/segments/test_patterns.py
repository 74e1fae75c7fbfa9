"""Patterns: what stars and question marks mean, and that no pattern is slow."""

import fnmatch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segments.patterns import like, matches, stars
from tests.segments.naive import shell

LETTERS = st.text("ab*?\\[]%_/!", max_size=8)


@given(LETTERS, LETTERS)
def test_a_pattern_matches_what_the_shells_pattern_does(text: str, pattern: str) -> None:
    assert matches(text, pattern) == fnmatch.fnmatchcase(text, shell(pattern))


@given(LETTERS)
def test_a_text_with_every_sign_escaped_matches_itself_alone(text: str) -> None:
    pattern = "".join(f"\\{sign}" if sign in "*?\\" else sign for sign in text)
    assert matches(text, pattern)
    assert not matches(f"{text}a", pattern)


def test_stars_side_by_side_are_one_and_escaped_ones_are_none() -> None:
    assert stars("a**b\\*?*") == 2


def test_signs_of_like_are_themselves() -> None:
    assert like("50%_*/?") == "50/%/_%//_"


@pytest.mark.timeout(5)
def test_the_worst_pattern_ends_soon() -> None:
    # A matcher that goes back to earlier stars takes 10,000 to the power of 8 steps here.
    assert not matches("a" * 10_000, "*a*a*a*a*a*a*a*b")
