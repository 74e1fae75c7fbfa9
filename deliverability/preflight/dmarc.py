"""DMARC (RFC 9989): the record of a domain, found by walking up the tree of names.

The walk also says which domains belong to one organisation, which is what alignment is about.
"""

import re
from dataclasses import dataclass
from typing import Literal

from deliverability.resolver import Known, Resolver

Policy = Literal["none", "quarantine", "reject"]

_POLICIES = frozenset({"none", "quarantine", "reject"})
#: RFC 9989 4.7: the version comes first, and its case matters.
_VERSION = re.compile(r"v[ \t]*=[ \t]*DMARC1[ \t]*(?:;|$)")
_TAG = re.compile(r"[ \t]*([a-z][a-z0-9_]*)[ \t]*=[ \t]*([^;]*?)[ \t]*", re.IGNORECASE)
_URI = re.compile(r"mailto:([^@\s!,]+@([^@\s!,]+))(?:!\d+[kmgt]?)?", re.IGNORECASE)

#: Names asked for at most: longer ones lose their left-most labels at once (RFC 9989 4.10).
MOST_QUERIES = 8
#: Tags of RFC 7489 that no longer mean anything.
_REMOVED = ("pct", "rf", "ri")


@dataclass(frozen=True, kw_only=True, slots=True)
class DmarcRecord:
    """What a record says; unknown tags are ignored (RFC 9989 4.7)."""

    #: As DNS holds it.
    text: str
    #: Where it was found, without `_dmarc.`.
    domain: str
    p: Policy = "none"
    sp: Policy | None = None
    np: Policy | None = None
    #: y: a public suffix, n: an organisation of its own, u: not said.
    psd: Literal["y", "n", "u"] = "u"
    #: Relaxed unless strict.
    strict_dkim: bool = False
    strict_spf: bool = False
    testing: bool = False
    #: Addresses for aggregate reports.
    rua: tuple[str, ...] = ()
    #: What is odd about it, in words.
    oddities: tuple[str, ...] = ()


def read_dmarc(text: str, domain: str) -> DmarcRecord | None:
    """The record in a TXT of `_dmarc.<domain>`; None when it is none."""
    if not _VERSION.match(text):
        return None
    tags: dict[str, str] = {}
    odd: list[str] = []
    for part in text.split(";")[1:]:
        found = _TAG.fullmatch(part)
        if found is not None:
            tags.setdefault(found[1].lower(), found[2])
        elif part.strip():
            odd.append(f"{part.strip()!r} is no tag")
    odd += [
        f"{name}= was removed from DMARC and is ignored now" for name in _REMOVED if name in tags
    ]
    if "p" not in tags:
        odd.append("p= is missing: receivers take it for p=none")
    policies: dict[str, Policy | None] = {}
    for name in ("p", "sp", "np"):
        value = tags.get(name, "").lower()
        if value and value not in _POLICIES:
            odd.append(f"{name}={value}: there is no such policy")
        policies[name] = value if value in _POLICIES else None  # type: ignore[assignment]
    for name in ("adkim", "aspf"):
        if tags.get(name, "r").lower() not in ("r", "s"):
            odd.append(f"{name}={tags[name]}: write r or s")
    psd = tags.get("psd", "u").lower()
    reports = [uri.strip() for uri in tags.get("rua", "").split(",") if uri.strip()]
    odd += [f"rua: {uri} is no mailto: address" for uri in reports if not _URI.fullmatch(uri)]
    return DmarcRecord(
        text=text,
        domain=domain,
        p=policies["p"] or "none",
        sp=policies["sp"],
        np=policies["np"],
        psd=psd if psd in ("y", "n") else "u",  # type: ignore[arg-type]
        strict_dkim=tags.get("adkim", "r").lower() == "s",
        strict_spf=tags.get("aspf", "r").lower() == "s",
        testing=tags.get("t", "n").lower() == "y",
        rua=tuple(found[1] for uri in reports if (found := _URI.fullmatch(uri))),
        oddities=tuple(odd),
    )


def names_to_ask(domain: str) -> list[str]:
    """The names of a tree walk, the domain itself first (RFC 9989 4.10)."""
    labels = domain.lower().rstrip(".").split(".")
    names = [labels]
    rest = labels[1:] if len(labels) < MOST_QUERIES else labels[-(MOST_QUERIES - 1) :]
    while rest:
        names.append(rest)
        rest = rest[1:]
    return [".".join(each) for each in names]


@dataclass(frozen=True, kw_only=True, slots=True)
class TreeWalk:
    """What was found on the way up from a domain."""

    domain: str
    #: Records by where they stand, the longest name first.
    records: tuple[DmarcRecord, ...]
    #: Names with more than one record, which count as having none.
    doubled: tuple[str, ...] = ()
    #: Names DNS did not answer for: what follows from the rest is not certain.
    unanswered: tuple[str, ...] = ()

    @property
    def organisation(self) -> str:
        """The organisational domain (RFC 9989 4.10.2)."""
        for record in self.records:
            if record.psd == "n":
                return record.domain
            if record.psd == "y" and record.domain != self.domain:
                below = len(record.domain.split(".")) + 1
                return ".".join(self.domain.split(".")[-below:])
        return self.records[-1].domain if self.records else self.domain

    @property
    def record(self) -> DmarcRecord | None:
        """The record whose policy applies: the domain's own, its organisation's, or that of the
        public suffix above (RFC 9989 4.10.1)."""
        if not self.records:
            return None
        by_name = {record.domain: record for record in self.records}
        suffix = self.records[-1] if self.records[-1].psd == "y" else None
        return by_name.get(self.domain) or by_name.get(self.organisation) or suffix

    def policy(self, *, exists: bool = True) -> Policy:
        """What receivers are asked to do with mail of the domain that fails; `exists` whether DNS
        knows the domain at all."""
        record = self.record
        if record is None:
            return "none"
        if record.domain == self.domain:
            asked = record.p
        elif exists:
            asked = record.sp or record.p
        else:
            asked = record.np or record.sp or record.p
        if record.testing:
            # RFC 9989 4.7: while it is being tried, one step milder.
            milder: dict[Policy, Policy] = {"reject": "quarantine", "quarantine": "none"}
            return milder.get(asked, "none")
        return asked


async def walk(resolver: Resolver, domain: str) -> TreeWalk:
    """Asks for the records from `domain` up to the top, at most eight."""
    domain = domain.lower().rstrip(".")
    records: list[DmarcRecord] = []
    doubled: list[str] = []
    unanswered: list[str] = []
    for name in names_to_ask(domain):
        answer = await resolver.ask(f"_dmarc.{name}", "TXT")
        if not answer.definite:
            unanswered.append(name)
            continue
        found = [r for text in answer.records if (r := read_dmarc(text, name)) is not None]
        if len(found) > 1:
            doubled.append(name)
        elif found:
            records.append(found[0])
            if found[0].psd != "u":
                break
    return TreeWalk(
        domain=domain,
        records=tuple(records),
        doubled=tuple(doubled),
        unanswered=tuple(unanswered),
    )


async def report_refused(resolver: Resolver, record: DmarcRecord) -> tuple[list[str], list[str]]:
    """Of the record's report addresses: those whose domain does not agree to get reports about
    this one (RFC 9990 4), and those DNS did not answer for."""
    refused, unanswered = [], []
    own = (await walk(resolver, record.domain)).organisation
    for address in record.rua:
        host = address.rpartition("@")[2].lower()
        if host == own or host.endswith("." + own):
            continue
        if (await walk(resolver, host)).organisation == own:
            continue
        answer = await resolver.ask(f"{record.domain}._report._dmarc.{host}", "TXT")
        if not answer.definite:
            unanswered.append(address)
        elif answer.known is not Known.FOUND or not any(
            _VERSION.match(text) for text in answer.records
        ):
            refused.append(address)
    return refused, unanswered


def aligned(one: str, other: str, organisations: tuple[str, str], *, strict: bool) -> bool:
    """RFC 9989 4.4: the same domain, or relaxed, the same organisation."""
    same = one.lower().rstrip(".") == other.lower().rstrip(".")
    return same if strict else same or organisations[0] == organisations[1]
