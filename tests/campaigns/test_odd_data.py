"""Whatever a lead or a template holds, the mail has the fields it should and no other.

Odd data is made harmless or refused; a message is never broken by it, nor a field smuggled in.
"""

import re
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns import Claimed, Office
from campaigns.writing import write_message
from deliverability import EnvelopeError
from leads import Recipient
from templates import RenderError, compile_template
from tests.campaigns.world import ANNA
from tests.conftest import NOW

GOLDEN = Path(__file__).parents[1] / "golden"
TOML = """
subject = "{{ lead.first_name }} of {{ lead.company }}: {{ lead.attributes.note }}"
preheader = "For {{ lead.company }}"
topic = "news"
[defaults]
first_name = "you"
company = "yours"
attributes.note = "a word"
[[attachment]]
file = "a.pdf"
name = "Offer for {{ lead.company }}.pdf"
"""
HTML = (
    '<p title="{{ lead.company }}">Dear {{ lead.first_name }}, {{ lead.attributes.note }}, '
    '<a href="https://example.com/?c={{ lead.company|urlencode }}">go</a> '
    '<a href="{{ links.unsubscribe }}">Stop</a> {{ sender.postal_address }}</p>'
)
COMPILED = compile_template(
    "odd", {"message.toml": TOML.encode(), "body.html": HTML.encode(), "a.pdf": b"%PDF"}
)
FIELDS = [
    *("From", "Reply-To", "To", "Subject", "Date", "Message-ID", "List-Id", "List-Unsubscribe"),
    *("List-Unsubscribe-Post", "Feedback-ID", "MIME-Version", "Content-Type"),
]
OFFICE = Office(
    identity=replace(ANNA, reply_to="replies@sender.example"),
    identity_version_id=1,
    base_url="https://mail.example.com",
    link_keys=(b"k" * 32,),
)


def claimed(**fields: Any) -> Claimed:
    given: dict[str, Any] = {
        "lead_id": 1,
        "email": "ola@example.org",
        "domain": "example.org",
        "token": "00112233aabbccdd",
        "stage_at": NOW,
    }
    return Claimed(
        message_id=7,
        run_id=1,
        campaign="hello",
        identity="anna",
        lane_id=1,
        attempt=1,
        deferrals=0,
        template_version_id=1,
        rfc_message_id="0123456789ab.mail.0.00112233aabbccdd@sender.example",
        when_in_doubt="hold",
        expires_at=NOW + timedelta(days=5),
        claimed_at=NOW,
        recipient=Recipient(**{**given, **fields}),
    )


def made(office: Office = OFFICE, **fields: Any) -> bytes:
    return write_message(claimed(**fields), COMPILED, office).envelope.data


def parsed(data: bytes) -> EmailMessage:
    message = message_from_bytes(data, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def require_sound(data: bytes) -> EmailMessage:
    """The mail has our fields once, in order, and the parts that the template has."""
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n|\0", data)
    assert data.isascii() and max(map(len, data.split(b"\r\n"))) <= 998
    message = parsed(data)
    assert [name for name, _ in message.raw_items()] == FIELDS
    assert [part.get_content_type() for part in message.walk()] == [
        *("multipart/mixed", "multipart/alternative", "text/plain", "text/html"),
        "application/pdf",
    ]
    assert not any(part.defects for part in message.walk())
    (to,) = message["To"].addresses
    assert to.addr_spec == "ola@example.org"
    return message


def body_of(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert isinstance(part, EmailMessage)
    return str(part.get_content())


anything = st.text(st.characters(), max_size=200) | st.sampled_from(
    [
        "\r\nBcc: everybody@example.net",
        "a\nb",
        "\u2028Bcc: x@example.net",
        "\x85\x1cX: y",
        "=?utf-8?q?a=0D=0ABcc:_x?=",
        "\ud800",
        '"<x@example.net>,',
        "a" * 10_000,
        "ż ó" * 3_000,
        "--=_",
    ]
)


@settings(max_examples=150, deadline=None)
@given(name=anything, first_name=anything, company=anything, note=anything)
def test_no_field_of_a_lead_can_write_a_header(
    name: str, first_name: str, company: str, note: str
) -> None:
    fields = {"name": name, "first_name": first_name, "company": company}
    try:
        data = made(**fields, attributes={"note": note})
    except RenderError as error:
        # Refused: a subject nobody would read. The lead's message is skipped and says why.
        assert "subject has" in str(error)
        return
    require_sound(data)


@settings(max_examples=100, deadline=None)
@given(from_name=anything, reply_to=anything.map(lambda text: f"{text[:50]}@example.com"))
def test_no_setting_can_write_a_header(from_name: str, reply_to: str) -> None:
    identity = replace(ANNA, from_name=from_name, reply_to=reply_to)
    try:
        data = made(replace(OFFICE, identity=identity))
    except EnvelopeError:
        return
    require_sound(data)


CASES: dict[str, dict[str, Any]] = {
    "odd_html": {
        "name": "<b>Max</b> & Co",
        "first_name": "<script>alert(1)</script>",
        "company": 'ACME "Quoted" & <i>Sons</i>',
    },
    "odd_line_ends": {
        "name": "Ola\r\nBcc: everybody@example.net",
        "first_name": "Ola\r\nBcc: everybody@example.net",
        "company": "Fir\nma\u2028X: y",
    },
    "odd_nul": {"name": "O\0la", "first_name": "O\0la", "company": "\x01\x02Firma\x7f"},
    "odd_direction": {
        "name": "\u202eamirp",
        "first_name": "\u202eamirp",
        "company": "\u05d7\u05d1\u05e8\u05d4\u200f \u2067x",
    },
    "odd_emoji": {"name": "Ola 🎉", "first_name": "👩‍💻 Ola", "company": "🚀🚀 sp. z o.o."},
    "odd_long": {"name": "Żółć " * 2_000, "first_name": "Ola", "company": "Ż" * 300},
    "odd_encoded": {
        "name": "=?utf-8?q?a?=",
        "first_name": "=?utf-8?q?a=0D=0ABcc:_x?=",
        "company": "{{ lead.email }} {% raw %}",
    },
}


@pytest.mark.parametrize("case", CASES)
def test_golden_mails_to_odd_leads_stay_as_they_are(case: str) -> None:
    data = made(**CASES[case])
    message = require_sound(data)
    assert data == (GOLDEN / f"{case}.eml").read_bytes()
    html = body_of(message, "html")
    assert "<script>" not in html and "<i>" not in html
    company = " ".join(
        re.sub("[\x00-\x08\x7f\u202a-\u202e\u2066-\u2069]", "", CASES[case]["company"]).split()
    )
    assert company in message["Subject"]


def test_a_name_too_long_to_read_is_cut_in_to_and_refused_in_the_subject() -> None:
    message = require_sound(made(name="Ola " * 3_000))
    assert len(message["To"].addresses[0].display_name) <= 120
    with pytest.raises(RenderError, match="the subject has"):
        made(first_name="Ola " * 3_000)
