"""Asking DNS: a protocol of one question, values for every way to answer it, dnspython behind.

Nobody here raises for what DNS does: a name that does not exist, a server that fails and one that
keeps silent are different answers, and what follows from each is the asker's business.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, Protocol

from deliverability.errors import ResolverError

if TYPE_CHECKING:
    from dns.message import Message

Kind = Literal["TXT", "MX", "A", "AAAA", "PTR"]

#: Answers kept at most; the oldest make room.
_KEPT = 10_000
#: Seconds a "no" is believed when it names no time of its own, and at most (RFC 2308 5).
_NO_FOR, _NO_AT_MOST = 300, 10_800
#: Seconds a failure is not asked again: one command asks for the same name several times.
_FAILED_FOR = 10


class Known(StrEnum):
    """How far a question was answered."""

    FOUND = "found"
    #: The name exists and has no such record.
    NO_DATA = "no_data"
    #: The name does not exist (RFC 8020: nor does anything below it).
    NO_NAME = "no_name"
    #: The servers answered that they cannot say, or not in a way anybody understands.
    FAILED = "failed"
    #: Nobody answered in time.
    SILENT = "silent"


@dataclass(frozen=True, kw_only=True, slots=True)
class DnsAnswer:
    """What DNS said to one question."""

    known: Known
    #: TXT: the strings of each record joined; MX: `10 mx.example.com.`; A, AAAA: addresses; PTR:
    #: names with their final dot.
    records: tuple[str, ...] = ()
    #: Seconds it may be remembered.
    ttl: int = 0

    @property
    def definite(self) -> bool:
        """DNS knows it, be it a yes or a no; asking again in a minute would change nothing."""
        return self.known in (Known.FOUND, Known.NO_DATA, Known.NO_NAME)

    @property
    def void(self) -> bool:
        """A lookup without a result, as RFC 7208 4.6.4 counts them."""
        return self.known in (Known.NO_DATA, Known.NO_NAME)


class Resolver(Protocol):
    """Somebody who asks DNS."""

    async def ask(self, name: str, kind: Kind) -> DnsAnswer:
        """The answer to one question; never raises for what DNS does. For PTR `name` is the IP
        address."""
        ...


class DnsResolver:
    """The real one: the system's name servers, or those that are named; answers kept by their TTL.

    `nameservers` are (address, port). `timeout` is in seconds, for one question with all its
    retries. Raises ResolverError when the system names no server.
    """

    def __init__(
        self,
        nameservers: Sequence[tuple[str, int]] = (),
        *,
        timeout: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        # Read when somebody asks: importing it takes as long as ten commands' start.
        import dns.asyncresolver
        import dns.resolver

        try:
            self._inner = dns.asyncresolver.Resolver(configure=not nameservers)
        except dns.resolver.NoResolverConfiguration as wrong:
            raise ResolverError(
                "this computer names no DNS server: write nameservers = [...] in [dns]"
            ) from wrong
        if nameservers:
            # One object each: a port may differ from server to server.
            from dns.nameserver import Do53Nameserver

            self._inner.nameservers = [Do53Nameserver(host, port) for host, port in nameservers]
        self._inner.lifetime = timeout
        self._inner.timeout = max(0.2, timeout / 3)
        self._clock = clock
        self._kept: OrderedDict[tuple[str, Kind], tuple[float, DnsAnswer]] = OrderedDict()

    async def ask(self, name: str, kind: Kind) -> DnsAnswer:
        """The answer, from memory while it is fresh."""
        key = (name.lower().rstrip("."), kind)
        kept = self._kept.get(key)
        now = self._clock()
        if kept is not None and kept[0] > now:
            return kept[1]
        answer = await self._ask(key[0], kind)
        self._kept[key] = (now + (answer.ttl if answer.definite else _FAILED_FOR), answer)
        self._kept.move_to_end(key)
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return answer

    async def _ask(self, name: str, kind: Kind) -> DnsAnswer:
        import dns.exception
        import dns.name
        import dns.resolver
        import dns.reversename

        try:
            asked = (
                dns.reversename.from_address(name)
                if kind == "PTR"
                else dns.name.from_text(name or ".")
            )
        except (dns.exception.DNSException, ValueError, UnicodeError):
            # What cannot be written down as a name cannot exist either.
            return DnsAnswer(known=Known.NO_NAME, ttl=_NO_AT_MOST)
        try:
            found = await self._inner.resolve(asked, kind, raise_on_no_answer=False, search=False)
        except dns.resolver.NXDOMAIN as no:
            return DnsAnswer(known=Known.NO_NAME, ttl=_negative_ttl(no.response(asked)))  # type: ignore[no-untyped-call]
        except dns.exception.Timeout:
            return DnsAnswer(known=Known.SILENT)
        except (dns.exception.DNSException, OSError, EOFError, ValueError):
            # SERVFAIL, REFUSED, a chain of aliases that leads to itself, bytes that mean nothing.
            return DnsAnswer(known=Known.FAILED)
        if found.rrset is None:
            return DnsAnswer(known=Known.NO_DATA, ttl=_negative_ttl(found.response))
        return DnsAnswer(
            known=Known.FOUND,
            records=tuple(_text(each, kind) for each in found.rrset),
            ttl=max(0, found.rrset.ttl),
        )


def _text(record: object, kind: Kind) -> str:
    if kind == "TXT":
        # RFC 7208 3.3: several strings of one record are joined without blanks between them.
        return b"".join(record.strings).decode("utf-8", "replace")  # type: ignore[attr-defined]
    return str(record)


def _negative_ttl(response: "Message") -> int:
    """RFC 2308 5: the smaller of the SOA's own time and the one it names."""
    for rrset in response.authority:
        for record in rrset:
            if isinstance(minimum := getattr(record, "minimum", None), int):
                return min(rrset.ttl, minimum, _NO_AT_MOST)
    return _NO_FOR


async def addresses(resolver: Resolver, name: str) -> tuple[tuple[str, ...], bool]:
    """The A and AAAA records of a name, and whether DNS is sure that these are all."""
    four = await resolver.ask(name, "A")
    if four.known is Known.NO_NAME:
        return (), True
    six = await resolver.ask(name, "AAAA")
    return four.records + six.records, four.definite and six.definite
