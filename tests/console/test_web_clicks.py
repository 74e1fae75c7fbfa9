"""Tracked links over HTTP: people go on at once, whatever the database does about it."""

import html
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import pytest
from sqlalchemy.exc import OperationalError

from campaigns import Office, messages_of, show
from campaigns.writing import write_trial
from console.database import Database
from console.web import create_app
from console.web.clicks import ClickBook, location_of
from console.web.pages import texts
from deliverability import click_links
from leads import Lead
from templates import compile_template
from tests.campaigns.answering import LATER, LINKS, events, first
from tests.campaigns.world import ANNA, World
from tests.console.test_web_view import sent_world
from tests.templates.letters import lead as somebody

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
SHOP = "https://shop.example/buy?a=1&b=2#now"
HTML = (
    f'<p>Dear {{{{ lead.first_name }}}}, <a href="{html.escape(SHOP)}">buy</a> '
    '<a href="{{ links.unsubscribe }}">Stop</a> {{ sender.postal_address }}</p>'
)


@dataclass(frozen=True)
class Site:
    world: World
    client: httpx.AsyncClient
    book: ClickBook
    #: The tracked link in the mail that was sent.
    link: str

    async def kinds(self) -> list[str]:
        """What the timelines say of links, once everything is written."""
        await self.book.settled()
        told = [*events(self.world.database, "clicked")]
        told += events(self.world.database, "link_scanned")
        return [each.kind for each in told]


@asynccontextmanager
async def visited(
    database: Database, *, keys: tuple[bytes, ...] = LINKS, pause: float = 0.0
) -> AsyncIterator[tuple[httpx.AsyncClient, ClickBook]]:
    app = create_app(database, keys, lambda: LATER)
    book = app.state.clicks
    book._pause, book._hold = pause, 0.0
    transport = httpx.ASGITransport(app)
    agent = {"User-Agent": FIREFOX}
    async with httpx.AsyncClient(
        transport=transport, base_url="https://mail.example.com", headers=agent
    ) as client:
        yield client, book
    await book.close()


def sent(database: Database) -> tuple[World, str]:
    """A world with one tracked mail sent, and the link that stands in it."""
    world, mail = sent_world(database, HTML, toml="track_links = true\n")
    text = mail.replace("=3D", "=")
    (link,) = re.findall(r'href="(https://mail\.example\.com/c/[^"]+)"', text)
    assert SHOP in text, "the text part says where it leads"
    return world, link.removeprefix("https://mail.example.com")


@pytest.fixture
async def site(database: Database) -> AsyncIterator[Site]:
    world, link = sent(database)
    async with visited(database) as (client, book):
        yield Site(world=world, client=client, book=book, link=link)


async def test_the_link_in_the_mail_leads_on_and_is_a_click(site: Site) -> None:
    found = await site.client.get(site.link)
    assert (found.status_code, found.headers["location"]) == (302, SHOP)
    assert found.headers["referrer-policy"] == "no-referrer"
    assert found.headers["cache-control"] == "no-store"
    assert "set-cookie" not in found.headers
    assert await site.kinds() == ["clicked"]
    (event,) = events(site.world.database, "clicked")
    assert (event.lead_id, event.message_id, event.at) == (1, first(site.world).id, LATER)
    assert event.data["url"] == SHOP


async def test_asking_for_the_head_says_the_same_and_writes_nothing(site: Site) -> None:
    found = await site.client.head(site.link)
    got = await site.client.get(site.link, headers={"Purpose": "prefetch"})
    assert found.status_code == 302 and found.headers == got.headers
    assert await site.kinds() == ["link_scanned"], "of the GET that was made ahead"


async def test_a_scanner_goes_on_as_well_and_is_told_apart(site: Site) -> None:
    agent = {"User-Agent": "BarracudaSentinel/1.0"}
    assert (await site.client.get(site.link, headers=agent)).headers["location"] == SHOP
    assert await site.kinds() == ["link_scanned"]


async def test_what_we_did_not_sign_leads_nowhere(site: Site) -> None:
    lead, message, signature, target = site.link.removeprefix("/c/").split(".")
    evil = click_links([b"another" * 5], "", lead, int(message)).to("https://evil.example")
    bad = [
        site.link[:-5],
        site.link + ".",
        f"/c/{lead}.{message}.{signature}.{evil.rpartition('.')[2]}",
        f"/c/{'f' * 16}.{message}.{signature}.{target}",
        evil,
        "/c/x",
        "/c/%00%ff",
    ]
    for link in bad:
        found = await site.client.get(link, headers={"Accept-Language": "pl"})
        assert found.status_code == 404, link
        assert texts()["pl"]["cut_title"] in found.text and "location" not in found.headers
    assert (await site.client.post(site.link)).status_code == 405
    assert await site.kinds() == []


async def test_a_locked_database_keeps_nobody_and_loses_nothing(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, tries = Database.write, []

    def locked(self: Database, work: Callable[..., object]) -> object:
        tries.append(work)
        if len(tries) < 3:
            raise OperationalError("INSERT", {}, Exception("database is locked"))
        return write(self, work)

    monkeypatch.setattr(Database, "write", locked)
    assert (await site.client.get(site.link)).status_code == 302
    assert await site.kinds() == ["clicked"]
    assert len(tries) == 3


async def test_a_database_that_stays_away_ends_with_the_program(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(_self: Database, _work: object) -> None:
        raise OperationalError("INSERT", {}, Exception("gone"))

    _, link = sent(database)
    monkeypatch.setattr(Database, "write", gone)
    async with visited(database, pause=0.01) as (client, _):
        assert (await client.get(link)).status_code == 302


async def test_a_visit_that_cannot_be_written_keeps_no_other_from_it(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    write, tries = Database.write, []

    def odd(self: Database, work: Callable[..., object]) -> object:
        tries.append(work)
        if len(tries) == 1:
            raise ValueError("never seen before")
        return write(self, work)

    monkeypatch.setattr(Database, "write", odd)
    for agent in ("curl/8.4.0", FIREFOX):
        found = await site.client.get(site.link, headers={"User-Agent": agent})
        assert found.status_code == 302
    assert await site.kinds() == ["clicked"]
    assert "could not be written down" in caplog.text


async def test_a_link_pressed_a_hundred_times_is_one_transaction(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, tries = Database.write, []
    monkeypatch.setattr(Database, "write", lambda self, w: (tries.append(w), write(self, w))[1])
    site.book._hold = 3_600.0
    for _ in range(100):
        assert (await site.client.get(site.link)).status_code == 302
    await site.book.close()
    assert len(tries) == len(events(site.world.database, "clicked")) == 1


async def test_visits_wait_for_others_of_their_sweep_and_not_for_the_end(
    database: Database,
) -> None:
    world, link = sent(database)
    async with visited(database) as (client, book):
        book._hold = 3_600.0
        assert (await client.get(link)).status_code == 302
        assert events(world.database, "clicked") == []
    assert len(events(world.database, "clicked")) == 1


async def test_a_key_that_was_rotated_still_leads_on(database: Database) -> None:
    world, link = sent(database)
    async with visited(database, keys=(*LINKS, b"n" * 32)) as (client, book):
        assert (await client.get(link)).headers["location"] == SHOP
        await book.settled()
    assert len(events(world.database, "clicked")) == 1


async def test_an_erased_leads_link_leads_on_and_nothing_is_written(site: Site) -> None:
    site.world.database.write(lambda session: setattr(session.get_one(Lead, 1), "erased_at", LATER))
    assert (await site.client.get(site.link)).headers["location"] == SHOP
    assert await site.kinds() == []


async def test_a_mail_to_look_at_has_links_that_work_and_count_for_nobody(site: Site) -> None:
    files = {"message.toml": b'subject = "x"\ntrack_links = true\n', "body.html": HTML.encode()}
    office = Office(
        identity=ANNA, identity_version_id=0, base_url="https://mail.example.com", link_keys=LINKS
    )
    written = write_trial(
        somebody(first_name="Ala"),
        compile_template("t", files),
        office,
        to=("me@example.com", ""),
        rfc_message_id="test.1@example.com",
        at=LATER,
    )
    mail = written.envelope.data.decode().replace("=\r\n", "").replace("=3D", "=")
    (link,) = re.findall(r"/c/[\w.-]+", mail)
    assert (await site.client.get(link)).headers["location"] == SHOP
    assert await site.kinds() == []


def test_a_sent_mail_shows_again_with_the_very_links_it_left_with(database: Database) -> None:
    _, mail = sent_world(database, HTML, toml="track_links = true\n")
    with database.reading() as session:
        ((number, *_),) = messages_of(session, state="accepted")
        shown = show(session, str(number), identities={})
    assert shown is not None and shown.mail is not None
    assert shown.mail.decode().replace("=\r\n", "") == mail


@pytest.mark.parametrize(
    ("target", "location"),
    [
        (SHOP, SHOP),
        ("https://a.example/b%20c?d=%C5%BC", "https://a.example/b%20c?d=%C5%BC"),
        ("https://żółć.example/ż?ł=ó", "https://xn--kda4b0koi.example/%C5%BC?%C5%82=%C3%B3"),
        ("https://a.example/\r\nSet-Cookie: x", "https://a.example/%0D%0ASet-Cookie:%20x"),
        ("https://[broken/ż", "https://[broken/%C5%BC"),
    ],
)
def test_a_target_is_one_line_of_ascii(target: str, location: str) -> None:
    assert location_of(target) == location
