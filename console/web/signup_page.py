"""The sign-up page, the page behind the link that confirms, and the mail between them. Pure."""

import hashlib
import json
import tomllib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from html import escape
from importlib.resources import files

from console.web.choices_page import Labels, label_of
from console.web.pages import framed, masked
from leads import Confirming, Wording


@lru_cache(maxsize=1)
def _texts() -> Mapping[str, Mapping[str, str]]:
    text = files("console.web").joinpath("signup.toml").read_text("utf-8")
    found: dict[str, dict[str, str]] = tomllib.loads(text)
    return found


def signup_words(language: str) -> Mapping[str, str]:
    """What the pages and the mail say in a language of ours."""
    return _texts()[language]


@lru_cache(maxsize=8)
def _version(language: str) -> str:
    """The language and 8 hex digits of the hash of all these words."""
    text = json.dumps(signup_words(language), sort_keys=True, ensure_ascii=False)
    return f"{language} {hashlib.sha256(text.encode()).hexdigest()[:8]}"


def form_wording(language: str, sender: str, topics: Sequence[str], labels: Labels) -> Wording:
    """The sentence beside the box on the sign-up page, as somebody ticks it."""
    return _wording(language, _sentence(language, "consent", topics, labels, sender=sender))


def mail_wording(language: str, sender: str, topics: Sequence[str], labels: Labels) -> Wording:
    """What the mail that asks says, without what is different in each."""
    text = signup_words(language)
    subject, body = mail_texts(
        language, sender, topics, labels, link="[link]", postal_address="[postal address]"
    )
    return _wording(language, f"{text['mail_subject']}\n\n{body}" if subject else body)


def confirm_wording(language: str, sender: str, topics: Sequence[str], labels: Labels) -> Wording:
    """The sentences above and below the button behind the link, and the button's own words."""
    text = signup_words(language)
    said = _sentence(language, "confirm", topics, labels, sender=sender, address="[address]")
    return _wording(language, f"{said}\n[{text['confirm_button']}]\n{text['confirm_note']}")


def mail_texts(
    language: str,
    sender: str,
    topics: Sequence[str],
    labels: Labels,
    *,
    link: str,
    postal_address: str,
) -> tuple[str, str]:
    """Subject and text of the mail that asks to confirm."""
    text = signup_words(language)
    about = _sentence(language, "mail_about", topics, labels)
    body = (
        text["mail_text"]
        .strip()
        .format(sender=sender, about=about, link=link, postal_address=postal_address)
    )
    return text["mail_subject"], body + "\n"


def signup_page(
    language: str,
    sender: str,
    topics: Sequence[str],
    labels: Labels,
    *,
    form: str,
    wrong: str | None = None,
    untouched: bool = False,
) -> str:
    """The page with the field, the box and the button. `wrong` is an address that is none."""
    text = signup_words(language)
    typed = f' value="{escape(wrong)}"' if wrong else ""
    bad = ' aria-invalid="true" aria-describedby="wrong" autofocus' if wrong is not None else ""
    error = f'<p class="wrong" id="wrong">{text["wrong"]}</p>' if wrong is not None else ""
    missing = f'<p class="wrong">{text["untouched"]}</p>' if untouched else ""
    said = escape(_sentence(language, "consent", topics, labels, sender=sender))
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{escape(value)}">'
        for name, value in (
            *(("topic", each) for each in topics if each),
            ("form", form),
            ("lang", language),
            # Which words were beside the box: without them a site's own form was filled in.
            ("text", form_wording(language, sender, topics, labels).digest),
        )
    )
    below = (
        f'<form method="post">{hidden}<label for="email">{text["label"]}</label>'
        f'<input type="email" id="email" name="email" required maxlength="254" '
        f'autocomplete="email"{typed}{bad}>{error}'
        f'<label class="tick"><input type="checkbox" name="agree" value="yes" required>'
        f"<span>{said}</span></label>{missing}"
        f'<button type="submit">{text["button"]}</button></form>'
        f'<p class="quiet">{text["note"]}</p>'
    )
    return framed(language, "ask", text["title"], "", below)


def signup_note(name: str, language: str, *, mood: str = "sorry", address: str = "") -> str:
    """A page that says one thing: `sent`, `many`, `closed`, `confirmed`, `expired`, `blocked`."""
    text = signup_words(language)
    told = text[name].format(address=f"<strong>{escape(masked(address))}</strong>")
    note = f'<p class="quiet">{text[f"{name}_note"]}</p>'
    return framed(language, mood, text[f"{name}_title"], f"<p>{told}</p>", note)


def confirm_page(language: str, sender: str, found: Confirming, labels: Labels) -> str:
    """The page that asks whether we may write, with one button. It changes nothing."""
    text = signup_words(language)
    told = escape(
        _sentence(language, "confirm", found.topics, labels, sender=sender, address="{address}")
    ).replace("{address}", f"<strong>{escape(masked(found.email))}</strong>")
    button = (
        '<form method="post"><button type="submit" name="do" value="confirm">'
        f"{text['confirm_button']}</button></form>"
    )
    note = f'<p class="quiet">{text["confirm_note"]}</p>'
    return framed(language, "ask", text["confirm_title"], f"<p>{told}</p>", button + note)


def _sentence(language: str, name: str, topics: Sequence[str], labels: Labels, **facts: str) -> str:
    text = signup_words(language)
    named = [label_of(each, language, labels) for each in topics if each]
    if not named:
        return text[f"{name}_all"].format(**facts)
    *first, last = named
    told = f"{', '.join(first)}{text['and']}{last}" if first else last
    return text[name].format(topics=told, **facts)


def _wording(language: str, text: str) -> Wording:
    return Wording(language=language, version=_version(language), text=text)
