"""The preference page: `GET /p/TOKEN` shows what a lead chose, `POST /p/TOKEN` chooses.

`GET /a/TOKEN` asks whether mail is to go to a new address, `POST /a/TOKEN` does it. GET and HEAD
change nothing (RFC 9110 9.2.1), so mail scanners change nothing. The token in the path is the
permission: there is no cookie that another site could use.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from sqlmodel import Session

from campaigns import (
    NEW_ADDRESS,
    PAGE,
    PREFERENCES,
    Choosing,
    ask_for_new_address,
    choose_by_link,
    come_back,
    opt_out,
    who_chooses,
)
from console.database import Database
from console.web.choices_page import (
    Labels,
    choosing_page,
    confirming_page,
    note_page,
    version_of,
)
from console.web.pages import refusing
from console.web.replies import body_of, html, language_for
from deliverability import Ticket, read_token
from leads import AddressError, Choice, Moving, address_key, confirm_address, moving, parse_address

#: Fields of a form that are read; a workspace with more topics has other worries.
_MOST_FIELDS = 500

Form = dict[str, list[str]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Counter:
    """What the pages need of the workspace."""

    database: Database
    #: Sign links, newest last.
    keys: Sequence[bytes]
    #: Makes address keys.
    address_key: bytes
    now: Callable[[], datetime]
    dice: Random
    zone: ZoneInfo
    labels: Labels
    #: Called when a mail waits that asks at a new address.
    on_asking: Callable[[], None]


def add_choices(app: FastAPI, counter: Counter) -> None:
    """Adds the pages to the application."""
    database, now = counter.database, counter.now

    @app.api_route("/p/{token}", methods=["GET", "HEAD"])
    async def show(token: str, request: Request) -> Response:
        ticket = read_token(counter.keys, PREFERENCES, token)
        if ticket is None:
            return html(refusing("unknown", language_for(request)), 404)
        known = await run_in_threadpool(
            database.read, lambda session: who_chooses(session, ticket, now=now())
        )
        return _shown(counter, request, known)

    @app.post("/p/{token}")
    async def change(token: str, request: Request) -> Response:
        body = await body_of(request)
        ticket = read_token(counter.keys, PREFERENCES, token)
        if ticket is None:
            return html(refusing("unknown", language_for(request)), 404)
        form = _form(body)
        do = form.get("do", [""])[-1]
        if do not in _DEEDS:
            return html(refusing("odd", language_for(request)), 400)
        try:
            before, after, said = await run_in_threadpool(
                database.write, lambda session: _do(counter, session, ticket, do, form, request)
            )
        except AddressError:
            known = await run_in_threadpool(
                database.read, lambda session: who_chooses(session, ticket, now=now())
            )
            # Never empty: it is what says that something is wrong.
            wrong = form.get("address", [""])[-1][:254] or " "
            return _shown(counter, request, known, wrong=wrong, status=422)
        if do == "address":
            counter.on_asking()
        elif said == "saved" and before == after:
            said = "same"
        return _shown(counter, request, after, said=said)

    @app.api_route("/a/{token}", methods=["GET", "HEAD"])
    async def ask(token: str, request: Request) -> Response:
        ticket = read_token(counter.keys, NEW_ADDRESS, token)
        found = None
        if ticket is not None:
            found = await run_in_threadpool(
                database.read,
                lambda s: moving(s, ticket.message_id, ticket.lead_token, now=now()),
            )
        return _about_address(request, found)

    @app.post("/a/{token}")
    async def confirm(token: str, request: Request) -> Response:
        await body_of(request)
        ticket = read_token(counter.keys, NEW_ADDRESS, token)
        found = None
        if ticket is not None:
            evidence = {"source": PAGE, "text": version_of(language_for(request))}
            found = await run_in_threadpool(
                database.write,
                lambda s: confirm_address(
                    s,
                    ticket.message_id,
                    ticket.lead_token,
                    evidence,
                    dice=counter.dice,
                    at=now(),
                    by=PAGE,
                ),
            )
        return _about_address(request, found)


def _do(
    counter: Counter, session: Session, ticket: Ticket, do: str, form: Form, request: Request
) -> tuple[Choosing | None, Choosing | None, str]:
    """Does what a button says; what held before and after, and what to say about it."""
    now = counter.now()
    before = who_chooses(session, ticket, now=now)
    language = language_for(request, before.language if before else "")
    words: dict[str, Any] = {"text": version_of(language), "now": now}
    match do:
        case "address":
            address = parse_address(form.get("address", [""])[-1][:1000])
            key = address_key(address, counter.address_key)
            after = ask_for_new_address(session, ticket, address, key, language=language, now=now)
            return before, after, "address_sent"
        case "out":
            opt_out(session, ticket, now=now, by=PAGE)
            return before, who_chooses(session, ticket, now=now), ""
        case "back":
            after = come_back(session, ticket, **words)
            return before, after, "back" if before and before.out else ""
        case _:
            after = choose_by_link(session, ticket, _DEEDS[do](form), **words)
            return before, after, "saved"


def _saving(form: Form) -> Choice:
    """What the form says. A topic that was not on the page when it was made is left alone."""
    ticked = set(form.get("topic", ()))
    frequency = form.get("frequency", [""])[-1]
    return Choice(
        topics={topic: topic in ticked for topic in form.get("shown", ())},
        frequency="weekly" if frequency == "weekly" else "any" if frequency == "any" else "",
        language=form.get("language", [""])[-1],
    )


#: What a button is called, and the choice it stands for.
_DEEDS: dict[str, Callable[[Form], Choice]] = {
    "save": _saving,
    "pause": lambda form: Choice(pause="begin"),
    "resume": lambda form: Choice(pause="end"),
    "address": lambda form: Choice(),
    "out": lambda form: Choice(),
    "back": lambda form: Choice(),
}


def _form(body: bytes) -> Form:
    """An urlencoded form; an odd body is an empty one."""
    try:
        return parse_qs(
            body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_MOST_FIELDS
        )
    except ValueError:
        return {}


def _shown(
    counter: Counter,
    request: Request,
    known: Choosing | None,
    *,
    said: str = "",
    wrong: str = "",
    status: int = 200,
) -> Response:
    if known is None:
        return html(note_page("nobody", language_for(request)))
    try:
        zone = ZoneInfo(known.zone) if known.zone else counter.zone
    except (ZoneInfoNotFoundError, ValueError):
        zone = counter.zone
    return html(
        choosing_page(
            known,
            language_for(request, known.language),
            labels=counter.labels,
            zone=zone,
            said=said,
            wrong=wrong,
        ),
        status,
    )


def _about_address(request: Request, found: Moving | None) -> Response:
    if found is None:
        return html(refusing("unknown", language_for(request)), 404)
    language = language_for(request, found.language)
    if found.stands == "open":
        return html(confirming_page(found.email, found.old, language))
    mood = "good" if found.stands == "confirmed" else "sorry"
    return html(note_page(found.stands, language, mood=mood, address=found.email))
