"""SpamAssassin asked: by its real daemon, and what happens when that is none."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime

import pytest

from deliverability import (
    Identity,
    SmtpServer,
    SpamdError,
    SpamScore,
    compose,
    spam_score,
)
from tests.spamd import free_port, running_spamd

GOOD = """Hello Zofia,

thank you for the talk on Tuesday. As promised, here is the summary of what we agreed on: your team
starts with the import of the customer list, and we look at the first results together next week.

The notes are at https://acme.example/notes/tuesday, and the calendar entry comes separately. Please
tell me if another day suits you better.

Best regards
Anna Nowak, Acme, ul. Długa 7, Warszawa
"""
BAD = """Dear friend,

BUY NOW cheap viagra and cialis from our online pharmacy!!! 100% guaranteed, no prescription needed,
risk free, act now!!! You have won one million dollars, click here: http://192.168.5.5/x
"""


def mail(subject: str, text: str) -> bytes:
    identity = Identity(
        name="anna",
        from_name="Anna Nowak",
        from_address="anna@acme.example",
        postal_address="ul. Długa 7, Warszawa",
        smtp=SmtpServer(host="127.0.0.1", port=25),
    )
    return compose(
        identity,
        to_address="zofia@firma.example",
        to_name="Zofia",
        subject=subject,
        text=text,
        html=None,
        message_id="1.abc@acme.example",
        date=datetime(2026, 3, 10, 11, tzinfo=UTC),
        list_id="news.acme.example",
        unsubscribe_url="https://mail.acme.example/u/abc",
    ).data


def ask(message: bytes, port: int, timeout: float = 60) -> SpamScore:
    return asyncio.run(spam_score(message, host="127.0.0.1", port=port, timeout=timeout))


@pytest.fixture(scope="module")
def spamd() -> Iterator[int]:
    with running_spamd() as port:
        yield port


def test_a_good_mail_has_few_points_and_spam_many(spamd: int) -> None:
    good = ask(mail("Our talk on Tuesday", GOOD), spamd)
    bad = ask(mail("VIAGRA!!! Act now", BAD), spamd)
    assert good.score < 2.0 and good.threshold == 5.0
    assert bad.score > 8.0
    assert len(bad.rules) > 3
    assert all(rule.name.isupper() and rule.description for rule in bad.rules)
    assert bad.rules[0].points == max(rule.points for rule in bad.rules) > 1
    # Points are rounded one by one.
    assert sum(rule.points for rule in bad.rules) == pytest.approx(bad.score, abs=1)


def test_letters_and_long_lines_get_there_whole(spamd: int) -> None:
    text = "Zażółć gęślą jaźń. " * 4000
    assert ask(mail("Zażółć", text), spamd).score < 5.0


@contextmanager
def server(answer: bytes, *, hang: bool = False) -> Iterator[int]:
    """Something that listens and says `answer` to one caller."""
    done = threading.Event()
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:

        def serve() -> None:
            line, _ = listening.accept()
            with line:
                while line.recv(65_536):
                    pass
                line.sendall(answer)
                if hang:
                    done.wait(30)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            done.set()
            thread.join(10)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "is no spamd"),
        (b"", "is no spamd"),
        (b"SPAMD/1.0 76 Bad header line: (EOF)\r\n", "answered Bad"),
        (b"SPAMD/1.1 74 EX_IOERR\r\n\r\n", "answered EX_IOERR"),
        (b"SPAMD/1.1 0 EX_OK\r\n\r\nhello", "gave no score"),
    ],
)
def test_what_is_no_answer_is_one_sentence(answer: bytes, sentence: str) -> None:
    with server(answer) as port, pytest.raises(SpamdError, match=sentence) as caught:
        ask(b"x: y\r\n\r\n", port)
    assert not caught.value.nobody


def test_a_daemon_that_says_nothing_is_not_waited_for_for_ever() -> None:
    sentence = r"did not answer within 0\.2 s"
    with server(b"SPAMD/1.1 0", hang=True) as port, pytest.raises(SpamdError, match=sentence):
        ask(b"x: y\r\n\r\n", port, timeout=0.2)


def test_nobody_there_is_told_apart() -> None:
    with pytest.raises(SpamdError, match="no spamd listens at 127") as caught:
        ask(b"x: y\r\n\r\n", free_port())
    assert caught.value.nobody


def test_a_report_in_other_words_and_with_long_descriptions_is_read() -> None:
    report = (
        b"SPAMD/1.1 0 EX_OK\r\nContent-length: 400\r\nSpam: True ; 6.5 / 4.0\r\n\r\n"
        b"Inhaltsanalyse im Detail:   (6.5 Punkte, 4.0 ben\xc3\xb6tigt)\n\n"
        b"Pkte Regelname              Beschreibung\n"
        b"---- ---------------------- ------------------------------\n"
        b"-0.1 DKIM_VALID             in Ordnung\n"
        b" 2.5 HTML_IMAGE_ONLY_08     BODY: Bilder mit wenig\n"
        b"                            Text\n"
        b"   * FROM_ODD               seltsam\n"
        b"\n\nThe original message was not\n 9.9 NO_RULE here\n"
    )
    with server(report) as port:
        found = ask(b"x: y\r\n\r\n", port)
    assert (found.score, found.threshold) == (6.5, 4.0)
    assert [(rule.name, rule.points, rule.description) for rule in found.rules] == [
        ("HTML_IMAGE_ONLY_08", 2.5, "BODY: Bilder mit wenig Text"),
        ("FROM_ODD", 0.0, "seltsam"),
        ("DKIM_VALID", -0.1, "in Ordnung"),
    ]


def test_the_daemon_of_the_tests_ends_with_them() -> None:
    with running_spamd() as port:
        pass
    with pytest.raises(SpamdError) as caught:
        ask(b"x: y\r\n\r\n", port)
    assert caught.value.nobody
