from dataclasses import replace
from pathlib import Path

import pytest

from campaigns import findings_of
from console.database import Database
from deliverability import Mailbox, SmtpServer
from tests.campaigns.world import ANNA, apply_campaign, prepared

AWAY = SmtpServer(host="smtp.example.com", port=587)


def found(
    database: Database,
    *,
    base_url: str,
    smtp: SmtpServer,
    mailbox: bool = True,
    track_links: bool = False,
) -> set[str]:
    identity = replace(ANNA, smtp=smtp, mailbox=Mailbox(maildir=Path("in")) if mailbox else None)
    database.write(lambda s: apply_campaign(s))
    ready = replace(database.read(prepared), identities=(identity,))
    ready = replace(ready, compiled=replace(ready.compiled, track_links=track_links))
    return {f.id for f in findings_of(ready, base_url=base_url)}


@pytest.mark.parametrize(
    ("base_url", "smtp", "refused"),
    [
        ("http://127.0.0.1:8025", AWAY, True),
        ("http://localhost:8025", AWAY, True),
        ("http://[::1]:8025", AWAY, True),
        ("https://mail.example.com", AWAY, False),
        ("http://127.0.0.1:8025", SmtpServer(host="127.0.0.1", port=25, tls="none"), False),
        ("http://127.0.0.1:8025", SmtpServer(outbox=Path("outbox")), False),
        ("", AWAY, False),
    ],
)
def test_an_opt_out_link_only_this_machine_can_open_stops_mail_that_leaves_it(
    database: Database, base_url: str, smtp: SmtpServer, refused: bool
) -> None:
    for track_links, finding in ((False, "opt-out-unreachable"), (True, "tracking-unreachable")):
        ids = found(database, base_url=base_url, smtp=smtp, track_links=track_links)
        assert (finding in ids) is refused


def test_clicks_cannot_decide_where_no_link_is_tracked(database: Database) -> None:
    database.write(lambda s: apply_campaign(s))
    said = {"variant": [{"hour": "09:00"}], "goal": {"what": "clicked"}}
    database.write(lambda s: apply_campaign(s, **said))
    assert "goal-unseen" in {f.id for f in findings_of(database.read(prepared), base_url="")}


def test_opting_out_by_mail_alone_wants_a_mailbox_that_is_read(database: Database) -> None:
    assert "opt-out-unread" in found(database, base_url="", smtp=AWAY, mailbox=False)
    assert "opt-out-unread" not in found(database, base_url="", smtp=AWAY)
