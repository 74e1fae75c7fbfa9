"""A mail as a web page: what was sent, whoever looks and whatever became of the lead since."""

import pytest
from sqlalchemy import func, select, update
from sqlmodel import Session

from campaigns import VIEW, Office
from campaigns.candidates import LaneRules
from campaigns.finish import finish
from campaigns.identity_facts import identity_facts
from campaigns.queue import claim
from campaigns.writing import write_message
from console.database import Database
from deliverability import Outcome, Phase, Verdict, identity_version, make_token
from leads import Event, Lead, freeze
from templates import Compiled, TemplateVersion, compile_template
from tests.campaigns.answering import LINKS
from tests.campaigns.world import (
    ANNA,
    MESSAGE,
    NOW,
    TEXT,
    ZONE,
    World,
    add_leads,
    apply_campaign,
    rows,
    start,
)
from tests.console.test_web import served

PNG = b"\x89PNG\r\n\x1a\n" + bytes(30)
HTML = (
    '<p>Dear {{ lead.first_name }}, <img src="logo.png" alt=""> '
    '<a href="{{ links.view }}">View in browser</a> '
    '<a href="{{ links.unsubscribe }}">Stop</a> {{ sender.postal_address }}</p>'
)


def sent_world(database: Database, html: str | None, *, toml: str = "") -> tuple[World, str]:
    """Two leads; the first was sent the mail, the second not yet. And the first one's text.

    `toml` stands at the top of message.toml.
    """
    database.write(lambda session: add_leads(session, 2))

    def apply(session: Session) -> None:
        apply_campaign(session)
        files = {"message.toml": (toml + MESSAGE).encode(), "logo.png": PNG}
        files |= {"body.html": html.encode()} if html else {"body.txt": TEXT.encode()}
        compiled = compile_template("hello", files)
        freeze(session, TemplateVersion, "hello", compiled.body(), now=NOW)

    database.write(apply)
    world = start(database)

    def send(session: Session) -> str:
        version = identity_version(session, "anna", identity_facts(ANNA), now=NOW)
        rules = LaneRules(lane_id=world.lane_id, identity="anna", per_day=None, zone=ZONE)
        (one,) = claim(session, rules, owner="me", limit=1, after_run=0, now=NOW).claimed
        row = session.get_one(TemplateVersion, one.template_version_id)
        written = write_message(
            one,
            Compiled.from_body("hello", row.body or {}),
            Office(
                identity=ANNA,
                identity_version_id=version,
                base_url="https://mail.example.com",
                link_keys=LINKS,
            ),
        )
        outcome = Outcome(verdict=Verdict.ACCEPTED, phase=Phase.DONE, reply="250 ok")
        day = NOW.date()
        more = {"owner": "me", "now": NOW, "retry_after": None, "day": day, "template": "hello"}
        finish(session, one, outcome, sent=written.sent, **more)  # type: ignore[arg-type]
        return written.envelope.data.decode().replace("=\r\n", "")

    return world, database.write(send)


def link(world: World, place: int, *, purpose: str = VIEW, key: bytes = LINKS[-1]) -> str:
    message = rows(world.database, world.run_id)[place]
    with world.database.reading() as session:
        token = session.get_one(Lead, message.lead_id).token
    return f"/v/{make_token([key], purpose, token, message.id or 0)}"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_the_link_in_the_mail_shows_the_mail_and_changes_nothing(
    database: Database, method: str
) -> None:
    world, mail = sent_world(database, HTML)
    path = link(world, 0)
    assert f"https://mail.example.com{path}" in mail
    database.write(lambda session: session.execute(update(Lead).values(first_name="Changed")))
    with database.reading() as session:
        before = session.scalar(select(func.count()).select_from(Event))
    async with served(database) as client:
        found = await client.request(method, path)
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Event)) == before
    assert found.status_code == 200
    policy = found.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "sandbox" in policy and "script" not in policy
    assert found.headers["referrer-policy"] == "no-referrer"
    if method == "GET":
        assert "Dear Ala1," in found.text and "data:image/png;base64,iVBOR" in found.text
        assert "cid:" not in found.text


async def test_a_plain_mail_shows_as_text(database: Database) -> None:
    world, _ = sent_world(database, None)
    database.write(lambda session: session.execute(update(Lead).values(first_name="x")))
    async with served(database) as client:
        found = await client.get(link(world, 0))
    assert "Hello Ala1 of Firma 1,\n" in found.text and "<pre" in found.text


async def test_what_was_not_sent_or_not_signed_for_this_is_not_shown(database: Database) -> None:
    world, _ = sent_world(database, HTML)
    async with served(database) as client:
        for path in (
            link(world, 1),
            link(world, 0, purpose="unsubscribe"),
            link(world, 0, key=b"another key" * 3),
            f"/v/{make_token(LINKS, VIEW, 'f' * 16, 1)}",
            f"/v/{make_token(LINKS, VIEW, 'test', 0)}",
            "/v/x",
        ):
            assert (await client.get(path)).status_code == 404
        assert (await client.post(link(world, 0))).status_code == 405
