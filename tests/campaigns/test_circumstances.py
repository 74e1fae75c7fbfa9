"""What a template asks beyond the lead: looked up by batch, sent, kept, and shown again alike."""

from datetime import UTC, date, datetime
from decimal import Decimal
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from sqlalchemy import event, update
from sqlmodel import Session, col

from campaigns import circumstances, show
from console.database import Database
from console.demo.process import ReceiverProcess
from leads import Lead, OpenDeal, freeze, open_deal
from segments import read_definition
from templates import TemplateVersion, compile_template
from tests.campaigns.test_worker import send
from tests.campaigns.world import ANNA, MESSAGE, ZONE, add_leads, apply_campaign, rows, start
from tests.conftest import NOW

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
FOOT = "{{ sender.postal_address }} {{ links.unsubscribe }}"
TEXT = """\
{% if lead in segment("hot") %}You are hot.{% else %}You are not.{% endif %}
{% if deal %}{{ deal.name }}: {{ deal.amount|money }}{% else %}No deal.{% endif %}
"""
ATTACHMENT = """\
[[attachment]]
file = "a.pdf"
name = 'Offer {{ deal.name|default("x") }}.pdf'
"""
CLOSED = read_definition("hot", {"rule": "score > 5"}).body()


def apply_asking(session: Session) -> None:
    """The campaign of the small world with a template that asks for everything."""
    apply_campaign(session)
    files = {
        "message.toml": (MESSAGE + ATTACHMENT).encode(),
        "body.html": f'<p><img src="logo.png" alt=""> {TEXT} {FOOT}</p>'.encode(),
        "body.txt": (TEXT + FOOT).encode(),
        "logo.png": PNG,
        "a.pdf": b"%PDF",
    }
    compiled = compile_template("hello", files, segments={"hot": CLOSED})
    freeze(session, TemplateVersion, "hello", compiled.body(), now=NOW)


def facts(session: Session, ids: list[int]) -> None:
    """Every second lead is hot; the first has two deals, one closed later."""
    session.execute(update(Lead).where(col(Lead.id).in_(ids[::2])).values(score=9.0))
    open_deal(session, ids[0], "Old", amount=Decimal(5), currency="EUR", at=NOW, by="test")
    open_deal(
        session,
        ids[0],
        "New",
        amount=Decimal("12000.50"),
        currency="PLN",
        expected_close=date(2026, 12, 20),
        at=NOW,
        by="test",
    )


def test_a_batch_is_asked_about_at_once(database: Database) -> None:
    ids = database.write(lambda session: add_leads(session, 40))
    database.write(lambda session: facts(session, ids))
    compiled = compile_template(
        "t",
        {"message.toml": b'subject = "x"', "body.txt": TEXT.encode()},
        segments={"hot": CLOSED},
    )
    asked: list[str] = []

    def note(*arguments: object) -> None:
        asked.append(str(arguments[2]))

    with database.reading() as session:
        event.listen(session.connection(), "before_cursor_execute", note)
        told = circumstances(session, compiled, ids, now=NOW, zone=ZONE)
    assert len(asked) == 2
    assert [told[each].segments for each in ids[:2]] == [{"hot"}, frozenset()]
    assert told[ids[0]].deals == (
        OpenDeal(
            name="New",
            amount=Decimal("12000.50"),
            currency="PLN",
            stage="demo",
            expected_close=date(2026, 12, 20),
        ),
        OpenDeal(name="Old", amount=Decimal("5.00"), currency="EUR", stage="demo"),
    )
    assert [bool(told[each].deals) for each in ids[1:]] == [False] * 39


def parsed(data: bytes) -> EmailMessage:
    message = message_from_bytes(data, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def test_what_was_asked_is_in_the_mail_and_in_the_mail_shown_again(
    database: Database, receiver: ReceiverProcess
) -> None:
    ids = database.write(lambda session: add_leads(session, 6))
    database.write(lambda session: facts(session, ids))
    database.write(apply_asking)
    world = start(database, now=datetime.now(UTC))
    send(database, receiver.port)
    assert world.states() == {"accepted": 6}
    # What became of the lead since then changes nothing about the mail it got.
    database.write(lambda session: session.execute(update(Lead).values(score=0.0)))
    texts = {}
    with database.reading() as session:
        for row in rows(database, world.run_id):
            shown = show(session, str(row.id), identities={"anna": ANNA})
            assert shown is not None and shown.mail is not None
            message = parsed(shown.mail)
            body = message.get_body(("plain",))
            assert body is not None
            texts[row.lead_id] = body.get_content().splitlines()[:2]
            (attached,) = list(message.iter_attachments())
            name = "Offer New.pdf" if row.lead_id == ids[0] else "Offer x.pdf"
            assert attached.get_filename() == name
            (picture,) = [p for p in message.walk() if p.get_content_type() == "image/png"]
            assert picture.get_payload(decode=True) == PNG
    assert texts[ids[0]] == ["You are hot.", "New: PLN\u00a012,000.50"]
    assert texts[ids[1]] == ["You are not.", "No deal."]
    assert texts[ids[2]] == ["You are hot.", "No deal."]


def test_what_cannot_be_looked_up_leaves_nothing_in_doubt(
    database: Database, receiver: ReceiverProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_arguments: object, **_more: object) -> None:
        raise RuntimeError("no such column")

    database.write(lambda session: add_leads(session, 6))
    database.write(apply_asking)
    world = start(database, now=datetime.now(UTC))
    monkeypatch.setattr("campaigns.delivery.circumstances", broken)
    with pytest.raises(RuntimeError, match="no such column"):
        send(database, receiver.port)
    assert world.states() == {"planned": 6}
