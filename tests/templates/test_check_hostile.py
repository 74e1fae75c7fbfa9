"""`check` answers, in reasonable time, whatever a template says."""

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from templates import check
from tests.templates.letters import files
from tests.templates.nasty import NASTY, PARTIALS

HOSTILE = [
    "<p style='" + "a:(" * 30_000 + "'>x</p>",
    "<p style='" + "color:red;" * 20_000 + "'>x</p>",
    "<p style='background:" + "(" * 5_000 + "'>x</p>",
    "<p style='font-size:" + "9" * 5_000 + "px'>x</p>",
    "<p style='color: rgb(9999999999999999999%, 1, 1)'>x</p>",
    "<font color='#" + "f" * 50_000 + "'>x</font>",
    "<a href='https://x.example'>" + "a." * 30_000 + "</a>",
    "<a href='https://[bad'>x</a><a href='https://bit.ly:99999/'>x</a>",
    "<a href='https://acme.pl'>https://[bad</a>",
    "<img alt='' width='" + "9" * 400 + "' height='5' src='https://x.example/a'>",
    "<div>" * 3_000 + "x" + "</div>" * 3_000,
    "<p>x</p>" * 20_000,
    "<!--[if mso]>" * 5_000,
    "<style>" + ".a{color:red}" * 20_000 + "</style><p class='a'>x</p>",
    "<style>" + "@a" * 30_000 + "</style><p>x</p>",
    "<p {{ lead.company }}>x</p><{{ lead.company }} style='color: red'>x</p>",
]


@pytest.mark.parametrize("html", HOSTILE, ids=lambda html: html[:30])
def test_nothing_makes_it_raise_or_dawdle(html: str) -> None:
    started = time.process_time()
    assert check(files(html))
    assert time.process_time() - started < 5


@pytest.mark.parametrize("name", list(NASTY))
def test_nasty_templates_are_checked(name: str) -> None:
    html = NASTY[name][0]
    found = check(files(html), partials={n: t.encode() for n, t in PARTIALS.items()})
    # They have no postal address, whatever else they have.
    assert "no-postal-address" in {each.id for each in found}


#: Pieces that mean something to one of the checks.
PIECES = st.sampled_from(
    [
        *("<p style='", "color:", "background:", "url(", "#fff", "rgba(0,0,0,.5", ")", ";", "'>"),
        *("<a href='", "https://", "bit.ly", "acme.pl", "'", ">", "</a>", "<img ", "width="),
        *("{% if lead.company %}", "{% endif %}", "{{ lead.name }}", "<style>", "</style>"),
        *("{", "}", "<!--[if mso]>", "<![endif]-->", "<table bgcolor=", "<td>", "</table>", "x"),
        *("display:flex", "!important", "@media", "&lt;", "\n", "<b", "<svg", "/>", "\u202e", '"'),
    ]
)


@settings(deadline=None, max_examples=40)
@example("<svg/>")
@given(st.lists(PIECES, max_size=25).map("".join))
def test_any_mixture_gets_an_answer_with_places(html: str) -> None:
    for finding in check(files(html)):
        assert finding.what and finding.do
        assert finding.where.partition(":")[0] in ("body.html", "message.toml")
