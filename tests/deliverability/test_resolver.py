"""DNS asked for real: knot for what is right, a small server for what is wrong."""

import struct
import time
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deliverability import DnsResolver, MailRoute, Route, is_special, mail_route
from deliverability.resolver import Known
from tests.dns import header, record, running_knot, scripted_dns

ZONE = """
acme.test. MX 20 second.acme.test.
acme.test. MX 10 First.Acme.Test.
acme.test. A 192.0.2.1
acme.test. TXT "one " "two"
acme.test. TXT "other"
only-address.test. AAAA 2001:db8::1
null.test. MX 0 .
nothing.test. TXT "no mail here"
alias.test. CNAME acme.test.
loop.test. CNAME pool.test.
pool.test. CNAME loop.test.
1.2.0.192.in-addr.arpa. PTR mail.acme.test.
"""


@pytest.fixture(scope="module")
def knot() -> Iterator[int]:
    with running_knot(ZONE) as port:
        yield port


def resolver(port: int, *, timeout: float = 2.0) -> DnsResolver:
    return DnsResolver([("127.0.0.1", port)], timeout=timeout)


async def test_each_kind_of_record_as_text(knot: int) -> None:
    dns = resolver(knot)
    assert sorted((await dns.ask("acme.test", "TXT")).records) == ["one two", "other"]
    assert (await dns.ask("acme.test", "A")).records == ("192.0.2.1",)
    assert (await dns.ask("only-address.test", "AAAA")).records == ("2001:db8::1",)
    assert (await dns.ask("192.0.2.1", "PTR")).records == ("mail.acme.test.",)
    assert (await dns.ask("alias.test", "A")).records == ("192.0.2.1",)
    answer = await dns.ask("ACME.test.", "MX")
    assert (answer.known, answer.ttl) == (Known.FOUND, 600)


async def test_the_two_kinds_of_no_are_told_apart(knot: int) -> None:
    dns = resolver(knot)
    none = await dns.ask("acme.test", "AAAA")
    # RFC 2308 5: the zone says 60 s in its SOA.
    assert (none.known, none.ttl, none.void) == (Known.NO_DATA, 60, True)
    gone = await dns.ask("gone.test", "A")
    assert (gone.known, gone.ttl, gone.void) == (Known.NO_NAME, 60, True)
    for unwritable in ("a..b", "x" * 70 + ".test", "ż\u2028.test"):
        assert (await dns.ask(unwritable, "MX")).known is Known.NO_NAME
    assert (await dns.ask("no address", "PTR")).known is Known.NO_NAME


@pytest.mark.parametrize(
    ("domain", "route"),
    [
        (
            "acme.test",
            MailRoute(route=Route.MX, hosts=("first.acme.test", "second.acme.test"), ttl=600),
        ),
        ("only-address.test", MailRoute(route=Route.ADDRESS, ttl=60)),
        ("null.test", MailRoute(route=Route.NULL_MX, ttl=600)),
        ("nothing.test", MailRoute(route=Route.NOTHING, ttl=60)),
        ("gone.test", MailRoute(route=Route.NOTHING, ttl=60)),
        ("loop.test", MailRoute(route=Route.UNKNOWN)),
    ],
)
async def test_where_a_domain_takes_its_mail(knot: int, domain: str, route: MailRoute) -> None:
    assert await mail_route(resolver(knot), domain) == route


async def test_an_answer_is_kept_for_its_time_and_not_longer() -> None:
    def answering(query: bytes) -> bytes:
        return header(query, answers=1) + record(1, b"\xc0\x00\x02\x01", ttl=60)

    now = 1000.0
    async with scripted_dns(answering) as (port, asked):
        dns = DnsResolver([("127.0.0.1", port)], timeout=2.0, clock=lambda: now)
        for _ in range(3):
            assert (await dns.ask("a.test", "A")).records == ("192.0.2.1",)
        assert len(asked) == 1
        now += 61
        await dns.ask("a.test", "A")
        assert len(asked) == 2


@pytest.mark.parametrize("code", [1, 2, 4, 5])
async def test_a_server_that_cannot_say_says_nothing(code: int) -> None:
    async with scripted_dns(lambda query: header(query, code=code)) as (port, _):
        assert (await resolver(port).ask("a.test", "MX")).known is Known.FAILED
        assert (await mail_route(resolver(port), "a.test")).route is Route.UNKNOWN


async def test_silence_is_waited_for_once_and_not_at_every_question() -> None:
    async with scripted_dns(lambda _: None) as (port, asked):
        dns = resolver(port, timeout=0.3)
        began = time.monotonic()
        for _ in range(3):
            assert (await dns.ask("a.test", "MX")).known is Known.SILENT
        assert time.monotonic() - began < 1.0
        assert asked


async def test_an_alias_that_leads_to_itself_is_no_answer() -> None:
    def answering(query: bytes) -> bytes:
        # a.test CNAME a.test
        return header(query, answers=1) + record(5, b"\xc0\x0c")

    async with scripted_dns(answering) as (port, _):
        found = await resolver(port).ask("a.test", "A")
        assert found.known in (Known.FAILED, Known.SILENT, Known.NO_DATA)


@given(st.binary(max_size=80), st.booleans())
@settings(max_examples=8)
async def test_garbage_is_never_more_than_a_failure(noise: bytes, headed: bool) -> None:
    def answering(query: bytes) -> bytes:
        return header(query, answers=3) + noise if headed else query[:2] + noise

    async with scripted_dns(answering) as (port, _):
        found = await resolver(port, timeout=0.03).ask("a.test", "MX")
        assert isinstance(found.known, Known)
        route = await mail_route(resolver(port, timeout=0.03), "a.test")
        assert isinstance(route.route, Route)


async def test_an_mx_record_of_the_root_beside_others_is_passed_over() -> None:
    def answering(query: bytes) -> bytes:
        root = struct.pack("!H", 0) + b"\0"
        real = struct.pack("!H", 5) + b"\x02mx\xc0\x0c"
        return header(query, answers=2) + record(15, root) + record(15, real)

    async with scripted_dns(answering) as (port, _):
        found = await mail_route(resolver(port), "a.test")
        assert (found.route, found.hosts) == (Route.MX, ("mx.a.test",))


@pytest.mark.parametrize(
    ("domain", "special"),
    [
        ("acme.test", True),
        ("mail.example.com", True),
        ("example.org", True),
        ("printer.local", True),
        ("localhost", True),
        ("[192.0.2.1]", True),
        ("acme.pl", False),
        ("example.com.pl", False),
        ("test.pl", False),
    ],
)
def test_names_that_public_dns_does_not_hold(domain: str, special: bool) -> None:
    assert is_special(domain) is special
