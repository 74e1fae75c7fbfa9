"""The pages as HTML: one layout, its own style, texts in English and Polish. Pure."""

import base64
import hashlib
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from html import escape
from importlib.resources import files
from string import Template

from campaigns import Asked

#: Outlines of 24 x 24: an envelope, a tick, a broken chain.
_MARKS = {
    "ask": '<path d="M3 6.5h18v11H3z"/><path d="m3.5 7 8.5 6.5L20.5 7"/>',
    "good": '<path d="m5 12.5 4.5 4.5L19 7.5"/>',
    "sorry": '<path d="M12 7v6"/><path d="M12 16.8v.2"/><circle cx="12" cy="12" r="9"/>',
}


@lru_cache(maxsize=1)
def _layout() -> tuple[Template, str]:
    here = files("console.web")
    return (
        Template(here.joinpath("page.html").read_text("utf-8")),
        here.joinpath("page.css").read_text("utf-8").strip(),
    )


@lru_cache(maxsize=1)
def texts() -> Mapping[str, Mapping[str, str]]:
    """Language -> name -> text."""
    found: dict[str, dict[str, str]] = tomllib.loads(
        files("console.web").joinpath("texts.toml").read_text("utf-8")
    )
    return found


@lru_cache(maxsize=1)
def policy() -> str:
    """The Content-Security-Policy: nothing is loaded, only our own style sheet is applied."""
    digest = hashlib.sha256(_layout()[1].encode()).digest()
    return (
        f"default-src 'none'; style-src 'sha256-{base64.b64encode(digest).decode()}'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


def language_of(accepts: str, lead: str = "") -> str:
    """The lead's language when we speak it, else the best of Accept-Language (RFC 9110 12.5.4)."""
    if lead in texts():
        return lead
    wanted: list[tuple[float, int, str]] = []
    for place, one in enumerate(accepts[:500].split(",")):
        tag, _, weight = one.partition(";")
        try:
            quality = float(weight.strip().removeprefix("q=") or 1)
        except ValueError:
            continue
        wanted.append((-quality, place, tag.strip().partition("-")[0].lower()))
    return next((tag for quality, _, tag in sorted(wanted) if quality and tag in texts()), "en")


def masked(email: str) -> str:
    """Enough for its owner to recognise, too little for anybody else: `a•••@e•••.com`."""
    local, _, domain = email.rpartition("@")
    name, dot, top = domain.rpartition(".")
    shown = f"{name[:1]}•••.{top}" if dot else f"{top[:1]}•••"
    return f"{local[:1]}•••@{shown}"


def asking(asked: Asked, language: str, choosing: str) -> str:
    """The page with the button, and the way to the preference page at `choosing`. It changes
    nothing."""
    said = texts()[language]
    # Without an action it posts to its own address, whatever path a proxy gave it.
    button = (
        '<form method="post"><input type="hidden" name="confirm" value="yes">'
        f'<button type="submit">{said["button"]}</button></form>'
    )
    less = f'{said["ask_note"]}</p><p class="quiet"><a href="{escape(choosing)}">{said["less"]}</a>'
    return _page(language, "ask", "ask", [_about("ask", asked, said), less], button)


def confirming(asked: Asked | None, language: str) -> str:
    """It is done. `asked` is None when there is nobody left to write to."""
    said = texts()[language]
    first = said["gone"] if asked is None else _about("done", asked, said)
    return _page(language, "good", "done", [first, said["done_note"]])


def refusing(kind: str, language: str) -> str:
    """`unknown`, `cut`, `busy` or `odd`: what happened and what helps."""
    said = texts()[language]
    return _page(language, "sorry", kind, [said[kind], said[f"{kind}_note"]])


def _about(what: str, asked: Asked, said: Mapping[str, str]) -> str:
    address = f"<strong>{escape(masked(asked.email))}</strong>"
    if not asked.sender:
        return said[f"{what}_plain"].format(address=address)
    return said[what].format(address=address, sender=f"<strong>{escape(asked.sender)}</strong>")


def _page(language: str, mood: str, name: str, words: list[str], form: str = "") -> str:
    first, last = words
    # The note stands below the button.
    below = f'{form}<p class="quiet">{last}</p>'
    return framed(language, mood, texts()[language][f"{name}_title"], f"<p>{first}</p>", below)


def framed(language: str, mood: str, title: str, top: str, below: str) -> str:
    """A page of ours around pieces of HTML; `title` is text. `mood` is `ask`, `good` or `sorry`."""
    layout, style = _layout()
    return layout.substitute(
        language=language,
        title=escape(title),
        style=style,
        mood=mood,
        mark=f'<svg viewBox="0 0 24 24">{_MARKS[mood]}</svg>',
        paragraphs=top,
        form=below,
    )
