"""What a sender needs of a connection, whichever way mail travels."""

from collections.abc import Callable
from ipaddress import ip_address
from typing import Protocol

from deliverability.envelope import Envelope
from deliverability.outcome import Outcome

#: Called with `data` (354 came, nothing sent), `body` (all sent, no answer yet) and `reply` (the
#: answer came): where tests kill the process or drop the line.
Fault = Callable[[str], None]


class Connection(Protocol):
    """One open way to a server. Not for two senders at a time."""

    @property
    def usable(self) -> bool:
        """Whether another message may be sent on it."""
        ...

    @property
    def messages(self) -> int:
        """Messages handed over on it so far, whatever became of them."""
        ...

    async def send(self, envelope: Envelope) -> Outcome:
        """Hands one message over. Never raises for what a server or a network does."""
        ...

    async def close(self) -> None: ...


def is_loopback(host: str) -> bool:
    """Whether `host` is this very machine: nobody else can listen to what goes there."""
    name = host.strip("[]").lower()
    if name == "localhost" or name.endswith(".localhost"):  # RFC 6761 6.3
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
