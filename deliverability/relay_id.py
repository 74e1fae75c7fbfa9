"""The relay's own id for a message, read out of its 250 text.

Some relays rewrite Message-IDs; delivery reports then name only this id.
"""

import re

#: (who, pattern with one group, an answer it was read from). First match wins.
PATTERNS: tuple[tuple[str, re.Pattern[str], str], ...] = tuple(
    (who, re.compile(pattern, re.IGNORECASE), example)
    for who, pattern, example in (
        ("Postfix", r"\bqueued as ([0-9A-Za-z]{6,})", "2.0.0 Ok: queued as 4F1kZq2XyZz1"),
        (
            "Exim",
            r"\bid=([0-9A-Za-z]{6,}-[0-9A-Za-z]{6,}-[0-9A-Za-z]{2,})",
            "OK id=1rXyZa-0001Ab-2C",
        ),
        (
            "Exchange",
            r"<([^<>\s]+@[^<>\s]+)> \[(?:InternalId|Hostname)=",
            "2.6.0 <x@y.prod.outlook.com> [InternalId=12, Hostname=Y.prod] Queued mail",
        ),
        (
            "Gmail",
            r"\bOK\s+\d{9,}\s+([0-9a-z-]+(?:\.[0-9]+)?)\s+-\s+gsmtp",
            "2.0.0 OK  1700000000 a1-20020a05600c0a4100b0040a4c1d2e3fsm1.2 - gsmtp",
        ),
        (
            "Amazon SES",
            r"^(?:2\.\d\.\d )?Ok ([0-9a-f]{16}-[0-9a-f-]{20,})$",
            "Ok 0102018c0d6e7f80-1a2b3c4d-5e6f-7081-92a3-b4c5d6e7f809-000000",
        ),
        (
            "Sendmail",
            r"\b([0-9A-Za-z]{8,}) Message accepted for delivery",
            "2.0.0 kA1B2c3D012345 Message accepted for delivery",
        ),
        (
            "Mailgun",
            r"Great success.*?<([^<>\s]+@[^<>\s]+)>",
            "Great success, queued as <x@example.com>",
        ),
        (
            "OpenSMTPD",
            r"^(?:2\.\d\.\d )?([0-9a-f]{8}) Message accepted",
            "2.0.0 1a2b3c4d Message accepted for delivery",
        ),
        ("qmail", r"^ok \d{9,} qp (\d+)", "ok 1700000000 qp 12345"),
        (
            "any",
            r"\bqueued (?:mail )?(?:as|with id|id)[ =:]+<?([^\s<>;,]{4,})",
            "Ok, queued with id abcdef",
        ),
        (
            "any",
            r"\b(?:message|queue)[- ]?id[ =:]+<?([^\s<>;,]{4,})",
            "Accepted, message id: abcdef",
        ),
    )
)


def relay_id(text: str) -> str | None:
    """The id in a 250 answer; None when it names none we recognise. At most 200 characters."""
    for _, pattern, _ in PATTERNS:
        found = pattern.search(text)
        if found is not None:
            return found[1][:200]
    return None
