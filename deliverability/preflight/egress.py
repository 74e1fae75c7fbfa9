"""DNS-PTR-1: the name of the address our mail comes from."""

import re
from ipaddress import ip_address

from deliverability.identity import Identity
from deliverability.preflight.row import PreflightRow, RowLevel, worst
from deliverability.resolver import Resolver, addresses

#: Names that providers give to customers' lines; receivers take them for hijacked computers.
_GENERIC = re.compile(
    r"(?:^|[.-])(?:dyn(?:amic)?|dhcp|dsl|adsl|cable|pool|ppp|cust(?:omer)?|client|dialup|broadband"
    r"|static|ip|host)(?:[.\d-]|$)",
    re.IGNORECASE,
)


def is_generic(name: str, ip: str) -> bool:
    """Whether a name was made from the address and not given to a mail server."""
    packed = ip_address(ip).packed
    numbers = re.findall(r"\d+", name)
    if len(packed) == 4:
        octets = {str(byte) for byte in packed}
        if len(octets & {str(int(n)) for n in numbers if len(n) < 4}) >= min(3, len(octets)):
            return True
        if packed.hex() in name.lower():
            return True
    return bool(numbers) and bool(_GENERIC.search(name))


async def ptr_row(resolver: Resolver, identity: Identity, *, ehlo_name: str) -> PreflightRow:
    """Receivers want a name that leads back to the address, and refuse mail without one."""
    if not identity.egress_ips:
        return PreflightRow(
            id="DNS-PTR-1",
            level="unknown",
            what="the address our mail comes from is not known: a mail company's own servers send",
            remedy=f"with a server of your own, name its address: egress_ips in "
            f"[identity.{identity.name}]",
        )
    level: RowLevel = "ok"
    told, seen, remedies = [], [], []
    for ip in identity.egress_ips:
        answer = await resolver.ask(ip, "PTR")
        names = [record.rstrip(".").lower() for record in answer.records]
        seen.append(f"{ip} PTR {', '.join(names) or '(nothing)'}")
        if not answer.definite:
            level = worst([level, "unknown"])
            told.append(f"DNS did not answer for {ip}")
            continue
        remedy = f"ask whoever rents you {ip} to set its reverse name to {_wish(identity)}"
        back = {name: await addresses(resolver, name) for name in names}
        leading = [name for name, (found, _) in back.items() if _among(ip, found)]
        if not names:
            level = "error"
            told.append(f"{ip} has no name")
            remedies.append(remedy)
        elif not leading:
            sure = all(sure for _, sure in back.values())
            level = worst([level, "error" if sure else "unknown"])
            told.append(f"the name of {ip}, {names[0]}, does not lead back to it")
            remedies.append(f"add an address record for {names[0]}: {ip}")
        elif all(is_generic(name, ip) for name in leading):
            level = worst([level, "warn"])
            told.append(f"the name of {ip}, {leading[0]}, looks like a home computer's")
            remedies.append(remedy)
    found, sure = await addresses(resolver, ehlo_name)
    seen.append(f"EHLO {ehlo_name}: {', '.join(found) or '(no address)'}")
    if not found and sure:
        level = worst([level, "info"])
        told.append(f"the name this computer greets with, {ehlo_name}, is not in DNS")
        remedies.append("where it speaks to receivers itself, give it a full host name")
    return PreflightRow(
        id="DNS-PTR-1",
        level=level,
        what="; ".join(told) or "each address has a name that leads back to it",
        evidence=tuple(seen),
        remedy="; ".join(dict.fromkeys(remedies)),
    )


def _among(ip: str, found: tuple[str, ...]) -> bool:
    return any(ip_address(each) == ip_address(ip) for each in found)


def _wish(identity: Identity) -> str:
    return f"mail.{identity.domain}"
