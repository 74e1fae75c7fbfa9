"""The opt-out page as an application: `GET /u/TOKEN` shows, `POST /u/TOKEN` does.

`GET /v/TOKEN` shows a mail in the browser, as its recipient got it; `GET /c/TOKEN` leads on to the
page behind a tracked link, and only adds a line about the visit (`clicks.py`), as does the picture
`GET /o/TOKEN.gif` (`opens.py`).

RFC 8058 3.2: mail programs POST `List-Unsubscribe=One-Click` without cookies, login or redirect;
the address must be out when they get their answer. Link scanners GET whatever they find, so GET
and HEAD of the other addresses change nothing (RFC 9110 9.2.1).
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from campaigns import PREFERENCES, UNSUBSCRIBE, VIEW, Asked, note_open, opt_out, web_page, who_asks
from console.database import Database
from console.web.clicks import ClickBook, add_clicks
from console.web.opens import add_opens
from console.web.pages import asking, confirming, refusing
from console.web.replies import HEADERS, body_of, headers, html, language_for
from deliverability import Ticket, make_token, read_token

#: A mail may load pictures, styles and fonts, as it does in a mail program, and run nothing.
_MAIL_POLICY = (
    "default-src 'none'; img-src https: http: data:; style-src 'unsafe-inline' https:; "
    "font-src https: data:; media-src https:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation"
)


def create_app(database: Database, keys: Sequence[bytes], now: Callable[[], datetime]) -> FastAPI:
    """The application. `keys` sign links, newest last; `now` gives aware UTC."""
    app = FastAPI(title="Potok", openapi_url=None, docs_url=None, redoc_url=None)
    app.state.clicks = ClickBook(database, now)
    add_clicks(
        app,
        keys,
        now,
        app.state.clicks,
        lambda request: html(refusing("cut", _language(request)), 404),
    )

    app.state.opens = ClickBook(database, now, note=note_open)
    add_opens(app, keys, now, app.state.opens)

    def ticket_of(token: str) -> Ticket | None:
        return read_token(keys, UNSUBSCRIBE, token)

    @app.api_route("/u/{token}", methods=["GET", "HEAD"])
    async def show(token: str, request: Request) -> Response:
        ticket = ticket_of(token)
        if ticket is None:
            return html(refusing("unknown", _language(request)), 404)
        asked = await run_in_threadpool(database.read, lambda session: who_asks(session, ticket))
        language = _language(request, asked)
        if asked is None or asked.done:
            return html(confirming(asked, language))
        # For those who want less and not nothing; beside this page, whatever path a proxy gave it.
        choosing = make_token(keys, PREFERENCES, ticket.lead_token, ticket.message_id)
        return html(asking(asked, language, f"../p/{choosing}"))

    @app.post("/u/{token}")
    async def leave(token: str, request: Request) -> Response:
        body = await body_of(request)
        ticket = ticket_of(token)
        if ticket is None:
            return html(refusing("unknown", _language(request)), 404)
        moment = now()
        asked = await run_in_threadpool(
            database.write, lambda session: opt_out(session, ticket, now=moment, by="link")
        )
        # Whatever the body says: who holds the link and posts to it means it. A mail program that
        # leaves the body empty must not be told "yes" while nothing happens.
        if b"One-Click" in body:
            return Response("Unsubscribed.\n", media_type="text/plain", headers=headers())
        return html(confirming(asked, _language(request, asked)))

    @app.api_route("/v/{token}", methods=["GET", "HEAD"])
    async def view(token: str, request: Request) -> Response:
        ticket = read_token(keys, VIEW, token)
        page = None
        if ticket is not None:
            page = await run_in_threadpool(database.read, lambda s: web_page(s, ticket))
        if page is None:
            return html(refusing("unknown", _language(request)), 404)
        return Response(
            page,
            media_type="text/html",
            headers={**HEADERS, "Content-Security-Policy": _MAIL_POLICY},
        )

    @app.api_route("/robots.txt", methods=["GET", "HEAD"])
    async def robots() -> Response:
        return Response("User-agent: *\nDisallow: /\n", media_type="text/plain", headers=headers())

    @app.exception_handler(HTTPException)
    async def other(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        kind = "unknown" if status == 404 else "odd"
        allow = dict(getattr(error, "headers", None) or {})
        return html(refusing(kind, _language(request)), status, **allow)

    @app.exception_handler(DBAPIError)
    @app.exception_handler(PoolTimeout)
    async def busy(request: Request, _error: Exception) -> Response:
        # Mail programs try again later when they get a 503.
        return html(refusing("busy", _language(request)), 503, **{"Retry-After": "60"})

    @app.exception_handler(Exception)
    async def broken(request: Request, _error: Exception) -> Response:
        return html(refusing("busy", _language(request)), 500)

    return app


def _language(request: Request, asked: Asked | None = None) -> str:
    return language_for(request, asked.language if asked else "")
