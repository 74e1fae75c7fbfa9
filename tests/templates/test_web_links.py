"""The words of web statistics: on links to the web, once, and nowhere else."""

import json
import re

import pytest

from templates import (
    Compiled,
    SourceError,
    compile_template,
    render,
    render_again,
)
from templates.web_links import with_words
from tests.templates.letters import files, letter

TOML = """subject = "x"
[links]
utm_source = "potok"
utm_campaign = "Spring & more"
"""
WORDS = "utm_source=potok&utm_campaign=Spring+%26+more"


def links(html: str, **fields: object) -> list[str]:
    compiled = compile_template("t", files(f"<body>{html}</body>", toml=TOML))
    rendered = render(compiled, letter(**fields))
    stored = Compiled.from_body("t", json.loads(json.dumps(compiled.body())))
    assert render_again(stored, rendered.read, language="").html == rendered.html
    found = re.findall(r"href=[\"']([^\"']*)[\"']", rendered.html or "")
    assert all(f"] {each.replace('&amp;', '&')}\n" in rendered.text for each in found)
    return [each.replace("&amp;", "&") for each in found]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://a.example", f"https://a.example?{WORDS}"),
        ("http://a.example/b", f"http://a.example/b?{WORDS}"),
        ("https://a.example/b?c=1", f"https://a.example/b?c=1&{WORDS}"),
        ("https://a.example/b?c=1&amp;d=2#e", f"https://a.example/b?c=1&d=2&{WORDS}#e"),
        ("https://a.example/?", f"https://a.example/?{WORDS}"),
        (
            "https://a.example/?utm_source=me",
            "https://a.example/?utm_source=me&utm_campaign=Spring+%26+more",
        ),
        ("https://a.example/{{ lead.country }}", f"https://a.example/PL?{WORDS}"),
        (
            "https://a.example/?c={{ lead.country|urlencode }}#x",
            f"https://a.example/?c=PL&{WORDS}#x",
        ),
        ("https://a.example/{% if lead.country %}yes{% endif %}", f"https://a.example/yes?{WORDS}"),
        ("{{ lead.attributes.site }}", f"https://own.example/?a=1&{WORDS}#f"),
        ("{{ lead.attributes.other }}", "ftp://own.example"),
        ("{{ links.unsubscribe }}", "https://mail.studio.example/u/abc?x=1&y=2"),
        ("{{ links.view|default('') }}", "https://mail.studio.example/v/abc"),
        ("mailto:a@b.example", "mailto:a@b.example"),
    ],
)
def test_links_to_the_web_get_the_words(address: str, expected: str) -> None:
    site = {"site": "https://own.example/?a=1#f", "other": "ftp://own.example"}
    found = links(f'<p><a href="{address}">Go on</a>, please</p>', country="PL", attributes=site)
    assert found == [expected]


def test_links_in_macros_single_quotes_and_outlook_get_them_too() -> None:
    macro = (
        '{% macro button(to) %}<a class="b" href="{{ to }}">Press here</a>{% endmacro %}'
        '{{ button("https://a.example") }}{{ button(links.unsubscribe) }}'
    )
    assert links(macro) == [
        f"https://a.example?{WORDS}",
        "https://mail.studio.example/u/abc?x=1&y=2",
    ]
    html = "<p><a class=x href='https://a.example'>Go</a></p>"
    assert links(html) == [f"https://a.example?{WORDS}"]
    outlook = '<!--[if mso]><v:roundrect href="https://a.example"></v:roundrect><![endif]-->'
    compiled = compile_template("t", files(outlook, toml=TOML))
    assert f"https://a.example?{WORDS}".replace("&", "&amp;") in (
        render(compiled, letter()).html or ""
    )


def test_pictures_and_prose_stay() -> None:
    html = '<p>href="https://a.example" <img src="https://a.example/a.png" alt=""></p>'
    compiled = compile_template("t", files(html, toml=TOML))
    assert "utm_source" not in (render(compiled, letter()).html or "")


def test_a_text_of_ones_own_gets_them_as_well() -> None:
    text = (
        "See https://a.example/b. (Or https://a.example/{{ lead.country }}!)\n"
        "https://c.example{% if lead.company %} for {{ lead.company }}{% endif %}\n"
        "Stop: {{ links.unsubscribe }}\n"
    )
    compiled = compile_template("t", files(text=text, toml=TOML))
    assert render(compiled, letter(country="PL")).text == (
        f"See https://a.example/b?{WORDS}. (Or https://a.example/PL?{WORDS}!)\n"
        f"https://c.example?{WORDS}\n"
        "Stop: https://mail.studio.example/u/abc?x=1&y=2"
    )


def test_without_the_table_nothing_is_added() -> None:
    compiled = compile_template("t", files('<a href="https://a.example">x</a>'))
    assert 'href="https://a.example"' in (render(compiled, letter()).html or "")


def test_twice_is_once() -> None:
    words = {"utm_source": "a b"}
    once = with_words("https://a.example/#top", words)
    assert once == "https://a.example/?utm_source=a+b#top"
    assert with_words(once, words) == once


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ('utm_sorce = "x"', 'message.toml:3: unknown key "utm_sorce"; did you mean "utm_source"'),
        ("utm_source = 1", "must be a text in quotes"),
    ],
)
def test_a_misspelt_word_is_an_error(toml: str, words: str) -> None:
    with pytest.raises(SourceError, match=words):
        compile_template("t", files(text="x", toml=f'subject = "x"\n[links]\n{toml}\n'))


BUTTONS = """{# The buttons
of all mails. #}
{% from "_small.html" import small %}
{% macro button(to, label) -%}
  <a href="{{ to }}">{{ label }}</a> <a href="https://b.example/{{ label }}">More</a>
  {{ small("https://c.example/") }}
{%- endmacro %}
"""
SMALL = '{% macro small(to) %}<a class="small" href="{{ to }}">Small</a>{% endmacro %}'


def _with_buttons(html: str, toml: str = TOML) -> Compiled:
    partials = {"_buttons.html": BUTTONS.encode(), "_small.html": SMALL.encode()}
    return compile_template("t", files(html, toml=toml), partials=partials)


@pytest.mark.parametrize(
    "line",
    [
        '{% from "_buttons.html" import button %}',
        '{%- from "_buttons.html" import button without context -%}',
        '{% import "_buttons.html" as b %}{% set button = b.button %}',
    ],
)
def test_links_in_imported_macros_get_them_and_ours_do_not(line: str) -> None:
    html = (
        f"<body>{line}"
        '{{ button("https://a.example/", "Go") }}{{ button(links.unsubscribe, "Stop") }}</body>'
    )
    compiled = _with_buttons(html)
    rendered = render(compiled, letter())
    found = re.findall(r'href="([^"]*)"', rendered.html or "")
    more = "https://b.example/"
    assert [each.replace("&amp;", "&") for each in found] == [
        f"https://a.example/?{WORDS}",
        f"{more}Go?{WORDS}",
        f"https://c.example/?{WORDS}",
        "https://mail.studio.example/u/abc?x=1&y=2",
        f"{more}Stop?{WORDS}",
        f"https://c.example/?{WORDS}",
    ]
    stored = Compiled.from_body("t", json.loads(json.dumps(compiled.body())))
    assert render_again(stored, rendered.read, language="").html == rendered.html


def test_without_words_an_imported_macro_stays_as_it_was_written() -> None:
    html = '{% from "_buttons.html" import button %}{{ button("https://a.example/", "Go") }}'
    assert _with_buttons(html, toml='subject = "x"\n').partials["_buttons.html"] == BUTTONS
