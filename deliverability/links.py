"""Signed tokens for links in mails: unsubscribe, view, preferences. No login, nothing to guess.

The same facts and key give the same token, so a mail shown again holds the very links it left with.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from itsdangerous import BadData, URLSafeSerializer


@dataclass(frozen=True, kw_only=True, slots=True)
class Ticket:
    """What a token says; trustworthy, since only we can sign."""

    purpose: str
    #: The lead's 16 hex digits.
    lead_token: str
    #: The message row's id; 0 when the link belongs to no message.
    message_id: int


#: HMAC-SHA256 over a key derived by HMAC (RFC 2104); the package's defaults use SHA-1.
_SIGNER = {"key_derivation": "hmac", "digest_method": hashlib.sha256}


def make_token(keys: Sequence[bytes], purpose: str, lead_token: str, message_id: int) -> str:
    """A token for one purpose, signed with the newest key (the last one).

    Letters, digits, `-`, `_` and `.` only, so it needs no quoting in a link.
    """
    return _serializer(keys, purpose).dumps([lead_token, message_id])


def read_token(keys: Sequence[bytes], purpose: str, text: str) -> Ticket | None:
    """The ticket when any of the keys signed it for this purpose; None for anything else.

    Signatures are compared in constant time. A token made for one purpose opens no other door.
    """
    if len(text) > 400:
        return None
    try:
        facts = _serializer(keys, purpose).loads(text)
    except BadData:
        return None
    match facts:
        # Base64 has several spellings of the same last bits; ours is the one that was signed.
        case [str(lead_token), int(message_id)] if any(
            make_token([key], purpose, lead_token, message_id) == text for key in keys
        ):
            return Ticket(purpose=purpose, lead_token=lead_token, message_id=message_id)
        case _:
            return None


def _serializer(keys: Sequence[bytes], purpose: str) -> URLSafeSerializer:
    if not keys or not all(keys):
        raise ValueError("links need at least one key")
    return URLSafeSerializer(list(keys), salt=f"potok.{purpose}", signer_kwargs=_SIGNER)
