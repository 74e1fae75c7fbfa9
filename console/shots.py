"""Pictures of mails: the HTML part in a headless browser, whole, without network or scripts."""

import base64
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from console.chromium import Browser, Event, browsing
from console.mail_parts import WIDTHS

#: Pixels; Chromium draws no higher picture in one piece.
MOST_HIGH = 16_000
#: For one picture, and for starting the browser.
SECONDS, START_SECONDS = 20.0, 30.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Shot:
    """One picture."""

    png: bytes
    width: int
    height: int
    #: Addresses that were asked for and not fetched: pictures and styles on the web.
    refused: tuple[str, ...] = ()
    #: The mail is higher than the picture.
    cut: bool = False


class Camera:
    """Takes pictures with one browser."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._refused: list[str] = []
        self._loaded = False
        browser.heard = self._hear
        target = browser.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session: str = browser.ask("Target.attachToTarget", targetId=target, flatten=True)[
            "sessionId"
        ]
        self._ask("Page.enable")
        self._ask("Emulation.setScriptExecutionDisabled", value=True)
        # Everything the mail asks for is stopped here, before any network is thought of.
        self._ask("Fetch.enable", patterns=[{"urlPattern": "*"}])
        self._frame: str = self._ask("Page.getFrameTree")["frameTree"]["frame"]["id"]

    def take(self, html: str, *, width: int, dark: bool = False, scale: float = 1) -> Shot:
        """The whole mail, `width` CSS pixels wide; `scale` device pixels for each of them.

        Raises Refused when the browser gives no picture in time.
        """
        self._browser.until = time.monotonic() + SECONDS
        self._refused, self._loaded = [], False
        colours = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._ask("Emulation.setEmulatedMedia", media="screen", features=[colours])
        # Low at first, so that the height is the mail's own and not the window's.
        self._size(width, 100, scale)
        self._ask("Page.setDocumentContent", frameId=self._frame, html=html)
        while not self._loaded:
            self._browser.listen()
        high = int(self._ask("Page.getLayoutMetrics")["cssContentSize"]["height"])
        most = int(MOST_HIGH / scale)
        height = max(1, min(high, most))
        self._size(width, height, scale)
        picture = self._ask("Page.captureScreenshot", format="png", captureBeyondViewport=False)
        return Shot(
            png=base64.b64decode(picture["data"]),
            width=width,
            height=height,
            refused=tuple(dict.fromkeys(self._refused)),
            cut=high > most,
        )

    def _ask(self, method: str, **given: object) -> dict[str, Any]:
        return self._browser.ask(method, session=self._session, **given)

    def _size(self, width: int, height: int, scale: float) -> None:
        self._ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=scale,
            mobile=False,
        )

    def _hear(self, event: Event) -> None:
        if event["method"] == "Page.loadEventFired":
            self._loaded = True
        elif event["method"] == "Fetch.requestPaused":
            self._refused.append(event["params"]["request"]["url"])
            self._browser.tell(
                "Fetch.failRequest",
                session=self._session,
                requestId=event["params"]["requestId"],
                errorReason="BlockedByClient",
            )


@contextmanager
def camera() -> Iterator[Camera]:
    """A camera; its browser ends with the block. Raises Refused when there is no Chromium."""
    with browsing(seconds=START_SECONDS) as browser:
        yield Camera(browser)


def file_name(template: str, email: str, *, width: str, dark: bool) -> str:
    """`welcome_anna@example.com_phone_dark.png`; what a file name cannot hold becomes `-`."""
    lead = re.sub(r"[^\w@.+-]+", "-", email).strip(".-") or "lead"
    return f"{template}_{lead[:100]}_{width}_{'dark' if dark else 'light'}.png"


def widths_named(name: str) -> Sequence[tuple[str, int]]:
    """(name, CSS pixels) of `phone`, `desktop`, or `both` of them."""
    return [each for each in WIDTHS.items() if name in (each[0], "both")]
