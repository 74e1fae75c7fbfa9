"""SPF by the conformance suite of RFC 7208, and by records nobody should write."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deliverability.preflight.spf import Spf, check_host
from deliverability.preflight.spf_audit import audit
from deliverability.preflight.spf_macros import MacroFacts, expand
from deliverability.preflight.spf_record import SpfSyntaxError, read_spf
from tests.deliverability.names import Names

SUITE = json.loads(
    (Path(__file__).parents[1] / "golden" / "rfc7208_suite.json").read_text("utf-8")
)["scenarios"]


@pytest.mark.parametrize("scenario", SUITE, ids=lambda each: each["description"])
async def test_the_conformance_suite(scenario: dict[str, Any]) -> None:
    names = Names(scenario["zonedata"])
    wrong = {}
    for name, case in scenario["tests"].items():
        sender = case["mailfrom"] or f"postmaster@{case['helo']}"
        found = await check_host(
            names,
            ip=case["host"],
            domain=sender.rpartition("@")[2],
            sender=sender,
            helo=case["helo"],
        )
        if found.result not in case["result"]:
            wrong[name] = (found, case["result"])
    assert not wrong


#: RFC 7208 7.4: the address, and the sender strong-bad@email.example.com.
MACROS = {
    "%{s}": "strong-bad@email.example.com",
    "%{o}": "email.example.com",
    "%{d}": "email.example.com",
    "%{d4}": "email.example.com",
    "%{d3}": "email.example.com",
    "%{d2}": "example.com",
    "%{d1}": "com",
    "%{dr}": "com.example.email",
    "%{d2r}": "example.email",
    "%{l}": "strong-bad",
    "%{l-}": "strong.bad",
    "%{lr}": "strong-bad",
    "%{lr-}": "bad.strong",
    "%{l1r-}": "strong",
    "%{ir}.%{v}._spf.%{d2}": "3.2.0.192.in-addr._spf.example.com",
    "%{lr-}.lp._spf.%{d2}": "bad.strong.lp._spf.example.com",
    "%{lr-}.lp.%{ir}.%{v}._spf.%{d2}": "bad.strong.lp.3.2.0.192.in-addr._spf.example.com",
    "%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}": "3.2.0.192.in-addr.strong.lp._spf.example.com",
    "%{d2}.trusted-domains.example.net": "example.com.trusted-domains.example.net",
}


def facts(ip: str = "192.0.2.3") -> MacroFacts:
    from ipaddress import ip_address

    return MacroFacts(
        sender="strong-bad@email.example.com",
        domain="email.example.com",
        ip=ip_address(ip),
        helo="mail.example.com",
    )


@pytest.mark.parametrize("text", MACROS)
def test_the_macro_examples_of_the_rfc(text: str) -> None:
    assert expand(text, facts()) == MACROS[text]


def test_an_ipv6_address_is_written_nibble_by_nibble() -> None:
    assert expand("%{ir}.%{v}._spf.%{d2}", facts("2001:db8::cb01")) == (
        "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.com"
    )


async def test_the_audit_counts_past_the_first_match() -> None:
    names = Names(
        {
            "a.test": [{"TXT": "v=spf1 +all include:b.test a:gone.test mx ~all"}, {"MX": [1, "m"]}],
            "b.test": [{"TXT": "v=spf1 include:c.test -all"}],
            "c.test": [{"TXT": "v=spf1 exists:%{i}.c.test -all"}],
        }
    )
    found = await audit(names, "a.test")
    assert (found.lookups, found.void, found.faults) == (5, ["a:gone.test"], [])


async def test_eleven_lookups_are_one_too_many_wherever_they_stand() -> None:
    zone: dict[str, list[Any]] = {
        f"i{n}.test": [{"TXT": f"v=spf1 include:i{n + 1}.test ~all"}] for n in range(12)
    }
    zone["i12.test"] = [{"TXT": "v=spf1 ip4:192.0.2.1 ~all"}]
    names = Names(zone)
    found = await audit(names, "i0.test")
    assert found.lookups == 12
    assert found.faults == ["receivers would have to ask DNS 12 times, and stop after 10"]
    verdict = await check_host(names, ip="192.0.2.1", domain="i0.test", sender="a@i0.test")
    assert verdict.result is Spf.PERMERROR
    assert (await audit(names, "i2.test")).faults == []
    verdict = await check_host(names, ip="192.0.2.1", domain="i2.test", sender="a@i2.test")
    assert verdict.result is Spf.PASS


async def test_a_record_that_includes_itself_ends() -> None:
    zone = {
        "a.test": [{"TXT": "v=spf1 include:b.test include:b.test ~all"}],
        "b.test": [{"TXT": "v=spf1 include:a.test include:a.test ~all"}],
    }
    found = await audit(Names(zone), "a.test")
    assert "the record of a.test includes itself" in found.faults
    verdict = await check_host(Names(zone), ip="192.0.2.1", domain="a.test", sender="a@a.test")
    assert verdict.result is Spf.PERMERROR


TERMS = st.sampled_from(
    ("a", "mx", "ptr", "all", "include:", "exists:", "redirect=", "ip4:", "ip6:", "exp=", "x=")
)
SPECS = st.text("ab.-_/%{}sdiplhvcrt0123456789:+~=", max_size=20)
RECORDS = st.lists(st.builds("{}{}".format, TERMS, SPECS), max_size=8).map(
    lambda terms: " ".join(["v=spf1", *terms])
)


@given(RECORDS | st.text(max_size=60).map("v=spf1 ".__add__))
def test_any_record_is_read_or_refused_with_a_reason(text: str) -> None:
    try:
        record = read_spf(text)
    except SpfSyntaxError as wrong:
        assert str(wrong)
    else:
        assert len(record.mechanisms) <= len(text.split(" "))


@settings(max_examples=40)
@given(st.lists(RECORDS, min_size=1, max_size=4), st.sampled_from(("192.0.2.1", "2001:db8::1")))
async def test_any_record_gets_a_verdict_within_its_limits(records: list[str], ip: str) -> None:
    hosts = ("a.b", "ab.ba", "a.a.a", "b.a")
    names = Names({host: [{"TXT": text}] for host, text in zip(hosts, records, strict=False)})
    await check_host(names, ip=ip, domain="a.b", sender="s@a.b")
    # Ten terms that ask; behind each at most a record, or a name's addresses.
    assert len(names.asked) <= 1 + 10 * 12
    names.asked.clear()
    await audit(names, "a.b")
    assert len(names.asked) <= 200
