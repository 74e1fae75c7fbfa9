"""DKIM signatures (RFC 6376), relaxed/relaxed, about 0.3 ms a mail with RSA-2048.

Written over our own bytes because the known package signs in pure Python, 8 ms a mail; the tests
verify with it.
"""

import re
from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from hashlib import sha256

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from deliverability.errors import SigningError
from deliverability.headers import ascii_domain
from deliverability.identity import DkimKey

#: RFC 6376 5.4.1 names what should be signed. RFC 8058 4: both unsubscribe fields must be.
SIGNED = (
    "from",
    "to",
    "reply-to",
    "subject",
    "date",
    "message-id",
    "list-id",
    "list-unsubscribe",
    "list-unsubscribe-post",
    "feedback-id",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
)
#: Named once more than they occur, so that nobody can add a second one (RFC 6376 8.15).
OVERSIGNED = ("from", "to", "subject", "date", "reply-to")

_BLANKS = re.compile(r"[ \t]+")
_SEVERAL = re.compile(rb"  +")
_AT_THE_END = re.compile(rb" \r\n")


class Signer:
    """One key, ready to sign."""

    def __init__(self, key: DkimKey, private: RSAPrivateKey | Ed25519PrivateKey) -> None:
        self._private = private
        # RFC 8301 3.1: rsa-sha256 and nothing older; RFC 8463 3: ed25519 signs the same digest.
        algorithm = "rsa-sha256" if isinstance(private, RSAPrivateKey) else "ed25519-sha256"
        self._start = (
            f"v=1; a={algorithm}; c=relaxed/relaxed;\r\n"
            f" d={ascii_domain(key.domain)}; s={key.selector};\r\n"
            " t="
        )

    @property
    def bits(self) -> int:
        """The size of an RSA key; 256 for Ed25519."""
        return self._private.key_size if isinstance(self._private, RSAPrivateKey) else 256

    @property
    def kind(self) -> str:
        """`rsa` or `ed25519`, as DNS calls it."""
        return "rsa" if isinstance(self._private, RSAPrivateKey) else "ed25519"

    @property
    def published(self) -> tuple[str, ...]:
        """The public key in base64 as DNS may hold it, the usual form first.

        RFC 6376 3.6.1 wants an RSA key's SubjectPublicKeyInfo; receivers take the bare key too.
        RFC 8463 4 wants the 32 octets of an Ed25519 key.
        """
        public = self._private.public_key()
        forms = [(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)]
        if isinstance(self._private, RSAPrivateKey):
            forms.append((Encoding.DER, PublicFormat.PKCS1))
        else:
            forms.insert(0, (Encoding.Raw, PublicFormat.Raw))
        return tuple(b64encode(public.public_bytes(*form)).decode() for form in forms)

    def verifies(self, signature: bytes, data: bytes) -> bool:
        """Whether the public half of the key agrees."""
        try:
            if isinstance(self._private, RSAPrivateKey):
                self._private.public_key().verify(signature, data, PKCS1v15(), SHA256())
            else:
                self._private.public_key().verify(signature, sha256(data).digest())
        except InvalidSignature:
            return False
        return True

    def sign(self, fields: Sequence[str], digest: str, *, at: datetime) -> str:
        """The DKIM-Signature field for these folded header fields and a body's `digest`."""
        present: dict[str, list[str]] = {}
        # RFC 6376 5.4.2: of several fields of one name the last comes first.
        for name, _, value in (field.partition(":") for field in reversed(fields)):
            present.setdefault(name.lower(), []).append(value)
        names, signed = [], []
        for wanted in SIGNED:
            for value in present.get(wanted, ()):
                names.append(wanted)
                signed.append(_relaxed_field(wanted, value))
            if wanted in OVERSIGNED:
                names.append(wanted)
        # Folded by hand: the same three lines for every mail.
        value = (
            f" {self._start}{int(at.timestamp())};\r\n"
            f" h={_folded(':', names)};\r\n"
            f" bh={digest};\r\n"
            " b="
        )
        signed.append(_relaxed_field("dkim-signature", value).removesuffix("\r\n"))
        signature = b64encode(self._sign("".join(signed).encode())).decode()
        pieces = [signature[i : i + 70] for i in range(0, len(signature), 70)]
        return "DKIM-Signature:" + value + "\r\n ".join(pieces)

    def _sign(self, data: bytes) -> bytes:
        if isinstance(self._private, RSAPrivateKey):
            return self._private.sign(data, PKCS1v15(), SHA256())
        return self._private.sign(sha256(data).digest())


def body_digest(body: bytes) -> str:
    """What `bh=` says of a body, the same for every key."""
    return b64encode(sha256(relaxed_body(body)).digest()).decode()


def _folded(separator: str, names: Sequence[str]) -> str:
    lines, line = [], ""
    for name in names:
        if line and len(line) + len(name) > 70:
            lines.append(line)
            line = ""
        line += name + separator
    return "\r\n  ".join([*lines, line]).removesuffix(separator)


def _relaxed_field(name: str, value: str) -> str:
    """RFC 6376 3.4.2: unfold, one blank for many, none at the ends."""
    unfolded = value.replace("\r\n", "")
    if "  " in unfolded or "\t" in unfolded:
        unfolded = _BLANKS.sub(" ", unfolded)
    unfolded = unfolded.strip(" ")
    return f"{name}:{unfolded}\r\n"


def relaxed_body(body: bytes) -> bytes:
    """RFC 6376 3.4.4. A body of 37 kB with 300 runs of blanks: 0.08 ms, letter by letter 0.6."""
    if b"\t" in body:
        body = body.replace(b"\t", b" ")
    body = _SEVERAL.sub(b" ", body)
    if _AT_THE_END.search(body):
        body = body.replace(b" \r\n", b"\r\n")
    while body.endswith(b"\r\n\r\n"):
        body = body[:-2]
    return b"" if body == b"\r\n" else body


@lru_cache(maxsize=64)
def signer(key: DkimKey) -> Signer:
    """The signer of a key; the file is read once in a process. Raises SigningError."""
    where = f"the DKIM key {key.private_key}"
    try:
        private = load_pem_private_key(key.private_key.read_bytes(), password=None)
    except OSError as wrong:
        raise SigningError(f"{where} cannot be read: {wrong.strerror}") from wrong
    except (ValueError, TypeError, UnsupportedAlgorithm) as wrong:
        raise SigningError(f"{where} is no private key in PEM form without a password") from wrong
    if not isinstance(private, RSAPrivateKey | Ed25519PrivateKey):
        raise SigningError(f"{where} is neither RSA nor Ed25519; make one with openssl genrsa 2048")
    # RFC 8301 3.2: receivers ignore signatures of keys under 1024 bits.
    if isinstance(private, RSAPrivateKey) and private.key_size < 1024:
        raise SigningError(f"{where} has {private.key_size} bits; receivers want 2048")
    return Signer(key, private)
