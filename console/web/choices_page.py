"""The preference page as HTML, and the page behind the link to a new address. Pure."""

import hashlib
import json
import tomllib
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from html import escape
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

from campaigns import Choosing
from console.web.pages import framed, masked

#: Topic -> language -> what people read.
Labels = Mapping[str, Mapping[str, str]]


@lru_cache(maxsize=1)
def _texts() -> Mapping[str, Mapping[str, Any]]:
    text = files("console.web").joinpath("choices.toml").read_text("utf-8")
    found: dict[str, dict[str, Any]] = tomllib.loads(text)
    return found


def words(language: str) -> Mapping[str, Any]:
    """What the pages and the mail say in a language of ours."""
    return _texts()[language]


@lru_cache(maxsize=8)
def version_of(language: str) -> str:
    """Names the words somebody had before them: the language and 8 hex digits of their hash."""
    text = json.dumps(words(language), sort_keys=True, ensure_ascii=False)
    return f"{language} {hashlib.sha256(text.encode()).hexdigest()[:8]}"


def choosing_page(
    known: Choosing,
    language: str,
    *,
    labels: Labels,
    zone: ZoneInfo,
    said: str = "",
    wrong: str = "",
) -> str:
    """The page with everything that can be chosen. `said` is a sentence's name, about what was
    just done; `wrong` an address that is none."""
    text = words(language)
    address = f"<strong>{escape(masked(known.email))}</strong>"
    note = f'<p class="said" role="status">{text[said]}</p>' if said else ""
    if known.out:
        named = "gone" if known.sender else "gone_plain"
        sender = f"<strong>{escape(known.sender)}</strong>"
        told = text[named].format(address=address, sender=sender)
        back = f'<p class="quiet">{text["back_note"]}</p>{_button("back", text["back_button"])}'
        return framed(language, "good", text["gone_title"], f"{note}<p>{told}</p>", _form(back))
    title = text["title" if known.sender else "title_plain"].format(sender=known.sender)
    intro = f"{note}<p>{text['intro'].format(address=address)}</p>"
    if known.blocked:
        intro += f'<p class="said held">{text["blocked"]}</p>'
    parts = [
        _form(_wishes(known, language, labels)),
        _pause(known, text, zone),
        _new_address(text, wrong),
        _section(
            "out",
            text["out"],
            f'<p class="quiet">{text["out_note"]}</p>{_button("out", text["out_button"], "stop")}',
        ),
    ]
    return framed(language, "ask", title, intro, "".join(parts))


def note_page(
    name: str, language: str, *, mood: str = "sorry", address: str = "", old: str = ""
) -> str:
    """A page that says one thing: `nobody`, `expired`, `taken`, `confirmed`."""
    text = words(language)
    told = text[name].format(
        address=f"<strong>{escape(masked(address))}</strong>",
        old=f"<strong>{escape(masked(old))}</strong>",
    )
    note = f'<p class="quiet">{text[f"{name}_note"]}</p>'
    return framed(language, mood, text[f"{name}_title"], f"<p>{told}</p>", note)


def confirming_page(address: str, old: str, language: str) -> str:
    """The page that asks whether mail is to go to a new address. It changes nothing."""
    text = words(language)
    new = escape(masked(address))
    told = text["confirm"].format(
        address=f"<strong>{new}</strong>", old=f"<strong>{escape(masked(old))}</strong>"
    )
    button = _form(_button("confirm", text["confirm_button"].format(address=new)))
    note = f'<p class="quiet">{text["confirm_note"]}</p>'
    return framed(language, "ask", text["confirm_title"], f"<p>{told}</p>", button + note)


def label_of(topic: str, language: str, labels: Labels) -> str:
    """A topic as people read it: its name in potok.toml, else the word made readable."""
    own = labels.get(topic, {})
    written = own.get(language) or next(iter(own.values()), "")
    plain = " ".join(topic.replace("_", " ").replace("-", " ").split())
    return written or plain[:1].upper() + plain[1:]


def _wishes(known: Choosing, language: str, labels: Labels) -> str:
    text = words(language)
    parts = []
    if known.topics:
        rows = "".join(
            f'<input type="hidden" name="shown" value="{escape(topic)}">'
            + _tick("checkbox", "topic", topic, label_of(topic, language, labels), wanted)
            for topic, wanted in known.topics
        )
        quiet = f'<p class="quiet">{text["topics_note"]}</p>'
        parts.append(_fieldset(text["topics"], rows + quiet))
    weekly = known.per_week is not None
    parts.append(
        _fieldset(
            text["frequency"],
            _tick("radio", "frequency", "any", text["any"], not weekly)
            + _tick("radio", "frequency", "weekly", text["weekly"], weekly),
        )
    )
    if len(known.languages) > 1:
        names = _texts()["names"]
        rows = "".join(
            _tick("radio", "language", each, names.get(each, each), each == known.language)
            for each in known.languages
        )
        if known.language not in known.languages:
            rows = _tick("radio", "language", "", text["language_none"], True) + rows
        parts.append(_fieldset(text["language"], rows))
    return "".join(parts) + _button("save", text["save"])


def _pause(known: Choosing, text: Mapping[str, Any], zone: ZoneInfo) -> str:
    if known.paused_until is None:
        told, button = text["pause_note"], _button("pause", text["pause_button"], "plain")
    else:
        told = text["paused_note"].format(day=_day(known.paused_until, text, zone))
        button = _button("resume", text["resume_button"], "plain")
    return _section("pause", text["pause"], f'<p class="quiet">{told}</p>{button}')


def _new_address(text: Mapping[str, Any], wrong: str) -> str:
    value = f' value="{escape(wrong)}" aria-invalid="true" autofocus' if wrong else ""
    error = f'<p class="wrong" id="wrong">{text["address_wrong"]}</p>' if wrong else ""
    described = "wrong" if wrong else "about-address"
    return _section(
        "address",
        text["address"],
        f'<p class="quiet" id="about-address">{text["address_note"]}</p>'
        f'<label for="new">{text["address_label"]}</label>'
        f'<input type="email" id="new" name="address" required maxlength="254" '
        f'autocomplete="email" aria-describedby="{described}"{value}>{error}'
        f"{_button('address', text['address_button'], 'plain')}",
    )


def _day(moment: datetime, text: Mapping[str, Any], zone: ZoneInfo) -> str:
    day = moment.astimezone(zone)
    return f"{day.day} {text['months'][day.month - 1]} {day.year}"


def _tick(kind: str, name: str, value: str, label: str, on: bool) -> str:
    checked = " checked" if on else ""
    return (
        f'<label class="tick"><input type="{kind}" name="{name}" value="{escape(value)}"{checked}>'
        f"<span>{escape(label)}</span></label>"
    )


def _fieldset(legend: str, inside: str) -> str:
    return f"<fieldset><legend>{legend}</legend>{inside}</fieldset>"


def _section(name: str, title: str, inside: str) -> str:
    return (
        f'<section aria-labelledby="{name}"><h2 id="{name}">{title}</h2>{_form(inside)}</section>'
    )


def _form(inside: str) -> str:
    # Without an action it posts to its own address, whatever path a proxy gave it.
    return f'<form method="post">{inside}</form>'


def _button(do: str, label: str, look: str = "") -> str:
    shape = f' class="{look}"' if look else ""
    return f'<button type="submit" name="do" value="{do}"{shape}>{label}</button>'
