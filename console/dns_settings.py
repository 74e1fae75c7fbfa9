"""`[dns]` of `potok.toml`: whom to ask, how long to wait, how much to ask on its own."""

from dataclasses import dataclass
from ipaddress import ip_address

from console.sections import Section


@dataclass(frozen=True, kw_only=True, slots=True)
class Dns:
    """How DNS is asked."""

    #: (address, port); none: the system's.
    nameservers: tuple[tuple[str, int], ...] = ()
    #: Seconds for one question.
    timeout: float = 5.0
    #: Whether `potok run` looks MX records up; None: when mail leaves this machine.
    mx_lookups: bool | None = None
    #: Domains a second.
    mx_per_second: float = 5.0


def read_dns(table: Section) -> Dns:
    """Raises SettingsError for a name server that is no address."""
    return Dns(
        nameservers=tuple(_server(table, text) for text in table["nameservers"] or ()),
        timeout=float(table["timeout"]),
        mx_lookups=table["mx_lookups"],
        mx_per_second=float(table["mx_per_second"]),
    )


def _server(table: Section, text: str) -> tuple[str, int]:
    """`9.9.9.9`, `127.0.0.1:5353`, `2620:fe::9`, `[2620:fe::9]:53`."""
    host, port = text.strip(), "53"
    if host.startswith("["):
        host, _, rest = host[1:].partition("]")
        port = rest.removeprefix(":") or port
    elif host.count(":") == 1:
        host, _, port = host.partition(":")
    try:
        address = str(ip_address(host))
    except ValueError:
        address = ""
    if not address or not port.isdecimal() or not 0 < int(port) < 65536:
        raise table.error(
            "nameservers",
            f'"{text}" in nameservers is no address of a DNS server: write "9.9.9.9" or '
            '"127.0.0.1:5353"',
        )
    return address, int(port)
