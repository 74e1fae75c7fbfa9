"""Pictures and attachments inside a mail: a parser finds each one as it was, under its name."""

from base64 import b64encode
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from hypothesis import given, settings
from hypothesis import strategies as st

from deliverability import Enclosure, EnvelopeError, compose
from tests.deliverability.samples import ANNA, mail, parts
from tests.deliverability.test_dkim import asked, keep, record
from tests.deliverability.test_envelope import lines_of, parsed

GOLDEN = Path(__file__).parents[1] / "golden"
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f64540"
    "0000000049454e44ae426082"
)
HTML = '<p>Hello <img src="cid:logo.png@0123456789abcdef.01234567" alt="Potok"></p>\n'


def enclosed(data: bytes, name: str = "a.pdf", kind: str = "application/pdf") -> Enclosure:
    text = b64encode(data).decode()
    lines = "\r\n".join(text[at : at + 76] for at in range(0, len(text), 76))
    return Enclosure(name=name, type=kind, data=lines)


LOGO = Enclosure(
    name="logo.png",
    type="image/png",
    data=enclosed(PIXEL).data,
    content_id="logo.png@0123456789abcdef.01234567",
)
PRICES = enclosed(b"%PDF-1.7 " + bytes(range(256)), "Cennik dla Żółkiewskiej 2026.pdf")
INVITE = enclosed(b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "demo.ics", "text/calendar")


def shape(message: EmailMessage) -> object:
    """`["mixed", ...]`: how the parts lie in one another."""
    if not message.is_multipart():
        return message.get_content_type()
    inner = [shape(each) for each in message.iter_parts() if isinstance(each, EmailMessage)]
    return [message.get_content_subtype(), *inner]


def test_pictures_lie_beside_the_html_and_attachments_around_all() -> None:
    message = parsed(mail(html=HTML, enclosures=[LOGO, PRICES, INVITE]).data)
    related = ["related", "text/html", "image/png"]
    assert shape(message) == [
        "mixed",
        ["alternative", "text/plain", related],
        "application/pdf",
        "text/calendar",
    ]
    assert not any(part.defects for part in message.walk())
    picture = next(part for part in message.walk() if part.get_content_type() == "image/png")
    assert picture["Content-ID"] == "<logo.png@0123456789abcdef.01234567>"
    assert picture.get_content_disposition() == "inline"
    assert picture.get_payload(decode=True) == PIXEL


@pytest.mark.parametrize(
    ("html", "files", "expected"),
    [
        (None, [], "text/plain"),
        (None, [PRICES], ["mixed", "text/plain", "application/pdf"]),
        (None, [LOGO], "text/plain"),
        (HTML, [], ["alternative", "text/plain", "text/html"]),
        (HTML, [LOGO], ["alternative", "text/plain", ["related", "text/html", "image/png"]]),
        (HTML, [PRICES], ["mixed", ["alternative", "text/plain", "text/html"], "application/pdf"]),
    ],
)
def test_a_layer_is_there_only_when_it_holds_something(
    html: str | None, files: list[Enclosure], expected: object
) -> None:
    assert shape(parsed(mail(html=html, enclosures=files).data)) == expected


names = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=300
)


@settings(max_examples=300, deadline=None)
@given(name=names, data=st.binary(max_size=400))
def test_a_parser_reads_back_name_and_bytes(name: str, data: bytes) -> None:
    envelope = mail(html=None, enclosures=[enclosed(data, name)])
    assert max(map(len, lines_of(envelope.data))) <= 78
    message = parsed(envelope.data)
    (found,) = list(message.iter_attachments())
    assert found.get_payload(decode=True) == data
    # The parser folds blanks of a quoted name as RFC 5322 3.2.2 lets it.
    assert " ".join((found.get_filename() or "").split()) == " ".join(name.split())
    assert sorted(field.lower() for field in dict(found)) == [
        "content-disposition",
        "content-transfer-encoding",
        "content-type",
    ]


@pytest.mark.parametrize("name", ["a\r\nBcc: x@example.com", "a\0b.pdf", "a\nb", "\u2028.pdf", ""])
def test_a_name_that_could_end_a_line_is_refused(name: str) -> None:
    with pytest.raises(EnvelopeError):
        mail(enclosures=[enclosed(b"x", name)])


def test_a_mail_with_files_is_signed_as_it_travels(tmp_path: Path) -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    identity = replace(ANNA, dkim=keep(tmp_path / "key.pem", key))
    envelope = compose(identity, **parts(html=HTML, enclosures=[LOGO, PRICES, INVITE]))
    assert dkim.verify(envelope.data, dnsfunc=asked(record(key)))


def test_the_golden_mail_with_files_stays_as_it_is() -> None:
    data = mail(html=HTML, enclosures=[LOGO, PRICES, INVITE]).data
    assert data == (GOLDEN / "envelope_files.eml").read_bytes()
