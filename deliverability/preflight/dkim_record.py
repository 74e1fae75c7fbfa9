"""A DKIM key as DNS publishes it (RFC 6376 3.6.1)."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class DkimRecord:
    """What a key record says."""

    #: `rsa` or `ed25519`.
    kind: str
    #: Base64 without blanks; empty: the key was withdrawn.
    key: str
    testing: bool
    #: What is wrong with it, in words.
    faults: tuple[str, ...] = ()


_TAG = re.compile(r"\s*([A-Za-z][A-Za-z0-9_]*)\s*=\s*(.*?)\s*", re.DOTALL)


def read_dkim(text: str) -> DkimRecord | None:
    """The key record in a TXT; None when it is something else."""
    tags: dict[str, str] = {}
    faults: list[str] = []
    for number, part in enumerate(text.split(";")):
        if not part.strip():
            continue
        found = _TAG.fullmatch(part)
        if found is None:
            faults.append(f"{part.strip()[:40]!r} is no tag")
            continue
        name = found[1].lower()
        if name == "v" and number:
            faults.append("v= must come first")
        if name in tags:
            faults.append(f"{name}= stands there twice")
        tags[name] = found[2]
    if "p" not in tags or tags.get("v", "DKIM1") != "DKIM1":
        return None
    hashes = tags.get("h", "sha256").replace(" ", "").lower().split(":")
    services = tags.get("s", "*").replace(" ", "").lower().split(":")
    if "sha256" not in hashes:
        faults.append("h= allows no sha256, and we sign with nothing else")
    if "*" not in services and "email" not in services:
        faults.append("s= does not allow e-mail")
    flags = tags.get("t", "").replace(" ", "").lower().split(":")
    return DkimRecord(
        kind=tags.get("k", "rsa").lower(),
        key="".join(tags["p"].split()),
        testing="y" in flags,
        faults=tuple(faults),
    )
