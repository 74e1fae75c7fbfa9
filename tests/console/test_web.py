"""The opt-out page over real HTTP: looking changes nothing, one POST does it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import httpx
import pytest
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy import func, select, update
from sqlmodel import col

from campaigns import UNSUBSCRIBE, Asked, verify
from console.database import Database
from console.errors import Refused
from console.web import create_app, listening, serve
from console.web.pages import asking, language_of, masked, texts
from deliverability import make_token
from leads import Event, Lead
from tests.campaigns.answering import LATER, LINKS, events, first, send_all, suppressed
from tests.campaigns.world import World, small_world

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@dataclass(frozen=True)
class Site:
    world: World
    client: httpx.AsyncClient

    def link(self, *, purpose: str = UNSUBSCRIBE, keys: tuple[bytes, ...] = LINKS) -> str:
        message = first(self.world)
        with self.world.database.reading() as session:
            token = session.get_one(Lead, message.lead_id).token
        return f"/u/{make_token(keys, purpose, token, message.id or 0)}"


@asynccontextmanager
async def served(
    database: Database, now: Callable[[], datetime] = lambda: LATER
) -> AsyncIterator[httpx.AsyncClient]:
    bound = listening("127.0.0.1:0")
    stop = asyncio.Event()
    serving = asyncio.create_task(serve(create_app(database, LINKS, now), bound, stop))
    port = bound.getsockname()[1]
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            yield client
    finally:
        stop.set()
        await serving


@pytest.fixture
async def site(database: Database) -> AsyncIterator[Site]:
    world = small_world(database, 3)
    send_all(world)
    database.write(lambda s: s.execute(update(Lead).values(language="")))
    async with served(database) as client:
        yield Site(world=world, client=client)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_looking_changes_nothing(site: Site, method: str) -> None:
    for _ in range(3):
        found = await site.client.request(method, site.link())
        assert found.status_code == 200
    assert suppressed(site.world.database) == {}
    assert events(site.world.database, "opted_out") == []
    if method == "GET":
        assert "<button" in found.text
        assert "l•••@d•••.example" in found.text
        assert "Anna Nowak" in found.text
        assert "l1@d1.example" not in found.text
        assert "Ala" not in found.text
    else:
        assert found.content == b""


async def test_one_click_suppresses_at_once(site: Site) -> None:
    found = await site.client.post(site.link(), data=ONE_CLICK)
    assert found.status_code == 200
    assert found.headers["content-type"].startswith("text/plain")
    assert "set-cookie" not in found.headers
    assert suppressed(site.world.database) == {"l1@d1.example": "opted_out"}
    (event,) = events(site.world.database, "opted_out")
    assert (event.campaign, event.message_id, event.by, event.at) == (
        "hello",
        first(site.world).id,
        "link",
        LATER,
    )
    with site.world.database.reading() as session:
        assert verify(session, site.world.run_id) == []


async def test_one_click_as_a_multipart_form(site: Site) -> None:
    found = await site.client.post(site.link(), files={"List-Unsubscribe": (None, "One-Click")})
    assert found.status_code == 200
    assert suppressed(site.world.database) == {"l1@d1.example": "opted_out"}


@pytest.mark.parametrize("body", [b"", b"confirm=yes", b"\xff\0 anything"])
async def test_the_button_and_odd_bodies_do_it_too(site: Site, body: bytes) -> None:
    found = await site.client.post(site.link(), content=body)
    assert found.status_code == 200
    assert texts()["en"]["done_title"] in found.text
    assert "<button" not in found.text
    assert suppressed(site.world.database) == {"l1@d1.example": "opted_out"}


async def test_twice_and_at_the_same_time_is_one_wish(site: Site) -> None:
    link = site.link()
    answers = await asyncio.gather(*(site.client.post(link, data=ONE_CLICK) for _ in range(8)))
    assert {one.status_code for one in answers} == {200}
    assert len(events(site.world.database, "opted_out")) == 1
    again = await site.client.get(link)
    assert texts()["en"]["done_title"] in again.text


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_what_we_did_not_sign_opens_nothing(site: Site, method: str) -> None:
    good = site.link()
    bad = [
        "/u/x",
        f"/u/{'a' * 5000}",
        # In the middle: the last letter of a signature has bits that say nothing.
        good[:-20] + ("a" if good[-20] != "a" else "b") + good[-19:],
        site.link(purpose="view"),
        site.link(keys=(b"another key" * 3,)),
        "/u/%00%ff",
        "/u/..%2f..%2fetc",
    ]
    pages = set()
    for link in bad:
        found = await site.client.request(method, link)
        assert found.status_code == 404
        pages.add(found.text)
    assert len(pages) == 1, "every bad link gets the same page"
    assert texts()["en"]["unknown_title"] in pages.pop()
    assert suppressed(site.world.database) == {}


async def test_a_key_that_was_rotated_still_opens(database: Database) -> None:
    world = small_world(database, 1)
    send_all(world)
    site = Site(world=world, client=httpx.AsyncClient())
    old = site.link(keys=(b"l" * 32,))
    await site.client.aclose()
    bound = listening("127.0.0.1:0")
    stop = asyncio.Event()
    app = create_app(database, (b"l" * 32, b"n" * 32), lambda: LATER)
    serving = asyncio.create_task(serve(app, bound, stop))
    async with httpx.AsyncClient() as client:
        found = await client.get(f"http://127.0.0.1:{bound.getsockname()[1]}{old}")
    stop.set()
    await serving
    assert found.status_code == 200


async def test_every_answer_is_closed_to_the_world(site: Site) -> None:
    for found in (
        await site.client.get(site.link()),
        await site.client.post(site.link(), data=ONE_CLICK),
        await site.client.get("/u/x"),
        await site.client.get("/"),
        await site.client.put(site.link()),
    ):
        assert found.headers["x-content-type-options"] == "nosniff"
        assert found.headers["referrer-policy"] == "no-referrer"
        assert "noindex" in found.headers["x-robots-tag"]
        assert found.headers["cache-control"] == "no-store"
        assert "default-src 'none'" in found.headers["content-security-policy"]
        assert "server" not in found.headers
    assert (await site.client.get("/robots.txt")).text.endswith("Disallow: /\n")


async def test_other_doors_are_not_there(site: Site) -> None:
    for path in ("/", "/docs", "/openapi.json", "/u/", "/u"):
        assert (await site.client.get(path)).status_code == 404
    put = await site.client.put(site.link())
    assert put.status_code == 405
    assert "POST" in put.headers["allow"] or "GET" in put.headers["allow"]


async def test_a_huge_body_is_not_read(site: Site) -> None:
    found = await site.client.post(site.link(), content=b"x" * 1_000_000)
    assert found.status_code == 413
    assert suppressed(site.world.database) == {}


async def test_the_page_speaks_the_leads_language_else_the_browsers(site: Site) -> None:
    polish = {"Accept-Language": "pl-PL,pl;q=0.9,en;q=0.5"}
    assert 'lang="pl"' in (await site.client.get(site.link(), headers=polish)).text
    assert 'lang="en"' in (await site.client.get(site.link())).text
    site.world.database.write(lambda s: s.execute(update(Lead).values(language="pl")))
    found = await site.client.get(site.link(), headers={"Accept-Language": "en"})
    assert 'lang="pl"' in found.text


async def test_a_busy_database_is_an_honest_503(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sqlalchemy.exc import OperationalError

    world = small_world(database, 1)
    send_all(world)

    def locked(_work: object) -> None:
        raise OperationalError("UPDATE", {}, Exception("database is locked"))

    async with served(database) as client:
        link = Site(world=world, client=client).link()
        monkeypatch.setattr(Database, "write", lambda _self, work: locked(work))
        found = await client.post(link, data=ONE_CLICK)
    assert found.status_code == 503
    assert found.headers["retry-after"] == "60"


async def test_a_look_costs_a_few_statements(site: Site) -> None:
    statements: list[str] = []

    def seen(*args: object) -> None:
        statements.append(str(args[2]))

    engine = site.world.database.reader
    sqlalchemy_event.listen(engine, "before_cursor_execute", seen)
    await site.client.get(site.link())
    sqlalchemy_event.remove(engine, "before_cursor_execute", seen)
    asked = [one for one in statements if one.startswith("SELECT")]
    # Three of the page, three of this test's own making of the link.
    assert len(asked) <= 6


async def test_an_erased_lead_gets_an_answer_and_nothing_is_shown(site: Site) -> None:
    link = site.link()
    site.world.database.write(
        lambda s: s.execute(update(Lead).where(col(Lead.id) == 1).values(erased_at=LATER))
    )
    for found in (await site.client.get(link), await site.client.post(link)):
        assert found.status_code == 200
        assert "•••" not in found.text
    with site.world.database.reading() as session:
        told = select(func.count()).select_from(Event).where(col(Event.kind) == "opted_out")
        assert session.scalar(told) == 0


def test_a_taken_port_is_said_in_a_sentence() -> None:
    first_one = listening("127.0.0.1:0")
    first_one.listen()
    port = first_one.getsockname()[1]
    with pytest.raises(Refused, match="cannot listen"):
        listening(f"127.0.0.1:{port}")
    first_one.close()
    with pytest.raises(Refused, match="cannot listen"):
        listening("nonsense")


def test_names_cannot_write_html() -> None:
    asked = Asked(email="<b>@<i>.example", language="", sender="<script>x</script>", done=False)
    page = asking(asked, "en", "../p/x")
    assert "<script>" not in page
    assert "<b>" not in page


@pytest.mark.parametrize(
    ("accepts", "language"),
    [
        ("", "en"),
        ("de,fr;q=0.9", "en"),
        ("en;q=0.2,pl;q=0.8", "pl"),
        ("pl;q=0", "en"),
        ("*", "en"),
        ("pl;q=x, en", "en"),
    ],
)
def test_the_best_language_we_speak(accepts: str, language: str) -> None:
    assert language_of(accepts) == language


@pytest.mark.parametrize(
    ("email", "shown"),
    [
        ("anna@example.com", "a•••@e•••.com"),
        ("ł@ż.pl", "ł•••@ż•••.pl"),
        ("x@localhost", "x•••@l•••"),
    ],
)
def test_a_masked_address(email: str, shown: str) -> None:
    assert masked(email) == shown


def test_both_languages_say_everything() -> None:
    assert set(texts()["en"]) == set(texts()["pl"])


async def test_the_preflight_asks_the_page_and_opts_nobody_out(database: Database) -> None:
    """GET shows, POST answers as a mail program expects; the link is signed for nobody."""
    from campaigns import NOBODY
    from console.preflight import _fetch

    world = small_world(database, 2)
    async with served(database) as client:
        assert (await client.get("/robots.txt")).status_code == 200  # it is up
        base = str(client.base_url).rstrip("/")
        link = f"{base}/u/{make_token(LINKS, UNSUBSCRIBE, NOBODY, 0)}"
        got = await _fetch("GET", link, b"")
        posted = await _fetch("POST", link, b"List-Unsubscribe=One-Click")
        lost = await _fetch("POST", f"{base}/elsewhere", b"List-Unsubscribe=One-Click")
    assert got.status == 200 and not got.body.startswith("Unsubscribed")
    assert (posted.status, posted.body) == (200, "Unsubscribed.\n")
    assert lost.status == 404
    assert world.states() == {"planned": 2}
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Event)) == 0
    gone = await _fetch("GET", link, b"")
    assert (gone.status, bool(gone.why)) == (0, True)
    assert (await _fetch("GET", "https://no.invalid/u/x", b"")).why == (
        "there is no host called no.invalid"
    )
