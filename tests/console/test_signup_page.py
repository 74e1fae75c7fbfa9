"""Signing up over real HTTP and SMTP: asked by mail, confirmed by a button, with the evidence."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select, text
from sqlmodel import col

from console.mail_parts import open_mail
from console.web import open_page
from console.web.signup_page import form_wording, signup_words
from console.web.visitors import Visitors, shortened
from console.wiring import Workspace
from leads import (
    ConsentRequest,
    Lead,
    Permission,
    Row,
    confirming,
    mailable,
    parse_address,
    requests_of,
    suppress,
    suppression_of,
    take_request,
)
from leads import address_key as key_of
from tests.conftest import NOW
from tests.templates.looking import ANNA, opened, potok
from tests.templates.test_send_test import Server, folder, server  # noqa: F401

NEW = "nowa.osoba@inna.example"
NEAR = {"X-Forwarded-For": "203.0.113.77", "User-Agent": "Mozilla/5.0 (test)"}


@dataclass
class Site:
    path: Path
    space: Workspace
    client: httpx.AsyncClient
    server: Server

    async def join(self, email: str, **fields: object) -> httpx.Response:
        form = {"email": email, "agree": "yes", "topic": "news", "form": "footer"} | fields
        return await self.client.post("/join", data=form, headers=NEAR)

    async def link(self, email: str) -> str:
        """The path behind the link in the mail to this address, once it is there."""
        async with asyncio.timeout(10):
            while email not in self.mails():  # noqa: ASYNC110 - a thread's list
                await asyncio.sleep(0.01)
        found = re.search(r"https://mail\.example\.com(/y/\S+)", self.mails()[email])
        assert found is not None
        return found[1]

    def mails(self) -> dict[str, str]:
        """Whom a mail went to, and what it says."""
        return {
            to: open_mail(data).text
            for _, recipients, data in self.server.taken
            for to in recipients
        }

    def lead(self, email: str) -> Lead | None:
        key = key_of(parse_address(email), self.space.keys.address)
        with self.space.database.reading() as session:
            return session.scalars(select(Lead).where(col(Lead.address_key) == key)).one_or_none()

    def reason(self, email: str) -> str | None:
        key = key_of(parse_address(email), self.space.keys.address)
        with self.space.database.reading() as session:
            held = suppression_of(session, key)
            return held.reason if held else None

    def rows(self) -> str:
        with self.space.database.reading() as session:
            return "\n".join(
                str(session.connection().execute(select(table)).all())
                for table in Row.metadata.sorted_tables
            )

    def asked(self) -> int:
        with self.space.database.reading() as session:
            return session.scalar(select(func.count()).select_from(ConsentRequest)) or 0


@pytest.fixture
async def site(folder: Path, server: Server) -> AsyncIterator[Site]:  # noqa: F811
    settings = folder / "potok.toml"
    more = '[signup]\nopen = true\nper_hour = 8\n[topic.news]\nen = "News & offers"\n'
    settings.write_text(settings.read_text("utf-8") + more, "utf-8")
    with closing(opened(folder)) as space:
        page = open_page(space, listen="127.0.0.1:0")
        assert page is not None
        stop = asyncio.Event()
        serving = asyncio.create_task(page.serve(stop))
        async with httpx.AsyncClient(base_url=f"http://{page.address}") as client:
            yield Site(folder, space, client, server)
        stop.set()
        await serving


async def test_a_stranger_signs_up_and_gets_nothing_until_the_button_is_pressed(site: Site) -> None:
    page = (await site.client.get("/join?topic=news&form=footer&lang=en")).text
    assert "about News &amp; offers." in page
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page))
    assert (await site.join(NEW, **hidden)).status_code == 200
    link = await site.link(NEW)
    lead = site.lead(NEW)
    assert lead is not None
    assert (lead.source, lead.stage, lead.language) == ("form footer", "new", "en")
    assert site.reason(NEW) == "unconfirmed"
    assert "News & offers" in site.mails()[NEW]
    count = json.loads(potok(site.path, "segments", "count", "consent pending", "--json").stdout)
    assert (count["matching"], count["left_out"]) == (1, {"unconfirmed": 1})
    for method in ("GET", "HEAD"):
        before = site.rows()
        shown = await site.client.request(method, link)
        assert shown.status_code == 200
        assert shown.headers["cache-control"] == "no-store"
        assert site.rows() == before
    assert shown.content == b""
    done = await site.client.post(link, headers=NEAR)
    assert signup_words("en")["confirmed_title"] in done.text
    assert site.reason(NEW) is None
    after = site.rows()
    assert signup_words("en")["confirmed_title"] in (await site.client.post(link)).text
    assert site.rows() == after, "twice is once"
    told = json.loads(potok(site.path, "leads", "show", NEW, "--json").stdout)
    assert [(c["topic"], c["state"]) for c in told["consent"]] == [("news", "given")]
    assert told["consent"][0]["confirmed_at"]
    (request,) = told["consent_requests"]
    assert (request["source"], request["asked_from"], request["confirmed_from"]) == (
        *("form footer", "203.0.113.0/24", "203.0.113.0/24"),
    )
    assert request["asked_agent"] == request["confirmed_agent"] == NEAR["User-Agent"]
    said = form_wording("en", "You", ["news"], {"news": {"en": "News & offers"}}).text
    assert request["asked_with"]["text"].partition(" may")[2] == said.partition(" may")[2]
    assert "News & offers" in request["confirmed_with"]["text"]
    assert request["confirmed_with"]["version"].startswith("en ")
    human = potok(site.path, "leads", "show", NEW).stdout
    assert "confirmed by link" in human
    assert "from 203.0.113.0/24" in human
    exported = potok(site.path, "leads", "export", "--lines").stdout.splitlines()
    found = next(row for row in map(json.loads, exported) if row["email"] == NEW)
    assert found["consent_requests"] == [request]


async def test_what_is_answered_says_nothing_about_who_is_known(site: Site) -> None:
    key = key_of(parse_address("nie@inna.example"), site.space.keys.address)
    site.space.database.write(lambda s: suppress(s, key, reason="opted_out", at=NOW, by="link"))
    answers = [await site.join(each) for each in (ANNA, NEW, "nie@inna.example", ANNA, NEW)]
    assert {(a.status_code, a.text) for a in answers} == {(200, answers[0].text)}
    await site.link(NEW)
    await site.link(ANNA)
    assert sorted(to for _, to, _ in site.server.taken) == [[ANNA], [NEW]], "each once"
    assert site.lead("nie@inna.example") is None
    assert site.reason(ANNA) is None, "a stranger's form takes nobody's mail away"


async def test_one_client_cannot_type_in_a_whole_list(site: Site) -> None:
    for n in range(8):
        assert (await site.join(f"a{n}@inna.example")).status_code == 200
    over = await site.join("a9@inna.example")
    assert over.status_code == 429
    assert over.headers["retry-after"] == "3600"
    assert site.asked() == 8
    other = {**NEAR, "X-Forwarded-For": "198.51.100.4"}
    form = {"email": "b@inna.example", "agree": "yes"}
    assert (await site.client.post("/join", data=form, headers=other)).status_code == 200


@pytest.mark.parametrize(
    ("fields", "status", "says"),
    [
        ({"email": "nobody"}, 422, "wrong"),
        ({"email": ""}, 422, "wrong"),
        ({"email": "<script>@x.example"}, 422, "wrong"),
        ({"email": NEW, "agree": None}, 422, "untouched"),
    ],
)
async def test_what_cannot_be_taken_is_said_on_the_page(
    site: Site, fields: dict[str, str | None], status: int, says: str
) -> None:
    form = {"agree": "yes", "lang": "pl"} | fields
    answer = await site.client.post(
        "/join", data={name: value for name, value in form.items() if value is not None}
    )
    assert answer.status_code == status
    assert signup_words("pl")[says] in answer.text
    assert "<script" not in answer.text
    assert site.asked() == 0


async def test_a_topic_that_is_none_of_ours_is_refused(site: Site) -> None:
    assert (await site.join(NEW, topic="secrets")).status_code == 400
    assert (await site.client.get("/join?topic=secrets")).status_code == 400
    assert site.lead(NEW) is None


async def test_eight_who_press_at_once_are_asked_once(site: Site) -> None:
    answers = await asyncio.gather(*(site.join(NEW) for _ in range(8)))
    assert {a.status_code for a in answers} == {200}
    assert site.asked() == 1


async def test_a_closed_page_takes_nobody_and_old_links_still_confirm(folder: Path) -> None:  # noqa: F811
    with closing(opened(folder)) as space:
        page = open_page(space, listen="127.0.0.1:0")
        assert page is not None
        stop = asyncio.Event()
        serving = asyncio.create_task(page.serve(stop))
        async with httpx.AsyncClient(base_url=f"http://{page.address}") as client:
            for method in ("GET", "POST"):
                answer = await client.request(method, "/join")
                assert answer.status_code == 404
                assert signup_words("en")["closed_title"] in answer.text
            assert (await client.get("/y/forged")).status_code == 404
        stop.set()
        await serving


async def test_a_lead_asked_by_hand_confirms_and_double_campaigns_may_write(site: Site) -> None:
    words = ("leads", "confirm", ANNA, "--topic", "news", "--source", "fair", "--language", "pl")
    assert json.loads(potok(site.path, *words, "--json").stdout)["asked"] == 1
    assert potok(site.path, *words).exit_code == 3, "not twice in a day"

    def may(**needs: bool) -> bool:
        with site.space.database.reading() as session:
            rule = mailable(Permission(topic="news", **needs))
            return ANNA in session.scalars(select(col(Lead.email)).where(rule)).all()

    assert may()
    assert not may(consent_required=True)
    given = ("leads", "consent", ANNA, "given", "--topic", "news", "--source", "a card")
    assert potok(site.path, *given).exit_code == 0
    assert may(consent_required=True)
    assert not may(consent_required=True, double=True)
    # The postman looks for what others wrote down when it is called, or every half minute.
    await site.join(NEW)
    link = await site.link(ANNA)
    assert "Ich temat: News & offers." in site.mails()[ANNA]
    assert (await site.client.post(link)).status_code == 200
    assert may(consent_required=True, double=True)
    assert potok(site.path, *given[:-1], "a later card").exit_code == 0
    assert may(consent_required=True, double=True), "a card does not make it less"
    assert potok(site.path, "leads", "consent", ANNA, "withdrawn", "--topic", "news").exit_code == 0
    assert not may()


async def test_a_link_runs_out_and_is_of_no_use_once_the_address_is_suppressed(site: Site) -> None:
    await site.join(ANNA)
    await site.link(ANNA)
    lead = site.lead(ANNA)
    assert lead is not None

    def stands(later: timedelta) -> str:
        with site.space.database.reading() as session:
            found = confirming(session, 1, lead.token, now=site.space.now() + later)
            assert found is not None
            return found.stands

    assert stands(timedelta(days=6)) == "open"
    assert stands(timedelta(days=8)) == "expired"
    suppress_it = ("leads", "suppress", ANNA)
    assert potok(site.path, *suppress_it).exit_code == 0
    assert stands(timedelta()) == "blocked"
    with site.space.database.reading() as session:
        assert confirming(session, 1, "0" * 16, now=NOW) is None


async def test_erasing_takes_the_evidence_along_and_leaves_only_words_of_ours(site: Site) -> None:
    await site.join(NEW)
    await site.client.post(await site.link(NEW), headers=NEAR)
    assert potok(site.path, "leads", "erase", NEW, "--yes").exit_code == 0
    rows = site.rows()
    for trace in ("nowa.osoba", "203.0.113", NEAR["User-Agent"]):
        assert trace not in rows
    with site.space.database.reading() as session:
        assert requests_of(session, [1, 2, 3, 4, 5]) == {}
        assert session.scalar(text("SELECT count(*) FROM consent_wording")) > 0
        assert take_request(session, now=NOW + timedelta(days=9999)) is None


def test_of_a_client_its_network_is_kept_and_an_hour_is_counted() -> None:
    assert shortened("203.0.113.77") == "203.0.113.0/24"
    assert shortened("2001:db8:1:2:3::4") == "2001:db8:1::/48"
    assert shortened("::ffff:203.0.113.77") == "203.0.113.0/24"
    assert shortened("testclient") == ""
    visitors = Visitors(2)
    assert [visitors.may("2001:db8::1", NOW), visitors.may("2001:db8::2", NOW)] == [True, True]
    assert not visitors.may("2001:db8::3", NOW + timedelta(minutes=59))
    assert visitors.may("2001:db8:0:1::3", NOW)
    assert visitors.may("2001:db8::3", NOW + timedelta(hours=1))
