"""Addresses: read, judged by email-validator, and named by a keyed fingerprint."""

import hashlib
import hmac
import unicodedata
from dataclasses import dataclass

from email_validator import EmailNotValidError, validate_email

from leads.errors import AddressError


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """An address that mail can go to."""

    #: As it was typed, trimmed.
    email: str
    local: str
    #: IDNA ASCII form, lower case (RFC 5890).
    domain: str


def parse_address(text: str) -> Address:
    """`text` as an address; raises AddressError with a reason for people."""
    trimmed = text.strip()
    try:
        found = validate_email(
            trimmed, check_deliverability=False, allow_smtputf8=True, test_environment=True
        )
    except EmailNotValidError as wrong:
        raise AddressError(f"{trimmed!r} is no e-mail address: {wrong}") from wrong
    return Address(
        email=trimmed, local=found.local_part, domain=(found.ascii_domain or found.domain).lower()
    )


def address_key(address: Address, key: bytes) -> str:
    """Who this is: HMAC-SHA256 of the normalised address, 32 hex digits.

    The local part is compared without case (RFC 5321 2.4 allows a difference, nobody makes one);
    plus tags and dots are kept, since only the provider knows what they mean.
    """
    local = unicodedata.normalize("NFC", address.local).casefold()
    digest = hmac.new(key, f"{local}@{address.domain}".encode(), hashlib.sha256)
    return digest.hexdigest()[:32]
