"""Names, fields and values as people write them."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leads import FieldError
from leads.fields import field_value, field_word, number_of, one_line, tag
from leads.intake.values import joined, moment, tags_in, values_in, yes_or_no
from leads.names import complete, renamed, split_name
from tests.leads.files import WARSAW


@pytest.mark.parametrize(
    ("whole", "parts"),
    [
        ("Anna Nowak", ("Anna", "Nowak")),
        ("Kowalska, Anna", ("Anna", "Kowalska")),
        ("dr inż. Jan Maria Rokita", ("Jan", "Rokita")),
        ("Ludwig van der Berg", ("Ludwig", "van der Berg")),
        ("Ursula von der Leyen", ("Ursula", "von der Leyen")),
        ("John Smith, PhD", ("John", "Smith")),
        ("Martin King Jr.", ("Martin", "King")),
        ("Mr. Smith", ("", "Smith")),
        ("Pani Anna", ("Anna", "")),
        ("Cher", ("Cher", "")),
        ("anna@example.com", ("", "")),
        ("", ("", "")),
    ],
)
def test_a_whole_name_is_split(whole: str, parts: tuple[str, str]) -> None:
    assert split_name(whole) == parts


@given(st.text(max_size=60))
def test_splitting_invents_nothing(whole: str) -> None:
    first, last = split_name(whole)
    assert first in whole
    assert all(word in whole for word in last.split())


def test_names_complete_one_another() -> None:
    only_whole = {"name": "Anna Nowak"}
    complete(only_whole)
    assert only_whole == {"name": "Anna Nowak", "first_name": "Anna", "last_name": "Nowak"}
    only_parts = {"first_name": "Anna", "last_name": "Nowak"}
    complete(only_parts)
    assert only_parts["name"] == "Anna Nowak"


def test_the_whole_name_follows_unless_it_was_written_by_hand() -> None:
    before = {"name": "Anna Nowak", "first_name": "Anna", "last_name": "Nowak"}
    married = {"last_name": "Kot"}
    renamed(before, married)
    assert married["name"] == "Anna Kot"
    by_hand = {"last_name": "Kot"}
    renamed(before | {"name": "Dr A. Nowak"}, by_hand)
    assert "name" not in by_hand


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("country", "Polska", "PL"),
        ("country", "pl", "PL"),
        ("country", "DEU", "DE"),
        ("country", "United  Kingdom", "GB"),
        ("country", "Österreich", "AT"),
        ("language", "Polish", "pl"),
        ("language", "de-AT", "de"),
        ("language", "en_US", "en"),
        ("timezone", "europe/warsaw", "Europe/Warsaw"),
        ("company", "  Firma\n Nowak ", "Firma Nowak"),
        ("company", "Zo\u0301\u0142w\x07", "Zółw"),
    ],
)
def test_a_field_is_kept_in_one_spelling(field: str, text: str, value: str) -> None:
    assert field_value(field, text) == value


@pytest.mark.parametrize(
    ("field", "text", "hint"),
    [
        ("country", "Polnad", "did you mean PL?"),
        ("country", "Atlantis", "write two letters"),
        ("language", "Klingon", "write a code"),
        ("timezone", "Europe/Warsav", 'did you mean "Europe/Warsaw"?'),
        ("company", "x" * 501, "500 are the most"),
    ],
)
def test_a_value_that_does_not_fit_is_told(field: str, text: str, hint: str) -> None:
    with pytest.raises(FieldError, match=hint.replace("?", r"\?")):
        field_value(field, text)


@given(st.text())
def test_one_line_is_one_line_and_stays(text: str) -> None:
    line = one_line(text)
    assert len(line.splitlines()) <= 1
    assert "\x00" not in line
    assert one_line(line) == line


@given(st.text())
def test_a_heading_becomes_a_name_for_rules(text: str) -> None:
    word = field_word(text)
    assert word == "" or word.replace("_", "a").isalnum()
    assert field_word(word) == word


def test_headings_as_they_are() -> None:
    assert field_word("Branża (główna)") == "branża_główna"
    assert field_word("2024 revenue") == "n_2024_revenue"
    assert field_word("???") == ""


def test_numbers_are_what_the_rule_language_calls_so() -> None:
    assert number_of("5000") == 5000
    assert number_of("-1.5") == -1.5
    assert [number_of(text) for text in ("5 000", "1e5", "5,5", "nan", "1" * 16, "")] == [None] * 6


def test_a_tag_has_no_sign_that_parts_tags() -> None:
    assert tag(" VIP ") == "VIP"
    for text in ("a,b", "a;b", "a|b", " "):
        with pytest.raises(FieldError):
            tag(text)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-03-09", datetime(2026, 3, 8, 23, tzinfo=UTC)),
        ("2026/03/09", datetime(2026, 3, 8, 23, tzinfo=UTC)),
        ("09.03.2026", datetime(2026, 3, 8, 23, tzinfo=UTC)),
        ("9.3.2026 14:30", datetime(2026, 3, 9, 13, 30, tzinfo=UTC)),
        ("31/01/2026", datetime(2026, 1, 30, 23, tzinfo=UTC)),
        ("01/31/2026", datetime(2026, 1, 30, 23, tzinfo=UTC)),
        ("2026-03-09T14:30:00Z", datetime(2026, 3, 9, 14, 30, tzinfo=UTC)),
        ("2026-03-09 14:30:00.5+02:00", datetime(2026, 3, 9, 12, 30, 0, 500_000, tzinfo=UTC)),
        (
            "2026-03-09T14:30:00.123456Z",
            datetime(2026, 3, 9, 14, 30, 0, 123456, tzinfo=UTC),
        ),
        ("2026-03-09 14:30:00 UTC", datetime(2026, 3, 9, 14, 30, tzinfo=UTC)),
    ],
)
def test_dates_are_read_as_programs_write_them(text: str, at: datetime) -> None:
    assert moment(text, WARSAW) == at


@pytest.mark.parametrize("text", ["yesterday", "2026-02-30", "03/04/2026", "2026-03-09 25:00", "9"])
def test_a_doubtful_date_is_no_date(text: str) -> None:
    with pytest.raises(FieldError):
        moment(text, WARSAW)


def test_a_date_that_can_be_two_names_both() -> None:
    with pytest.raises(FieldError, match="2026-04-03 or 2026-03-04"):
        moment("03/04/2026", WARSAW)


VALUES = st.lists(st.text(min_size=1, max_size=12).map(str.strip).filter(bool), max_size=4)


@given(VALUES)
def test_joined_values_are_found_again(values: list[str]) -> None:
    assert values_in(joined(values)) == values


def test_lists_in_cells() -> None:
    assert values_in("pricing; demo |x") == ["pricing", "demo", "x"]
    assert values_in(r"a\;b;c") == ["a;b", "c"]
    assert tags_in('"fair 2026","VIP"') == ["fair 2026", "VIP"]
    assert tags_in(joined(["a\\b", "c"])) == ["a\\b", "c"]


def test_yes_and_no_in_three_languages() -> None:
    assert all(yes_or_no(t) for t in ("Yes", "TRUE", "1", "tak", "Ja", "x", "opted-in"))
    assert not any(yes_or_no(t) for t in ("no", "False", "0", "nie", "Nein", ""))
    assert yes_or_no("maybe") is None
