"""Links are looked at: where they lead, what they say, whether that is allowed."""

import pytest

from templates import Finding, check
from tests.templates.letters import files

FOOT = '<p>{{ sender.postal_address }} <a href="{{ links.unsubscribe }}">out</a></p>'
TOML = 'subject = "Hello"\npreheader = "x"\n'


def found(html: str, *, domains: tuple[str, ...] = ()) -> list[Finding]:
    return check(files(html + FOOT, toml=TOML), link_domains=domains)


def ids(html: str, *, domains: tuple[str, ...] = ()) -> list[tuple[str, str, str]]:
    return [(each.id, each.level, each.where) for each in found(html, domains=domains)]


@pytest.mark.parametrize("host", ["bit.ly", "BIT.LY", "tinyurl.com", "acme.short.gy", "bit.ly:443"])
def test_a_shortener_hides_where_a_link_leads(host: str) -> None:
    assert ids(f'\n<a href="https://{host}/x">go</a>') == [
        ("link-shortener", "warning", "body.html:2")
    ]


@pytest.mark.parametrize("host", ["acme.pl", "habit.ly.example", "youtu.be", "notbit.ly"])
def test_what_only_looks_like_a_shortener_is_none(host: str) -> None:
    assert ids(f'<a href="https://{host}/bit.ly">go</a>') == []


def test_links_off_the_allowed_domains_stop_a_send() -> None:
    html = """<a href="https://acme.pl/a">a</a><a href="https://www.acme.pl">b</a>
<a href="https://acme.pl.evil.example/">c</a>
<a href="mailto:a@other.example">d</a><a href="{{ lead.attributes.url }}">e</a>
<a href="https://{{ lead.attributes.host }}/x">f</a>"""
    assert ids(html, domains=("acme.pl",)) == [("foreign-link", "error", "body.html:2")]
    assert ids(html) == []


def test_links_of_the_text_part_are_looked_at_too() -> None:
    text = (
        "Hello\nhttps://acme.pl/x and https://bit.ly/y, https://{{ lead.company }}/\n"
        "{{ sender.postal_address }} {{ links.unsubscribe }}"
    )
    findings = check(files(text=text, toml=TOML), link_domains=["acme.pl"])
    assert [(each.id, each.where) for each in findings] == [
        ("foreign-link", "body.txt:2"),
        ("link-shortener", "body.txt:2"),
    ]


@pytest.mark.parametrize(
    ("text", "href"),
    [
        ("https://acme.pl/offer", "https://evil.example/offer"),
        ("www.acme.pl", "https://acme.pl.evil.example/"),
        ("acme.pl", "https://track.example/acme.pl"),
        ("<b>acme</b>.pl/offer", "https://evil.example"),
    ],
)
def test_a_link_that_says_another_host_looks_forged(text: str, href: str) -> None:
    assert ids(f'<a href="{href}">{text}</a>') == [("link-text-differs", "warning", "body.html:1")]


@pytest.mark.parametrize(
    ("text", "href"),
    [
        ("www.acme.pl", "https://acme.pl/x"),
        ("acme.pl", "https://shop.acme.pl/"),
        ("Node.js", "https://nodejs.example"),
        ("anna@acme.pl", "mailto:anna@acme.pl"),
        ("acme.pl", "{{ links.view or links.unsubscribe }}"),
        ("See acme.pl for more", "https://other.example"),
        ("{{ lead.company }}.pl", "https://other.example"),
        ("<img src='https://x.example/a.png' alt='acme.pl'>" + "words " * 30, "https://o.example"),
    ],
)
def test_words_and_own_hosts_are_left_alone(text: str, href: str) -> None:
    assert ids(f'<a href="{href}">{text}</a>') == []


def test_a_finding_says_where_the_partial_stands() -> None:
    folder = {
        **files('<p>x</p>\n{% include "_foot.html" %}', toml=TOML),
        "_foot.html": f'\n<a href="https://bit.ly/1">x</a>{FOOT}'.encode(),
    }
    assert [(each.id, each.where) for each in check(folder)] == [("link-shortener", "_foot.html:2")]
