"""A look at a template for one lead, on this machine only: rendered anew at every reload.

The HTML stands in a sandboxed frame (no scripts, nothing of this page within its reach), as wide
as a phone and as a desktop.
"""

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from string import Template

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool

#: Frames by name, in CSS pixels: an iPhone and the reading pane of a desktop program.
WIDTHS = {"Phone": 375, "Desktop": 720}

#: No scripts at all; pictures may be anywhere, as in a mail.
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src * data:; font-src *; frame-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """One rendering, or why there is none."""

    template: str
    lead: str
    subject: str = ""
    headers: str = ""
    text: str = ""
    #: None when the template is text only.
    html: str | None = None
    #: One line: what is wrong with the template; empty when nothing is.
    wrong: str = ""


def preview_page(look: Look) -> str:
    """The whole page as HTML, the mail inside its frames. Needs nothing else."""
    here = files("console.web")
    frames = "".join(
        f"<figure><figcaption>{name}, {width} px</figcaption>"
        f'<iframe sandbox title="{name}" width="{width}" height="{900 if width < 500 else 760}" '
        f'srcdoc="{escape(look.html, quote=True)}"></iframe></figure>'
        for name, width in WIDTHS.items()
        if look.html is not None
    )
    if look.wrong:
        body = f'<p class="wrong">{escape(look.wrong)}</p>'
    else:
        body = (
            (f'<div class="frames">{frames}</div>' if frames else "")
            + f"<h2>Text part</h2><pre>{escape(look.text)}</pre>"
            + f"<h2>Headers</h2><pre>{escape(look.headers)}</pre>"
        )
    return Template(here.joinpath("preview.html").read_text("utf-8")).substitute(
        style=here.joinpath("preview.css").read_text("utf-8").strip(),
        title=escape(f"{look.template} for {look.lead}"),
        template=escape(look.template),
        lead=escape(look.lead),
        subject=escape(look.subject or "no subject"),
        body=body,
    )


def preview_app(look: Callable[[], Look], *, hosts: frozenset[str]) -> FastAPI:
    """The page at `/`. `hosts` are the Host fields it answers to: another name that leads to this
    machine (DNS rebinding) must not read leads."""
    app = FastAPI(title="Potok", openapi_url=None, docs_url=None, redoc_url=None)

    @app.api_route("/", methods=["GET", "HEAD"])
    async def show(request: Request) -> Response:
        if request.headers.get("host", "").casefold() not in hosts:
            return Response("Not here.\n", 403, media_type="text/plain")
        page = preview_page(await run_in_threadpool(look))
        return Response(
            page,
            media_type="text/html",
            headers={
                "Content-Security-Policy": POLICY,
                "Cache-Control": "no-store",
                "Referrer-Policy": "no-referrer",
                "X-Content-Type-Options": "nosniff",
            },
        )

    return app
