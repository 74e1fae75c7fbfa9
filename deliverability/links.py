"""Signed tokens for links in mails: unsubscribe, view, preferences. No login, nothing to guess.

The same facts and key give the same token, so a mail shown again holds the very links it left with.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from itsdangerous import BadData, Signer, URLSafeSerializer
from itsdangerous.encoding import base64_encode, want_bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Ticket:
    """What a token says; trustworthy, since only we can sign."""

    purpose: str
    #: The lead's 16 hex digits.
    lead_token: str
    #: The message row's id; 0 when the link belongs to no message.
    message_id: int


class _Signer(Signer):
    """Derives each key once; the package does so for every token."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._derived = {key: super(_Signer, self).derive_key(key) for key in self.secret_keys}

    def derive_key(self, secret_key: str | bytes | None = None) -> bytes:
        return self._derived[self.secret_keys[-1] if secret_key is None else want_bytes(secret_key)]


class _Serializer(URLSafeSerializer):
    """The package's format at a third of its time: every mail holds one to three tokens."""

    def __init__(self, keys: tuple[bytes, ...], salt: str) -> None:
        super().__init__(keys, salt=salt, signer=_Signer, signer_kwargs=_SIGNER)
        self._one = super().make_signer()

    def make_signer(self, salt: str | bytes | None = None) -> Signer:
        return self._one

    def dump_payload(self, obj: Any) -> bytes:
        # Thirty characters that are random for the most part never get shorter by zlib.
        payload: bytes = base64_encode(json.dumps(obj, separators=(",", ":")))
        return payload


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


def _serializer(keys: Sequence[bytes], purpose: str) -> _Serializer:
    if not keys or not all(keys):
        raise ValueError("links need at least one key")
    return _kept(tuple(keys), purpose)


@lru_cache(maxsize=64)
def _kept(keys: tuple[bytes, ...], purpose: str) -> _Serializer:
    return _Serializer(keys, f"potok.{purpose}")
