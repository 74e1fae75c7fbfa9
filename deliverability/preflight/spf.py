"""SPF as receivers evaluate it (RFC 7208 4): who may send for a domain, and is this address one.

`check_host` gives the verdict for one address.
"""

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from deliverability.preflight.spf_macros import Address, MacroFacts, expand, has_macros, uses_name
from deliverability.preflight.spf_record import (
    ASKING,
    Mechanism,
    SpfRecord,
    SpfSyntaxError,
    is_spf,
    read_spf,
)
from deliverability.resolver import DnsAnswer, Kind, Known, Resolver

#: RFC 7208 4.6.4: terms that ask DNS, lookups that find nothing, and names behind one `mx`.
MOST_LOOKUPS, MOST_VOID, MOST_NAMES = 10, 2, 10


class Spf(StrEnum):
    """What SPF says of an address (RFC 7208 2.6)."""

    NONE = "none"
    NEUTRAL = "neutral"
    PASS = "pass"  # noqa: S105 - no password
    FAIL = "fail"
    SOFTFAIL = "softfail"
    TEMPERROR = "temperror"
    PERMERROR = "permerror"


_OF_QUALIFIER = {"+": Spf.PASS, "-": Spf.FAIL, "~": Spf.SOFTFAIL, "?": Spf.NEUTRAL}


class _End(Exception):
    def __init__(self, verdict: Spf, why: str) -> None:
        super().__init__(why)
        self.verdict = verdict
        self.why = why


@dataclass(frozen=True, kw_only=True, slots=True)
class SpfVerdict:
    """What became of an evaluation."""

    result: Spf
    #: The term that decided, or what is wrong.
    why: str = ""


@dataclass(kw_only=True)
class _Evaluation:
    """One evaluation: its counters are shared by all records it reads."""

    resolver: Resolver
    ip: Address
    sender: str
    helo: str
    lookups: int = 0
    voids: int = 0
    name: str | None = None

    async def ask(self, name: str, kind: Kind, *, counted: bool = True) -> DnsAnswer:
        answer = await self.resolver.ask(name, kind)
        if not answer.definite:
            # RFC 7208 2.6.6.
            raise _End(Spf.TEMPERROR, f"DNS does not answer for {name} ({kind})")
        if counted and answer.void:
            self.voids += 1
            if self.voids > MOST_VOID:
                raise _End(Spf.PERMERROR, f"more than {MOST_VOID} lookups find nothing")
        return answer

    def count(self, term: str) -> None:
        self.lookups += 1
        if self.lookups > MOST_LOOKUPS:
            raise _End(Spf.PERMERROR, f"more than {MOST_LOOKUPS} lookups, the last at {term}")

    async def check(self, domain: str) -> SpfVerdict:
        """RFC 7208 4.3 to 4.7 for one domain."""
        if not _is_name(domain):
            return SpfVerdict(result=Spf.NONE, why=f"{domain} is no domain")
        answer = await self.ask(domain, "TXT", counted=False)
        texts = [text for text in answer.records if is_spf(text)]
        if not texts:
            return SpfVerdict(result=Spf.NONE, why=f"{domain} has no SPF record")
        if len(texts) > 1:
            raise _End(Spf.PERMERROR, f"{domain} has {len(texts)} SPF records")
        try:
            record = read_spf(texts[0])
        except SpfSyntaxError as wrong:
            raise _End(Spf.PERMERROR, f"the SPF record of {domain}: {wrong}") from wrong
        return await self.walk(record, domain)

    async def walk(self, record: SpfRecord, domain: str) -> SpfVerdict:
        for each in record.mechanisms:
            if each.name in ASKING:
                self.count(each.text)
            if await self.matches(each, domain):
                return SpfVerdict(result=_OF_QUALIFIER[each.qualifier], why=each.text)
        if record.redirect and not any(each.name == "all" for each in record.mechanisms):
            # RFC 7208 6.1.
            self.count(f"redirect={record.redirect}")
            target = await self.spec(record.redirect, domain)
            found = await self.check(target)
            if found.result is Spf.NONE:
                raise _End(Spf.PERMERROR, f"redirect={target}: {found.why}")
            return found
        return SpfVerdict(result=Spf.NEUTRAL, why="nothing in the record matches")

    async def spec(self, text: str, domain: str) -> str:
        """A domain-spec with its macros filled in; the record's own domain when empty."""
        if not text:
            return domain
        if not has_macros(text):
            return text.removesuffix(".")
        name = await self.validated(domain) if uses_name(text) else "unknown"
        facts = MacroFacts(sender=self.sender, domain=domain, ip=self.ip, helo=self.helo, name=name)
        return expand(text, facts)

    async def matches(self, term: Mechanism, domain: str) -> bool:
        if term.name == "all":
            return True
        if term.network is not None:
            return self.ip.version == term.network.version and self.ip in term.network
        target = await self.spec(term.domain, domain)
        if term.name == "include":
            return await self.includes(target)
        if term.name == "exists":
            return (await self.ask(target, "A")).known is Known.FOUND
        if term.name == "ptr":
            return await self.points(target)
        if term.name == "a":
            return self.among(await self.found(target), term)
        hosts = [r.partition(" ")[2] for r in (await self.ask(target, "MX")).records]
        if len(hosts) > MOST_NAMES:
            raise _End(Spf.PERMERROR, f"{target} has more than {MOST_NAMES} mail servers")
        for host in hosts:
            if host.rstrip(".") and self.among(await self.found(host, counted=False), term):
                return True
        return False

    async def includes(self, target: str) -> bool:
        """RFC 7208 5.2: only a pass of the other record matches."""
        found = await self.check(target)
        if found.result is Spf.NONE:
            raise _End(Spf.PERMERROR, f"include:{target}: {found.why}")
        return found.result is Spf.PASS

    async def found(self, name: str, *, counted: bool = True) -> tuple[str, ...]:
        kind: Kind = "A" if self.ip.version == 4 else "AAAA"
        return (await self.ask(name, kind, counted=counted)).records

    def among(self, found: tuple[str, ...], term: Mechanism) -> bool:
        length = term.length4 if self.ip.version == 4 else term.length6
        return any(self.ip in ip_network(f"{each}/{length}", strict=False) for each in found)

    async def points(self, target: str) -> bool:
        """RFC 7208 5.5, which asks nobody to use it."""
        wanted = target.lower().rstrip(".")
        names = await self.names()
        return any(name == wanted or name.endswith("." + wanted) for name in names)

    async def names(self) -> list[str]:
        """Names of the address that lead back to it; failures count as no name."""
        answer = await self.resolver.ask(str(self.ip), "PTR")
        kind: Kind = "A" if self.ip.version == 4 else "AAAA"
        valid = []
        for record in answer.records[:MOST_NAMES]:
            back = await self.resolver.ask(record, kind)
            if any(ip_address(each) == self.ip for each in back.records):
                valid.append(record.lower().rstrip("."))
        return valid

    async def validated(self, domain: str) -> str:
        """RFC 7208 7.3: the macro `p`; the domain itself, then names below it, then any."""
        if self.name is None:
            names = sorted(
                await self.names(),
                key=lambda n: (n != domain.lower(), not n.endswith("." + domain.lower())),
            )
            self.name = names[0] if names else "unknown"
        return self.name


def _is_name(domain: str) -> bool:
    """RFC 7208 4.3: several labels, none empty or over 63 octets."""
    labels = domain.removesuffix(".").split(".")
    return (
        len(labels) > 1
        and all(0 < len(label) <= 63 for label in labels)
        and len(domain) <= 254
        and domain.isascii()
    )


async def check_host(
    resolver: Resolver, *, ip: str, domain: str, sender: str, helo: str = ""
) -> SpfVerdict:
    """What a receiver makes of mail from `sender` (MAIL FROM) that comes from `ip`."""
    address = ip_address(ip)
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if "@" not in sender or sender.startswith("@"):
        # RFC 7208 4.3: without a local part it is the postmaster's.
        sender = f"postmaster@{sender.rpartition('@')[2]}"
    assert isinstance(address, IPv4Address | IPv6Address)  # noqa: S101 - for the reader
    evaluation = _Evaluation(resolver=resolver, ip=address, sender=sender, helo=helo or domain)
    try:
        return await evaluation.check(domain)
    except _End as end:
        return SpfVerdict(result=end.verdict, why=end.why)
