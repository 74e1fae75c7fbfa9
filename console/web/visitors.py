"""Who fills in a form: how often one client may, and the part of its address that is kept. Pure."""

from collections import deque
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network

#: Within which time requests of one client are counted.
HOUR = timedelta(hours=1)
#: Clients that are remembered; the ones longest silent are forgotten beyond it.
MOST_CLIENTS = 10_000


def shortened(host: str) -> str:
    """The network an address belongs to, as it is kept: 24 bits of IPv4, 48 of IPv6 (RFC 6177:
    what one site gets). Empty for what is no address."""
    try:
        address = ip_address(host)
    except ValueError:
        return ""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return str(ip_network(f"{address}/{24 if address.version == 4 else 48}", strict=False))


class Visitors:
    """Counts what each client did within an hour; nothing of it is written anywhere."""

    def __init__(self, per_hour: int) -> None:
        self._per_hour = per_hour
        self._seen: dict[str, deque[datetime]] = {}

    def may(self, host: str, now: datetime) -> bool:
        """Whether one more is allowed, which then counts."""
        client = _client(host)
        times = self._seen.pop(client, deque())
        while times and times[0] <= now - HOUR:
            times.popleft()
        allowed = len(times) < self._per_hour
        if allowed:
            times.append(now)
        # Behind the others, so that the first ones are those silent longest.
        self._seen[client] = times
        while len(self._seen) > MOST_CLIENTS:
            del self._seen[next(iter(self._seen))]
        return allowed


def _client(host: str) -> str:
    """Whom an address stands for: of IPv6 one line has at least 64 bits (RFC 4291 2.5.1)."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped) if mapped else str(ip_network(f"{address}/64", strict=False))
    return str(address)
