"""Tracked links from message.toml to the results, with the commands people type."""

import asyncio
import html
import json
import re
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select
from sqlmodel import col

from console.mail_parts import open_mail
from console.web import create_app
from leads import Event
from tests.templates.looking import ANNA, BOB, make, opened, potok, preview

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
START = "https://example.com/start?utm_source=potok"
LINK = re.compile(r'href="(https://mail\.example\.com/c/[\w.-]+)"')


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = make(tmp_path / "acme")
    settings = path / "potok.toml"
    text = settings.read_text("utf-8")
    web = '[web]\nbase_url = "https://mail.example.com"\nlisten = ""\n'
    settings.write_text(text.replace("# [web]\n", web), "utf-8")
    message = path / "templates" / "welcome" / "message.toml"
    text = message.read_text("utf-8").replace("[defaults]", "track_links = true\n\n[defaults]")
    message.write_text(f'{text}\n[links]\nutm_source = "potok"\n', "utf-8")
    return path


async def follow(folder: Path, links: list[str], agent: str = FIREFOX, later: float = 60) -> None:
    """Each link asked for, `later` seconds from now, until it is written down."""
    workspace = opened(folder)
    keys = tuple(reversed(workspace.keys.links))
    then = timedelta(seconds=later)
    app = create_app(workspace.database, keys, lambda: workspace.now() + then)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, headers={"User-Agent": agent}) as client:
        for link in links:
            assert (await client.get(link)).headers["location"] == START
    await app.state.clicks.close()
    workspace.close()


def sent(folder: Path) -> dict[str, str]:
    """{recipient: the tracked link in the mail that was sent}."""
    done = potok(folder, "apply")
    assert done.exit_code == 0, done.stderr
    assert potok(folder, "campaigns", "start", "welcome", "--yes").exit_code == 0
    done = potok(folder, "run", "--until-idle", "--no-pace", "--quiet")
    assert done.exit_code == 0, done.stderr
    found = {}
    for path in sorted((folder / "outbox").rglob("*.eml")):
        mail = message_from_bytes(path.read_bytes(), policy=default)
        (link,) = LINK.findall(html.unescape(open_mail(path.read_bytes()).html or ""))
        assert START in open_mail(path.read_bytes()).text
        found[mail["To"].addresses[0].addr_spec] = link
    return found


def test_people_who_clicked_are_counted_and_machines_are_not(folder: Path) -> None:
    links = sent(folder)
    asyncio.run(follow(folder, [links[ANNA], links[ANNA]]))
    asyncio.run(follow(folder, [links[BOB]], agent="BarracudaSentinel/1.0"))
    found = json.loads(potok(folder, "campaigns", "results", "welcome", "--json").stdout)
    expected = {"leads": 1, "scanned": 1, "links": [{"url": START, "leads": 1}]}
    assert found["clicks"] == expected
    status = json.loads(potok(folder, "campaigns", "status", "welcome", "--json").stdout)
    assert status["clicks"] == expected
    shown = potok(folder, "campaigns", "results", "welcome").stdout
    assert "1 lead clicked" in shown and "machines" in shown and START in shown
    assert "1 lead clicked" in potok(folder, "campaigns", "status", "welcome").stdout
    counted = potok(folder, "segments", "count", 'clicked "welcome" within 14 days', "--json")
    assert json.loads(counted.stdout)["matching"] == 1
    assert "clicked" in potok(folder, "leads", "show", ANNA).stdout
    assert potok(folder, "campaigns", "verify", "welcome").exit_code == 0
    asked = potok(folder, "leads", "erase", ANNA, "--yes")
    assert asked.exit_code == 0, asked.stderr
    assert pages_clicked(folder) == [{}]


def pages_clicked(folder: Path) -> list[object]:
    workspace = opened(folder)
    with workspace.database.reading() as session:
        told = list(session.scalars(select(col(Event.data)).where(col(Event.kind) == "clicked")))
    workspace.close()
    return told


def test_looking_at_a_template_counts_as_nobodys_click(folder: Path) -> None:
    done = potok(folder, "templates", "render", "welcome", "--lead", ANNA, "--html")
    assert done.exit_code == 0, done.stderr
    (link,) = LINK.findall(done.stdout)
    asyncio.run(follow(folder, [link]))
    workspace = opened(folder)
    look = preview(workspace).look(ANNA)
    assert ["Start the tour", START, "tracked"] in [list(each) for each in look.links]
    with workspace.database.reading() as session:
        kinds = set(session.scalars(select(col(Event.kind))))
    assert not kinds & {"clicked", "link_scanned"}
    workspace.close()


def test_coverage_counts_the_bytes_of_tracked_links(folder: Path) -> None:
    def largest() -> int:
        done = potok(folder, "templates", "coverage", "welcome", "--json", "--processes", "1")
        assert done.exit_code == 0, done.stderr
        return int(json.loads(done.stdout)["sizes"]["largest_html"][0]["size"])

    tracked = largest()
    message = folder / "templates" / "welcome" / "message.toml"
    message.write_text(message.read_text("utf-8").replace("track_links = true", ""), "utf-8")
    assert tracked > largest() + 50


def test_tracking_without_a_web_address_is_refused(folder: Path) -> None:
    settings = folder / "potok.toml"
    text = settings.read_text("utf-8")
    settings.write_text(text.replace('base_url = "https://mail.example.com"\n', ""), "utf-8")
    checked = potok(folder, "templates", "check", "welcome")
    assert checked.exit_code == 1
    assert "tracking-without-web" in checked.stdout
    assert potok(folder, "apply").exit_code == 0
    started = potok(folder, "campaigns", "start", "welcome", "--yes")
    assert started.exit_code != 0
    assert "web address" in started.stdout + started.stderr
