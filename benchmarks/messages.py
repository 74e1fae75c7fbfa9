"""`python -m benchmarks.messages`: what one message costs before it meets the network.

A template of 25 kB with fields, conditions and a loop, for invented leads, each in turn:

* rendering (subject, text, HTML) and the MIME message, beside plain Jinja rendering the same HTML;
* quoted-printable, beside the standard library's;
* a DKIM signature with RSA-2048, beside the bare signature of `cryptography`.

    python -m benchmarks.messages --messages 500 --rounds 7 --write
"""

import argparse
import platform
from binascii import b2a_qp
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from jinja2 import Environment

from benchmarks.newsletter import newsletter
from benchmarks.report import write_section
from deliverability import DkimKey, Identity, SmtpServer, compose
from deliverability.dkim import body_digest, signer
from deliverability.quoted import quoted_printable
from leads import Recipient
from templates import Compiled, Letter, Links, Rendered, Sender, compile_template, render

NOW = datetime(2026, 3, 10, 11, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageRound:
    """Microseconds a message."""

    jinja: float
    message: float
    library_qp: float
    qp: float
    bare_signature: float
    signature: float


def template(sections: int = 12) -> Compiled:
    """The benchmark's template, some 25 kB of HTML once it is rendered."""
    files = newsletter(sections)
    return compile_template("news", {name: text.encode() for name, text in files.items()})


def letters(number: int) -> list[Letter]:
    """Invented leads with what the template reads."""
    sender = Sender(
        name="Anna", address="anna@acme.example", postal_address="Acme, 1 High St, York"
    )
    return [
        Letter(
            recipient=Recipient(
                lead_id=n,
                token=f"{n:016x}",
                domain="example.com",
                stage_at=NOW,
                email=f"lead{n}@example.com",
                first_name=f"Kaśka{n}",
                company=f"Firma {n} & Co",
                country="PL",
                stage="demo" if n % 3 else "new",
                tags=("webinar", f"group {n % 50}"),
            ),
            sender=sender,
            links=Links(unsubscribe=f"https://mail.acme.example/u/{n:032x}"),
        )
        for n in range(number)
    ]


def measure(number: int, rounds: int) -> tuple[list[MessageRound], int]:
    """Both of each kind in turn, after one round to warm up; and the bytes of a message."""
    compiled, asked = template(), letters(number)
    html = compiled.texts[""].html
    assert html is not None
    plain = Environment(autoescape=True).from_string(html.source)
    private = generate_private_key(public_exponent=65537, key_size=2048)
    with TemporaryDirectory() as folder:
        pem = Path(folder) / "dkim.pem"
        pem.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        signing = signer(DkimKey(domain="acme.example", selector="s1", private_key=pem))
    identity = Identity(
        name="anna",
        from_address="anna@acme.example",
        from_name="Anna",
        postal_address="Acme, 1 High St, York",
        smtp=SmtpServer(host="127.0.0.1"),
    )
    known: list[dict[str, Any]] = [
        {
            "lead": {
                "company": each.recipient.company,
                "country": each.recipient.country,
                "first_name": each.recipient.first_name,
                "stage": each.recipient.stage,
                "tags": each.recipient.tags,
            },
            "links": {"unsubscribe": each.links.unsubscribe},
            "sender": {"postal_address": each.sender.postal_address},
        }
        for each in asked
    ]

    def message(letter: Letter) -> bytes:
        made: Rendered = render(compiled, letter)
        return compose(
            identity,
            to_address=letter.recipient.email,
            to_name=letter.recipient.first_name,
            subject=made.subject,
            text=made.text,
            html=made.html,
            message_id=f"{letter.links.unsubscribe[-12:]}.mail.0@acme.example",
            date=NOW,
            list_id="news.acme.example",
            unsubscribe_url=letter.links.unsubscribe,
        ).data

    bodies = [render(compiled, each).html or "" for each in asked]
    mails = [message(each) for each in asked]
    parted = [mail.partition(b"\r\n\r\n") for mail in mails]
    ready = [
        (head.decode().replace("\r\n ", "\x00").split("\r\n"), body) for head, _, body in parted
    ]
    signed = [([f.replace("\x00", "\r\n ") for f in fields], body) for fields, body in ready]
    digests = [body[:400] for _, body in signed]
    found = []
    for _ in range(rounds + 1):
        found.append(
            MessageRound(
                jinja=_each(known, plain.render),
                message=_each(asked, message),
                library_qp=_each(bodies, lambda body: b2a_qp(body.encode())),
                qp=_each(bodies, quoted_printable),
                bare_signature=_each(digests, lambda it: private.sign(it, PKCS1v15(), SHA256())),
                signature=_each(signed, lambda it: signing.sign(it[0], body_digest(it[1]), at=NOW)),
            )
        )
    return found[1:], round(median(map(len, mails)))


def _each(things: list[Any], work: Callable[[Any], object]) -> float:
    began = perf_counter()
    for thing in things:
        work(thing)
    return (perf_counter() - began) / len(things) * 1e6


def page(found: list[MessageRound], number: int, size: int) -> str:
    """Markdown with the medians and the medians of the rounds' own ratios."""

    def row(what: str, ours: str, beside: str) -> str:
        mine = [getattr(each, ours) for each in found]
        theirs = [getattr(each, beside) for each in found]
        ratio = median(m / t for m, t in zip(mine, theirs, strict=True))
        return f"| {what} | {median(mine):.0f} | {median(theirs):.0f} | {ratio:.2f} |"

    return "\n".join(
        [
            f"{number} messages of {size / 1000:.1f} kB, {len(found)} rounds, medians;"
            f" {platform.machine()}, Python {platform.python_version()}.",
            "",
            "| what, beside what | us | beside, us | ratio |",
            "|---|---|---|---|",
            row("render and MIME, beside plain Jinja on the same HTML", "message", "jinja"),
            row("quoted-printable, beside `binascii.b2a_qp`", "qp", "library_qp"),
            row("DKIM signature RSA-2048, beside the bare one", "signature", "bare_signature"),
        ]
    )


def main() -> None:
    options = argparse.ArgumentParser(
        prog="python -m benchmarks.messages", description=(__doc__ or "").split("\n")[0]
    )
    options.add_argument("--messages", type=int, default=500)
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--write", action="store_true", help="write it into benchmarks/README.md")
    given = options.parse_args()
    text = page(*_found(given.messages, given.rounds))
    print(text)
    if given.write:
        write_section("Messages", text)


def _found(number: int, rounds: int) -> tuple[list[MessageRound], int, int]:
    found, size = measure(number, rounds)
    return found, number, size


if __name__ == "__main__":
    main()
