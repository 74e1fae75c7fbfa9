"""A live look at a template, on this machine only: the page, and what it asks for.

The mail's HTML stands in sandboxed frames without scripts, under a policy that loads pictures,
styles and fonts and nothing else. Every request is a GET and changes nothing.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.resources import files
from typing import Any, Protocol

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, StreamingResponse

from console.errors import explain
from templates import Finding

#: The page itself: its own script and style, nothing from elsewhere.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "frame-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
#: The mail: no scripts, no frames, no forms; pictures may be anywhere, as in a mail.
MAIL_POLICY = (
    "sandbox allow-same-origin; default-src 'none'; style-src 'unsafe-inline' https: http:; "
    "img-src * data:; font-src * data:; media-src *; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'"
)
#: Seconds between two looks at the files; a change counts once it has stood still for one.
LOOKS = 0.2
#: Looks between two signs of life on a quiet line.
_QUIET = 50

_KINDS = {"css": "text/css", "js": "text/javascript", "html": "text/html"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """For whom."""

    email: str
    name: str = ""
    company: str = ""
    stage: str = ""
    #: As the lead has it; empty when unknown.
    language: str = ""
    #: Why nobody writes to this lead; empty when one may.
    left_out: str = ""
    #: There is no such lead.
    invented: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Wrong:
    """Why there is nothing to see."""

    #: One line: what and what to do.
    what: str
    #: `templates/welcome/body.html:12`, as far as it is known.
    where: str = ""
    line: int = 0
    #: (number, text) of the lines around.
    lines: Sequence[tuple[int, str]] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """One rendering, or why there is none."""

    template: str
    lead: Shown
    #: State of the files.
    stamp: str = ""
    sender: str = ""
    subject: str = ""
    #: What an inbox shows beside the subject.
    first_words: str = ""
    #: Of the texts that were used, and of all there are.
    language: str = ""
    languages: Sequence[str] = ()
    #: Bytes of the complete message, and of its HTML.
    size: int = 0
    html_size: int = 0
    #: The domain it is signed for (DKIM); empty when it is not.
    signed: str = ""
    #: What `/mail/KEY` calls it; None when the template is text only.
    mail: str | None = None
    #: CSS pixels of each frame.
    widths: dict[str, int] = field(default_factory=dict)
    heights: dict[str, int] = field(default_factory=dict)
    #: The mail has rules for dark screens.
    dark_rules: bool = False
    text: str = ""
    source: str = ""
    headers: str = ""
    attached: Sequence[str] = ()
    #: (words, where it leads in the end, `tracked` or nothing)
    links: Sequence[Sequence[str]] = ()
    #: What `potok templates check` says.
    findings: Sequence[Finding] = ()
    wrong: Wrong | None = None


class Viewed(Protocol):
    """What the page asks."""

    name: str

    def stamp(self) -> str: ...
    def look(self, email: str) -> Look: ...
    def mail(self, key: str, *, dark: bool) -> str | None: ...
    def message(self, email: str) -> bytes: ...
    def beside(self, email: str, *, forward: bool) -> str | None: ...
    def offers(self, text: str) -> Sequence[dict[str, Any]]: ...
    def count(self) -> int: ...


def preview_app(viewed: Viewed, *, hosts: frozenset[str], stop: asyncio.Event) -> FastAPI:
    """The page at `/`. `hosts` are the Host fields it answers to: another name that leads to this
    machine (DNS rebinding) must not read leads. `stop` ends lines that are kept open."""
    app = FastAPI(title="Potok", openapi_url=None, docs_url=None, redoc_url=None)

    @app.middleware("http")
    async def guard(request: Request, follow: Callable[[Request], Awaitable[Response]]) -> Response:
        if request.headers.get("host", "").casefold() not in hosts:
            return _answer("Not here.\n", "text/plain", status=403)
        if request.method != "GET":
            return _answer("Only looking.\n", "text/plain", status=405, more={"Allow": "GET"})
        # What another site embeds or asks for is not a person looking (Fetch Metadata).
        elsewhere = request.headers.get("sec-fetch-site", "none") in ("cross-site", "same-site")
        if elsewhere and request.headers.get("sec-fetch-mode") != "navigate":
            return _answer("Not from there.\n", "text/plain", status=403)
        try:
            return await follow(request)
        except Exception as error:  # told on the page; it must go on
            return JSONResponse({"error": explain(error)[0]}, 409, headers=_HEADERS)

    @app.get("/")
    async def page() -> Response:
        return _file("preview.html", {"Content-Security-Policy": POLICY})

    @app.get("/preview.css")
    async def style() -> Response:
        return _file("preview.css")

    @app.get("/preview.js")
    async def script() -> Response:
        return _file("preview.js")

    @app.get("/look")
    async def look(lead: str = "") -> Response:
        found = await run_in_threadpool(viewed.look, lead)
        return JSONResponse(asdict(found), headers=_HEADERS)

    @app.get("/mail/{key}")
    async def mail(key: str, dark: bool = False) -> Response:
        html = await run_in_threadpool(lambda: viewed.mail(key, dark=dark))
        policy = {"Content-Security-Policy": MAIL_POLICY}
        if html is None:
            return _answer("<p>Reload the page.</p>", "text/html", status=404, more=policy)
        return _answer(html, "text/html", more=policy)

    @app.get("/message.eml")
    async def message(lead: str = "") -> Response:
        name = f'attachment; filename="{viewed.name}.eml"'
        data = await run_in_threadpool(viewed.message, lead)
        return _answer(data, "message/rfc822", more={"Content-Disposition": name})

    @app.get("/beside")
    async def beside(lead: str, forward: bool = True) -> Response:
        other = await run_in_threadpool(lambda: viewed.beside(lead, forward=forward))
        return JSONResponse({"email": other}, headers=_HEADERS)

    @app.get("/leads")
    async def leads(text: str = "") -> Response:
        return JSONResponse(await run_in_threadpool(viewed.offers, text), headers=_HEADERS)

    @app.get("/count")
    async def count() -> Response:
        return JSONResponse({"count": await run_in_threadpool(viewed.count)}, headers=_HEADERS)

    @app.get("/changes")
    async def changes() -> Response:
        lines = _changes(viewed, stop)
        return StreamingResponse(lines, media_type="text/event-stream", headers=_HEADERS)

    return app


async def _changes(viewed: Viewed, stop: asyncio.Event) -> AsyncIterator[str]:
    """Server-sent events: the state of the files, at once and whenever it is another."""
    told, before, quiet = "", "", 0
    while not stop.is_set():
        now = await run_in_threadpool(viewed.stamp)
        quiet += 1
        # An editor may be in the middle of writing: twice the same means it is done.
        if now != told and now == before:
            told, quiet = now, 0
            yield f"data: {now}\n\n"
        elif quiet >= _QUIET:
            quiet = 0
            yield ":\n\n"
        before = now
        await asyncio.sleep(LOOKS)


_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def _file(name: str, more: Mapping[str, str] = {}) -> Response:
    text = files("console.web").joinpath(name).read_text("utf-8")
    return _answer(text, _KINDS[name.rpartition(".")[2]], more=more)


def _answer(
    content: str | bytes, kind: str, *, status: int = 200, more: Mapping[str, str] = {}
) -> Response:
    return Response(content, status, media_type=kind, headers={**_HEADERS, **more})
