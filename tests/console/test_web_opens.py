"""The picture that counts opens over HTTP, from the mail that was sent to what results say."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from random import Random

import httpx
import pytest
from sqlmodel import Session, col, select

from campaigns import (
    forget,
    messages_of,
    note_click,
    opened_in,
    require_run,
    show,
    verify,
    web_page,
)
from console.database import Database
from deliverability import FollowedLink, Ticket, Visit, read_click
from leads import Lead, erase
from segments import parse, where
from tests.campaigns.answering import LATER, LINKS, events, first
from tests.campaigns.world import ANNA, ZONE, World
from tests.console.test_web_clicks import FIREFOX, HTML, visited
from tests.console.test_web_view import sent_world

APPLE = "Mozilla/5.0"


@dataclass(frozen=True)
class Site:
    world: World
    client: httpx.AsyncClient
    #: The picture's address in the mail, and the trap's.
    picture: str
    trap: str

    async def fetch(self, agent: str = FIREFOX, method: str = "GET") -> httpx.Response:
        return await self.client.request(method, self.picture, headers={"User-Agent": agent})

    async def told(self) -> list[tuple[str, str]]:
        """(kind, why) of what the timelines say, once everything is written."""
        await self.client._transport.app.state.opens.settled()  # type: ignore[attr-defined]
        await self.client._transport.app.state.clicks.settled()  # type: ignore[attr-defined]
        kinds = ("opened", "open_fetched", "clicked", "link_scanned")
        found = [each for kind in kinds for each in events(self.world.database, kind)]
        return [(each.kind, each.data.get("why", "")) for each in found]

    def counted(self) -> dict[str, int]:
        def look(session: Session) -> dict[str, int]:
            return opened_in(session, require_run(session, "hello")).document()

        return self.world.database.read(look)

    def matching(self, rule: str) -> int:
        def look(session: Session) -> int:
            clause = where(parse(rule), now=LATER + timedelta(days=1), zone=ZONE)
            return len(session.scalars(select(col(Lead.id)).where(clause)).all())

        return self.world.database.read(look)


@pytest.fixture
async def site(database: Database) -> AsyncIterator[Site]:
    toml = "track_links = true\ntrack_opens = true\ntrap_link = true\n"
    world, mail = sent_world(database, HTML, toml=toml)
    text = mail.replace("=\n", "").replace("=3D", "=")
    web = r"https://mail\.example\.com"
    (picture,) = re.findall(rf'<img src="{web}(/o/[\w.-]+\.gif)" alt=""', text)
    (trap,) = re.findall(rf'<a href="{web}(/c/[^"]+)" style="display:none" aria-hidden', text)
    async with visited(database) as (client, _):
        client._transport.app.state.opens._hold = 0.0  # type: ignore[attr-defined]
        yield Site(world=world, client=client, picture=picture, trap=trap)


async def test_a_person_who_opens_the_mail_is_counted_and_known_to_rules(site: Site) -> None:
    assert site.counted() == {"leads": 0, "machines_only": 0}
    found = await site.fetch()
    assert (found.status_code, found.headers["content-type"]) == (200, "image/gif")
    assert found.content.startswith(b"GIF89a")
    assert found.headers["cache-control"] == "no-store"
    assert found.headers["cross-origin-resource-policy"] == "cross-origin"
    assert "set-cookie" not in found.headers
    assert await site.told() == [("opened", "")]
    (event,) = events(site.world.database, "opened")
    assert (event.lead_id, event.message_id, event.campaign) == (1, first(site.world).id, "hello")
    assert event.data == {"seconds_after": 3600}, "nothing of the person's program is kept"
    await site.fetch()
    assert len(await site.told()) == 1, "the same once more is the same"
    assert site.counted() == {"leads": 1, "machines_only": 0}
    assert site.matching('opened "hello" within 14 days') == 1


@pytest.mark.parametrize(
    ("agent", "why"),
    [
        (APPLE, "proxy"),
        ("Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko (via ggpht.com GoogleImageProxy)", "proxy"),
        ("YahooMailProxy; https://help.yahoo.com/kb/x.html", "proxy"),
        ("BarracudaSentinel/1.0", "agent"),
        ("", "agent"),
    ],
)
async def test_a_machine_is_told_apart_and_counts_nowhere(site: Site, agent: str, why: str) -> None:
    await site.fetch(agent)
    await site.fetch(agent)
    assert await site.told() == [("open_fetched", why)]
    (event,) = events(site.world.database, "open_fetched")
    assert set(event.data) == {"why", "seconds_after"}, "only the verdict is kept"
    assert site.counted() == {"leads": 0, "machines_only": 1}
    assert site.matching("opened any") == 0
    await site.fetch(FIREFOX)
    assert await site.told() == [("opened", ""), ("open_fetched", why)]
    assert site.counted() == {"leads": 1, "machines_only": 0}


async def test_asking_for_the_head_writes_nothing_and_a_forged_one_gets_a_picture(
    site: Site,
) -> None:
    got = await site.fetch(method="HEAD")
    assert (got.status_code, got.content) == (200, b"")
    forged = await site.client.get("/o/" + site.picture.rpartition("/")[2].swapcase())
    assert forged.headers["content-type"] == "image/gif"
    assert (await site.client.post(site.picture)).status_code == 405
    assert await site.told() == []


async def test_who_follows_what_people_do_not_see_is_a_machine_at_once(site: Site) -> None:
    link = FollowedLink(lead_token="", message_id=0, target="x")
    assert not link.trap
    followed = read_click(LINKS, site.trap.removeprefix("/c/"))
    assert followed is not None
    assert followed.trap
    found = await site.client.get(site.trap)
    assert found.headers["location"].startswith("https://mail.example.com/robots.txt")
    assert await site.told() == [("link_scanned", "trap")]
    # What it follows beside it, before or after, is known by that; so is the picture it fetches.
    await site.fetch()
    assert ("open_fetched", "scan") in await site.told()
    assert site.counted()["leads"] == 0


def test_a_click_of_the_same_moment_is_turned_and_one_of_later_is_not(database: Database) -> None:
    world, _ = sent_world(database, HTML, toml="track_links = true\ntrap_link = true\n")
    message = first(world)
    trap = "https://mail.example.com/robots.txt#-"

    def press(seconds: float, target: str) -> str | None:
        at = LATER + timedelta(seconds=seconds)

        def work(session: Session) -> str | None:
            token = session.get_one(Lead, message.lead_id).token
            link = FollowedLink(lead_token=token, message_id=message.id or 0, target=target)
            visit = Visit(at=at, target=target, agent=FIREFOX, headers={}, trap=link.trap)
            return note_click(session, link, visit, now=at)

        return database.write(work)

    assert press(0, "https://a.example") == "clicked"
    assert press(6, trap) == "link_scanned"
    assert press(12, "https://b.example") == "link_scanned"
    assert [e.data["why"] for e in events(database, "link_scanned")] == ["trap"] * 3
    assert press(600, "https://a.example") == "clicked"


async def test_the_mail_is_shown_again_with_picture_and_trap_and_the_web_page_has_neither(
    site: Site,
) -> None:
    def look(session: Session) -> bytes | None:
        number = messages_of(session)[-1][0]
        shown = show(session, str(number), identities={"anna": ANNA})
        return shown.mail if shown else None

    mail = site.world.database.read(look)
    assert mail is not None
    text = mail.decode().replace("=\r\n", "").replace("=3D", "=")
    assert site.picture in text
    assert site.trap in text
    ticket = Ticket(purpose="view", lead_token=f"{1:016x}", message_id=first(site.world).id or 0)
    page = site.world.database.read(lambda session: web_page(session, ticket)) or ""
    assert "/c/" in page
    assert site.picture not in page
    assert site.trap not in page


async def test_erasing_empties_opens_and_an_erased_lead_opens_nothing(site: Site) -> None:
    await site.fetch()
    assert await site.told() == [("opened", "")]

    def work(session: Session) -> None:
        forget(session, [1], now=LATER, by="me")
        erase(session, [1], dice=Random(1), at=LATER, by="me")

    site.world.database.write(work)
    await site.fetch(APPLE)
    assert await site.told() == [("opened", "")]
    assert events(site.world.database, "opened")[0].data == {}
    with site.world.database.reading() as session:
        assert verify(session, site.world.run_id) == []
