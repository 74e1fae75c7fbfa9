"""Signing up: `GET /join` shows a form, `POST /join` asks the address to confirm; `GET /y/TOKEN`
shows the question behind the mail's link, `POST /y/TOKEN` answers it with yes.

GET and HEAD change nothing (RFC 9110 9.2.1), so a mail scanner confirms nothing. What is answered
to an address says nothing about whether it is known. Other sites may post the form: there is no
cookie that they could use.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random
from urllib.parse import parse_qs

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from sqlmodel import Session

from campaigns import CONFIRM, mail_topics
from console.database import Database
from console.web.choices_page import Labels
from console.web.pages import refusing, texts
from console.web.replies import body_of, html, language_for
from console.web.signup_page import (
    confirm_page,
    confirm_wording,
    form_wording,
    signup_note,
    signup_page,
)
from console.web.visitors import Visitors, shortened
from deliverability import read_token
from leads import (
    AddressError,
    Client,
    Confirming,
    address_key,
    confirm_consent,
    confirming,
    parse_address,
    sign_up,
)

_MOST_FIELDS = 50
#: Topics one form may name, and characters of a form's own name.
_MOST_TOPICS, _LONGEST_NAME = 20, 60

_Form = dict[str, list[str]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Gate:
    """What the pages need of the workspace."""

    database: Database
    #: Sign links, newest last.
    keys: Sequence[bytes]
    #: Makes address keys.
    address_key: bytes
    now: Callable[[], datetime]
    dice: Random
    labels: Labels
    #: Whether addresses are taken at all; links that confirm work all the same.
    open: bool
    #: The identity that asks, and every identity's From name.
    identity: str
    senders: dict[str, str]
    #: (pipeline, stage) of a new lead.
    place: tuple[str, str]
    visitors: Visitors
    #: Called when a mail waits that asks to confirm.
    on_asking: Callable[[], None]

    def sender(self, identity: str) -> str:
        """The From name of an identity, or of the one that asks."""
        return self.senders.get(identity) or self.senders.get(self.identity, "")


def add_signup(app: FastAPI, gate: Gate) -> None:
    """Adds the pages to the application."""

    @app.api_route("/join", methods=["GET", "HEAD"])
    async def show(request: Request) -> Response:
        form = _parsed(request.url.query)
        language = _language(request, form)
        if not gate.open:
            return html(signup_note("closed", language), 404)
        topics = await run_in_threadpool(_topics, gate, form)
        if topics is None:
            return html(refusing("odd", language), 400)
        sender = gate.sender(gate.identity)
        return html(signup_page(language, sender, topics, gate.labels, form=_name(form)))

    @app.post("/join")
    async def join(request: Request) -> Response:
        form = _parsed((await body_of(request)).decode("utf-8", "replace"))
        language = _language(request, form)
        if not gate.open:
            return html(signup_note("closed", language), 404)
        topics = await run_in_threadpool(_topics, gate, form)
        if topics is None:
            return html(refusing("odd", language), 400)
        sender, typed = gate.sender(gate.identity), form.get("email", [""])[-1][:1000]
        agreed = "agree" in form
        try:
            parse_address(typed)
            wrong = None
        except AddressError:
            wrong = typed[:254]
        if wrong is not None or not agreed:
            page = signup_page(
                language,
                sender,
                topics,
                gate.labels,
                form=_name(form),
                wrong=typed[:254] if wrong is not None else None,
                untouched=not agreed,
            )
            return html(page, 422)
        if not gate.visitors.may(_host(request), gate.now()):
            return html(signup_note("many", language), 429, **{"Retry-After": "3600"})
        await run_in_threadpool(
            gate.database.write,
            lambda session: _sign_up(gate, session, request, typed, topics, language, form),
        )
        gate.on_asking()
        return html(signup_note("sent", language, mood="good"))

    @app.api_route("/y/{token}", methods=["GET", "HEAD"])
    async def ask(token: str, request: Request) -> Response:
        ticket = read_token(gate.keys, CONFIRM, token)
        found = None
        if ticket is not None:
            found = await run_in_threadpool(
                gate.database.read,
                lambda s: confirming(s, ticket.message_id, ticket.lead_token, now=gate.now()),
            )
        return _about(gate, request, found)

    @app.post("/y/{token}")
    async def confirm(token: str, request: Request) -> Response:
        await body_of(request)
        ticket = read_token(gate.keys, CONFIRM, token)
        found = None
        if ticket is not None:
            found = await run_in_threadpool(
                gate.database.write,
                lambda s: _confirm(gate, s, request, ticket.message_id, ticket.lead_token),
            )
        return _about(gate, request, found)


def _sign_up(
    gate: Gate,
    session: Session,
    request: Request,
    typed: str,
    topics: Sequence[str],
    language: str,
    form: _Form,
) -> None:
    address = parse_address(typed)
    sender = gate.sender(gate.identity)
    wording = form_wording(language, sender, topics, gate.labels)
    # A form on another site has words of its own, which we cannot vouch for: its name says so.
    ours = form.get("text", [""])[-1] == wording.digest
    sign_up(
        session,
        address,
        address_key(address, gate.address_key),
        topics,
        form=_name(form),
        own_words=not ours,
        place=gate.place,
        wording=wording,
        client=_client(request),
        identity=gate.identity,
        dice=gate.dice,
        at=gate.now(),
    )


def _confirm(
    gate: Gate, session: Session, request: Request, request_id: int, lead_token: str
) -> Confirming | None:
    now = gate.now()
    found = confirming(session, request_id, lead_token, now=now)
    if found is None:
        return None
    language = language_for(request, found.language)
    wording = confirm_wording(language, gate.sender(found.identity), found.topics, gate.labels)
    return confirm_consent(session, request_id, lead_token, wording, _client(request), at=now)


def _about(gate: Gate, request: Request, found: Confirming | None) -> Response:
    if found is None:
        return html(refusing("unknown", language_for(request)), 404)
    language = language_for(request, found.language)
    if found.stands == "open":
        return html(confirm_page(language, gate.sender(found.identity), found, gate.labels))
    mood = "good" if found.stands == "confirmed" else "sorry"
    return html(signup_note(found.stands, language, mood=mood, address=found.email))


def _topics(gate: Gate, form: _Form) -> list[str] | None:
    """What the form is about, each topic one of ours; None for a topic we do not have."""
    wanted = list(dict.fromkeys(each.strip() for each in form.get("topic", ()) if each.strip()))
    if not wanted:
        return [""]
    known = {*gate.labels, *gate.database.read(mail_topics)}
    if len(wanted) > _MOST_TOPICS or not known.issuperset(wanted):
        return None
    return wanted


def _name(form: _Form) -> str:
    """What the site calls its form: a word of letters, digits and a few marks."""
    text = "".join(c for c in form.get("form", [""])[-1] if c.isalnum() or c in " -_./")
    return " ".join(text.split())[:_LONGEST_NAME] or "join"


def _language(request: Request, form: _Form) -> str:
    said = form.get("lang", [""])[-1]
    return said if said in texts() else language_for(request)


def _host(request: Request) -> str:
    """The client as the web server in front told it (uvicorn trusts X-Forwarded-For of this
    machine only)."""
    return request.client.host if request.client else ""


def _client(request: Request) -> Client:
    return Client(address=shortened(_host(request)), agent=request.headers.get("user-agent", ""))


def _parsed(text: str) -> _Form:
    """An urlencoded form; an odd one is empty."""
    try:
        return parse_qs(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        return {}
