"""The page of `potok templates preview` in a real browser: what a person sees and may press."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from console.chromium import Browser, browsing
from console.web.preview import Viewed, preview_app
from console.web.serving import listening, serve
from tests.templates.looking import ANNA, BOB, CYRYL, make, no_chromium, opened, preview

pytestmark = pytest.mark.skipif(bool(no_chromium()), reason=no_chromium() or "there is one")


@contextmanager
def serving(viewed: Viewed) -> Iterator[str]:
    """The page over real HTTP in a thread; its address."""
    bound = listening("127.0.0.1:0")
    host = f"127.0.0.1:{bound.getsockname()[1]}"
    ready, loops = Event(), []
    stops: list[asyncio.Event] = []

    async def work() -> None:
        stops.append(asyncio.Event())
        loops.append(asyncio.get_running_loop())
        bound.listen()
        ready.set()
        await serve(preview_app(viewed, hosts=frozenset({host}), stop=stops[0]), bound, stops[0])

    thread = Thread(target=lambda: asyncio.run(work()))
    thread.start()
    assert ready.wait(10)
    try:
        yield f"http://{host}/"
    finally:
        loops[0].call_soon_threadsafe(stops[0].set)
        thread.join(15)
        assert not thread.is_alive()


class Page:
    """One open page. `says` is the value of an expression in it; `until` waits for one."""

    def __init__(self, browser: Browser, *, width: int = 1500) -> None:
        self._browser = browser
        self.complaints: list[str] = []
        browser.heard = self._hear
        target = browser.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = browser.ask("Target.attachToTarget", targetId=target, flatten=True)[
            "sessionId"
        ]
        for name in ("Page", "Runtime", "Log"):
            self.ask(f"{name}.enable")
        self.size(width)

    def size(self, width: int) -> None:
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=700,
            deviceScaleFactor=1,
            mobile=False,
        )

    def ask(self, method: str, **given: Any) -> dict[str, Any]:
        return self._browser.ask(method, session=self._session, **given)

    def says(self, expression: str) -> Any:
        said = self.ask("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in said, said["exceptionDetails"]
        return said["result"].get("value")

    def until(self, expression: str, is_so: Callable[[Any], bool] = bool) -> Any:
        end = time.monotonic() + 20
        while True:
            value = self.says(expression)
            if is_so(value):
                return value
            assert time.monotonic() < end, f"{expression} stayed {value!r}"
            self.ask(
                "Runtime.evaluate",
                expression="new Promise(r => setTimeout(r, 50))",
                awaitPromise=True,
            )

    def press(self, key: str) -> None:
        self.ask(
            "Input.dispatchKeyEvent", type="keyDown", key=key, text=key if len(key) == 1 else ""
        )
        self.ask("Input.dispatchKeyEvent", type="keyUp", key=key)

    def _hear(self, event: Any) -> None:
        if event["method"] in ("Runtime.exceptionThrown", "Log.entryAdded"):
            self.complaints.append(str(event["params"]))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make(tmp_path / "acme")


@pytest.fixture
def page(folder: Path) -> Iterator[Page]:
    workspace = opened(folder)
    # The network of this machine only: the page itself is there.
    with (
        serving(preview(workspace)) as address,
        browsing(
            seconds=90, flags=("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",)
        ) as browser,
    ):
        made = Page(browser)
        made.ask("Page.navigate", url=address)
        made.until("document.querySelectorAll('.device iframe').length", lambda n: n == 2)
        made.until("document.getElementById('state').textContent", lambda words: words == "live")
        yield made
    workspace.close()


SUBJECT = "document.getElementById('subject').textContent"
SOURCES = "[...document.querySelectorAll('.device iframe')].map(f => f.src)"


def test_a_save_shows_at_once_and_the_page_stays_where_it_was(folder: Path, page: Page) -> None:
    page.until(HIDDEN, _fits)
    page.says("scrollTo(0, 100)")
    assert page.says("scrollY") == 100
    before, height = page.says(SOURCES), page.says("document.body.scrollHeight")
    body = folder / "templates" / "welcome" / "body.html"
    good = body.read_text("utf-8")
    body.write_text(good.replace("Start the tour", "Begin the tour"), "utf-8")
    page.until(SOURCES, lambda now: len(now) == 2 and not set(now) & set(before))
    page.until(HIDDEN, _fits)
    assert page.says("scrollY") == 100
    assert page.says("document.body.scrollHeight") == height
    assert page.complaints == []


#: How much of each mail is hidden inside its frame, and how much of the frame is empty.
HIDDEN = """[...document.querySelectorAll('.device iframe')].map(frame => {
    const root = frame.contentDocument?.documentElement;
    if (!root?.querySelector('body *')) return [1, 0];
    const end = Math.max(...[...root.querySelectorAll('body *')].map(
        each => each.getBoundingClientRect().bottom));
    return [root.scrollHeight - frame.clientHeight, Math.round(frame.clientHeight - end)];
})"""


def _fits(hidden: list[list[int]]) -> bool:
    return len(hidden) == 2 and all(over <= 0 and 0 <= empty <= 60 for over, empty in hidden)


def test_a_frame_is_as_high_as_its_mail(folder: Path, page: Page) -> None:
    page.until(HIDDEN, _fits)
    before = page.says(SOURCES)
    body = folder / "templates" / "welcome" / "body.html"
    good = body.read_text("utf-8")
    more = "<p>One more.</p>" * 40
    body.write_text(good.replace("</body>", f"{more}</body>"), "utf-8")
    page.until(SOURCES, lambda now: len(now) == 2 and not set(now) & set(before))
    page.until(HIDDEN, _fits)
    # A narrower window makes the wide frame narrower, and so its mail higher.
    wide = page.says("document.querySelector('.desktop .device').offsetHeight")
    page.size(500)
    page.until(HIDDEN, _fits)
    assert page.says("document.querySelector('.desktop .device').offsetHeight") > wide
    # Who pulls it keeps it so.
    page.says("document.querySelector('.desktop .device').style.height = '333px'")
    before = page.says(SOURCES)
    body.write_text(good, "utf-8")
    page.until(SOURCES, lambda now: len(now) == 2 and not set(now) & set(before))
    assert page.says("document.querySelector('.desktop .device').offsetHeight") == 333
    assert page.complaints == []


def test_a_mistake_is_shown_with_its_place_and_goes_with_the_next_save(
    folder: Path, page: Page
) -> None:
    body = folder / "templates" / "welcome" / "body.html"
    good = body.read_text("utf-8")
    body.write_text(good.replace("lead.first_name", "lead.frist_name", 1), "utf-8")
    place = page.until("document.querySelector('.wrong code')?.textContent")
    assert place.startswith("templates/welcome/body.html:")
    assert "frist_name" in page.says("document.querySelector('.lines .bad').textContent")
    assert "unknown-field" in page.says("document.getElementById('findings').textContent")
    body.write_text(good, "utf-8")
    page.until("document.querySelectorAll('.device iframe').length", lambda n: n == 2)
    assert page.says("document.querySelector('.wrong')") is None


def test_keys_leaf_through_leads_and_tabs(page: Page) -> None:
    for key, lead in (("j", BOB), ("j", CYRYL), ("k", BOB), ("ArrowLeft", ANNA)):
        page.press(key)
        page.until(
            "document.getElementById('lead').textContent", lambda words, at=lead: at in words
        )
    page.press("k")
    page.until("document.getElementById('note').textContent", lambda words: "first lead" in words)
    page.press("2")
    assert "Zażółć" in page.until("document.querySelector('pre.letter')?.textContent")
    page.press("3")
    assert "<!DOCTYPE html>" in page.until("document.querySelector('.lines')?.textContent")
    page.press("4")
    assert "List-Unsubscribe" in page.until("document.querySelector('#stage pre')?.textContent")
    assert "kB" in page.says("document.getElementById('facts').textContent")
    page.press("1")
    page.press("d")
    page.until(SOURCES, lambda now: len(now) == 2 and all("dark=true" in one for one in now))
    assert "no page can show that" in page.says("document.querySelector('.remark').textContent")
    assert "mode=dark" in page.says("location.search")
    page.press("p")
    page.until(SOURCES, lambda now: len(now) == 1)
    assert page.says("document.querySelector('.device').offsetWidth") == 375 + 12


def test_leads_are_searched(page: Page) -> None:
    page.press("/")
    page.until("document.activeElement.id", lambda at: at == "search")
    page.ask("Input.insertText", text="cyr")
    page.until("document.querySelectorAll('#offers li').length", lambda n: n == 1)
    page.press("Enter")
    page.until("document.getElementById('lead').textContent", lambda words: CYRYL in words)


def test_scripts_of_a_mail_do_not_run_and_reach_nothing(folder: Path, page: Page) -> None:
    body = folder / "templates" / "welcome" / "body.html"
    evil = (
        "<script>top.document.title = 'taken'; fetch('/look')</script>"
        "<img src=x onerror=\"parent.document.title='taken'\">"
        "<iframe src='/'></iframe><form action='/look'><button>x</button></form></body>"
    )
    before = page.says(SOURCES)
    body.write_text(body.read_text("utf-8").replace("</body>", evil), "utf-8")
    page.until(SOURCES, lambda now: len(now) == 2 and not set(now) & set(before))
    assert page.says("document.title") == f"welcome for {ANNA}"
    frame = "document.querySelector('.device iframe')"
    # It can be measured, and has leave for nothing else: no scripts, forms, windows or the top.
    assert page.says(f"{frame}.getAttribute('sandbox')") == "allow-same-origin"
    assert page.says(f"{frame}.contentDocument.querySelectorAll('script').length") == 1
    assert page.says(f"{frame}.contentDocument.querySelector('iframe').contentDocument") is None
    assert page.says("look.source.includes('top.document.title')")


def test_a_template_without_html_shows_its_text(folder: Path, page: Page) -> None:
    (folder / "templates" / "welcome" / "body.html").rename(folder / "kept.html")
    (folder / "templates" / "welcome" / "body.txt").write_text(
        "Hi {{ lead.first_name }}\n{{ links.unsubscribe }}\n{{ sender.postal_address }}\n"
    )
    assert "Hi Zażółć" in page.until("document.querySelector('pre.letter')?.textContent")
    assert page.says("document.querySelector('#tab button').disabled")
    assert page.says("document.getElementById('width').hidden")
