"""Leads and letters for the tests of this room."""

from datetime import UTC, datetime
from typing import Any

from leads import Recipient
from templates import Letter, Links, Sender

#: `potok.toml` of a workspace that has a sender and sends nowhere.
SETTINGS = """
database = "{database}"
time_zone = "Europe/Warsaw"
[pipeline.sales]
stages = ["new", "demo"]
[identity.anna]
from = "Anna Nowak <anna@example.com>"
postal_address = "ul. Długa 7, 00-238 Warszawa"
[identity.anna.smtp]
host = "127.0.0.1"
port = 9
tls = "none"
"""

SENDER = Sender(
    name="Anna Nowak",
    address="anna@studio.example",
    postal_address="ul. Długa 7, 00-238 Warszawa",
)
LINKS = Links(
    unsubscribe="https://mail.studio.example/u/abc?x=1&y=2",
    view="https://mail.studio.example/v/abc",
    preferences="https://mail.studio.example/p/abc",
    mailto_unsubscribe="mailto:u+abc@studio.example",
)


def lead(**fields: Any) -> Recipient:
    given: dict[str, Any] = {
        "lead_id": 1,
        "email": "zofia@firma.example",
        "domain": "firma.example",
        "token": "00112233aabbccdd",
        "stage": "demo",
        "stage_at": datetime(2026, 3, 1, 9, 30, tzinfo=UTC),
        **fields,
    }
    return Recipient(**given)


def letter(links: Links = LINKS, **fields: Any) -> Letter:
    return Letter(recipient=lead(**fields), sender=SENDER, links=links)


#: Twenty leads that differ in everything a template may ask for.
LEADS = [
    lead(
        lead_id=number,
        email=f"lead{number}@firma.example",
        first_name=("Zofia", "Łukasz", "<b>Max</b>", "O'Neill & Co", "")[number % 5],
        company=("Żółć & Synowie", "", 'ACME "Quoted"', "")[number % 4],
        language=("pl", "en", "")[number % 3],
        country=("PL", "DE", "")[number % 3],
        tags=tuple(f"tag {each}" for each in range(number % 4)),
        score=float(number * 7 % 11),
        attributes={"industry": "IT", "size": number} if number % 2 else {},
        preferences={"topic": ("pricing", "api")[: number % 3]} if number % 3 else {},
    )
    for number in range(20)
]


def files(html: str | None = None, text: str | None = None, toml: str = "") -> dict[str, bytes]:
    """A template folder with as little as it needs."""
    found = {"message.toml": (toml or 'subject = "Hello"\n').encode()}
    if html is not None:
        found["body.html"] = html.encode()
    if text is not None:
        found["body.txt"] = text.encode()
    return found
