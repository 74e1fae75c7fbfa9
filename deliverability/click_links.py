"""Tracked links: `<web>/c/TOKEN`, where the token carries lead, message and target, signed.

Nothing is looked up to follow one, so the link in an old mail works as long as its key is kept;
and nobody but us can make one, so the address cannot be used to send people elsewhere.

A message has a signing key of its own, made from the workspace's key. It is kept with the message,
so that the mail can be shown again exactly after the workspace's keys were changed. Who reads it
there could only make links of that one message.
"""

import base64
import binascii
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from leads import JsonObject

#: A longer link is cut or refused by mail programs and proxies on its way; Internet Explorer's
#: 2,083 characters are the limit people still plan for.
LONGEST = 2_000

#: Where the trap leads: a page of ours that says nothing, under an address no author writes.
_TRAP = "/robots.txt#-"

_TOKEN = re.compile(r"([0-9a-z]{1,32})\.(\d{1,19})\.([\w-]{22})\.([\w-]{1,4000})", re.ASCII)
_WEB = re.compile(r"https?://", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class FollowedLink:
    """What a token says; trustworthy, since only we can sign."""

    #: The lead's 16 hex digits, or a word for nobody in mails that are only looked at.
    lead_token: str
    #: The message row's id; 0 when the link belongs to no message.
    message_id: int
    #: Where it leads, as the mail's author wrote it.
    target: str

    @property
    def trap(self) -> bool:
        """Whether people do not see it: who follows it is none."""
        return self.target.endswith(_TRAP)


@dataclass(frozen=True, kw_only=True, slots=True)
class ClickLinks:
    """Makes the tracked links of one message. The same target gives the same link."""

    #: What all of them begin with: `https://mail.example.com/c/<lead>.<message>.`
    front: str
    #: This message's own key.
    key: bytes

    def to(self, target: str) -> str:
        """The link that leads to `target`, or `target` itself when that would be too long."""
        text = _written(target)
        if len(self.front) + 23 + len(text) > LONGEST:
            return target
        return f"{self.front}{_sign(self.key, text)}.{text}"

    @property
    def trap(self) -> str:
        """A link that only machines follow; like the others to look at."""
        web = self.front.rpartition("/c/")[0]
        return self.to(f"{web}{_TRAP}")

    def kept(self) -> JsonObject:
        """What is kept with the message, for `from_kept`."""
        return {"front": self.front, "key": self.key.hex()}

    @classmethod
    def from_kept(cls, kept: Mapping[str, Any]) -> "ClickLinks":
        """The links that `kept` was called on."""
        return cls(front=kept["front"], key=bytes.fromhex(kept["key"]))


def click_links(
    keys: Sequence[bytes], base_url: str, lead_token: str, message_id: int
) -> ClickLinks:
    """The tracked links of one message, signed with the newest key (the last one)."""
    if not keys or not all(keys):
        raise ValueError("links need at least one key")
    return ClickLinks(
        front=f"{base_url.rstrip('/')}/c/{lead_token}.{message_id}.",
        key=_own_key(keys[-1], lead_token, message_id),
    )


def read_click(keys: Sequence[bytes], token: str) -> FollowedLink | None:
    """What the token says when any of the keys signed it; None for anything else.

    Signatures are compared in constant time.
    """
    parts = _TOKEN.fullmatch(token)
    if parts is None:
        return None
    lead_token, number, signature, text = parts.groups()
    message_id = int(number)
    for key in keys:
        if hmac.compare_digest(_sign(_own_key(key, lead_token, message_id), text), signature):
            break
    else:
        return None
    try:
        target = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    # We sign nothing else; said here as well, because this is what a browser is told to open.
    if not _WEB.match(target):
        return None
    return FollowedLink(lead_token=lead_token, message_id=message_id, target=target)


@lru_cache(maxsize=16)
def _purpose_key(key: bytes) -> bytes:
    """A key that signs clicks and nothing else (RFC 2104 as a derivation)."""
    return hmac.digest(key, b"potok.click", "sha256")


def _own_key(key: bytes, lead_token: str, message_id: int) -> bytes:
    return hmac.digest(_purpose_key(key), f"{lead_token}.{message_id}".encode(), "sha256")[:16]


def _sign(key: bytes, text: str) -> str:
    """128 bits of the HMAC (RFC 2104 5: half of it is enough)."""
    return _base64(hmac.digest(key, text.encode(), "sha256")[:16])


@lru_cache(maxsize=4096)
def _written(target: str) -> str:
    """Most targets stand in every message of a campaign."""
    return _base64(target.encode())


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
