"""The preflight of a sender, row by row, against a real name server."""

import asyncio
import ssl
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from deliverability import DnsResolver, HttpReply, Identity, PreflightRow, check_identity
from deliverability.identity import SmtpServer
from deliverability.preflight.egress import is_generic
from tests.deliverability.names import SILENT, Names
from tests.deliverability.samples import ANNA, DATE
from tests.deliverability.scripted import Scripted
from tests.deliverability.test_dkim import keep, record
from tests.dns import running_knot

LINK = "https://mail.acme.test/u/token"
GOOD = HttpReply(status=200, body="Unsubscribed.\n")
PAGE = HttpReply(status=200, body="<html>Do you want to leave?</html>")

ZONE = """
acme.test. MX 10 mx.acme.test.
mx.acme.test. A 192.0.2.25
acme.test. TXT "v=spf1 ip4:192.0.2.25 ~all"
_dmarc.acme.test. TXT "v=DMARC1; p=none; rua=mailto:dmarc@acme.test"
25.2.0.192.in-addr.arpa. PTR mail.acme.test.
mail.acme.test. A 192.0.2.25
client.acme.test. A 192.0.2.26
s1._domainkey.acme.test. TXT {key}
ed._domainkey.acme.test. TXT {ed}
other._domainkey.acme.test. TXT {other}
gone._domainkey.acme.test. TXT "v=DKIM1; p="
nospf.test. MX 0 .
twice.test. TXT "v=spf1 ~all"
twice.test. TXT "v=spf1 -all"
open.test. TXT "v=spf1 +all"
typo.test. TXT "v=spf1 ipv4:192.0.2.25 ~all"
odd.test. TXT "v=spf1 ip4:192.0.2.25"
strict.test. TXT "v=spf1 ip4:192.0.2.25 ~all"
strict.test. MX 10 mx.acme.test.
_dmarc.strict.test. TXT "v=DMARC1; p=reject; adkim=s; aspf=s; pct=20; rua=mailto:x@else.test"
"""


def txt(text: bytes) -> str:
    """A text as a zone file holds it: strings of at most 255 octets."""
    words = text.decode()
    return " ".join(f'"{words[i : i + 250]}"' for i in range(0, len(words), 250))


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("keys")
    first = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    small = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    second = ed25519.Ed25519PrivateKey.generate()
    named = {"s1": first, "ed": second, "other": small, "gone": first, "absent": first}
    found: dict[str, Any] = {
        name: replace(keep(folder / f"{name}.pem", key), domain="acme.test", selector=name)
        for name, key in named.items()
    }
    found["zone"] = ZONE.format(
        key=txt(record(first)), ed=txt(record(second)), other=txt(record(small))
    )
    return found


@pytest.fixture(scope="module")
def knot(keys: dict[str, Any]) -> Iterator[int]:
    with running_knot(keys["zone"]) as port:
        yield port


@pytest.fixture
def anna(keys: dict[str, Any], tmp_path: Path) -> Identity:
    """Everything in order; no server."""
    return replace(
        ANNA,
        from_address="anna@acme.test",
        dkim=keys["s1"],
        second_dkim=keys["ed"],
        egress_ips=("192.0.2.25",),
        smtp=SmtpServer(outbox=tmp_path),
    )


async def looked(
    identity: Identity,
    dns: Any,
    *,
    link: str = LINK,
    got: HttpReply = PAGE,
    posted: HttpReply = GOOD,
    **more: Any,
) -> dict[str, PreflightRow]:
    async def fetch(method: str, address: str, body: bytes) -> HttpReply:
        assert address == link
        if method == "POST":
            assert body == b"List-Unsubscribe=One-Click"
            return posted
        return got

    given = {"ehlo_name": "client.acme.test", "bulk": True, "now": DATE} | more
    resolver = DnsResolver([("127.0.0.1", dns)], timeout=2.0) if isinstance(dns, int) else dns
    rows = await check_identity(identity, resolver, link=link, fetch=fetch, **given)
    return {row.id: row for row in rows}


async def test_a_sender_in_order_passes_every_row(anna: Identity, knot: int) -> None:
    rows = await looked(anna, knot)
    assert {id: row.level for id, row in rows.items()} == dict.fromkeys(
        (
            *("DNS-SPF-1", "DNS-DKIM-1", "DNS-DMARC-1", "ALIGN-1", "DNS-MX-1", "DNS-PTR-1"),
            *("TLS-1", "CAP-1", "UNSUB-1", "UNSUB-2"),
        ),
        "ok",
    )
    assert rows["DNS-SPF-1"].evidence[-1] == "192.0.2.25: pass (ip4:192.0.2.25)"


@pytest.mark.parametrize(
    ("domain", "level", "what", "remedy"),
    [
        ("nospf.test", "error", "does not say who may send", '"v=spf1 ip4:192.0.2.25 ~all"'),
        ("twice.test", "error", "has 2 SPF records", "into one TXT record"),
        ("open.test", "error", "+all", "~all in place of +all"),
        ("typo.test", "error", "there is no such term", "correct the record"),
        ("odd.test", "warn", "ends without ~all", "end it with ~all"),
    ],
)
async def test_spf_says_what_is_wrong_and_what_to_write(
    anna: Identity, knot: int, domain: str, level: str, what: str, remedy: str
) -> None:
    row = (await looked(replace(anna, bounce_address=f"b@{domain}"), knot))["DNS-SPF-1"]
    assert row.level == level
    assert what in row.what
    assert remedy in row.remedy


async def test_an_address_outside_the_record_is_an_error_with_the_term_to_add(
    anna: Identity, knot: int
) -> None:
    row = (await looked(replace(anna, egress_ips=("198.51.100.7", "2001:db8::7")), knot))[
        "DNS-SPF-1"
    ]
    assert row.level == "error"
    assert 'put "ip4:198.51.100.7" into the SPF record of acme.test' in row.remedy
    assert '"ip6:2001:db8::7"' in row.remedy


@pytest.mark.parametrize(
    ("selector", "what"),
    [
        ("absent", "there is no key at absent._domainkey.acme.test"),
        ("gone", "was withdrawn"),
        ("other", "not the public half"),
    ],
)
async def test_a_key_that_does_not_match_names_the_record_to_publish(
    anna: Identity, knot: int, keys: dict[str, Any], selector: str, what: str
) -> None:
    key = replace(keys["s1"], selector=selector)
    row = (await looked(replace(anna, dkim=key, second_dkim=None), knot))["DNS-DKIM-1"]
    assert row.level == "error" and what in row.what
    assert f'{selector}._domainkey.acme.test: "v=DKIM1; k=rsa; p=MII' in row.remedy


async def test_a_short_key_and_a_lone_ed25519_key_are_pointed_out(
    anna: Identity, knot: int, keys: dict[str, Any]
) -> None:
    row = (await looked(replace(anna, dkim=keys["other"]), knot))["DNS-DKIM-1"]
    assert (row.level, "1024 bits" in row.what) == ("warn", True)
    lone = replace(anna, dkim=keys["ed"], second_dkim=None)
    row = (await looked(lone, knot))["DNS-DKIM-1"]
    assert row.level == "error" and "only signature is Ed25519" in row.what


async def test_mail_that_is_not_signed_by_us_is_a_warning(anna: Identity, knot: int) -> None:
    rows = await looked(replace(anna, dkim=None, second_dkim=None), knot)
    assert rows["DNS-DKIM-1"].level == "warn"
    assert rows["UNSUB-2"].level == "unknown"
    # SPF alone speaks for it.
    assert rows["ALIGN-1"].level == "warn"


async def test_a_missing_dmarc_record_is_an_error_in_bulk_only(anna: Identity, knot: int) -> None:
    writer = replace(anna, from_address="anna@nospf.test")
    for bulk, level in ((True, "error"), (False, "warn")):
        row = (await looked(writer, knot, bulk=bulk))["DNS-DMARC-1"]
        assert row.level == level
        assert (
            'TXT record _dmarc.nospf.test: "v=DMARC1; p=none; rua=mailto:dmarc@nospf.test"'
            in row.remedy
        )


async def test_dmarc_tells_removed_tags_and_strangers_that_get_reports(
    anna: Identity, knot: int
) -> None:
    rows = await looked(replace(anna, from_address="anna@strict.test"), knot)
    row = rows["DNS-DMARC-1"]
    assert row.level == "warn"
    assert "pct= was removed" in row.what and "else.test does not agree" in row.what
    assert 'strict.test._report._dmarc.else.test: "v=DMARC1"' in row.remedy
    # acme.test signs, strict.test asks for the very same domain.
    assert rows["ALIGN-1"].level == "warn"
    rows = await looked(
        replace(anna, from_address="anna@mail.strict.test", bounce_address="b@strict.test"), knot
    )
    assert rows["ALIGN-1"].level == "error"


async def test_a_subdomain_is_of_the_same_organisation(anna: Identity, knot: int) -> None:
    rows = await looked(replace(anna, from_address="anna@news.acme.test"), knot)
    assert "DKIM d=acme.test: aligned" in rows["ALIGN-1"].evidence
    assert "(organisation acme.test)" in rows["ALIGN-1"].evidence[0]


async def test_answers_must_find_a_way_back(anna: Identity, knot: int) -> None:
    row = (await looked(replace(anna, reply_to="a@nospf.test"), knot))["DNS-MX-1"]
    assert row.level == "error" and "RFC 7505" in " ".join(row.evidence)
    assert "answers and bounces are lost" in row.what
    row = (await looked(replace(anna, bounce_address="b@gone.test"), knot))["DNS-MX-1"]
    assert row.level == "error"
    row = (await looked(replace(anna, reply_to="a@mail.acme.test"), knot))["DNS-MX-1"]
    assert (row.level, "no MX record" in row.what) == ("info", True)


async def test_the_name_of_an_address_must_lead_back(anna: Identity, knot: int) -> None:
    row = (await looked(replace(anna, egress_ips=("192.0.2.99",)), knot))["DNS-PTR-1"]
    assert row.level == "error" and "192.0.2.99 has no name" in row.what
    names = Names(
        {
            "7.2.0.192.in-addr.arpa": [{"PTR": "liar.test."}],
            "liar.test": [{"A": "192.0.2.8"}],
            "8.2.0.192.in-addr.arpa": [{"PTR": "192-0-2-8.pool.isp.test."}],
            "192-0-2-8.pool.isp.test": [{"A": "192.0.2.8"}],
        }
    )
    row = (await looked(replace(anna, egress_ips=("192.0.2.7",)), names))["DNS-PTR-1"]
    assert row.level == "error" and "does not lead back" in row.what
    row = (await looked(replace(anna, egress_ips=("192.0.2.8",)), names))["DNS-PTR-1"]
    assert row.level == "warn" and "home computer" in row.what
    row = (await looked(replace(anna, egress_ips=()), names))["DNS-PTR-1"]
    assert row.level == "unknown"


@pytest.mark.parametrize(
    ("name", "generic"),
    [
        ("mail.acme.test", False),
        ("mx1.acme.test", False),
        ("smtp-25.acme.test", False),
        ("192-0-2-25.isp.test", True),
        ("25.2.0.192.isp.test", True),
        ("dyn-25.isp.test", True),
        ("c0000219.isp.test", True),
    ],
)
def test_names_made_from_an_address(name: str, generic: bool) -> None:
    assert is_generic(name, "192.0.2.25") is generic


async def test_offline_is_unknown_and_no_error(anna: Identity) -> None:
    class Silence:
        async def ask(self, name: str, kind: str) -> Any:
            return await Names({name: [SILENT]}).ask(name, "TXT")

    nobody = HttpReply(status=0, why="offline")
    rows = await looked(anna, Silence(), got=nobody, posted=nobody)
    levels = {row.level for row in rows.values()}
    assert "error" not in levels
    assert rows["DNS-SPF-1"].level == rows["DNS-MX-1"].level == "unknown"
    assert rows["DNS-DKIM-1"].level == rows["DNS-DMARC-1"].level == "unknown"


async def test_a_resolver_that_hangs_ends_in_time(anna: Identity) -> None:
    class Hangs:
        async def ask(self, name: str, kind: str) -> Any:
            await asyncio.Event().wait()

    rows = await looked(anna, Hangs(), timeout=0.1)
    assert rows["DNS-SPF-1"].level == "unknown"
    assert rows["DNS-SPF-1"].what == "no answer within 0.1 seconds"
    assert len(rows) == 10


@pytest.mark.parametrize(
    ("link", "got", "posted", "level", "what"),
    [
        ("", PAGE, GOOD, "error", "no opt-out page"),
        ("http://mail.acme.test/u/t", PAGE, GOOD, "error", "needs https"),
        ("https://127.0.0.1/u/t", PAGE, GOOD, "error", "only this machine"),
        (LINK, PAGE, HttpReply(status=302), "error", "wants a login or leads elsewhere"),
        (LINK, PAGE, HttpReply(status=401), "error", "wants a login or leads elsewhere"),
        (LINK, PAGE, HttpReply(status=404), "error", "not this workspace's"),
        (LINK, PAGE, PAGE, "error", "not this workspace's"),
        (LINK, GOOD, GOOD, "error", "does not show the page"),
        (LINK, PAGE, HttpReply(status=502), "warn", "nobody behind it"),
        (LINK, PAGE, HttpReply(status=0, why="refused"), "warn", "nobody answers"),
        ("https://optout.else.test/u/t", PAGE, GOOD, "warn", "not in acme.test"),
    ],
)
async def test_one_click_must_be_enough(
    anna: Identity,
    knot: int,
    link: str,
    got: HttpReply,
    posted: HttpReply,
    level: str,
    what: str,
) -> None:
    row = (await looked(anna, knot, link=link, got=got, posted=posted))["UNSUB-1"]
    assert row.level == level and what in row.what
    assert row.remedy


async def test_mail_without_one_click_says_so(anna: Identity, knot: int) -> None:
    row = (await looked(anna, knot, link=""))["UNSUB-2"]
    assert row.level == "error" and "no one-click" in row.what


EHLO = "250-mx.test\r\n250-SIZE 1000\r\n250-PIPELINING\r\n250 8BITMIME"


async def test_the_relay_is_greeted_and_left(anna: Identity, knot: int, tmp_path: Path) -> None:
    authority = trustme.CA()
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(server_side)
    ca_file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(ca_file)
    async with Scripted(
        ehlo=EHLO.replace("-SIZE", "-STARTTLS\r\n250-SIZE"), starttls=server_side
    ) as server:
        smtp = replace(server.settings(), tls="starttls", ca_file=ca_file)
        rows = await looked(replace(anna, smtp=smtp), knot)
        assert rows["TLS-1"].level == "ok" and "certificate verified" in rows["TLS-1"].evidence[0]
        assert rows["CAP-1"].level == "info"
        assert "SIZE, 8BITMIME, PIPELINING; not SMTPUTF8" in rows["CAP-1"].what
        assert not [line for line in server.commands if line.startswith(("MAIL", "AUTH"))]
        # A certificate nobody vouches for.
        rows = await looked(replace(anna, smtp=replace(smtp, ca_file=None)), knot)
        assert rows["TLS-1"].level == "error" and rows["CAP-1"].level == "unknown"


async def test_passwords_before_tls_and_a_plain_line_are_pointed_out(
    anna: Identity, knot: int, tmp_path: Path
) -> None:
    authority = trustme.CA()
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(server_side)
    ca_file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(ca_file)
    ehlo = "250-mx.test\r\n250-STARTTLS\r\n250 AUTH PLAIN"
    async with Scripted(ehlo=ehlo, starttls=server_side) as server:
        smtp = replace(server.settings(), tls="starttls", ca_file=ca_file)
        row = (await looked(replace(anna, smtp=smtp), knot))["TLS-1"]
        assert row.level == "warn" and "before the line is encrypted" in row.what
    async with Scripted(ehlo=EHLO) as server:
        smtp = replace(server.settings(), tls="starttls")
        row = (await looked(replace(anna, smtp=smtp), knot))["TLS-1"]
        assert row.level == "error" and "offers no STARTTLS" in row.what
        row = (await looked(replace(anna, smtp=server.settings()), knot))["TLS-1"]
        assert row.level == "ok" and "this machine" in row.what
