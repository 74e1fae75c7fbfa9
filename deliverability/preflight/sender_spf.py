"""DNS-SPF-1: who may send mail for the domain bounces go to."""

from deliverability.headers import domain_of
from deliverability.identity import Identity
from deliverability.preflight.row import PreflightRow, RowLevel, row, worst
from deliverability.preflight.spf import Spf, check_host
from deliverability.preflight.spf_audit import SpfAudit, audit
from deliverability.resolver import Resolver


async def spf_row(resolver: Resolver, identity: Identity) -> PreflightRow:
    """Receivers check SPF for the domain of the envelope sender (RFC 7208 2.4)."""
    sender = identity.bounce_address or identity.from_address
    domain = domain_of(sender)
    found = await audit(resolver, domain)
    seen = [f"{domain} TXT {found.record or '(no SPF record)'}"]
    if found.unanswered and not found.record:
        return row("DNS-SPF-1", "unknown", f"DNS did not answer for {domain}", seen, "try again")
    if not found.record and found.faults == [f"{domain} has no SPF record"]:
        return row(
            "DNS-SPF-1",
            "error",
            f"{domain} does not say who may send its mail",
            seen,
            f'add one TXT record for {domain}: "v=spf1 {_allowed(identity)} ~all"; your mail '
            "company names what to include",
        )
    seen.append(f"{found.lookups} of 10 lookups, {len(found.void)} of 2 without a result")
    faults, remedies = [*found.faults], []
    if found.faults:
        remedies.append(_spf_remedy(found, domain))
    if found.everybody_else == "+":
        faults.append(f"{domain} ends with +all: the whole world may send its mail")
        remedies.append("write ~all in place of +all")
    level: RowLevel = "error" if faults else "ok"
    for ip in identity.egress_ips:
        verdict = await check_host(resolver, ip=ip, domain=domain, sender=sender)
        seen.append(f"{ip}: {verdict.result} ({verdict.why})")
        if verdict.result is Spf.TEMPERROR:
            level = worst([level, "unknown"])
        elif verdict.result is not Spf.PASS:
            level = "error"
            faults.append(f"{ip}, which our mail comes from, gets {verdict.result}")
            remedies.append(
                f'put "ip{6 if ":" in ip else 4}:{ip}" into the SPF record of {domain}, before all'
            )
    if not faults and found.unanswered:
        return row(
            "DNS-SPF-1",
            "unknown",
            f"DNS did not answer for {', '.join(found.unanswered)}",
            seen,
            "try again",
        )
    if not faults and found.everybody_else in ("", "?"):
        level = worst([level, "warn"])
        faults.append(f"the record of {domain} does not say what others are: it ends without ~all")
        remedies.append("end it with ~all")
    told = "; ".join(faults) or _spf_good(identity, domain)
    return row("DNS-SPF-1", level, told, seen, "; ".join(dict.fromkeys(remedies)))


def _spf_good(identity: Identity, domain: str) -> str:
    if identity.egress_ips:
        return f"{domain} lets {', '.join(identity.egress_ips)} send its mail"
    return f"{domain} has one SPF record that receivers can read"


def _spf_remedy(found: SpfAudit, domain: str) -> str:
    words = " ".join(found.faults)
    if "times, and stop" in words:
        return "put ip4: and ip6: ranges in place of some include:, or leave out what sends no more"
    if "find nothing" in words:
        return "take the terms out whose names no longer exist"
    if "SPF records" in words:
        return f"put all into one TXT record of {domain} and delete the others"
    if "has no SPF record" in words:
        return "take out the include: or redirect= of a domain without an SPF record"
    return "correct the record; it ends with ~all and has single blanks between its terms"


def _allowed(identity: Identity) -> str:
    if identity.egress_ips:
        return " ".join(f"ip{6 if ':' in ip else 4}:{ip}" for ip in identity.egress_ips)
    return "include:MAIL-COMPANY"
