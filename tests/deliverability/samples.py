"""An identity and a mail to try things with."""

from datetime import UTC, datetime
from typing import Any

from deliverability import Envelope, Identity, SmtpServer, compose

DATE = datetime(2026, 3, 10, 11, 0, tzinfo=UTC)

ANNA = Identity(
    name="anna",
    from_name="Anna Żółkiewska",
    from_address="anna@example.com",
    postal_address="Example sp. z o.o., ul. Prosta 1, 00-001 Warszawa",
    smtp=SmtpServer(host="127.0.0.1", port=2525, tls="none"),
)


def parts(**changes: Any) -> dict[str, Any]:
    """The arguments of `compose` for a usual mail, with changes."""
    return {
        "to_address": "jan@example.org",
        "to_name": "Jan Kowalski",
        "subject": "A short note",
        "text": "Hello Jan,\n\nthis is it.\n",
        "html": "<p>Hello Jan,</p>\n<p>this is it.</p>\n",
        "message_id": "a1b2c3d4e5f6.mail.0.0123456789abcdef@example.com",
        "date": DATE,
        "list_id": "spring.example.com",
        "unsubscribe_url": "https://mail.example.com/u/abc.def",
        "unsubscribe_mailto": "mailto:anna@example.com?subject=unsubscribe%20abc.def",
    } | changes


def mail(**changes: Any) -> Envelope:
    return compose(ANNA, **parts(**changes))
