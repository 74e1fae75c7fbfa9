"""Signatures, checked by a verifier that is not ours."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deliverability import DkimKey, Identity, SigningError, compose
from deliverability.dkim import relaxed_body
from tests.deliverability.samples import ANNA, parts

PrivateKey = rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey


def keep(path: Path, key: PrivateKey) -> DkimKey:
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return DkimKey(domain="example.com", selector="potok", private_key=path)


def record(key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey) -> bytes:
    """What DNS would say about the key."""
    from base64 import b64encode

    public = key.public_key()
    if isinstance(public, rsa.RSAPublicKey):
        der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return b"v=DKIM1; k=rsa; p=" + b64encode(der)
    raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return b"v=DKIM1; k=ed25519; p=" + b64encode(raw)


def asked(text: bytes) -> Callable[..., bytes]:
    def dns(name: bytes, timeout: int = 5) -> bytes:
        assert name == b"potok._domainkey.example.com."
        return text

    return dns


@pytest.fixture(scope="module")
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="module")
def signed(rsa_key: rsa.RSAPrivateKey, tmp_path_factory: pytest.TempPathFactory) -> Identity:
    path = tmp_path_factory.mktemp("keys") / "rsa.pem"
    return replace(ANNA, dkim=keep(path, rsa_key))


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    subject=st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), max_size=90),
    text=st.text(st.sampled_from("ab \t\n.\rż="), max_size=120),
    html=st.none() | st.text(st.sampled_from("<p> \t\n.ż="), max_size=120),
)
def test_a_verifier_accepts_what_we_signed(
    signed: Identity, rsa_key: rsa.RSAPrivateKey, subject: str, text: str, html: str | None
) -> None:
    envelope = compose(signed, **parts(subject=subject, text=text, html=html))
    assert dkim.verify(envelope.data, dnsfunc=asked(record(rsa_key)))


def test_ed25519_verifies_too(tmp_path: Path) -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    identity = replace(ANNA, dkim=keep(tmp_path / "ed.pem", key))
    envelope = compose(identity, **parts())
    assert b"a=ed25519-sha256" in envelope.data
    assert dkim.verify(envelope.data, dnsfunc=asked(record(key)))


def test_a_changed_mail_verifies_no_more(signed: Identity, rsa_key: rsa.RSAPrivateKey) -> None:
    data = compose(signed, **parts()).data
    dns = asked(record(rsa_key))
    assert dkim.verify(data, dnsfunc=dns)
    assert not dkim.verify(data.replace(b"Hello", b"Hallo"), dnsfunc=dns)
    assert not dkim.verify(data.replace(b"short note", b"short word"), dnsfunc=dns)
    assert not dkim.verify(data.replace(b"u/abc.def>", b"u/abc.dex>"), dnsfunc=dns)
    # A second From or Subject breaks the signature, because both are named once more than present.
    for field in (b"From: Eve <eve@example.net>\r\n", b"Subject: other\r\n"):
        start = data.index(b"\r\nFrom:") + 2
        assert not dkim.verify(data[:start] + field + data[start:], dnsfunc=dns)


def test_what_must_be_signed_is_signed(signed: Identity) -> None:
    data = compose(signed, **parts()).data
    head = data.partition(b"\r\nFrom:")[0].decode()
    assert all(len(line) <= 78 for line in head.split("\r\n"))
    names = re.sub(r"\s", "", head.partition("h=")[2].partition(";")[0]).split(":")
    assert names.count("from") == 2
    for field in ("to", "subject", "date", "message-id", "list-unsubscribe"):
        assert field in names
    assert "list-unsubscribe-post" in names
    assert "l=" not in head.replace("list", "")
    plain = compose(signed, **parts(unsubscribe_url=None, unsubscribe_mailto=None)).data
    assert b"list-unsubscribe" not in plain.partition(b"\r\nFrom:")[0]


@pytest.mark.parametrize(
    ("body", "canonical"),
    [
        (b"", b""),
        (b"\r\n", b""),
        (b"\r\n\r\n\r\n", b""),
        (b" C \r\nD \t E\r\n\r\n\r\n", b" C\r\nD E\r\n"),  # RFC 6376 3.4.5
        (b"a\t \t\r\n \r\n", b"a\r\n"),
        (b"  x", b" x"),
    ],
)
def test_the_relaxed_body(body: bytes, canonical: bytes) -> None:
    assert relaxed_body(body) == canonical


def test_a_key_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    def refused(path: Path) -> str:
        key = DkimKey(domain="example.com", selector="s", private_key=path)
        with pytest.raises(SigningError) as caught:
            compose(replace(ANNA, dkim=key), **parts())
        return str(caught.value)

    assert "cannot be read" in refused(tmp_path / "absent.pem")
    (tmp_path / "odd.pem").write_text("hello")
    assert "PEM" in refused(tmp_path / "odd.pem")
    keep(tmp_path / "ec.pem", ec.generate_private_key(ec.SECP256R1()))
    assert "neither RSA nor Ed25519" in refused(tmp_path / "ec.pem")


@pytest.fixture(scope="module")
def twice(
    rsa_key: rsa.RSAPrivateKey, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Identity, dict[bytes, bytes]]:
    """An identity with two keys, and what DNS says of them."""
    folder = tmp_path_factory.mktemp("two keys")
    second = ed25519.Ed25519PrivateKey.generate()
    identity = replace(
        ANNA,
        dkim=keep(folder / "rsa.pem", rsa_key),
        second_dkim=replace(keep(folder / "ed.pem", second), selector="ed"),
    )
    return identity, {
        b"potok._domainkey.example.com.": record(rsa_key),
        b"ed._domainkey.example.com.": record(second),
    }


def test_two_keys_make_two_signatures_that_both_hold(
    twice: tuple[Identity, dict[bytes, bytes]],
) -> None:
    identity, zone = twice
    data = compose(identity, **parts()).data
    verifier = dkim.DKIM(data)
    for place in (0, 1):
        assert verifier.verify(idx=place, dnsfunc=lambda name, timeout=5: zone[name])
    assert re.findall(rb"a=([\w-]+);", data) == [b"rsa-sha256", b"ed25519-sha256"]
    # RFC 8463 3: receivers that cannot read one go by the other.
    broken = {**zone, b"ed._domainkey.example.com.": zone[b"potok._domainkey.example.com."]}
    assert dkim.verify(data, dnsfunc=lambda name, timeout=5: broken[name])


def test_the_fields_of_opting_out_and_feedback_are_signed(signed: Identity) -> None:
    data = compose(signed, **parts(headers={"Feedback-ID": "spring:news:anna:0123456789ab"})).data
    head = data.partition(b"\r\n\r\n")[0].replace(b"\r\n ", b"")
    names = re.search(rb"\bh=([\w: -]+);", head)
    assert names is not None
    listed = names[1].replace(b" ", b"").split(b":")
    for name in (b"list-unsubscribe", b"list-unsubscribe-post", b"list-id", b"feedback-id"):
        assert name in listed
    for name in (b"from", b"subject", b"to", b"date"):
        assert listed.count(name) == 2  # once more than it occurs


def test_our_own_reading_agrees_with_the_signature(
    twice: tuple[Identity, dict[bytes, bytes]],
) -> None:
    from deliverability.dkim import signer
    from deliverability.verifying import verify_own

    identity, _ = twice
    signers = {key.selector: signer(key) for key in identity.keys}
    data = compose(identity, **parts(subject="Zażółć   gęślą", text="a  b \n\n\n")).data
    verify_own(data, signers)
    for before, after in (
        (b"Jan Kowalski", b"Jan Kowalska"),
        (b"Date: Tue", b"Date: Wed"),
        (b"Hello", b"Hallo"),
        (b"List-Unsubscribe-Post: ", b"List-Unsubscribe-Post: x"),
        (b"\r\nMIME-Version", b"\r\nFrom: eve@example.net\r\nMIME-Version"),
    ):
        spoilt = (
            compose(identity, **parts()).data.replace(before, after, 1)
            if before in compose(identity, **parts()).data
            else data.replace(before, after, 1)
        )
        with pytest.raises(SigningError):
            verify_own(spoilt, signers)
    with pytest.raises(SigningError, match="lacks the signature by ed"):
        verify_own(compose(replace(identity, second_dkim=None), **parts()).data, signers)


def test_a_signer_that_signs_wrongly_is_found_with_its_first_mail(
    signed: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    from deliverability import dkim as ours

    monkeypatch.setattr(ours, "relaxed_body", lambda body: body + b"x")
    with pytest.raises(SigningError, match="does not hold"):
        compose(replace(signed, from_name="Not seen before"), **parts())


def test_what_was_signed_twice_is_shown_with_both_signatures(
    twice: tuple[Identity, dict[bytes, bytes]],
) -> None:
    from campaigns.identity_facts import identity_facts, identity_then

    identity, _ = twice
    sent = compose(identity, **parts()).data
    then = identity_then(identity.name, identity_facts(identity), identity)
    assert compose(then, **parts()).data == sent
    # A key that was replaced since is missing; the other still signs.
    new = replace(identity, second_dkim=replace(identity.second_dkim, selector="new"))  # type: ignore[type-var]
    kept = identity_then(identity.name, identity_facts(identity), new)
    assert (kept.dkim, kept.second_dkim) == (identity.dkim, None)
    # Who has one key keeps the version there is.
    assert "second_dkim" not in identity_facts(replace(identity, second_dkim=None))
