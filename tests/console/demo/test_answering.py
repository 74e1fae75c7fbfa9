"""The demo's receivers write back as real mail programs and servers do."""

import smtplib
from datetime import UTC, datetime

import pytest

from console.demo.answer_mails import compose_answer
from console.demo.answering import Habits, Kind, answer_of, read_habits
from console.demo.stage import REQUESTS, SHIPPED
from deliverability import InboundKind, classify_inbound, readable
from tests.receiver import StartReceiver

NOW = datetime(2026, 3, 10, 11, 0, tzinfo=UTC)
TOKEN = "WyIxZWM2NWZmZTZiNjBmOGJiIiwxODld.xisjmM0LnUmxnWAkGSIVCN5SCCePzqfmW4aTtn6L0hs"
OURS = "fee2788c81ff.mail.0.1ec65ffe6b60f8bb@sender.example"


def mail(
    text: str = "Hello Zoë,\n\nwe found an answer.\n", to: str = "zoe@poczta.example"
) -> bytes:
    return (
        f"From: Anna Nowak <anna@sender.example>\r\nTo: Zoe Żak <{to}>\r\n"
        f"Subject: An answer\r\nMessage-ID: <{OURS}>\r\n"
        f"List-Unsubscribe: <mailto:anna@sender.example?subject=unsubscribe%20{TOKEN}>\r\n"
        f"Content-Type: text/plain; charset=utf-8\r\n\r\n{text}"
    ).encode()


@pytest.mark.parametrize(
    ("kind", "read_as"),
    [
        (Kind.REPLY, InboundKind.HUMAN),
        (Kind.AWAY, InboundKind.AUTOREPLY),
        (Kind.HARD_BOUNCE, InboundKind.BOUNCE),
        (Kind.SOFT_BOUNCE, InboundKind.BOUNCE),
        (Kind.OPT_OUT, InboundKind.UNSUBSCRIBE),
    ],
)
@pytest.mark.parametrize("address", ["zoe@poczta.example", "żaneta@poczta.example"])
def test_every_answer_is_what_it_says(kind: Kind, read_as: InboundKind, address: str) -> None:
    message_id, raw = compose_answer(kind, address, mail(to=address), at=NOW)
    reading = classify_inbound(raw)
    assert message_id == OURS
    assert reading.kind is read_as
    origin = reading.origin
    if kind is Kind.OPT_OUT:
        assert reading.token == TOKEN
    else:
        assert OURS in (*origin.in_reply_to, *origin.enclosed)
    if reading.failures:
        assert reading.hard is (kind is Kind.HARD_BOUNCE)
        assert reading.failures[0].addresses == (address,)


def test_a_reply_is_in_the_language_of_the_mail_and_quotes_it() -> None:
    _, english = compose_answer(Kind.REPLY, "zoe@poczta.example", mail(), at=NOW)
    _, polish = compose_answer(
        Kind.REPLY, "zoe@poczta.example", mail("Dzień dobry,\n\noto odpowiedź.\n"), at=NOW
    )
    assert "> we found an answer." in readable(english)
    assert " wrote:" in readable(english)
    assert "> oto odpowiedź." in readable(polish)
    assert " pisze:" in readable(polish)


def test_who_answers_depends_on_the_address_alone() -> None:
    everybody = Habits(reply=1000)
    assert answer_of("Zoe@poczta.example", everybody) is Kind.REPLY
    assert answer_of("zoe@poczta.example", Habits()) is None
    habits = read_habits()
    emails = [f"somebody{number}@poczta.example" for number in range(5000)]
    found = [answer_of(email, habits) for email in emails]
    assert found == [answer_of(email.upper(), habits) for email in emails]
    assert 0.02 < found.count(Kind.REPLY) / len(found) < 0.06


def test_of_those_who_ask_for_a_demo_one_replies_and_nobody_else_answers() -> None:
    """Else the demo could not show that an answer ends a sequence."""
    emails = (SHIPPED / REQUESTS).read_text(encoding="utf-8").split()
    found = [answer_of(email, read_habits()) for email in emails]
    assert [kind for kind in found if kind] == [Kind.REPLY]


def test_what_still_waits_is_written_when_the_receiver_ends(start_receiver: StartReceiver) -> None:
    receiver = start_receiver(table="[answers]\nreply = 1000\n", answers=True)
    with smtplib.SMTP("127.0.0.1", receiver.port, timeout=10) as connection:
        for _ in range(2):
            connection.sendmail("anna@sender.example", ["zoe@poczta.example"], mail())
    receiver.stop()
    answered = receiver.answered()
    assert [(line.message_id, line.kind) for line in answered] == [(OURS, "reply")]
    inbox = receiver.record.parent / "inbox"
    assert len(list((inbox / "new").iterdir())) == 1
    assert not list((inbox / "tmp").iterdir())
