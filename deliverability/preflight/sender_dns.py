"""What DNS says of a sender: DNS-DKIM-1, DNS-DMARC-1, ALIGN-1, DNS-MX-1."""

from deliverability.dkim import Signer, signer
from deliverability.errors import SigningError
from deliverability.headers import domain_of
from deliverability.identity import DkimKey, Identity
from deliverability.mail_route import Route, mail_route
from deliverability.preflight.dkim_record import read_dkim
from deliverability.preflight.dmarc import TreeWalk, aligned, report_refused, walk
from deliverability.preflight.row import PreflightRow, RowLevel, row, worst
from deliverability.resolver import Resolver


async def dkim_row(resolver: Resolver, identity: Identity) -> PreflightRow:
    """The key in DNS must be the other half of ours."""
    if not identity.keys:
        return row(
            "DNS-DKIM-1",
            "warn",
            "Potok does not sign this identity's mail; only your mail company may do it",
            (),
            f"see whether it signs for {domain_of(identity.from_address)}; else make a key "
            f"(openssl genrsa -out dkim.pem 2048) and write [identity.{identity.name}.dkim]",
        )
    parts = [await _key(resolver, key, second=key is identity.second_dkim) for key in identity.keys]
    return row(
        "DNS-DKIM-1",
        worst([part.level for part in parts]),
        "; ".join(part.what for part in parts if part.level != "ok")
        or "; ".join(part.what for part in parts),
        [line for part in parts for line in part.evidence],
        "; ".join(part.remedy for part in parts if part.remedy),
    )


async def _key(resolver: Resolver, key: DkimKey, *, second: bool) -> PreflightRow:
    name = f"{key.selector}._domainkey.{key.domain}"
    try:
        ours = signer(key)
    except SigningError as wrong:
        return row("DNS-DKIM-1", "error", str(wrong), (), "correct private_key in potok.toml")
    line = f'add the TXT record {name}: "{dkim_txt(ours)}"'
    answer = await resolver.ask(name, "TXT")
    seen = [f"{name} TXT {_short(text)}" for text in answer.records] or [f"{name} TXT (nothing)"]
    if not answer.definite:
        return row("DNS-DKIM-1", "unknown", f"DNS did not answer for {name}", seen, "try again")
    records = [r for text in answer.records if (r := read_dkim(text)) is not None]
    if len(records) != 1:
        told = f"{name} holds {len(records)} keys" if records else f"there is no key at {name}"
        return row("DNS-DKIM-1", "error", told, seen, line)
    record = records[0]
    if not record.key:
        return row("DNS-DKIM-1", "error", f"the key at {name} was withdrawn", seen, line)
    faults = list(record.faults)
    if record.kind != ours.kind or record.key not in ours.published:
        faults.append(f"the key at {name} is not the public half of {key.private_key.name}")
    if faults:
        return row("DNS-DKIM-1", "error", "; ".join(faults), seen, line)
    if ours.kind == "ed25519" and not second:
        return row(
            "DNS-DKIM-1",
            "error",
            "the only signature is Ed25519, which many receivers cannot read (RFC 8463)",
            seen,
            "sign with an RSA key (openssl genrsa 2048), and name this one under ed25519_key",
        )
    if ours.kind == "rsa" and ours.bits < 2048:
        return row(
            "DNS-DKIM-1",
            "warn",
            f"the key at {name} has {ours.bits} bits",
            seen,
            "make a new one under another selector: openssl genrsa 2048 (RFC 8301)",
        )
    if record.testing:
        return row(
            "DNS-DKIM-1",
            "warn",
            f"the key at {name} says t=y: receivers may take the mail for unsigned",
            seen,
            "take t=y out of the record",
        )
    size = f", {ours.bits} bits" if ours.kind == "rsa" else ""
    return row("DNS-DKIM-1", "ok", f"{name} holds our key ({ours.kind}{size})", seen)


def dkim_txt(ours: Signer) -> str:
    """What belongs into DNS for a key."""
    return f"v=DKIM1; k={ours.kind}; p={ours.published[0]}"


async def dmarc_row(resolver: Resolver, found: TreeWalk, *, bulk: bool) -> PreflightRow:
    """A policy must be published; what it asks for is the domain's own affair."""
    record = found.record
    org = found.organisation
    line = f'add the TXT record _dmarc.{org}: "v=DMARC1; p=none; rua=mailto:dmarc@{org}"'
    seen = [f"_dmarc.{each.domain} TXT {each.text}" for each in found.records]
    severe: RowLevel = "error" if bulk else "warn"
    if found.doubled:
        several = f"_dmarc.{found.doubled[0]} holds several DMARC records, which count as none"
        return row("DNS-DMARC-1", severe, several, seen, "delete all of them but one")
    if record is None:
        if found.unanswered:
            silent = f"DNS did not answer for _dmarc.{found.unanswered[0]}"
            return row("DNS-DMARC-1", "unknown", silent, seen, "try again")
        return row("DNS-DMARC-1", severe, f"{found.domain} has no DMARC record", seen, line)
    told = [f"{found.domain}: policy {found.policy()}"]
    level: RowLevel = "ok"
    remedies = []
    if record.oddities:
        level = "warn"
        told += record.oddities
        remedies.append(f"correct the TXT record _dmarc.{record.domain}")
    refused, unanswered = await report_refused(resolver, record)
    for address in refused:
        level = "warn"
        host = address.rpartition("@")[2]
        told.append(f"{host} does not agree to get reports about {record.domain}")
        remedies.append(
            f'ask {host} for the TXT record {record.domain}._report._dmarc.{host}: "v=DMARC1", or '
            "take its address out of rua="
        )
    if unanswered:
        told.append(f"DNS did not say whether {unanswered[0]} agrees to get reports")
    if not record.rua:
        level = worst([level, "info"])
        told.append("nobody gets reports")
        remedies.append(f"add rua=mailto:dmarc@{org} to see who sends in your name")
    if record.testing:
        level = worst([level, "info"])
        told.append("t=y: receivers apply it one step milder")
    return row("DNS-DMARC-1", level, "; ".join(told), seen, "; ".join(remedies))


async def alignment_row(resolver: Resolver, identity: Identity, author: TreeWalk) -> PreflightRow:
    """DMARC passes when SPF or DKIM passes for a domain of the author's organisation."""
    record = author.record
    sender = domain_of(identity.bounce_address or identity.from_address)
    by_spf = await _aligned(resolver, author, sender, record is not None and record.strict_spf)
    signed = [key.domain.lower() for key in identity.keys]
    by_dkim = [
        d
        for d in signed
        if await _aligned(resolver, author, d, record is not None and record.strict_dkim)
    ]
    seen = [
        f"From {author.domain} (organisation {author.organisation})",
        f"envelope sender {sender}: {'aligned' if by_spf else 'not aligned'}",
        *(f"DKIM d={d}: {'aligned' if d in by_dkim else 'not aligned'}" for d in signed),
    ]
    sign = (
        f"sign for {author.domain}: [identity.{identity.name}.dkim]"
        if not signed
        else f"sign for {author.domain} (domain in [identity.{identity.name}.dkim])"
    )
    own = f"use a bounce_address in {author.domain}"
    if by_spf and by_dkim:
        return row("ALIGN-1", "ok", f"SPF and DKIM both speak for {author.domain}", seen)
    if by_dkim:
        told = f"only DKIM speaks for {author.domain}; bounces go to {sender}"
        return row("ALIGN-1", "info", told, seen, f"better: {own}")
    if by_spf:
        told = f"only SPF speaks for {author.domain}, and it is lost when mail is forwarded"
        return row("ALIGN-1", "warn", told, seen, sign)
    return row(
        "ALIGN-1",
        "error",
        f"neither SPF nor DKIM speaks for {author.domain}: DMARC fails",
        seen,
        f"{sign}; or {own}",
    )


async def _aligned(resolver: Resolver, author: TreeWalk, other: str, strict: bool) -> bool:
    if other == author.domain:
        return True
    theirs = (await walk(resolver, other)).organisation
    return aligned(author.domain, other, (author.organisation, theirs), strict=strict)


async def mx_row(resolver: Resolver, identity: Identity) -> PreflightRow:
    """Replies and reports must find a way back."""
    wanted: dict[str, list[str]] = {}
    for role, address in (
        ("From", identity.from_address),
        ("Reply-To", identity.reply_to),
        ("bounces", identity.bounce_address),
    ):
        if address:
            wanted.setdefault(domain_of(address), []).append(role)
    level: RowLevel = "ok"
    told, seen, remedies = [], [], []
    for domain, roles in wanted.items():
        route = await mail_route(resolver, domain)
        what = f"{domain} ({', '.join(roles)})"
        if route.route is Route.MX:
            seen.append(f"{domain} MX {', '.join(route.hosts)}")
        elif route.route is Route.ADDRESS:
            level = worst([level, "info"])
            seen.append(f"{domain} MX (none), but an address")
            told.append(f"{what} has no MX record; mail goes to its web address")
            remedies.append(f"add an MX record for {domain}")
        elif route.route is Route.UNKNOWN:
            level = worst([level, "unknown"])
            told.append(f"DNS did not answer for {domain}")
        else:
            level = "error"
            null = route.route is Route.NULL_MX
            seen.append(f"{domain} MX {'. (takes no mail, RFC 7505)' if null else '(nothing)'}")
            told.append(f"{what} takes no mail: answers and bounces are lost")
            remedies.append(f"add an MX record for {domain}, or write another address")
    return row(
        "DNS-MX-1",
        level,
        "; ".join(told) or f"answers and bounces come back to {', '.join(wanted)}",
        seen,
        "; ".join(remedies),
    )


def _short(text: str) -> str:
    return text if len(text) <= 90 else f"{text[:60]}...{text[-20:]}"
