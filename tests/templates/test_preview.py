"""`potok templates preview`: what the page shows, and to whom it does."""

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result

from console.cli import main
from console.new_workspace import Answers, make_workspace
from console.web.preview import Look, preview_app, preview_page
from tests.conftest import NOW

ANNA = "anna@example.com"
HOST = "127.0.0.1:8000"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    path = tmp_path / "acme"
    make_workspace(path, Answers(time_zone="Europe/Warsaw"), now=NOW)
    (path / "a.csv").write_text(f"email,first_name,language\n{ANNA},Zażółć,en\n")
    assert potok(path, "leads", "import", str(path / "a.csv")).exit_code == 0
    return path


def potok(workspace: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["--workspace", str(workspace), *words])


def test_the_page_is_written_and_follows_the_files(workspace: Path) -> None:
    page = workspace / "anna.html"
    words = ("templates", "preview", "welcome", "--lead", ANNA, "--once", str(page))
    assert potok(workspace, *words).exit_code == 0
    first = page.read_text("utf-8")
    assert "Zażółć" in first
    assert first.count("<iframe sandbox ") == 2
    assert "List-Unsubscribe" in first or "Message-ID" in first
    message = workspace / "templates" / "welcome" / "message.toml"
    text = message.read_text("utf-8")
    message.write_text(f'subject = "Quite new"\n{text.split(chr(10), 1)[1]}', "utf-8")
    if "subject" in text.split("\n", 1)[1]:
        message.write_text(
            "\n".join(
                'subject = "Quite new"' if line.startswith("subject") else line
                for line in text.split("\n")
            ),
            "utf-8",
        )
    assert potok(workspace, *words).exit_code == 0
    assert "<h1>Quite new</h1>" in page.read_text("utf-8")


def test_a_mistake_in_the_files_is_on_the_page(workspace: Path) -> None:
    (workspace / "templates" / "welcome" / "message.toml").write_text('subject = "{{ lead.nme }}"')
    page = workspace / "anna.html"
    done = potok(workspace, "templates", "preview", "welcome", "--lead", ANNA, "--once", str(page))
    assert done.exit_code == 1
    assert 'class="wrong"' in page.read_text("utf-8")


@pytest.mark.parametrize(
    ("name", "email", "said"),
    [("welcme", ANNA, 'did you mean "welcome"'), ("welcome", "x@example.com", "no lead")],
)
def test_unknown_names_are_told(workspace: Path, name: str, email: str, said: str) -> None:
    page = workspace / "never.html"
    done = potok(workspace, "templates", "preview", name, "--lead", email, "--once", str(page))
    assert done.exit_code == 1
    assert said in done.stderr
    assert not page.exists()


async def _get(look: Callable[[], Look], host: str) -> httpx.Response:
    transport = httpx.ASGITransport(app=preview_app(look, hosts=frozenset({HOST})))
    async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}") as client:
        return await client.get("/")


async def test_each_reload_renders_anew_and_only_for_this_machine() -> None:
    subjects = iter(("one", "two"))

    def look() -> Look:
        return Look(template="t", lead=ANNA, subject=next(subjects))

    first = await _get(look, HOST)
    assert "<h1>one</h1>" in first.text
    assert "default-src 'none'" in first.headers["content-security-policy"]
    assert "<h1>two</h1>" in (await _get(look, HOST)).text
    assert (await _get(look, "evil.example")).status_code == 403


def test_nothing_of_a_mail_gets_out_of_its_frame() -> None:
    evil = '"></iframe><script>alert(1)</script>$title'
    page = preview_page(Look(template=evil, lead=evil, subject=evil, text=evil, html=evil))
    assert "<script>" not in page
    assert "</iframe><script" not in page
