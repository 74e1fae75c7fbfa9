"""What mail that comes back is taken for."""

import pytest

from deliverability import Cause, InboundKind, classify_inbound, readable
from tests.deliverability.mails import OURS, complaint, reply, report


def test_a_delivery_report_names_recipient_reason_and_original() -> None:
    reading = classify_inbound(report())
    assert reading.kind is InboundKind.BOUNCE
    assert reading.hard is True
    (failure,) = reading.failures
    assert failure.addresses == ("l1@d1.example",)
    assert failure.status == "5.1.1"
    assert failure.cause is Cause.ADDRESS
    assert "User unknown" in failure.words
    assert reading.origin.enclosed == (OURS,)
    assert "4F1kZq2XyZz1" in reading.origin.relay_ids


@pytest.mark.parametrize(
    ("status", "said", "cause"),
    [
        ("5.2.2", "smtp; 552 5.2.2 Mailbox full", Cause.MAILBOX),
        ("4.2.2", "smtp; 452 4.2.2 Over quota", Cause.MAILBOX),
        ("5.7.1", "smtp; 554 5.7.1 Service unavailable; blocked using zen.spamhaus.org", "blocked"),
        ("5.7.26", "smtp; 550-5.7.26 Unauthenticated email is not accepted", "authentication"),
        ("5.3.4", "smtp; 552 5.3.4 Message size exceeds fixed limit", Cause.CONTENT),
        ("4.4.1", "smtp; connect to mx.example[192.0.2.1]: Connection timed out", Cause.NETWORK),
        ("5.7.1", "smtp; 550 5.7.1 Message rejected as spam by content filter", Cause.CONTENT),
    ],
)
def test_what_may_pass_is_soft(status: str, said: str, cause: str) -> None:
    (failure,) = classify_inbound(report(status=status, said=said)).failures
    assert not failure.hard
    assert failure.cause == cause


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("5.1.1", "smtp; 550 5.1.1 No such user"),
        ("5.1.2", "smtp; 550 5.1.2 Host or domain name not found. Name service error: not found"),
        ("5.1.10", "smtp; 550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found"),
        ("5.0.0", "smtp; 550 Mailbox does not exist"),
        ("5.0.0", "smtp; 550 Konto nie istnieje"),
    ],
)
def test_an_address_that_will_never_work_is_hard(status: str, said: str) -> None:
    assert classify_inbound(report(status=status, said=said)).hard is True


def test_a_report_of_delay_is_no_failure_yet() -> None:
    reading = classify_inbound(report(action="delayed", status="4.4.1", said="smtp; timed out"))
    assert reading.kind is InboundKind.BOUNCE
    assert reading.delayed
    assert reading.hard is False


@pytest.mark.parametrize("action", ["delivered", "relayed", "expanded"])
def test_a_report_of_success_is_nothing_to_act_on(action: str) -> None:
    reading = classify_inbound(report(action=action, status="2.1.5", said="smtp; 250 ok"))
    assert reading.kind is InboundKind.OTHER


def test_a_report_of_several_recipients_keeps_each_ones_reason() -> None:
    raw = report().replace(
        b"--b1/mx\nContent-Description: Undelivered",
        b"Final-Recipient: rfc822; l2@d2.example\nAction: failed\nStatus: 5.2.2\n"
        b"Diagnostic-Code: smtp; 552 5.2.2 mailbox full\n\n"
        b"--b1/mx\nContent-Description: Undelivered",
    )
    reading = classify_inbound(raw)
    assert [(one.addresses[0], one.hard) for one in reading.failures] == [
        ("l1@d1.example", True),
        ("l2@d2.example", False),
    ]
    assert reading.hard is False


EXIM = f"""\
Return-path: <>
From: Mail Delivery System <Mailer-Daemon@mx.example>
To: anna@sender.example
Subject: Mail delivery failed: returning message to sender

This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  l1@d1.example
    SMTP error from remote mail server after RCPT TO:<l1@d1.example>:
    host mx.d1.example [192.0.2.1]: 550 5.1.1 <l1@d1.example>: User unknown

------ This is a copy of the message, including all the headers. ------

Return-path: <anna@sender.example>
Received: from localhost by mx.example with smtp (Exim 4.94)
Message-ID: <{OURS}>
From: anna@sender.example
To: other@d9.example

Hello
"""

QMAIL = f"""\
Return-Path: <>
From: MAILER-DAEMON@mx.example
To: anna@sender.example
Subject: failure notice

Hi. This is the qmail-send program at mx.example.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<l1@d1.example>:
192.0.2.1 does not like recipient.
Remote host said: 550 5.1.1 unknown user
Giving up on 192.0.2.1.

--- Below this line is a copy of the message.

Return-Path: <anna@sender.example>
Message-ID: <{OURS}>
From: anna@sender.example
To: l1@d1.example
"""

EXCHANGE = """\
From: System Administrator <postmaster@d1.example>
To: anna@sender.example
Subject: Undeliverable: A word

Your message

  To:      other@sender.example
  Subject: A word
  Sent:    Tue, 10 Mar 2026 10:00:00 +0000

did not reach the following recipient(s):

l1@d1.example on Tue, 10 Mar 2026 10:01:00 +0000
    The recipient name is not recognized
"""


@pytest.mark.parametrize("raw", [EXIM, QMAIL, EXCHANGE], ids=["exim", "qmail", "exchange"])
def test_reports_in_prose_are_read_too(raw: str) -> None:
    reading = classify_inbound(raw.encode())
    assert reading.kind is InboundKind.BOUNCE
    assert [one.addresses for one in reading.failures] == [("l1@d1.example",)]
    assert reading.hard is True
    assert reading.origin.enclosed == ((OURS,) if OURS in raw else ())


def test_a_complaint_names_what_it_is_about() -> None:
    reading = classify_inbound(complaint())
    assert reading.kind is InboundKind.COMPLAINT
    assert reading.failures[0].addresses == ("l1@d1.example",)
    assert reading.origin.enclosed == (OURS,)


def test_an_authentication_report_is_no_complaint() -> None:
    raw = complaint().replace(b"Feedback-Type: abuse", b"Feedback-Type: auth-failure")
    assert classify_inbound(raw).kind is InboundKind.OTHER


def test_a_reply_is_human_and_says_what_it_answers() -> None:
    reading = classify_inbound(reply("Yes, call me tomorrow.", References=f"<a@b> <{OURS}>"))
    assert reading.kind is InboundKind.HUMAN
    assert reading.from_address == "l1@d1.example"
    assert reading.origin.in_reply_to == (OURS,)
    assert reading.origin.references == (OURS, "a@b")


@pytest.mark.parametrize(
    "subject",
    [
        "Automatic reply: A word",
        "Out of Office: back on Monday",
        "Automatische Antwort: A word",
        "Abwesenheitsnotiz: A word",
        "Odpowiedź automatyczna: A word",
        "Nieobecność w biurze",
        "Réponse automatique : A word",
        "Respuesta automática: A word",
        "Risposta automatica: A word",
        "Resposta automática: A word",
        "Automatisch antwoord: A word",
        "Autosvar: A word",
        "Automatická odpověď: A word",
        "Автоответ: A word",
        "自動返信: A word",
        "Re: Automatic reply: A word",
    ],
)
def test_out_of_office_in_many_languages(subject: str) -> None:
    assert classify_inbound(reply("Away.", subject=subject)).kind is InboundKind.AUTOREPLY


@pytest.mark.parametrize(
    "fields",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Auto_Submitted": "auto-generated (vacation)"},
        {"X_Autoreply": "yes"},
        {"Precedence": "auto_reply"},
    ],
)
def test_machines_that_say_so_are_believed(fields: dict[str, str]) -> None:
    assert classify_inbound(reply("Thanks.", **fields)).kind is InboundKind.AUTOREPLY


@pytest.mark.parametrize(
    "text",
    [
        "I am out of the office until 5 May. In urgent cases contact Jan (jan@d1.example).",
        "Przebywam na urlopie do 12 maja. W pilnych sprawach proszę o kontakt z biurem.",
        "Ich bin bis 3. Mai nicht im Büro. In dringenden Fällen wenden Sie sich an Frau Kurz.",
        "Je suis absente jusqu'au 3 mai. En cas d'urgence, contactez M. Blanc.",
    ],
)
def test_words_of_absence_count_when_both_halves_are_there(text: str) -> None:
    assert classify_inbound(reply(text)).kind is InboundKind.AUTOREPLY


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("Re: A word", "I am on vacation next week, so let us talk on Thursday. Good idea!"),
        ("Re: A word", "Yes. Our automatic reply system is what I want to replace."),
        ("Re: A word", "Delivery failed last time, can you send it again?"),
        ("Delivery problem with your parcel", "It could not be delivered. Who do I call?"),
        ("Re: A word", "Please do not stop! And do not unsubscribe me by mistake."),
        ("Re: A word", "Ok.\n\n> To unsubscribe, press here\n> Unsubscribe"),
        ("Re: A word", "unsubscribe John from the other list, but keep me, I like it"),
    ],
)
def test_people_who_sound_like_machines_stay_people(subject: str, text: str) -> None:
    assert classify_inbound(reply(text, subject=subject)).kind is InboundKind.HUMAN


@pytest.mark.parametrize(
    "text",
    [
        "unsubscribe",
        "STOP",
        "Please remove me from your list.",
        "Proszę o wypisanie z listy",
        "rezygnuję",
        "Bitte abmelden",
    ],
)
def test_a_person_asking_to_be_left_alone(text: str) -> None:
    assert classify_inbound(reply(text)).kind is InboundKind.UNSUBSCRIBE
    quoted = f"{text}\n\nOn Tue, 10 Mar 2026 Anna Nowak wrote:\n> Hello Ala"
    assert classify_inbound(reply(quoted)).kind is InboundKind.UNSUBSCRIBE


TOKEN = "WyIwMDAwMDAwMDAwMDAwMDAxIiwxXQ.mM2CIj5a-0_x"


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        (f"unsubscribe {TOKEN}", ""),
        (f"Unsubscribe {TOKEN}", "Sent from my phone"),
        (f"Re: unsubscribe {TOKEN}", "x"),
        ("unsubscribe", f"unsubscribe {TOKEN}"),
    ],
)
def test_the_mail_that_our_link_makes_carries_its_token(subject: str, text: str) -> None:
    machine = {"Auto_Submitted": "auto-generated"}
    for fields in ({}, machine):
        reading = classify_inbound(reply(text, to="", subject=subject, **fields))
        assert reading.kind is InboundKind.UNSUBSCRIBE
        assert reading.token == TOKEN


def test_a_quoted_footer_is_no_wish() -> None:
    text = f"Thank you, call me.\n\n> mailto:anna@sender.example?subject=unsubscribe%20{TOKEN}\n"
    reading = classify_inbound(reply(text))
    assert reading.kind is InboundKind.HUMAN
    assert reading.token is None


def test_a_read_receipt_is_no_answer() -> None:
    raw = report().replace(b"message/delivery-status", b"message/disposition-notification")
    raw = raw.replace(b"report-type=delivery-status", b"report-type=disposition-notification")
    raw = raw.replace(b"Undelivered Mail Returned to Sender", b"Read: A word")
    raw = raw.replace(b"MAILER-DAEMON@mx.sender.example (Mail Delivery System)", b"l1@d1.example")
    raw = raw.replace(b"Return-Path: <>\n", b"").replace(b"Auto-Submitted: auto-replied\n", b"")
    raw = raw.replace(b"could not\nbe delivered to one or more recipients", b"was displayed")
    raw = raw.replace(b"Final-Recipient", b"X-Recipient")
    assert classify_inbound(raw).kind is InboundKind.OTHER


def test_list_mail_is_no_answer() -> None:
    raw = reply("News", to="", subject="News", List_Id="<news.example>")
    assert classify_inbound(raw).kind is InboundKind.OTHER


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r", b"\r\r\n"])
@pytest.mark.parametrize("raw", [report(), complaint(), EXIM.encode(), reply("hello")])
def test_line_ends_make_no_difference(raw: bytes, ending: bytes) -> None:
    plain = raw.replace(b"\r\n", b"\n")
    assert classify_inbound(plain.replace(b"\n", ending)) == classify_inbound(plain)


def test_encoded_parts_and_words_are_read() -> None:
    raw = (
        b"From: =?utf-8?q?=C5=81ucja?= <l1@d1.example>\n"
        b"Subject: =?utf-8?b?T2Rwb3dpZWTFuiBhdXRvbWF0eWN6bmE6IEEgd29yZA==?=\n"
        b"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n"
        b"xYHEhWthCg==\n"
    )
    reading = classify_inbound(raw)
    assert reading.subject == "Odpowiedź automatyczna: A word"
    assert reading.kind is InboundKind.AUTOREPLY
    assert readable(raw) == "Łąka"


def test_html_alone_has_words_too() -> None:
    html = b"<style>p{}</style><p>Stop</p><p>now &amp; here"
    raw = b"From: a@b.example\nContent-Type: text/html\n\n" + html
    assert readable(raw).split() == ["Stop", "now", "&", "here"]
