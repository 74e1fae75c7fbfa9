"""`potok deliverability check`, and what a plan and a start make of it."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from console.wiring import open_workspace
from deliverability.tables import Preflight
from tests.console.conftest import edit
from tests.dns import running_knot

Potok = Callable[..., Result]

ZONE = """
acme.test. MX 10 mx.acme.test.
mx.acme.test. A 192.0.2.25
acme.test. TXT "v=spf1 ip4:192.0.2.25 ~all"
_dmarc.acme.test. TXT "v=DMARC1; p=none; rua=mailto:d@acme.test"
bare.test. MX 10 mx.acme.test.
"""

SETTINGS = """
database = "sqlite:///potok.db"
time_zone = "Europe/Warsaw"
[pipeline.sales]
stages = ["new", "contacted", "qualified", "demo", "proposal", "won", "lost"]
[identity.you]
from = "You <you@{domain}>"
postal_address = "Acme, Prosta 1, Warszawa"
[identity.you.{server}]
{lines}
[dns]
nameservers = ["127.0.0.1:{port}"]
timeout = 1
[preflight]
recipients = 3
[templates]
spamd = ""
"""
AWAY = 'host = "relay.invalid"\ntimeout = 1'
LEADS = "email,stage\n" + "".join(f"l{n}@d{n}.example,demo\n" for n in range(4))


@pytest.fixture(scope="module")
def knot() -> Iterator[int]:
    with running_knot(ZONE) as port:
        yield port


@pytest.fixture
def sender(home: Path, knot: int, potok: Potok) -> Callable[..., None]:
    """`sender(domain="acme.test", server="smtp", lines=...)` writes potok.toml."""
    (home / "leads.csv").write_text(LEADS, "utf-8")
    assert potok("leads", "import", "leads.csv").exit_code == 0

    def write(*, domain: str = "acme.test", server: str = "smtp", lines: str = AWAY) -> None:
        text = SETTINGS.format(domain=domain, server=server, lines=lines, port=knot)
        (home / "potok.toml").write_text(text, "utf-8")

    return write


def rows(result: Result) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in json.loads(result.stdout)["identities"][0]["rows"]}


ALL = {
    *("DNS-SPF-1", "DNS-DKIM-1", "DNS-DMARC-1", "ALIGN-1", "DNS-MX-1", "DNS-PTR-1", "TLS-1"),
    *("CAP-1", "UNSUB-1", "UNSUB-2", "LIST-1", "CONTENT-1", "SPAM-1", "PLAN-1", "REP-1"),
}


def test_every_row_has_its_level_evidence_and_remedy(
    potok: Potok, sender: Callable[..., None]
) -> None:
    sender(server="outbox", lines='folder = "out"')
    result = potok("deliverability", "check", "you", "--json")
    found = rows(result)
    assert set(found) == ALL
    assert found["DNS-SPF-1"]["level"] == "ok"
    assert found["DNS-SPF-1"]["evidence"][0] == "acme.test TXT v=spf1 ip4:192.0.2.25 ~all"
    assert found["DNS-DMARC-1"]["level"] == "ok"
    # No opt-out page: one click cannot work.
    assert found["UNSUB-1"]["level"] == "error" and found["UNSUB-1"]["remedy"]
    assert result.exit_code == 1
    assert json.loads(result.stdout)["ok"] is False


def test_a_person_reads_what_to_put_into_the_zone(
    potok: Potok, sender: Callable[..., None]
) -> None:
    sender(domain="bare.test", server="outbox", lines='folder = "out"')
    result = potok("deliverability", "check")
    text = " ".join(result.stdout.split())
    assert "error DNS-SPF-1 bare.test does not say who may send its mail" in text
    assert 'add the TXT record _dmarc.bare.test: "v=DMARC1; p=none;' in text
    assert "Not ready for bulk mail" in text
    assert result.exit_code == 1


def test_an_unknown_identity_or_campaign_is_one_line(
    potok: Potok, sender: Callable[..., None]
) -> None:
    sender()
    result = potok("deliverability", "check", "yuo")
    assert (result.exit_code, 'did you mean "you"' in result.stderr) == (1, True)
    result = potok("deliverability", "check", "you", "--campaign", "nope")
    assert result.exit_code == 1 and "no campaign 'nope'" in result.stderr


def campaign(potok: Potok) -> None:
    made = potok(
        *("segments", "create", "everybody", "stage = demo"),
    )
    assert made.exit_code == 0, made.output
    made = potok(
        *("campaigns", "create", "spring", "--segment", "everybody", "--template", "welcome"),
    )
    assert made.exit_code == 0, made.output


def findings(result: Result) -> dict[str, str]:
    return {
        each["id"]: each["level"]
        for each in json.loads(result.stdout)["findings"]
        if each["id"].isupper()
    }


def test_a_bulk_send_that_leaves_this_machine_needs_a_sender_in_order(
    home: Path, potok: Potok, sender: Callable[..., None]
) -> None:
    sender(domain="bare.test")
    campaign(potok)
    plan = potok("campaigns", "plan", "spring", "--json")
    assert findings(plan)["DNS-SPF-1"] == "error"
    assert findings(plan)["DNS-DMARC-1"] == "error"
    # The relay cannot be reached from here: unknown is no error.
    assert findings(plan)["TLS-1"] == "info"
    assert plan.exit_code == 1
    start = potok("campaigns", "start", "spring", "--yes")
    assert start.exit_code == 1
    assert "Not started: bare.test does not say who may send its mail" in start.stderr


def test_a_small_send_and_one_that_stays_here_ask_nobody(
    home: Path, potok: Potok, sender: Callable[..., None]
) -> None:
    sender(domain="bare.test")
    campaign(potok)
    edit(home / "potok.toml", "recipients = 3", "recipients = 5")
    assert findings(potok("campaigns", "plan", "spring", "--json")) == {}
    edit(home / "potok.toml", "recipients = 5", "recipients = 0")
    assert findings(potok("campaigns", "plan", "spring", "--json")) == {}
    for server, lines in (
        ("outbox", 'folder = "out"'),
        ("smtp", 'host = "127.0.0.1"\nport = 1\ntls = "none"'),
    ):
        sender(domain="bare.test", server=server, lines=lines)
        assert findings(potok("campaigns", "plan", "spring", "--json")) == {}


def test_what_was_found_is_remembered_until_the_identity_changes(
    home: Path, potok: Potok, sender: Callable[..., None]
) -> None:
    sender()
    campaign(potok)
    potok("campaigns", "plan", "spring", "--json")

    def facts() -> tuple[str, Any]:
        workspace = open_workspace(home)
        try:
            row = workspace.database.read(lambda session: session.get_one(Preflight, "you"))
            return row.facts, row.asked_at
        finally:
            workspace.close()

    first = facts()
    potok("campaigns", "plan", "spring", "--json")
    assert facts() == first
    edit(home / "potok.toml", "[dns]", "[identity.you.limits]\nper_day = 9\n[dns]")
    potok("campaigns", "plan", "spring", "--json")
    second = facts()
    assert second[0] != first[0] and second[1] > first[1]
    # Asked for by name, it always looks.
    potok("deliverability", "check", "you")
    assert facts()[1] > second[1]


def test_no_dns_server_at_all_forbids_nothing(
    home: Path, potok: Potok, sender: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    from console import preflight
    from deliverability import ResolverError

    def none(_: object) -> None:
        raise ResolverError("this computer names no DNS server")

    sender(domain="bare.test")
    campaign(potok)
    monkeypatch.setattr(preflight, "resolver_of", none)
    assert findings(potok("campaigns", "plan", "spring", "--json")) == {
        "DNS": "info",
    }
    result = potok("deliverability", "check")
    assert result.exit_code == 1 and "names no DNS server" in result.stderr


def test_a_name_server_is_an_address(home: Path, potok: Potok, sender: Callable[..., None]) -> None:
    sender()
    for wrong in ("dns.acme.test", "127.0.0.1:0", "127.0.0.1:x", ""):
        text = (home / "potok.toml").read_text("utf-8")
        line = next(each for each in text.splitlines() if each.startswith("nameservers"))
        edit(home / "potok.toml", line, f'nameservers = ["{wrong}"]')
        result = potok("identity", "list")
        assert result.exit_code != 0 and "is no address of a DNS server" in result.stderr


def test_a_start_by_schedule_hears_the_same(
    home: Path, potok: Potok, sender: Callable[..., None]
) -> None:
    from console.sending import starting

    sender(domain="bare.test")
    campaign(potok)
    workspace = open_workspace(home)
    try:
        opinions = starting(workspace).opinions
        assert opinions is not None
        levels = {each.id: each.level for each in opinions("spring", False)}
        assert levels["DNS-SPF-1"] == "error"
        assert {id for id, level in levels.items() if level == "error"} <= ALL
    finally:
        workspace.close()


def test_edits_that_are_not_applied_do_not_hide_the_sender(
    home: Path, potok: Potok, sender: Callable[..., None]
) -> None:
    sender(server="outbox", lines='folder = "out"')
    text = (home / "campaigns" / "welcome.toml").read_text("utf-8")
    (home / "campaigns" / "welcome.toml").write_text(
        text.replace("description = ", "description = 'x' # ", 1), "utf-8"
    )
    found = rows(potok("deliverability", "check", "--json"))
    assert found["DNS-SPF-1"]["level"] == "ok"
    assert found["PLAN-1"]["level"] == "unknown" and "not applied" in found["PLAN-1"]["remedy"]
