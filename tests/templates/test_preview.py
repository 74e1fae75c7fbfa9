"""`potok templates preview`: what the page shows, and to whom it does."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from email import message_from_string
from email.policy import default
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select
from sqlmodel import SQLModel

from console.checking import findings_now
from console.mail_parts import for_screen, has_dark_rules, open_mail, read_html
from console.previewing import Preview
from console.web.preview import Look, Shown, Wrong, preview_app
from console.web.preview_once import preview_page
from console.wiring import Workspace
from deliverability import read_token
from tests.templates.looking import (
    ANNA,
    BOB,
    CYRYL,
    crowd,
    make,
    opened,
    potok,
    preview,
    served,
)

HOST = "127.0.0.1:8000"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make(tmp_path / "acme")


@pytest.fixture
def workspace(folder: Path) -> Iterator[Workspace]:
    made = opened(folder)
    yield made
    made.close()


def write(folder: Path, file: str, old: str, new: str) -> None:
    path = folder / "templates" / "welcome" / file
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def test_the_page_of_one_file_follows_the_files(folder: Path) -> None:
    page = folder / "anna.html"
    words = ("templates", "preview", "welcome", "--lead", ANNA, "--once", str(page))
    assert potok(folder, *words).exit_code == 0
    first = page.read_text("utf-8")
    assert "Zażółć" in first
    assert first.count("<iframe sandbox ") == 2
    assert "List-Unsubscribe" in first
    write(folder, "message.toml", 'subject = "', 'subject = "Quite new ')
    assert potok(folder, *words).exit_code == 0
    assert "<h1>Quite new " in page.read_text("utf-8")


def test_a_mistake_in_the_files_is_on_the_page(folder: Path) -> None:
    (folder / "templates" / "welcome" / "message.toml").write_text('subject = "{{ lead.nme }}"')
    page = folder / "anna.html"
    done = potok(folder, "templates", "preview", "welcome", "--lead", ANNA, "--once", str(page))
    assert done.exit_code == 1
    assert 'class="wrong"' in page.read_text("utf-8")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("welcme",), 'did you mean "welcome"'),
        (("welcome", "--lead", "x@example.com"), "no lead"),
        (("welcome", "--segment", "evryone"), 'did you mean "everyone"'),
        (("welcome", "--segment", "contry = PL"), "country"),
        (("welcome", "--identity", "anna"), "identity"),
    ],
)
def test_unknown_names_are_told(folder: Path, words: tuple[str, ...], said: str) -> None:
    page = folder / "never.html"
    done = potok(folder, "templates", "preview", *words, "--once", str(page))
    assert done.exit_code == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not page.exists()


def test_a_taken_port_says_what_to_do(folder: Path) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = potok(folder, "templates", "preview", "welcome", "--no-browser", "--port", port)
    assert done.exit_code == 1
    assert "choose another --port" in done.stderr


def test_nothing_of_a_mail_gets_out_of_its_frame() -> None:
    evil = '"></iframe><script>alert(1)</script>$title'
    look = Look(template=evil, lead=Shown(email=evil), subject=evil, text=evil)
    page = preview_page(look, evil)
    assert "<script>" not in page
    assert "</iframe><script" not in page


def test_what_is_seen_is_what_would_leave(folder: Path, workspace: Workspace) -> None:
    write_settings(folder)
    again = opened(folder)
    viewed = preview(again)
    look = viewed.look(ANNA)
    again.close()
    assert look.wrong is None
    assert (look.lead.email, look.language, look.languages) == (ANNA, "en", ["en"])
    assert "From: You <you@example.com>" in look.headers
    assert "List-Unsubscribe: <https://mail.example.com/u/" in look.headers
    assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click" in look.headers
    assert message_from_string(look.headers, policy=default)["Subject"] == look.subject
    assert look.source.startswith("<!DOCTYPE html>")
    assert "Zażółć" in look.text
    assert look.first_words.startswith("Three short steps")
    assert ["Start the tour", "https://example.com/start", ""] in [list(e) for e in look.links]
    assert 10_000 < look.html_size < look.size < 40_000
    # The link is signed by the real keys, and for nobody.
    (token,) = {a.rpartition("/u/")[2] for _, a, _ in look.links if "/u/" in a}
    ticket = read_token(tuple(reversed(again.keys.links)), "unsubscribe", token)
    assert ticket is not None
    assert (ticket.lead_token, ticket.message_id) == ("test", 0)


def write_settings(folder: Path) -> None:
    settings = folder / "potok.toml"
    text = settings.read_text("utf-8").replace("# [web]\n", "[web]\n")
    settings.write_text(text.replace("# base_url", "base_url"), "utf-8")


def test_a_key_signs_what_is_shown(folder: Path) -> None:
    import dkim
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (folder / "mail.pem").write_bytes(pem)
    (folder / "mail.pem").chmod(0o600)
    settings = folder / "potok.toml"
    said = '[identity.you.dkim]\nselector = "s1"\nprivate_key = "mail.pem"\n\n[identity.you.limits]'
    text = settings.read_text("utf-8").replace("[identity.you.limits]", said)
    settings.write_text(text, "utf-8")
    workspace = opened(folder)
    viewed = preview(workspace)
    look, message = viewed.look(ANNA), viewed.message(ANNA)
    workspace.close()
    assert look.wrong is None
    assert look.signed == "example.com"
    assert look.headers.startswith("DKIM-Signature:")
    public = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    import base64

    record = b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)
    assert dkim.verify(message, dnsfunc=lambda *_, **__: record)


def test_mistakes_show_their_place_and_pass_with_the_next_save(
    folder: Path, workspace: Workspace
) -> None:
    viewed = preview(workspace)
    body = folder / "templates" / "welcome" / "body.html"
    good = body.read_text("utf-8")
    line = 1 + good[: good.index("lead.first_name")].count("\n")
    before = viewed.stamp()
    body.write_text(good.replace("lead.first_name", "lead.frist_name", 1), "utf-8")
    assert viewed.stamp() != before
    look = viewed.look(ANNA)
    assert look.wrong is not None
    assert look.wrong.where == f"templates/welcome/body.html:{line}"
    assert look.wrong.line == line
    assert "lead.frist_name" in dict(look.wrong.lines)[line]
    assert "did you mean" in look.wrong.what
    assert "unknown-field" in {each.id for each in look.findings}
    body.write_text(good, "utf-8")
    assert viewed.look(ANNA).wrong is None


def test_files_that_cannot_be_read_are_told_and_come_back(
    folder: Path, workspace: Workspace
) -> None:
    viewed = preview(workspace)
    template = folder / "templates" / "welcome"
    body = template / "body.html"
    good = body.read_bytes()
    body.write_bytes(b"\xff\xfe\x00broken")
    broken = viewed.look(ANNA)
    assert broken.wrong is not None
    assert broken.wrong.where == "templates/welcome/body.html:1"
    template.rename(folder / "templates" / "away")
    away = viewed.look(ANNA)
    assert away.wrong is not None
    assert "welcome" in away.wrong.what
    (folder / "templates" / "away").rename(template)
    body.write_bytes(good)
    assert viewed.look(ANNA).wrong is None


def test_partials_of_all_templates_are_watched(folder: Path, workspace: Workspace) -> None:
    viewed = preview(workspace)
    before = viewed.stamp()
    (folder / "templates" / "_new.html").write_text("<p>x</p>")
    assert viewed.stamp() != before


def test_without_leads_somebody_is_invented(tmp_path: Path) -> None:
    from console.new_workspace import Answers, make_workspace
    from tests.conftest import NOW

    make_workspace(tmp_path / "empty", Answers(time_zone="UTC"), now=NOW)
    workspace = opened(tmp_path / "empty")
    look = preview(workspace).look("")
    workspace.close()
    assert look.wrong is None
    assert look.lead.invented
    assert "Anna" in look.subject


def test_leads_are_leafed_through_and_found(workspace: Workspace) -> None:
    viewed = preview(workspace, rule="country = PL")
    assert viewed.count() == 2
    assert viewed.look("").lead.email == ANNA
    assert viewed.beside(ANNA, forward=True) == CYRYL
    assert viewed.beside(CYRYL, forward=True) is None
    assert viewed.beside(CYRYL, forward=False) == ANNA
    assert viewed.beside(ANNA, forward=False) is None
    assert [each["email"] for each in viewed.offers("cyr")] == [CYRYL]
    assert viewed.offers("bob") == []
    assert [each["email"] for each in viewed.offers("")] == [ANNA, CYRYL]
    everybody = preview(workspace)
    assert everybody.beside(ANNA, forward=True) == BOB
    assert everybody.count() == 3


def test_those_nobody_writes_to_are_shown_and_told(folder: Path, workspace: Workspace) -> None:
    assert potok(folder, "leads", "suppress", BOB).exit_code == 0
    look = preview(workspace).look(BOB)
    assert look.wrong is None
    assert look.lead.left_out == "suppressed"
    with workspace.database.reading() as session:
        assert len(crowd(workspace).first(session, 10)) == 3


def rows(workspace: Workspace) -> dict[str, int]:
    with workspace.database.reading() as session:
        return {
            name: session.scalar(select(func.count()).select_from(table)) or 0
            for name, table in SQLModel.metadata.tables.items()
        }


async def test_looking_at_everything_changes_nothing(workspace: Workspace) -> None:
    before = rows(workspace)
    async with served(preview(workspace)) as client:
        look = (await client.get("/look")).json()
        for path in (
            *("/", "/preview.css", "/preview.js", "/leads?text=a", "/count", "/message.eml"),
            f"/mail/{look['mail']}?dark=true",
            f"/beside?lead={ANNA}",
        ):
            assert (await client.get(path)).status_code == 200, path
        said = await client.get("/look", params={"lead": "nobody@example.com"})
        assert (said.status_code, said.json()["error"][:17]) == (409, "There is no lead ")
    assert rows(workspace) == before


async def test_only_this_machine_only_looking(workspace: Workspace) -> None:
    async with served(preview(workspace)) as client:
        for host in ("evil.example", "localhost.evil.example", "127.0.0.1", ""):
            for path in ("/", "/look", "/changes", "/message.eml"):
                assert (await client.get(path, headers={"Host": host})).status_code in (400, 403)
        for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
            assert (await client.request(method, "/look")).status_code == 405
        elsewhere = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
        assert (await client.get("/look", headers=elsewhere)).status_code == 403
        assert (await client.get("/mail/none")).status_code == 404


async def test_policies_let_no_script_of_a_mail_run(workspace: Workspace) -> None:
    async with served(preview(workspace)) as client:
        page = await client.get("/")
        look = (await client.get("/look")).json()
        mail = await client.get(f"/mail/{look['mail']}")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe-inline" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "<script>" not in page.text
    inner = mail.headers["content-security-policy"]
    assert inner.startswith("sandbox allow-same-origin; default-src 'none'; ")
    assert "script" not in inner
    assert mail.headers["cache-control"] == "no-store"


async def test_each_save_is_told_once(folder: Path, workspace: Workspace) -> None:
    async with (
        served(preview(workspace)) as client,
        asyncio.timeout(15),
        client.stream("GET", "/changes") as stream,
    ):
        told = (line async for line in stream.aiter_lines() if line.startswith("data: "))
        first = await anext(told)
        write(folder, "message.toml", 'subject = "', 'subject = "Changed ')
        second = await anext(told)
        assert first != second
        assert (await client.get("/look")).json()["stamp"] == second.removeprefix("data: ")


async def test_an_open_line_does_not_keep_the_page_from_ending(workspace: Workspace) -> None:
    # `served` waits for the server; a line that never ended would run into its time limit.
    async with served(preview(workspace)) as client:
        stream = client.stream("GET", "/changes")
        answer = await stream.__aenter__()
        assert answer.status_code == 200
    await stream.__aexit__(None, None, None)


class OneLook:
    """A preview of one look only."""

    name = "t"

    def __init__(self, look: Look) -> None:
        self._look = look

    def look(self, email: str) -> Look:
        return self._look


async def test_a_look_without_a_mail_is_told_as_it_is() -> None:
    look = Look(template="t", lead=Shown(email=ANNA), wrong=Wrong(what="no", where="b.html:2"))
    app = preview_app(OneLook(look), hosts=frozenset({HOST}), stop=asyncio.Event())  # type: ignore[arg-type]
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}") as client:
        said = (await client.get("/look")).json()
    assert said["wrong"] == {"what": "no", "where": "b.html:2", "line": 0, "lines": []}


DARK = """<style>@media (prefers-color-scheme: dark) { p { color: #fff } }
@media screen and (prefers-color-scheme:LIGHT) { p { color: #000 } }</style>
<picture><source media="(prefers-color-scheme: dark)" srcset="cid:night@x"></picture>
<p>Say (prefers-color-scheme: dark) aloud.</p><img src="cid:day@x">"""


@pytest.mark.parametrize(("dark", "yes", "no"), [(True, "dark", "light"), (False, "light", "dark")])
def test_dark_screens_are_played_by_answering_the_mails_own_questions(
    dark: bool, yes: str, no: str
) -> None:
    mail = open_mail(f"Content-Type: text/html; charset=utf-8\r\n\r\n{DARK}".encode())
    shown = for_screen(mail, dark=dark)
    always = {"dark": 0, "light": 1}[yes]
    queries = [part.split(")")[0] for part in shown.split("(m")[1:]]
    assert queries[always] == "in-width: 0"
    assert queries[1 - always] == "ax-width: 0"
    assert queries[2] == ("in-width: 0" if dark else "ax-width: 0")
    assert "Say (prefers-color-scheme: dark) aloud." in shown
    assert has_dark_rules(DARK)
    assert not has_dark_rules("<p>(prefers-color-scheme: dark)</p>")


def test_pictures_inside_the_mail_are_put_in() -> None:
    mail = open_mail(
        b'Content-Type: multipart/related; boundary="b"\r\n\r\n--b\r\n'
        b'Content-Type: text/html; charset=utf-8\r\n\r\n<img src="cid:a@x"><img src="cid:b@x">\r\n'
        b"--b\r\nContent-Type: image/png\r\nContent-ID: <a@x>\r\n"
        b"Content-Disposition: inline; filename=a.png\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\nAAEC\r\n"
        b"--b\r\nContent-Type: application/pdf\r\n"
        b"Content-Disposition: attachment; filename=offer.pdf\r\n\r\nx\r\n--b--\r\n"
    )
    assert mail.attached == ("offer.pdf",)
    shown = for_screen(mail, dark=False)
    assert '<img src="data:image/png;base64,AAEC">' in shown
    assert 'src="cid:b@x"' in shown


def test_what_stands_in_a_mail_is_told_without_a_browser() -> None:
    said = read_html(
        "<title>no</title><style>p{}</style><div>First\u200c\xa0words</div>"
        '<a href="https://x.example/">Go <b>there</b></a><script>no()</script>'
        '<img src="x" alt="A cat" height="500">',
        (375, 640),
    )
    assert said.first_words == "First wordsGo thereA cat"
    assert said.links == (("Go there", "https://x.example/"),)
    assert said.heights[375] > 640


def test_previews_are_made_again_only_when_a_file_changed(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    import console.previewing as previewing

    calls: list[str] = []
    real = previewing.compile_template

    def counted(name: str, *given: object, **more: object) -> object:
        calls.append(name)
        return real(name, *given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(previewing, "compile_template", counted)
    viewed: Preview = preview(workspace)
    for lead in (ANNA, BOB, CYRYL):
        assert viewed.look(lead).wrong is None
    assert calls == ["welcome"]


def test_findings_are_those_of_check_under_the_settings(folder: Path) -> None:
    settings = folder / "potok.toml"
    text = settings.read_text("utf-8") + '\n[templates]\nlink_domains = ["firma.example"]\n'
    settings.write_text(text, "utf-8")
    workspace = opened(folder)
    found = [each.id for each in preview(workspace).look(ANNA).findings]
    said = [each.id for each in findings_now(workspace, "welcome")]
    workspace.close()
    assert found == said
    assert "foreign-link" in found


def test_the_command_says_its_address_and_ends_with_ctrl_c(folder: Path) -> None:
    words = ("--workspace", str(folder), "templates", "preview", "welcome", "--no-browser")
    program = "from console.cli import main; main()"
    with subprocess.Popen(
        [sys.executable, "-P", "-c", program, *words],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    ) as running:
        assert running.stderr is not None
        said = re.match(r"Look at (http://127\.0\.0\.1:\d+/)", running.stderr.readline())
        assert said is not None
        with httpx.stream("GET", f"{said[1]}changes", timeout=20) as line:
            assert line.status_code == 200
            assert httpx.get(f"{said[1]}look", timeout=20).json()["wrong"] is None
            running.send_signal(signal.SIGINT)
            assert running.wait(20) == 0
        assert running.stderr.read() == ""
