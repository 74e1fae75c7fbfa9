"""Mail through a real Postfix: signed, relayed, and the bounce it writes comes back to its lead."""

import json
import re
from pathlib import Path
from typing import Any

import dkim
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from console.cli import main
from tests.deliverability.test_dkim import keep, record
from tests.deliverability.test_preflight import txt
from tests.dns import running_knot
from tests.postfix import running_postfix
from tests.receiver import StartReceiver

SETTINGS = """
database = "sqlite:///potok.db"
time_zone = "Europe/Warsaw"
[pipeline.sales]
stages = ["new", "contacted", "qualified", "demo", "proposal", "won", "lost"]
[identity.you]
from = "Anna Żółkiewska <anna@sender.test>"
postal_address = "Sender, Prosta 1, Warszawa"
egress_ips = ["192.0.2.25"]
[identity.you.smtp]
host = "127.0.0.1"
port = {port}
tls = "none"
[identity.you.dkim]
selector = "s1"
private_key = "rsa.pem"
ed25519_selector = "e1"
ed25519_key = "ed.pem"
[identity.you.mailbox]
maildir = "{maildir}"
[dns]
nameservers = ["127.0.0.1:{dns}"]
mx_lookups = true
[pace.default]
per_minute = 6000
[templates]
spamd = ""
"""
ZONE = """
ok.test. MX 10 mx.ok.test.
unknown.test. MX 10 mx.unknown.test.
sender.test. MX 10 mx.sender.test.
sender.test. TXT "v=spf1 ip4:192.0.2.25 ~all"
_dmarc.sender.test. TXT "v=DMARC1; p=none; rua=mailto:d@sender.test"
25.2.0.192.in-addr.arpa. PTR mail.sender.test.
mail.sender.test. A 192.0.2.25
s1._domainkey.sender.test. TXT {rsa}
e1._domainkey.sender.test. TXT {ed}
"""


def potok(workspace: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["--workspace", str(workspace), *words])


def document(workspace: Path, *words: str) -> Any:
    done = potok(workspace, *words, "--json")
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


def test_a_signed_mail_through_postfix_and_a_genuine_bounce(
    fresh_workspace: Path, start_receiver: StartReceiver
) -> None:
    receiver = start_receiver(save_mail=True)
    home = fresh_workspace
    first = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    second = ed25519.Ed25519PrivateKey.generate()
    keep(home / "rsa.pem", first)
    keep(home / "ed.pem", second)
    zone = ZONE.format(rsa=txt(record(first)), ed=txt(record(second)))
    with running_postfix(receiver.port) as relay, running_knot(zone) as dns:
        for part in ("new", "cur", "tmp"):
            (relay.maildir / part).mkdir(parents=True, exist_ok=True)
            (relay.maildir / part).chmod(0o777)
        settings = SETTINGS.format(port=relay.port, maildir=relay.maildir, dns=dns)
        (home / "potok.toml").write_text(settings, "utf-8")
        (home / "leads.csv").write_text(
            "email,first_name,stage\nala@ok.test,Ala,demo\nola@unknown.test,Ola,demo\n", "utf-8"
        )
        for words in (
            ("leads", "import", "leads.csv"),
            ("segments", "create", "all", "stage = demo"),
            ("campaigns", "create", "spring", "--segment", "all", "--template", "welcome"),
        ):
            done = potok(home, *(str(home / w) if w == "leads.csv" else w for w in words))
            assert done.exit_code == 0, done.stderr

        # The relay is there, its extensions are seen, and DNS holds what receivers ask for.
        rows = {
            row["id"]: row
            for row in document(home, "deliverability", "check", "you")["identities"][0]["rows"]
        }
        assert "PIPELINING" in rows["CAP-1"]["what"] and "DSN" in rows["CAP-1"]["what"]
        for id in ("DNS-SPF-1", "DNS-DKIM-1", "DNS-DMARC-1", "ALIGN-1", "DNS-MX-1", "TLS-1"):
            assert rows[id]["level"] == "ok", rows[id]

        assert potok(home, "campaigns", "start", "spring", "--yes").exit_code == 0
        ended = document(home, "run", "--until-idle")
        assert ended["accepted"] == 2

        relay.wait_for_mail()
        came = document(home, "answers", "poll")
        assert came["mailboxes"]["you"]["events"] == {"bounced": 1}

    ola = document(home, "leads", "show", "ola@unknown.test")
    bounced = [each for each in ola["timeline"] if each["kind"] == "bounced"]
    assert len(bounced) == 1 and bounced[0]["data"]["status"] == "5.1.1", bounced
    status = document(home, "campaigns", "status", "spring")
    assert (status["accepted"], status["events"]["bounced"]) == (2, 1)
    assert document(home, "campaigns", "verify", "spring")["ok"] is True

    (path,) = receiver.mail.rglob("ala@ok.test*")
    arrived = path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    keys = {
        b"s1._domainkey.sender.test.": record(first),
        b"e1._domainkey.sender.test.": record(second),
    }
    verifier = dkim.DKIM(arrived)
    for place in (0, 1):
        assert verifier.verify(idx=place, dnsfunc=lambda name, timeout=5: keys[name])
    feedback = re.search(rb"(?m)^Feedback-ID: (\S+)\r$", arrived)
    assert feedback is not None
    assert re.fullmatch(rb"spring:[\w-]+:you:[0-9a-f]{12}", feedback[1])
