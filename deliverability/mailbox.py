"""What reading a mailbox gives, whatever kind it is: raw mails since a position, changing nothing.

A reader is asked for the next few mails behind a position it wrote itself; who asks keeps position
and mails in one transaction. A mail given twice does no harm (its hash is known); a mail must never
be left out.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from leads import JsonObject

#: How far back the first reading of a mailbox goes.
SINCE = timedelta(days=7)
#: Bytes of one mail that are kept; the hash covers all of it.
MOST_KEPT = 10_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Arrived:
    """One raw mail."""

    #: What the mailbox calls it, for error messages.
    name: str
    #: At most MOST_KEPT bytes.
    raw: bytes
    #: sha256 (hex) of the whole mail.
    sha256: str
    #: When it came, by the mailbox.
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """The next mails of a mailbox."""

    mails: tuple[Arrived, ...]
    #: Where to go on; kept in `mailbox_cursor` with what was made of the mails.
    position: JsonObject
    #: There is more behind it.
    more: bool = False
    #: Mails that could not be read, with the reason; they are tried again next time.
    unreadable: tuple[str, ...] = ()


class MailboxReader(Protocol):
    """A mailbox that is only looked at: nothing is moved, marked or deleted."""

    @property
    def folder(self) -> str:
        """Which folder: with the identity's name, the key of the position."""
        ...

    async def read(self, position: JsonObject | None, *, now: datetime, limit: int) -> Batch:
        """Up to `limit` mails behind `position`; None begins SINCE ago.

        Raises MailboxError when the mailbox cannot be read.
        """
        ...


def fingerprint(raw: bytes) -> str:
    """The sha256 (hex) by which a mail is known."""
    return hashlib.sha256(raw).hexdigest()
