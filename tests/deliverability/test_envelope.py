"""The mail on the wire: what was asked for comes back out of a parser, and nothing else does."""

import re
import subprocess
import sys
import textwrap
from datetime import datetime, timedelta, timezone
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.headerregistry import AddressHeader
from email.message import EmailMessage
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from deliverability import EnvelopeError, compose
from deliverability.quoted import quoted_printable
from tests.deliverability.samples import ANNA, DATE, mail, parts

GOLDEN = Path(__file__).parents[1] / "golden"


def parsed(data: bytes) -> EmailMessage:
    message = message_from_bytes(data, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def address(message: EmailMessage, field: str) -> tuple[str, str]:
    (one,) = cast(AddressHeader, message[field]).addresses
    return one.display_name, one.addr_spec


def name_in(data: bytes, field: str) -> str:
    """The display name. Python 3.11 joins several encoded words of a phrase wrongly, so those are
    decoded by its older decoder (RFC 2047 6.2: blanks between them do not count).
    """
    raw = message_from_bytes(data, policy=policy.compat32)[field].replace("\r\n", "")
    phrase = raw.rpartition("<")[0].strip()
    if phrase.startswith("=?utf-8?"):
        return str(make_header(decode_header(phrase)))
    return address(parsed(data), field)[0]


def body_of(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return cast(EmailMessage, part).get_content()


def lines_of(data: bytes) -> list[bytes]:
    assert data.endswith(b"\r\n")
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n", data), "a bare CR or LF"
    return data.split(b"\r\n")[:-1]


# Letters of many scripts, no control characters, no surrogates.
words = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), max_size=120)
texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=400)


@settings(max_examples=300, deadline=None)
@given(subject=words, name=words, text=texts, html=st.none() | texts)
def test_a_parser_reads_back_what_was_written(
    subject: str, name: str, text: str, html: str | None
) -> None:
    envelope = mail(subject=subject, to_name=name, text=text, html=html)
    lines = lines_of(envelope.data)
    assert max(map(len, lines)) <= 998
    head, _, body = envelope.data.partition(b"\r\n\r\n")
    assert body.isascii() and head.isascii()
    assert all(len(line) <= 76 for line in body.split(b"\r\n"))
    message = parsed(envelope.data)
    assert not message.defects
    assert message["Subject"] == subject
    assert address(message, "To")[1] == "jan@example.org"
    assert name_in(envelope.data, "To") == " ".join(name.split())
    got = body_of(message, "plain").replace("\r\n", "\n").replace("\r", "\n")
    wanted = text.replace("\r\n", "\n").replace("\r", "\n")
    assert got.rstrip("\n") == wanted.rstrip("\n")
    if html is not None:
        got = body_of(message, "html").replace("\r\n", "\n").replace("\r", "\n")
        assert got.rstrip("\n") == html.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")
    assert envelope == mail(subject=subject, to_name=name, text=text, html=html)


@settings(max_examples=200, deadline=None)
@example(field="list_id", before="", control="\r", after="<0")
@given(
    field=st.sampled_from(["subject", "to_name", "list_id", "unsubscribe_url", "message_id"]),
    before=st.text(max_size=10),
    control=st.sampled_from(
        ["\r", "\n", "\r\n", "\x00", "\x0b", "\x85", "\u2028", "\x7f", "\ud800"]
    ),
    after=st.text(max_size=10),
)
def test_a_control_character_never_reaches_a_header(
    field: str, before: str, control: str, after: str
) -> None:
    with pytest.raises(EnvelopeError):
        mail(**{field: f"{before}{control}Bcc: x@example.net{after}"})


@pytest.mark.parametrize(
    "to_address",
    [
        "jan@example.org\r\nBcc: x@example.net",
        "jan@example.org> SIZE=1",
        "jan example@example.org",
        "<jan@example.org>",
        "jan@example.org,eve@example.org",
        "jan",
        "@example.org",
        "jan@",
        "jan@exa mple.org",
        "jan@-bad-.org/x",
        "a" * 65 + "@example.org",
        "a@" + "b" * 60 + ("." + "c" * 60) * 4,
        "jan..x@example.org",
    ],
)
def test_what_is_no_address_is_refused(to_address: str) -> None:
    with pytest.raises(EnvelopeError):
        mail(to_address=to_address)


@pytest.mark.parametrize(
    ("to_address", "recipient", "utf8"),
    [
        ("Jan.Kowalski+x@Example.ORG", "Jan.Kowalski+x@example.org", False),
        ("jan@żółw.pl", "jan@xn--w-uga1v8h.pl", False),
        ("jan@XN--W-UGA1V8H.pl", "jan@xn--w-uga1v8h.pl", False),
        ("żółw@example.org", "żółw@example.org", True),
        ('"jan k"@example.org', '"jan k"@example.org', False),
        ("jan@[127.0.0.1]", "jan@[127.0.0.1]", False),
    ],
)
def test_domains_travel_in_ascii_and_local_parts_as_given(
    to_address: str, recipient: str, utf8: bool
) -> None:
    envelope = mail(to_address=to_address)
    assert (envelope.recipient, envelope.needs_smtputf8) == (recipient, utf8)
    assert f"<{recipient}>".encode() in envelope.data


def test_the_fields_a_bulk_mail_needs() -> None:
    message = parsed(mail().data)
    assert address(message, "From") == ("Anna Żółkiewska", "anna@example.com")
    assert message.get_all("Message-ID") == ["<a1b2c3d4e5f6.mail.0.0123456789abcdef@example.com>"]
    assert message["Date"].datetime == DATE
    assert message["List-Id"] == "<spring.example.com>"
    assert message["List-Unsubscribe"] == (
        "<https://mail.example.com/u/abc.def>,"
        " <mailto:anna@example.com?subject=unsubscribe%20abc.def>"
    )
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    kinds = [part.get_content_type() for part in message.walk()]
    assert kinds == ["multipart/alternative", "text/plain", "text/html"]
    for field in ("From", "To", "Subject", "Date", "Message-ID", "MIME-Version"):
        assert len(message.get_all(field, [])) == 1


def test_one_click_is_announced_for_https_only() -> None:
    plain = parsed(mail(unsubscribe_url="http://127.0.0.1:8000/u/x").data)
    assert "List-Unsubscribe-Post" not in plain
    assert plain["List-Unsubscribe"].startswith("<http://127.0.0.1:8000/u/x>")
    by_mail = parsed(mail(unsubscribe_url=None, unsubscribe_mailto="u@example.com").data)
    assert by_mail["List-Unsubscribe"] == "<mailto:u@example.com>"
    assert "List-Unsubscribe-Post" not in by_mail
    none = parsed(mail(unsubscribe_url=None, unsubscribe_mailto=None, list_id=None).data)
    assert "List-Unsubscribe" not in none and "List-Id" not in none


@pytest.mark.parametrize("url", ["https://x.test/a b", "https://x.test/<>", "", "https://x.test/ż"])
def test_a_link_that_no_program_could_open_is_refused(url: str) -> None:
    if url:
        with pytest.raises(EnvelopeError):
            mail(unsubscribe_url=url)
    else:
        assert "List-Unsubscribe-Post" not in parsed(mail(unsubscribe_url=url).data)


def test_further_fields() -> None:
    message = parsed(mail(headers={"Feedback-ID": "spring:anna:potok:example"}).data)
    assert message["Feedback-ID"] == "spring:anna:potok:example"
    for name in ("Bcc", "from", "DKIM-Signature", "Content-Type"):
        with pytest.raises(EnvelopeError, match="cannot be set"):
            mail(headers={name: "x"})
    for name in ("X Y", "X:Y", "", "X\r\nBcc", "Ż"):
        with pytest.raises(EnvelopeError):
            mail(headers={name: "x"})


def test_subjects_fold_at_78_and_names_stay_within_their_line() -> None:
    for subject in ("word " * 40 + "end", "Zażółć gęślą jaźń " * 12 + "!", "日本語の件名" * 12):
        head = mail(subject=subject, to_name=subject[:90].strip()).data.partition(b"\r\n\r\n")[0]
        assert all(len(line) <= 78 for line in head.split(b"\r\n"))


def test_encoded_words_are_cut_between_characters() -> None:
    head = mail(subject="ż" * 200).data.decode()
    found = re.findall(r"=\?utf-8\?([qb])\?([^?]*)\?=", head)
    assert len(found) > 3
    for word in re.findall(r"=\?[^ ]+\?=", head):
        assert len(word) <= 75  # RFC 2047 2
        one = parsed(f"Subject: {word}\r\n\r\n".encode())
        assert "\ufffd" not in one["Subject"]


def test_a_mail_without_html_is_a_single_part() -> None:
    message = parsed(mail(html=None, text="Cześć").data)
    assert message.get_content_type() == "text/plain"
    assert message.get_content() == "Cześć\r\n"


def test_a_line_that_mail_stores_would_change_is_encoded() -> None:
    data = mail(text="From here on\n.\n..\nżFrom\n", html=None).data
    assert b"\r\nFrom " not in data
    assert parsed(data).get_content() == "From here on\r\n.\r\n..\r\nżFrom\r\n"


def test_the_boundary_depends_on_the_message_alone() -> None:
    one, two = mail(), mail(message_id="other@example.com")
    assert one.data == mail().data
    boundary = parsed(one.data).get_boundary()
    assert boundary and boundary != parsed(two.data).get_boundary()


def test_a_date_without_a_zone_is_refused() -> None:
    with pytest.raises(EnvelopeError):
        mail(date=datetime(2026, 3, 10))  # noqa: DTZ001
    local = DATE.astimezone(timezone(timedelta(hours=1)))
    assert parsed(mail(date=local).data)["Date"].datetime == DATE


def test_where_reports_and_answers_go() -> None:
    from dataclasses import replace

    other = replace(ANNA, bounce_address="bounces@żółw.pl", reply_to="office@example.com")
    envelope = compose(other, **parts())
    assert envelope.sender == "bounces@xn--w-uga1v8h.pl"
    assert address(parsed(envelope.data), "Reply-To") == ("", "office@example.com")


@settings(max_examples=300, deadline=None)
@given(texts)
def test_quoted_printable_decodes_to_the_same_text(text: str) -> None:
    import quopri

    encoded = quoted_printable(text)
    assert encoded.isascii()
    lines = encoded.split(b"\r\n")
    assert all(len(line) <= 76 and not line.endswith((b" ", b"\t")) for line in lines)
    wanted = text.replace("\r\n", "\n").replace("\r", "\n")
    assert quopri.decodestring(encoded.replace(b"\r\n", b"\n")).decode() == wanted


def test_the_same_mail_in_another_process_is_the_same_bytes() -> None:
    program = """
        import hashlib
        from tests.deliverability.samples import mail
        print(hashlib.sha256(mail().data).hexdigest())
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    from hashlib import sha256

    assert done.stdout.strip() == sha256(mail().data).hexdigest()


CASES: dict[str, dict[str, Any]] = {
    "envelope_english": {},
    "envelope_polish": {
        "to_name": "Żółć, Józef",
        "to_address": "józef@żółw.pl",
        "subject": "Zażółć gęślą jaźń: krótka notatka o cenach, terminach i dalszych krokach",
        "text": "Cześć Józefie,\n\nto jest bardzo długi wiersz, który nie mieści się w"
        " siedemdziesięciu sześciu znakach i musi być złamany.\n\n-- \nAnna\n",
        "html": '<p style="color: #333">Cześć Józefie,</p>\n<p>ceny: 1 = 2 zł</p>\n',
    },
    "envelope_text_only": {"html": None, "unsubscribe_url": None},
}


@pytest.mark.parametrize("name", CASES)
def test_golden_mails_stay_as_they_are(name: str) -> None:
    """A change here changes what people get: look at the difference, then write the file anew."""
    path = GOLDEN / f"{name}.eml"
    assert mail(**CASES[name]).data == path.read_bytes()
