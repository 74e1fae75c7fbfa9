"""Addresses: read, judged by email-validator, and named by a keyed fingerprint.

A domain is judged once and remembered; a plain ASCII local part needs no library. Together that
takes 2 instead of 30 microseconds an address and gives the same answers (the tests compare them).
"""

import hmac
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from email_validator import EmailNotValidError, validate_email

from leads.errors import AddressError

# RFC 5322 3.2.3: dot-atom. RFC 5321 4.5.3.1.1: 64 octets at most.
_PLAIN_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LONGEST_LOCAL = 64
# RFC 5321 4.5.3.1.3: a path has 256 octets, two of them angle brackets.
_LONGEST = 254

_NAMED = re.compile(r"[^<>]*<\s*([^<>\s]+@[^<>\s]+)\s*>")
_SEVERAL = re.compile(r"\S+@\S+\s*[,;/\s]\s*\S+@\S+")


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """An address that mail can go to."""

    #: As it was typed, trimmed.
    email: str
    local: str
    #: IDNA ASCII form, lower case (RFC 5890).
    domain: str


def parse_address(text: str) -> Address:
    """`text` as an address; raises AddressError with a one-line reason for people."""
    trimmed = text.strip()
    local, at, domain = trimmed.rpartition("@")
    if (
        at
        and len(trimmed) <= _LONGEST
        and len(local) <= _LONGEST_LOCAL
        and _PLAIN_LOCAL.fullmatch(local)
    ):
        judged, reason = _domain(domain)
        if judged and len(local) + 1 + len(judged) <= _LONGEST:
            return Address(email=trimmed, local=local, domain=judged)
        if reason:
            raise AddressError(_sentence(trimmed, reason))
    try:
        found = validate_email(
            trimmed,
            check_deliverability=False,
            allow_smtputf8=True,
            strict=True,
            test_environment=True,
        )
    except EmailNotValidError as wrong:
        raise AddressError(_sentence(trimmed, str(wrong))) from wrong
    return Address(
        email=trimmed, local=found.local_part, domain=(found.ascii_domain or found.domain).lower()
    )


def address_key(address: Address, key: bytes) -> str:
    """Who this is: HMAC-SHA256 of the normalised address, 32 hex digits (RFC 2104).

    The local part is compared without case (RFC 5321 2.4 allows a difference, nobody makes one);
    plus tags and dots are kept, since only the provider knows what they mean.
    """
    local = unicodedata.normalize("NFC", address.local).casefold()
    return hmac.digest(key, f"{local}@{address.domain}".encode(), "sha256").hex()[:32]


@lru_cache(maxsize=65536)
def _domain(text: str) -> tuple[str, str]:
    """(IDNA form, "") or ("", why not), for a domain as it was typed."""
    try:
        found = validate_email(
            f"a@{text}", check_deliverability=False, allow_smtputf8=True, test_environment=True
        )
    except EmailNotValidError as wrong:
        return "", str(wrong)
    return (found.ascii_domain or found.domain).lower(), ""


def _sentence(text: str, reason: str) -> str:
    """One line that says what is wrong, not how the grammar is called."""
    shown = repr(text if len(text) <= 80 else f"{text[:77]}...")
    if not text:
        return "there is no address"
    if named := _NAMED.fullmatch(text):
        return f"{shown} has a name around the address: write only {named[1]}"
    if text.casefold().startswith("mailto:"):
        return f"{shown} is a link: write only {text[7:]}"
    if _SEVERAL.search(text):
        return f"{shown} holds more than one address: keep one"
    if "@" not in text:
        return f"{shown} is no e-mail address: it has no @"
    told = " ".join(reason.replace("@-sign", "@").split()).rstrip(".")
    return f"{shown} is no e-mail address: {told[:1].lower()}{told[1:]}"
