"""The mails that come back, as mail programs and servers write them.

A person's reply quotes what it answers (RFC 5322 3.6.4), a machine says that it is one (RFC 3834),
a bounce is a report with the header of the mail in it (RFC 3464, RFC 6522), an opt-out goes where
List-Unsubscribe says (RFC 2369).
"""

import re
import zlib
from collections.abc import Sequence
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8, default
from email.utils import format_datetime
from urllib.parse import parse_qs, unquote, urlsplit

_REPLIES = {
    "en": (
        "Thanks, this is what I wanted to know. Could we talk on Thursday after two?",
        "Sounds good. What would it cost for twelve people?",
        "I showed it to our accountant and she likes it. Please send me a contract to read.",
        "Not before spring, I am afraid: the budget is gone. Ask me again in March?",
        "Does it work with the shop we have? If so, I would like to see it.",
    ),
    "pl": (
        "Dziękuję, o to mi chodziło. Czy możemy porozmawiać w czwartek po czternastej?",
        "Brzmi dobrze. Ile to będzie kosztować dla dwunastu osób?",
        "Księgowość już to widziała i jest za. Proszę przesłać umowę do wglądu.",
        "Niestety nie przed wiosną, budżet na ten rok mamy zamknięty. Proszę wrócić w marcu.",
        "Czy to zadziała z naszym sklepem? Jeśli tak, chętnie zobaczymy, jak to wygląda.",
    ),
}
_AWAY = {
    "en": (
        "Automatic reply: {subject}",
        "I am out of the office until Monday and read no mail until then.\n"
        "In urgent cases please call our reception.",
    ),
    "pl": (
        "Automatyczna odpowiedź: {subject}",
        "Jestem na urlopie do poniedziałku i do tego czasu nie czytam poczty.\n"
        "W pilnych sprawach proszę dzwonić do sekretariatu.",
    ),
}
_WROTE = {"en": "On {when} {who} wrote:", "pl": "W dniu {when} {who} pisze:"}
_REFUSED = {
    "hard_bounce": ("5.1.1", "550 5.1.1 <{to}>: Recipient address rejected: User unknown"),
    "soft_bounce": ("4.2.2", "452 4.2.2 <{to}>: Mailbox full; gave up after several tries"),
}
#: Lines of the original that a reply quotes.
_QUOTED = 8


def compose_answer(kind: str, address: str, mail: bytes, *, at: datetime) -> tuple[str, bytes]:
    """(Message-ID of the mail that is answered, the answer); `kind` as in `answering.Kind`."""
    original = message_from_bytes(mail, policy=default)
    message_id = str(original["Message-ID"] or "").strip().strip("<>")
    if kind in _REFUSED:
        return message_id, _bounce(kind, address, mail, original, at=at)
    answer = EmailMessage(policy=SMTP if address.isascii() else SMTPUTF8)
    name = _name(original)
    answer["From"] = f'"{name}" <{address}>' if name else address
    answer["Date"] = format_datetime(at)
    answer["Message-ID"] = _new_id(address, kind)
    language = "pl" if _is_polish(original) else "en"
    subject = _whole(original["Subject"])
    if kind == "opt_out":
        link = urlsplit(re.findall(r"<(mailto:[^>]+)>", str(original["List-Unsubscribe"]))[0])
        answer["To"] = unquote(link.path)
        answer["Subject"] = parse_qs(link.query)["subject"][0]
        answer.set_content("\n")
        return message_id, answer.as_bytes()
    sender = _whole(original["From"])
    answer["To"] = _whole(original["Reply-To"]) or sender
    answer["In-Reply-To"] = answer["References"] = f"<{message_id}>"
    if kind == "away":
        head, words = _AWAY[language]
        answer["Subject"] = head.format(subject=subject)
        answer["Auto-Submitted"] = "auto-replied"
        answer["X-Auto-Response-Suppress"] = "All"
        answer.set_content(f"{words}\n\n{name}\n")
        return message_id, answer.as_bytes()
    answer["Subject"] = f"{'Odp' if language == 'pl' else 'Re'}: {subject}"
    words = _one_of(_REPLIES[language], address)
    wrote = _WROTE[language].format(when=f"{at:%Y-%m-%d %H:%M}", who=sender)
    quoted = "\n".join(f"> {line}".rstrip() for line in _text(original).splitlines()[:_QUOTED])
    answer.set_content(f"{words}\n\n{name}\n\n{wrote}\n{quoted}\n")
    return message_id, answer.as_bytes()


def _bounce(kind: str, address: str, mail: bytes, original: EmailMessage, *, at: datetime) -> bytes:
    status, said = _REFUSED[kind]
    said = said.format(to=address)
    host = f"mx.{address.rpartition('@')[2]}"
    head = re.split(rb"\r?\n\r?\n", mail, maxsplit=1)[0].replace(b"\r\n", b"\n")
    mark = f"=_report_{zlib.crc32(address.encode()):08x}"
    report = f"""\
From: Mail Delivery System <MAILER-DAEMON@{host}>
To: {original["From"].addresses[0].addr_spec}
Subject: Undelivered Mail Returned to Sender
Date: {format_datetime(at)}
Message-ID: {_new_id(address, kind)}
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="{mark}"

--{mark}
Content-Type: text/plain; charset=utf-8

This is the mail system at host {host}.

Your message could not be delivered to one or more recipients.

<{address}>: {said}

--{mark}
Content-Type: message/delivery-status

Reporting-MTA: dns; {host}
Arrival-Date: {format_datetime(at)}

Final-Recipient: rfc822; {address}
Action: failed
Status: {status}
Diagnostic-Code: smtp; {said}

--{mark}
Content-Type: text/rfc822-headers

"""
    return (report.encode() + head + f"\n\n--{mark}--\n".encode()).replace(b"\n", b"\r\n")


def _name(original: EmailMessage) -> str:
    to = original["To"]
    return _whole(to.addresses[0].display_name) if to and to.addresses else ""


def _whole(value: object) -> str:
    """A header's text; letters sent as UTF-8 (RFC 6531) are letters again."""
    return str(value or "").encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _text(original: EmailMessage) -> str:
    body = original.get_body(("plain",))
    return str(body.get_content()).strip() if body is not None else ""


def _is_polish(original: EmailMessage) -> bool:
    return "dzień dobry" in _text(original).casefold()


def _one_of(texts: Sequence[str], address: str) -> str:
    return texts[zlib.crc32(f"words:{address.casefold()}".encode()) % len(texts)]


def _new_id(address: str, kind: str) -> str:
    domain = address.rpartition("@")[2].encode("idna").decode()
    return f"<{zlib.crc32(address.encode()):08x}.{kind}@{domain}>"
