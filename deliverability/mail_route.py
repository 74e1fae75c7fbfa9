"""Where a domain takes its mail: MX records, an address instead of them, or nowhere at all."""

from dataclasses import dataclass
from enum import StrEnum

from deliverability.resolver import Known, Resolver, addresses


class Route(StrEnum):
    """How mail for a domain travels."""

    #: MX records name its servers.
    MX = "mx"
    #: No MX record; the domain's own address takes mail (RFC 5321 5.1).
    ADDRESS = "address"
    #: It says that it takes no mail (RFC 7505).
    NULL_MX = "null_mx"
    #: It does not exist, or has neither MX record nor address.
    NOTHING = "nothing"
    #: DNS did not answer; nothing follows from that.
    UNKNOWN = "unknown"

    @property
    def closed(self) -> bool:
        """DNS says for certain that mail for the domain goes nowhere."""
        return self in (Route.NULL_MX, Route.NOTHING)


#: Routes of domains whose mail is never delivered, as the table `domain` holds them.
CLOSED = (Route.NULL_MX.value, Route.NOTHING.value)


@dataclass(frozen=True, kw_only=True, slots=True)
class MailRoute:
    """What DNS says of a domain's mail."""

    route: Route
    #: MX hosts, best first, lower case, without a final dot.
    hosts: tuple[str, ...] = ()
    #: Seconds it may be remembered.
    ttl: int = 0


async def mail_route(resolver: Resolver, domain: str) -> MailRoute:
    """Asks for the domain's MX records, and where there are none for its addresses."""
    answer = await resolver.ask(domain, "MX")
    if answer.known is Known.NO_NAME:
        # RFC 5321 5.1: a name that does not exist is an error and not a reason to try later.
        return MailRoute(route=Route.NOTHING, ttl=answer.ttl)
    if answer.known is Known.FOUND:
        return _by_mx(answer.records, answer.ttl)
    if not answer.definite:
        return MailRoute(route=Route.UNKNOWN)
    found, sure = await addresses(resolver, domain)
    if found:
        return MailRoute(route=Route.ADDRESS, ttl=answer.ttl)
    return MailRoute(route=Route.NOTHING if sure else Route.UNKNOWN, ttl=answer.ttl)


def _by_mx(records: tuple[str, ...], ttl: int) -> MailRoute:
    rows = []
    for record in records:
        preference, _, host = record.partition(" ")
        rows.append((int(preference), host.strip().rstrip(".").lower()))
    rows.sort()
    hosts = tuple(host for _, host in rows if host)
    if not hosts:
        # RFC 7505 3: one MX record whose host is the root.
        return MailRoute(route=Route.NULL_MX, ttl=ttl)
    return MailRoute(route=Route.MX, hosts=hosts, ttl=ttl)


#: Names that public DNS does not hold (RFC 6761, RFC 2606).
_SPECIAL = frozenset(
    {"test", "example", "invalid", "localhost", "local", "onion", "alt", "internal"}
)
_EXAMPLES = ("example.com", "example.net", "example.org")


def is_special(domain: str) -> bool:
    """Whether public DNS has nothing to say about a domain."""
    name = domain.rstrip(".").lower()
    if "." not in name or name.startswith("["):
        return True
    return name.rpartition(".")[2] in _SPECIAL or any(
        name == each or name.endswith("." + each) for each in _EXAMPLES
    )
