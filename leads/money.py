"""Amounts of money as people type them: "12 000,50 PLN", "€5000", "12,000.00 usd"."""

import re
from decimal import Decimal
from difflib import get_close_matches

from leads.errors import FieldError
from leads.fields import one_line

# ISO 4217: the currencies in use.
_CODES = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN "
    "BZD CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL "
    "GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF "
    "KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN "
    "MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD "
    "SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH "
    "UGX USD UYU UZS VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG"
)
CURRENCIES = frozenset(_CODES.split())
_SIGNS = {"zł": "PLN", "zl": "PLN", "€": "EUR", "£": "GBP"}

#: Digits before the point; more is a slip of the keyboard, and fits no column.
_LONGEST = 12
_PARTS = re.compile(r"([^\W\d_]{2,3}|[€£$])?\s*([0-9][0-9.,'’ ]*)\s*([^\W\d_]{2,3}|[€£$])?")
_WHOLE = r"[0-9]+|[1-9][0-9]{0,2}(?:[ '’][0-9]{3})+"
# (sign of the decimals, the whole part with its thousands): 1 234,50 and 1,234.50 and 1.234,50.
_FORMS = tuple(
    re.compile(rf"({whole})(?:{point}([0-9]{{1,2}}))?")
    for point, whole in (
        ("[.,]", _WHOLE),
        (r"\.", r"[1-9][0-9]{0,2}(?:,[0-9]{3})+"),
        (",", r"[1-9][0-9]{0,2}(?:\.[0-9]{3})+"),
    )
)
_UNCLEAR = re.compile(r"([1-9][0-9]{0,2})[.,]([0-9]{3})")


def currency_of(text: str) -> str:
    """The ISO 4217 code that is meant; raises FieldError with the nearest."""
    word = one_line(text)
    code = _SIGNS.get(word.casefold(), word.upper())
    if code in CURRENCIES:
        return code
    if word == "$":
        raise FieldError('"$" can be many dollars; write USD, CAD, AUD ...')
    near = get_close_matches(code, sorted(CURRENCIES), n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else "write its three letters, as in EUR"
    raise FieldError(f'there is no currency "{word}"; {hint}')


def amount_of(text: str) -> tuple[Decimal, str]:
    """(amount with two decimals, currency or "") of what was typed.

    Raises FieldError, also when a sign can part thousands or decimals.
    """
    value = one_line(text)
    parts = _PARTS.fullmatch(value)
    if parts is None or (parts[1] and parts[3]):
        raise FieldError(f'"{value}" is no amount; write 12000 or 12000.50')
    said = parts[1] or parts[3] or ""
    number = parts[2].strip()
    if clash := _UNCLEAR.fullmatch(number):
        whole, rest = clash.groups()
        raise FieldError(f'"{value}" can be two amounts; write {whole}{rest} or {whole}.{rest[:2]}')
    found = next((match for form in _FORMS if (match := form.fullmatch(number))), None)
    if found is None:
        raise FieldError(f'"{value}" is no amount; write 12000 or 12000.50, two decimals at most')
    digits = re.sub(r"[^0-9]", "", found[1]).lstrip("0") or "0"
    if len(digits) > _LONGEST:
        raise FieldError(f'"{value}" has {len(digits)} digits; {_LONGEST} are the most')
    return Decimal(f"{digits}.{found[2] or '0':0<2}"), currency_of(said) if said else ""
