"""Tracked links: every link to the web of the HTML part, once, and nothing else."""

import html
import json
import re
from collections.abc import Mapping
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml.html import fromstring

from templates import Compiled, Letter, SourceError, compile_template, render, render_again
from templates.tracked_links import tracked
from tests.templates.letters import LINKS, SENDER, files, lead, letter

TOML = 'subject = "x"\ntrack_links = true\n'
UTM = TOML + '[links]\nutm_source = "potok"\n'
OWN = LINKS.unsubscribe


def by_way(address: str) -> str:
    return f"https://mail.studio.example/c/<{address}>"


def links(
    body: str, *, toml: str = TOML, partials: Mapping[str, bytes] | None = None, **fields: object
) -> list[str]:
    """Where the links of the HTML lead; the text part never says anything but the plain address."""
    compiled = compile_template("t", files(body, toml=toml), partials=partials)
    given_to = Letter(recipient=lead(**fields), sender=SENDER, links=LINKS, track=by_way)
    rendered = render(compiled, given_to)
    stored = Compiled.from_body("t", json.loads(json.dumps(compiled.body())))
    again = render_again(stored, rendered.read, language="", track=by_way)
    assert (again.html, again.text) == (rendered.html, rendered.text)
    assert "/c/" not in rendered.text
    assert "data-track" not in (rendered.html or "")
    found = re.findall(r"href\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>]+))", rendered.html or "")
    return [html.unescape("".join(each)) for each in found]


@pytest.mark.parametrize(
    ("address", "target"),
    [
        ("https://a.example", "https://a.example"),
        ("HTTP://a.example/b", "HTTP://a.example/b"),
        ("https://a.example/b?c=1&amp;d=2#e", "https://a.example/b?c=1&d=2#e"),
        # As browsers read it: no reference without its semicolon before more of the address.
        ("https://a.example/?a=1&copy=2", "https://a.example/?a=1&copy=2"),
        ("https://a.example/{{ lead.country }}", "https://a.example/PL"),
        (
            "https://a.example/?c={{ lead.company|urlencode }}",
            "https://a.example/?c=A%20%26%20B",
        ),
        ("https://a.example/{% if lead.country %}yes{% endif %}", "https://a.example/yes"),
        ("{{ lead.attributes.site }}", "https://own.example/?a=1&b=2#f"),
    ],
)
def test_a_link_to_the_web_leads_by_way_of_us(address: str, target: str) -> None:
    site = {"site": "https://own.example/?a=1&b=2#f"}
    body = f'<p><a class="x" href="{address}" title="a > b">Go on</a>, please</p>'
    assert links(body, country="PL", company="A & B", attributes=site) == [by_way(target)]


@pytest.mark.parametrize(
    "address",
    [
        "{{ links.unsubscribe }}",
        "{{ links.view }}",
        "mailto:a@b.example",
        "tel:+48221234567",
        "#top",
        "{{ lead.attributes.other }}",
    ],
)
def test_all_others_stay(address: str) -> None:
    (found,) = links(f'<a href="{address}">x</a>', attributes={"other": "ftp://a.example"})
    assert "/c/" not in found


@pytest.mark.parametrize("style", ["", "<style>a {color: red}</style>"])
def test_macros_layouts_partials_and_outlook_are_seen_too(style: str) -> None:
    partials = {
        "_layout.html": f"<html><head>{style}</head><body>{{% block body %}}{{% endblock %}}"
        "<a href='https://a.example/layout'>x</a></body></html>".encode(),
        "_macros.html": b'{% macro button(to) %}<a href="{{ to }}">Press</a>{% endmacro %}',
        "_footer.html": b'<AREA HREF=https://a.example/area><a href="{{ links.view }}">x</a>',
    }
    body = (
        '{% extends "_layout.html" %}{% block body %}{% from "_macros.html" import button %}'
        '{{ button("https://a.example/macro") }}{{ button(links.unsubscribe) }}'
        '{% include "_footer.html" %}{{ lead.attributes.made|safe }}'
        '<!--[if mso]><v:roundrect href="https://a.example/vml"></v:roundrect><![endif]-->'
        "{% endblock %}"
    )
    made = {"made": '<a href="https://a.example/safe">x</a>'}
    assert links(body, partials=partials, attributes=made) == [
        by_way("https://a.example/macro"),
        OWN,
        by_way("https://a.example/area"),
        "https://mail.studio.example/v/abc",
        by_way("https://a.example/safe"),
        by_way("https://a.example/vml"),
        by_way("https://a.example/layout"),
    ]


def test_the_words_of_web_statistics_are_put_on_first() -> None:
    (found,) = links('<a href="https://a.example/#x">x</a>', toml=UTM)
    assert found == by_way("https://a.example/?utm_source=potok#x")


def test_a_link_may_be_left_out_and_the_mark_never_leaves() -> None:
    body = (
        '<a data-track="no" href="https://a.example/1">x</a>'
        "<a href='https://a.example/2' data-track='OFF' class=y>x</a>"
        '<a href="https://a.example/3" data-track="yes" class="y">x</a>'
        '<a href="mailto:a@b.example" data-track="no">x</a>'
    )
    expected = ["https://a.example/1", "https://a.example/2", by_way("https://a.example/3")]
    assert links(body) == [*expected, "mailto:a@b.example"]
    off = compile_template("t", files(body))
    assert "data-track" not in (render(off, letter()).html or "")


def test_pictures_prose_and_files_to_load_stay() -> None:
    body = (
        '<p>href="https://a.example" <img src="https://a.example/a.png" alt=""> &lt;a href=x></p>'
    )
    compiled = compile_template("t", files(body, toml=TOML))
    given_to = Letter(recipient=lead(), sender=SENDER, links=LINKS, track=by_way)
    assert "/c/" not in (render(compiled, given_to).html or "")


def test_nothing_is_tracked_unless_the_file_says_so_and_somebody_can_tell() -> None:
    body = '<a href="https://a.example?a=1&amp;b=2">x</a>'
    off = compile_template("t", files(body))
    assert "track_links" not in off.body(), "what is new here changes no applied template"
    given_to = Letter(recipient=lead(), sender=SENDER, links=LINKS, track=by_way)
    on = compile_template("t", files(body, toml=TOML))
    assert render(off, given_to).html == render(on, letter()).html
    assert body in (render(off, given_to).html or "")


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ('track_links = "yes"', "message.toml:2: track_links must be true or false"),
        ("[links]\ntrack_links = true", "write it above the first"),
        ("track_link = true", 'did you mean "track_links"'),
    ],
)
def test_a_mistake_in_the_file_is_an_error(toml: str, words: str) -> None:
    with pytest.raises(SourceError, match=re.escape(words)):
        compile_template("t", files(text="x", toml=f'subject = "x"\n{toml}\n'))


ATTRIBUTES = st.lists(
    st.tuples(
        st.sampled_from(["href", "HREF", "title", "class", "data-track", "xhref"]),
        st.sampled_from(["https://a.example/?x=1&y=2", "http://b.example", "no", "#a", "mailto:x"]),
        st.sampled_from(['"', "'"]),
        st.sampled_from([" ", "\n", "  "]),
        st.sampled_from(["=", " = "]),
    ),
    max_size=5,
    unique_by=lambda each: each[0].lower(),
)


@given(ATTRIBUTES, st.sampled_from(["a", "A", "area", "abbr", "p"]))
def test_a_parser_of_html_finds_the_same_links_led_by_way_of_us(
    attributes: list[tuple[str, str, str, str, str]], tag: str
) -> None:
    written = "".join(
        f"{space}{name}{equals}{quote}{html.escape(value)}{quote}"
        for name, value, quote, space, equals in attributes
    )
    page = f"<div><{tag}{written}>x</div>"
    before, after = (fromstring(each)[0].attrib for each in (page, tracked(page, by_way, [])))
    expected = {name: value for name, value in before.items() if name != "data-track"}
    link = before.get("href", "")
    followed = tag.lower() in ("a", "area") and before.get("data-track") != "no"
    if link.startswith("http") and followed:
        expected["href"] = by_way(link)
    if tag.lower() not in ("a", "area"):
        expected = dict(before)
    assert dict(after) == expected


@given(st.text(st.sampled_from("<a href='\"> =hx:/&;vd-"), max_size=80))
def test_odd_html_never_breaks(page: str) -> None:
    assert tracked(page, str, []) == page
    assert tracked(f"{page}<a>", by_way, []).endswith("<a>")


@pytest.mark.parametrize("odd", ['<a "', "<a '<a' ", "<a x=", "<a \"'", "<a href=\"https://a'"])
def test_html_made_to_be_slow_is_not(odd: str) -> None:
    page = odd * (400_000 // len(odd))
    begun = perf_counter()
    tracked(page, by_way, [])
    assert perf_counter() - begun < 2
