"""Our own signature read back as a receiver reads it, from the bytes that travel.

Not by the signer's own way: the header is taken apart anew and brought into canonical form by
another piece of code (RFC 6376 3.4, 6.1). A third of a millisecond, so it is done for the first
mail of each key in a process: what could differ later is text, and that the tests cover with
somebody else's verifier.
"""

import re
from base64 import b64decode, b64encode
from hashlib import sha256

from deliverability.dkim import Signer
from deliverability.errors import SigningError


def verify_own(data: bytes, signers: dict[str, Signer]) -> None:
    """Raises SigningError unless each of `signers` (by selector) has signed `data` validly."""
    head, _, body = data.partition(b"\r\n\r\n")
    fields = re.split(rb"\r\n(?![ \t])", head)
    left = dict(signers)
    for field in fields:
        if not field.lower().startswith(b"dkim-signature:"):
            continue
        tags = _tags(field)
        selector = tags.get("s", "")
        signing = left.pop(selector, None)
        if signing is not None and not _holds(field, tags, fields, body, signing):
            raise SigningError(
                f"the signature by {selector} does not hold: receivers would refuse the mail; "
                "please report this"
            )
    if left:
        raise SigningError(f"the mail lacks the signature by {', '.join(left)}")


def _holds(
    field: bytes, tags: dict[str, str], fields: list[bytes], body: bytes, signing: Signer
) -> bool:
    lines = [re.sub(rb"[ \t]+", b" ", line).rstrip(b" ") for line in body.split(b"\r\n")]
    while lines and not lines[-1]:
        lines.pop()
    canonical = b"".join(line + b"\r\n" for line in lines)
    if b64encode(sha256(canonical).digest()).decode() != tags.get("bh"):
        return False
    # RFC 6376 5.4.2: of fields with one name the last is signed first, each once.
    rest: dict[bytes, list[bytes]] = {}
    for each in fields:
        rest.setdefault(each.partition(b":")[0].strip().lower(), []).append(each)
    signed = b""
    for name in tags.get("h", "").split(":"):
        found = rest.get(name.encode().lower())
        if found:
            signed += _canonical(found.pop()) + b"\r\n"
    without = re.sub(rb"(;\s*b=)[^;]*", rb"\1", field)
    signature = b64decode(tags.get("b", ""))
    return signing.verifies(signature, signed + _canonical(without))


def _tags(field: bytes) -> dict[str, str]:
    found = {}
    for part in field.partition(b":")[2].decode("ascii", "replace").split(";"):
        name, _, value = part.partition("=")
        found[name.strip()] = "".join(value.split())
    return found


def _canonical(field: bytes) -> bytes:
    name, _, value = field.partition(b":")
    unfolded = re.sub(rb"[ \t]+", b" ", value.replace(b"\r\n", b""))
    return name.strip().lower() + b":" + unfolded.strip(b" ")
