"""The preference page over real HTTP: looking changes nothing, a button does what it says."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from urllib.parse import parse_qs, urlencode
from zoneinfo import ZoneInfo

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update
from sqlmodel import Session, col

from campaigns import NEW_ADDRESS, PREFERENCES, verify
from console.database import Database
from console.web import create_app, listening, serve
from console.web.choices import Counter, add_choices
from console.web.choices_page import label_of, version_of, words
from deliverability import make_token
from leads import (
    PAUSE,
    AddressChange,
    Consent,
    Event,
    Lead,
    Suppression,
    Wish,
    address_key,
    barred_topics,
    consents,
    erase,
    freeze,
    merge,
    parse_address,
    suppress,
    suppression_of,
    take_asking,
    wish_of,
    with_merged,
)
from templates import TemplateVersion, compile_template
from tests.campaigns.answering import LATER, LINKS, events, first, send_all, suppressed
from tests.campaigns.world import KEY, World, small_world

NEW = "nowy@inna.example"


@dataclass
class Site:
    world: World
    client: httpx.AsyncClient
    asked: list[bool] = field(default_factory=list)
    moment = LATER

    def link(self, *, purpose: str = PREFERENCES, keys: tuple[bytes, ...] = LINKS) -> str:
        message = first(self.world)
        with self.world.database.reading() as session:
            token = session.get_one(Lead, message.lead_id).token
        path = "p" if purpose != NEW_ADDRESS else "a"
        return f"/{path}/{make_token(keys, purpose, token, message.id or 0)}"

    @property
    def lead(self) -> int:
        return first(self.world).lead_id

    async def press(self, do: str, **fields: object) -> httpx.Response:
        return await self.client.post(self.link(), data={"do": do, **fields})

    def state(self) -> dict[str, list[tuple[object, ...]]]:
        """Every row that a choice could change."""
        tables = (Lead, Wish, Consent, Suppression, AddressChange, Event)
        with self.world.database.reading() as session:
            found = {t.__tablename__: session.execute(select(t.__table__)).all() for t in tables}
            found["barred"] = [
                tuple(barred_topics(session, lead.address_key).items())
                for lead in session.scalars(select(Lead))
            ]
            return {str(name): [tuple(row) for row in rows] for name, rows in found.items()}


@pytest.fixture
async def site(database: Database) -> AsyncIterator[Site]:
    world = small_world(database, 3)
    send_all(world)
    database.write(lambda s: s.execute(update(Lead).values(language="")))
    app = create_app(database, LINKS, lambda: LATER)
    bound, stop = listening("127.0.0.1:0"), asyncio.Event()
    port = bound.getsockname()[1]
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        found = Site(world, client)
        add_choices(
            app,
            Counter(
                database=database,
                keys=LINKS,
                address_key=KEY,
                now=lambda: found.moment,
                dice=Random(7),
                zone=ZoneInfo("Europe/Warsaw"),
                labels={"news": {"pl": "Nowości & rabaty"}},
                on_asking=lambda: found.asked.append(True),
            ),
        )
        serving = asyncio.create_task(serve(app, bound, stop))
        try:
            yield found
        finally:
            stop.set()
            await serving


def ticked(page: str) -> set[str]:
    """name=value of everything that is on."""
    boxes = re.findall(r'<input type="(?:checkbox|radio)"([^>]*) checked>', page)
    return {"=".join(re.findall(r'(?:name|value)="([^"]*)"', box)) for box in boxes}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_looking_changes_nothing(site: Site, method: str) -> None:
    before = site.state()
    for link in (site.link(), f"{site.link()}?do=out", f"{site.link()}?topic=&do=save"):
        found = await site.client.request(method, link)
        assert found.status_code == 200
        assert found.headers["cache-control"] == "no-store"
        assert found.headers["x-robots-tag"] == "noindex, nofollow"
        assert "style-src 'sha256-" in found.headers["content-security-policy"]
        assert "form-action 'self'" in found.headers["content-security-policy"]
        assert "set-cookie" not in found.headers
    assert site.state() == before
    if method == "HEAD":
        assert found.content == b""
        return
    assert ticked(found.text) == {"topic=news", "frequency=any"}
    assert "Your mails from Anna Nowak" in found.text
    assert "l•••@d•••.example" in found.text
    assert "l1@d1.example" not in found.text
    assert "Ala" not in found.text
    assert "<script" not in found.text
    assert 'name="language"' not in found.text, "there are mails in one language only"


async def test_every_field_has_a_label_and_every_button_a_name(site: Site) -> None:
    page = (await site.client.get(site.link())).text
    for kind, rest in re.findall(r"<input type=\"(\w+)\"([^>]*)>", page):
        inside = re.search(
            rf'<label class="tick"><input type="{kind}"{re.escape(rest)}><span>', page
        )
        named = re.search(r'id="(\w+)"', rest)
        assert kind == "hidden" or inside or (named and f'<label for="{named[1]}">' in page)
    buttons = re.findall(r'<button type="submit" name="do" value="(\w+)"[^>]*>([^<]+)<', page)
    assert [do for do, _ in buttons] == ["save", "pause", "address", "out"]
    assert len(re.findall("<form", page)) == len(buttons)


async def test_a_topic_switched_off_and_on_again(site: Site) -> None:
    page = await site.press("save", shown="news", frequency="any")
    assert words("en")["saved"] in page.text
    assert ticked(page.text) == {"frequency=any"}
    with site.world.database.reading() as session:
        lead = session.get_one(Lead, site.lead)
        assert set(barred_topics(session, lead.address_key)) == {"news"}
    (event,) = events(site.world.database, "chose")
    assert (event.lead_id, event.campaign, event.template, event.message_id, event.by) == (
        *(site.lead, "hello", "hello", first(site.world).id),
        "preference page",
    )
    assert event.data == {
        "topics": {"news": False},
        "source": "preference page",
        "text": version_of("en"),
    }
    page = await site.press("save", shown="news", topic="news", frequency="any")
    assert ticked(page.text) == {"topic=news", "frequency=any"}
    with site.world.database.reading() as session:
        assert barred_topics(session, session.get_one(Lead, site.lead).address_key) == {}
        assert [c.state for c in consents(session, site.lead)] == ["given"]
        assert verify(session, site.world.run_id) == []


async def test_a_topic_the_form_did_not_show_is_left_alone(site: Site) -> None:
    before = site.state()
    page = await site.press("save", shown=["prices", ""], topic="no such", frequency="often")
    assert words("en")["same"] in page.text
    assert site.state() == before


async def test_pressing_again_changes_nothing_more(site: Site) -> None:
    for do, fields in (
        ("save", {"shown": "news", "frequency": "weekly"}),
        ("pause", {}),
        ("address", {"address": NEW}),
        ("resume", {}),
        ("out", {}),
        ("back", {}),
    ):
        once = await site.press(do, **fields)
        after = site.state()
        again = await asyncio.gather(*(site.press(do, **fields) for _ in range(4)))
        assert {each.status_code for each in (once, *again)} == {200}
        assert site.state() == after, do


async def test_a_break_is_shown_with_its_end_and_can_be_ended(site: Site) -> None:
    page = await site.press("pause")
    assert "No mails until 9 April 2026." in page.text
    with site.world.database.reading() as session:
        wish = wish_of(session, site.lead)
        assert wish is not None
        assert wish.paused_until == LATER + PAUSE
    site.moment = LATER + timedelta(days=1)
    assert "9 April 2026" in (await site.press("pause")).text
    page = await site.press("resume")
    assert words("en")["pause_note"] in page.text
    site.moment = LATER + PAUSE * 2
    assert "resume" not in (await site.client.get(site.link())).text


async def test_everything_off_and_back_on(site: Site) -> None:
    page = await site.press("out")
    assert words("en")["gone_title"] in page.text
    assert "<fieldset" not in page.text
    assert suppressed(site.world.database) == {"l1@d1.example": "opted_out"}
    (event,) = events(site.world.database, "opted_out")
    assert (event.by, event.message_id) == ("preference page", first(site.world).id)
    page = await site.press("back")
    assert words("en")["back"] in page.text
    assert suppressed(site.world.database) == {}
    (lifted,) = events(site.world.database, "unsuppressed")
    assert lifted.data["why"] == f"asked for it (preference page, text {version_of('en')})"


async def test_nobody_lifts_what_was_not_their_own_word(site: Site) -> None:
    # Each outweighs the one before.
    for reason in ("imported", "manual", "hard_bounce", "complaint"):

        def hold(session: Session, reason: str = reason) -> None:
            key = session.get_one(Lead, site.lead).address_key
            suppress(session, key, reason=reason, at=LATER, by="x")

        site.world.database.write(hold)
        page = await site.client.get(site.link())
        assert words("en")["blocked"] in page.text
        assert 'value="back"' not in page.text
        await site.press("back")
        await site.press("save", shown="news", topic="news", frequency="any")
        assert suppressed(site.world.database) == {"l1@d1.example": reason}


async def test_the_opt_out_page_leads_here_for_those_who_want_less(site: Site) -> None:
    before = site.state()
    opt_out = site.link(purpose="unsubscribe").replace("/p/", "/u/")
    page = await site.client.get(opt_out)
    (link,) = re.findall(r'href="([^"]+)"', page.text)
    found = await site.client.get(httpx.URL(str(page.url)).join(link))
    assert ticked(found.text) == {"topic=news", "frequency=any"}
    assert site.state() == before


async def test_two_records_of_one_person_choose_together(site: Site) -> None:
    other = 2
    site.world.database.write(lambda s: merge(s, other, site.lead, at=LATER, by="jan"))
    await site.press("save", shown="news", frequency="weekly")
    with site.world.database.reading() as session:
        kept = session.get_one(Lead, other)
        assert set(barred_topics(session, kept.address_key)) == {"news"}
        wish = wish_of(session, other)
        assert wish is not None
        assert wish.per_week == 1


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_what_we_did_not_sign_opens_nothing(site: Site, method: str) -> None:
    before, good = site.state(), site.link()
    bad = [
        "/p/x",
        f"/p/{'a' * 5000}",
        good[:-20] + ("a" if good[-20] != "a" else "b") + good[-19:],
        site.link(purpose="unsubscribe"),
        site.link(keys=(b"another key" * 3,)),
        "/p/%00%ff",
        site.link(purpose=NEW_ADDRESS).replace("/a/", "/p/"),
        good.replace("/p/", "/a/"),
        good.replace("/p/", "/u/"),
    ]
    for link in bad:
        found = await site.client.request(
            method, link, data={"do": "out"} if method == "POST" else None
        )
        assert found.status_code == 404
        assert words("en") and "This link does not work" in found.text
    assert site.state() == before


async def test_a_test_mails_link_says_that_it_belongs_to_nobody(site: Site) -> None:
    link = f"/p/{make_token(LINKS, PREFERENCES, 'test', 0)}"
    before = site.state()
    for found in (await site.client.get(link), await site.client.post(link, data={"do": "out"})):
        assert found.status_code == 200
        assert words("en")["nobody_title"] in found.text
    assert site.state() == before


async def test_an_odd_form_changes_nothing(site: Site) -> None:
    before = site.state()
    for body in (
        *(b"", b"do=", b"do=drop", b"\xff\x00", b"do=save" + b"&a=b" * 600),
        b"List-Unsubscribe=One-Click",
    ):
        assert (await site.client.post(site.link(), content=body)).status_code == 400
    assert site.state() == before


async def test_a_form_that_is_too_long_is_not_read(site: Site) -> None:
    found = await site.client.post(site.link(), content=b"do=out&x=" + b"y" * 20_000)
    assert found.status_code == 413
    assert suppressed(site.world.database) == {}


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    fields=st.lists(
        st.tuples(
            st.sampled_from(["do", "shown", "topic", "frequency", "language", "address", "x"]),
            st.text(max_size=20)
            | st.sampled_from(
                ["save", "pause", "resume", "address", "back", "news", "weekly", "pl"]
            ),
        ),
        max_size=8,
    )
)
async def test_whatever_a_form_holds_the_page_answers_and_suppresses_nobody(
    site: Site, fields: list[tuple[str, str]]
) -> None:
    body = urlencode(fields, errors="surrogatepass")
    do = parse_qs(body, keep_blank_values=True).get("do", [""])[-1]
    found = await site.client.post(site.link(), content=body.encode())
    known = do in ("save", "pause", "resume", "address", "back")
    assert found.status_code in ((200, 422) if known else (400,))
    assert suppressed(site.world.database) == {}


async def test_the_page_speaks_polish_with_the_names_of_topics(site: Site) -> None:
    found = await site.client.get(site.link(), headers={"Accept-Language": "pl"})
    assert 'lang="pl"' in found.text
    assert "Nowości &amp; rabaty" in found.text
    assert words("pl")["save"] in found.text
    site.world.database.write(lambda s: s.execute(update(Lead).values(language="pl")))
    await site.press("pause")
    (event,) = events(site.world.database, "chose")
    assert event.data["text"] == version_of("pl")


async def test_the_page_turns_to_the_language_that_was_chosen(site: Site) -> None:
    def speak_polish(session: Session) -> None:
        files = {"message.toml": b'subject = "Hej"\nlanguage = "pl"\n', "body.txt": b"Hej"}
        freeze(session, TemplateVersion, "hej", compile_template("hej", files).body(), now=LATER)
        session.execute(update(Lead).values(language="en"))

    site.world.database.write(speak_polish)
    page = await site.client.get(site.link())
    assert "language=en" in ticked(page.text)
    page = await site.press("save", language="pl", frequency="any", shown="news", topic="news")
    assert 'lang="pl"' in page.text
    assert words("pl")["saved"] in page.text
    assert "language=pl" in ticked(page.text)
    page = await site.press("save", language="de", frequency="any")
    assert words("pl")["same"] in page.text, "there are no mails in German"


def test_both_languages_say_the_same_things() -> None:
    assert words("en").keys() == words("pl").keys()
    for name, text in words("en").items():
        if isinstance(text, str):
            fields = set(re.findall(r"\{\w+\}", text))
            assert set(re.findall(r"\{\w+\}", words("pl")[name])) == fields, name
    assert version_of("en") != version_of("pl")


def test_a_topic_without_a_name_is_made_readable() -> None:
    assert label_of("product_news", "en", {}) == "Product news"
    assert label_of("x", "en", {"x": {"pl": "Tylko po polsku"}}) == "Tylko po polsku"


# A new address ------------------------------------------------------------------------------------


def confirm_link(site: Site) -> str:
    asking = site.world.database.write(lambda s: take_asking(s, now=site.moment))
    assert asking is not None
    assert asking.email == NEW
    return f"/a/{make_token(LINKS, NEW_ADDRESS, asking.lead_token, asking.change_id)}"


async def test_a_new_address_holds_once_somebody_there_says_so(site: Site) -> None:
    await site.press("save", shown="news", frequency="any")
    page = await site.press("address", address=NEW)
    assert words("en")["address_sent"] in page.text
    assert site.asked == [True]
    link = confirm_link(site)
    before = site.state()
    for method in ("GET", "HEAD", "GET"):
        assert (await site.client.request(method, link)).status_code == 200
    assert site.state() == before
    done = await site.client.post(link)
    assert words("en")["confirmed_title"] in done.text
    with site.world.database.reading() as session:
        lead = session.get_one(Lead, site.lead)
        assert (lead.email, lead.domain) == (NEW, "inna.example")
        assert set(barred_topics(session, lead.address_key)) == {"news"}
        old = session.scalars(
            select(Lead).where(col(Lead.email) == "l1@d1.example", col(Lead.id) != lead.id)
        ).one()
        assert old.merged_into == lead.id
    after = site.state()
    assert words("en")["confirmed_title"] in (await site.client.post(link)).text
    assert site.state() == after


async def test_an_address_taken_or_suppressed_is_asked_nothing_and_nobody_learns_it(
    site: Site,
) -> None:
    free = await site.press("address", address="l2@d2.example")

    def hold(session: Session) -> None:
        key = address_key(parse_address(NEW), KEY)
        suppress(session, key, reason="complaint", at=LATER, by="x")

    site.world.database.write(hold)
    assert (await site.press("address", address=NEW)).text == free.text
    assert site.world.database.write(lambda s: take_asking(s, now=LATER)) is None


async def test_a_link_runs_out_and_an_address_taken_meanwhile_is_not_given_away(site: Site) -> None:
    await site.press("address", address=NEW)
    link = confirm_link(site)
    site.moment = LATER + timedelta(days=3)
    before = site.state()
    assert words("en")["expired_title"] in (await site.client.post(link)).text
    assert site.state() == before
    site.moment = LATER

    def take(session: Session) -> None:
        facts = {"email": NEW, "address_key": address_key(parse_address(NEW), KEY)}
        session.execute(update(Lead).where(col(Lead.id) == 3).values(**facts))

    site.world.database.write(take)
    assert words("en")["taken_title"] in (await site.client.post(link)).text
    with site.world.database.reading() as session:
        assert session.get_one(Lead, site.lead).email == "l1@d1.example"


@pytest.mark.parametrize(
    ("reason", "after"),
    [
        ("opted_out", "opted_out"),
        ("hard_bounce", None),
    ],
)
async def test_nobody_escapes_a_suppression_by_moving(
    site: Site, reason: str, after: str | None
) -> None:
    await site.press("address", address=NEW)
    link = confirm_link(site)

    def hold(session: Session) -> None:
        key = session.get_one(Lead, site.lead).address_key
        suppress(session, key, reason=reason, at=LATER, by="x")

    site.world.database.write(hold)
    await site.client.post(link)
    with site.world.database.reading() as session:
        lead = session.get_one(Lead, site.lead)
        assert lead.email == NEW
        assert lead.suppressed == after
        held = suppression_of(session, address_key(parse_address("l1@d1.example"), KEY))
        assert held is not None
        assert held.reason == reason


async def test_erasing_who_moved_leaves_neither_address(site: Site) -> None:
    await site.press("address", address=NEW)
    await site.client.post(confirm_link(site))

    def forget_them(session: Session) -> None:
        erase(session, with_merged(session, site.lead), dice=Random(1), at=LATER, by="jan")

    site.world.database.write(forget_them)
    left = repr(site.state())
    assert NEW not in left
    assert "l1@d1.example" not in left


async def test_a_lead_moves_back_to_where_it_was(site: Site) -> None:
    await site.press("address", address=NEW)
    await site.client.post(confirm_link(site))
    site.moment = LATER + timedelta(days=2)
    await site.press("address", address="l1@d1.example")
    asking = site.world.database.write(lambda s: take_asking(s, now=site.moment))
    assert asking is not None
    link = f"/a/{make_token(LINKS, NEW_ADDRESS, asking.lead_token, asking.change_id)}"
    assert words("en")["confirmed_title"] in (await site.client.post(link)).text
    with site.world.database.reading() as session:
        assert session.get_one(Lead, site.lead).email == "l1@d1.example"
        rows = session.scalars(select(Lead).where(col(Lead.merged_into) == site.lead)).all()
        assert [each.email for each in rows] == [NEW]


async def test_an_address_that_is_none_is_said_so_beside_it(site: Site) -> None:
    before = site.state()
    for address in ("", "no address", "a@b", "a@b.example, c@d.example", "x" * 900):
        found = await site.press("address", address=address)
        assert found.status_code == 422
        assert words("en")["address_wrong"] in found.text
        assert 'aria-invalid="true"' in found.text
    assert site.state() == before


async def test_the_page_sends_no_mail_to_a_stranger_again_and_again(site: Site) -> None:
    for address in (NEW, NEW, "a@inna.example", "b@inna.example", "c@inna.example"):
        await site.press("address", address=address)
    with site.world.database.reading() as session:
        asked = session.scalars(select(col(AddressChange.email))).all()
    assert asked == [NEW, "a@inna.example", "b@inna.example"]
