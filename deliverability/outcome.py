"""What became of one attempt: a value, never an exception."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Phase(StrEnum):
    """How far the dialogue got. Up to `DATA` the message cannot have been taken."""

    CONNECT = "connect"
    MAIL = "mail"
    RCPT = "rcpt"
    #: DATA was sent, 354 has not come.
    DATA = "data"
    #: 354 came: from here on silence means doubt (RFC 1047; RFC 5321 6.1).
    BODY = "body"
    DONE = "done"


class Verdict(StrEnum):
    """What the queue does with the message."""

    ACCEPTED = "accepted"
    #: The server will never take it.
    REJECTED = "rejected"
    #: The server asked us to come back.
    DEFERRED = "deferred"
    #: It never got as far as 354 and nobody refused the message itself: give it back.
    UNSENT = "unsent"
    #: 354 was given and no answer came.
    IN_DOUBT = "in_doubt"


class Cause(StrEnum):
    """What a refusal is about. Only `RATE` steers the pace; only `ADDRESS` suppresses."""

    NONE = "none"
    ADDRESS = "address"  # unknown user, unknown host: this address will never work
    MAILBOX = "mailbox"  # full or disabled for now
    RATE = "rate"
    GREYLIST = "greylist"
    BLOCKED = "blocked"  # block list or reputation of ours
    AUTHENTICATION = "authentication"  # SPF, DKIM, DMARC, or our login
    CONTENT = "content"
    POLICY = "policy"
    SENDER = "sender"  # our envelope sender or our account is refused
    TLS = "tls"
    NETWORK = "network"
    OTHER = "other"


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """The result of one attempt."""

    verdict: Verdict
    phase: Phase
    cause: Cause = Cause.NONE
    #: SMTP reply code (RFC 5321 4.2), if one came.
    code: int | None = None
    #: Enhanced status code (RFC 3463), `5.1.1`, if one came.
    enhanced: str | None = None
    #: The server's words on one line, at most 1,000 characters, or ours when it said nothing.
    reply: str = ""
    #: The relay's own id for the message, read out of the 250 text.
    relay_id: str | None = None
    #: How long a row of the table of answers says to keep the lane still; None: as the cause says.
    suspend: timedelta | None = None
