"""Tracked links are looked at before anybody gets one."""

import pytest

from campaigns import tracking_over
from templates import check
from tests.templates.letters import files

FOOT = '<p>{{ sender.postal_address }} <a href="{{ links.unsubscribe }}">out</a></p>'
TOML = 'subject = "Hello"\npreheader = "x"\ntrack_links = true\n'


def ids(
    html: str, *, toml: str = TOML, web: str | None = "https://mail.acme.pl/"
) -> list[tuple[str, str, str]]:
    tracking = None if web is None else tracking_over(web)
    found = check(files(html + FOOT, toml=toml), tracking=tracking)
    return [(each.id, each.level, each.where) for each in found]


def test_tracking_needs_a_web_address() -> None:
    html = '<a href="https://acme.pl">x</a>'
    assert ids(html, web="") == [("tracking-without-web", "error", "message.toml:3")]
    assert ids(html) == ids(html, web=None) == []
    assert ids(html, toml='subject = "Hello"\npreheader = "x"\n', web="") == []


def test_a_text_alone_has_nothing_to_track() -> None:
    text = "{{ sender.postal_address }} {{ links.unsubscribe }}"
    found = check(files(text=text, toml=TOML), tracking=tracking_over(""))
    assert [(each.id, each.level) for each in found] == [("nothing-tracked", "notice")]


@pytest.mark.parametrize(("length", "warned"), [(1300, False), (1500, True)])
def test_a_link_too_long_to_be_tracked_is_said(length: int, warned: bool) -> None:
    address = "https://acme.pl/" + "x" * (length - 16)
    expected = [("tracked-link-too-long", "warning", "body.html:2")] if warned else []
    assert ids(f'\n<a href="{address}">x</a>') == expected
    assert ids(f'\n<a data-track="no" href="{address}">x</a>') == []


def test_the_words_of_web_statistics_make_a_link_longer() -> None:
    address = "https://acme.pl/" + "x" * 1390
    words = f'[links]\nutm_campaign = "{"y" * 80}"\n'
    assert ids(f'<a href="{address}">x</a>') == []
    assert ids(f'<a href="{address}">x</a>', toml=TOML + words) == [
        ("tracked-link-too-long", "warning", "body.html:1")
    ]


@pytest.mark.parametrize("said", ["acme.de", "https://www.acme.de/prices", "www.acme.de"])
def test_a_link_that_says_its_address_looks_forged_when_it_is_tracked(said: str) -> None:
    html = f'\n<a href="https://www.acme.de/prices">{said}</a>'
    assert ids(html) == [("tracked-text-differs", "warning", "body.html:2")]
    assert ids(html, web="https://mail.acme.de") == []
    assert ids(html.replace("<a ", "<a data-track=no ")) == []


def test_a_mark_nobody_understands_is_an_error() -> None:
    html = (
        '<a data-track="never" href="https://acme.pl">x</a><a data-track href="https://b.pl">y</a>'
    )
    assert ids(html) == [("unknown-track-mark", "error", "body.html:1")]
