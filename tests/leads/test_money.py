"""Amounts as people type them, exact to the hundredth."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leads import CURRENCIES, FieldError, amount_of, currency_of


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("12000", "12000.00", ""),
        (" 12000.5 ", "12000.50", ""),
        ("12 000,50 PLN", "12000.50", "PLN"),
        ("12\u00a0000,50 zł", "12000.50", "PLN"),
        ("€5000", "5000.00", "EUR"),
        ("pln 1.234.567", "1234567.00", "PLN"),
        ("1,234,567.8 usd", "1234567.80", "USD"),
        ("1.234,50", "1234.50", ""),
        ("12'000.00 CHF", "12000.00", "CHF"),
        ("0", "0.00", ""),
        ("999999999999.99", "999999999999.99", ""),
    ],
)
def test_it_is_understood(text: str, amount: str, currency: str) -> None:
    found, said = amount_of(text)
    assert (str(found), said) == (amount, currency)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("12,000", "write 12000 or 12.00"),
        ("12.000", "write 12000 or 12.00"),
        ("", "no amount"),
        ("-5", "no amount"),
        ("1e5", "no amount"),
        ("12 00", "no amount"),
        ("1.5.5", "no amount"),
        ("0.125", "two decimals"),
        ("12000.125", "two decimals"),
        ("1234567890123", "13 digits"),
        ("EUR 5 PLN", "no amount"),
        ("5 PNL", "did you mean PLN"),
        ("$5", "write USD"),
        ("٥", "no amount"),
    ],
)
def test_what_is_unclear_is_refused_with_what_to_write(text: str, said: str) -> None:
    with pytest.raises(FieldError, match=said):
        amount_of(text)


@given(st.decimals(min_value=0, max_value=999_999_999_999, places=2))
def test_every_amount_is_read_back_as_it_was(amount: Decimal) -> None:
    assert amount_of(f"{amount:.2f}") == (amount, "")
    assert amount_of(f"{amount:,.2f} EUR") == (amount, "EUR")


@given(st.text(max_size=30))
def test_any_text_is_an_amount_or_refused(text: str) -> None:
    try:
        amount, currency = amount_of(text)
    except FieldError:
        return
    assert amount >= 0
    assert currency in {"", *CURRENCIES}


def test_a_currency_is_its_code_or_a_sign() -> None:
    assert [currency_of(text) for text in ("eur", " PLN ", "zł", "£")] == [
        *("EUR", "PLN", "PLN", "GBP")
    ]
    with pytest.raises(FieldError, match="three letters"):
        currency_of("!!!")
