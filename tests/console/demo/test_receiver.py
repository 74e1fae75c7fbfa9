"""The receiver answers like the provider of the domain, and its record is true."""

import os
import signal
import smtplib
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from console.demo.process import ReceiverProcess
from console.demo.receiver import message_id_of
from tests.receiver import StartReceiver


@contextmanager
def client(receiver: ReceiverProcess) -> Iterator[smtplib.SMTP]:
    connection = smtplib.SMTP("127.0.0.1", receiver.port, timeout=10)
    yield connection
    connection.close()


def mail(message_id: str) -> bytes:
    return f"Message-ID: <{message_id}>\r\nSubject: Cześć\r\n\r\nHello\r\n".encode()


def send(connection: smtplib.SMTP, recipient: str, message_id: str = "1@sender.test") -> None:
    connection.sendmail("us@sender.test", [recipient], mail(message_id))


def refusal(connection: smtplib.SMTP, recipient: str) -> tuple[int, bytes]:
    with pytest.raises(smtplib.SMTPRecipientsRefused) as caught:
        send(connection, recipient)
    return caught.value.recipients[recipient]


def test_what_it_took_is_in_its_record(receiver: ReceiverProcess) -> None:
    with client(receiver) as connection:
        send(connection, "anna@any.test", "1@sender.test")
        send(connection, "jan@any.test", "2@sender.test")
    assert receiver.accepted() == ["1@sender.test", "2@sender.test"]
    assert [line.recipient for line in receiver.taken()] == ["anna@any.test", "jan@any.test"]


@pytest.mark.parametrize(
    ("recipient", "code", "words"),
    [
        ("nobody@unknown.test", 550, b"5.1.1"),
        ("anna@full.test", 452, b"4.2.2"),
        ("anna@broken.test", 552, b"5.2.2"),
        ("anna@greylist.test", 450, b"4.2.0"),
    ],
)
def test_it_refuses_in_the_words_of_a_real_one(
    receiver: ReceiverProcess, recipient: str, code: int, words: bytes
) -> None:
    with client(receiver) as connection:
        answer = refusal(connection, recipient)
    assert answer[0] == code
    assert answer[1].startswith(words)
    assert receiver.accepted() == []


def test_greylisting_ends_after_a_while(receiver: ReceiverProcess) -> None:
    with client(receiver) as connection:
        assert refusal(connection, "anna@greylist.test")[0] == 450
        time.sleep(0.6)
        send(connection, "anna@greylist.test")
    assert receiver.accepted() == ["1@sender.test"]


def test_above_its_rate_it_asks_to_slow_down(receiver: ReceiverProcess) -> None:
    with client(receiver) as connection:
        for number in range(5):
            send(connection, "anna@strict.test", f"{number}@sender.test")
        assert refusal(connection, "anna@strict.test")[0] == 451
        time.sleep(0.3)
        send(connection, "anna@strict.test", "later@sender.test")
    assert receiver.accepted()[-1] == "later@sender.test"


def test_a_421_also_closes_the_connection(receiver: ReceiverProcess) -> None:
    with client(receiver) as connection:
        send(connection, "anna@hangup.test")
        with pytest.raises((smtplib.SMTPServerDisconnected, smtplib.SMTPRecipientsRefused)):
            send(connection, "jan@hangup.test")
        time.sleep(0.2)
        with pytest.raises(smtplib.SMTPServerDisconnected):
            connection.noop()


def test_it_can_take_a_mail_and_hang_up_without_saying_so(receiver: ReceiverProcess) -> None:
    with client(receiver) as connection, pytest.raises(smtplib.SMTPServerDisconnected):
        send(connection, "anna@drop.test")
    assert receiver.accepted() == ["1@sender.test"]


def test_addresses_with_letters_of_any_alphabet(receiver: ReceiverProcess) -> None:
    with client(receiver) as connection:
        connection.ehlo()
        connection.mail("us@sender.test", ["SMTPUTF8"])
        connection.rcpt("żaneta@skrzynka.test")
        assert connection.data(mail("1@sender.test"))[0] == 250
    assert receiver.taken()[0].recipient == "żaneta@skrzynka.test"


def test_mails_are_saved_when_asked_for(start_receiver: StartReceiver) -> None:
    receiver = start_receiver(save_mail=True)
    with client(receiver) as connection:
        send(connection, "anna@any.test", "1@sender.test")
        send(connection, "anna@any.test", "2@sender.test")
    names = sorted(path.name for path in receiver.mail.iterdir())
    assert names == ["anna@any.test.2.eml", "anna@any.test.eml"]


def test_a_kill_loses_nothing_that_was_answered(receiver: ReceiverProcess) -> None:
    with client(receiver) as connection:
        send(connection, "anna@any.test")
        os.kill(receiver.pid, signal.SIGKILL)
    assert receiver.accepted() == ["1@sender.test"]


@pytest.mark.parametrize(
    "head",
    [
        b"Message-ID: <a@b.test>\r\n",
        b"MESSAGE-ID:<a@b.test>\n",
        b"Subject: x\r\nMessage-ID:\r\n <a@b.test>\r\n",
    ],
)
def test_a_message_id_is_found_in_every_writing(head: bytes) -> None:
    assert message_id_of(head + b"\r\nMessage-ID: <not@this.test>\r\n") == "a@b.test"


def test_a_message_without_an_id_has_none() -> None:
    assert message_id_of(b"Subject: x\r\n\r\nMessage-ID: <not@this.test>\r\n") == ""
