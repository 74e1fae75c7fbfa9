"""The text part made from HTML reads like something a person wrote."""

import re

import pytest

from templates import compile_template, render
from tests.templates.letters import LEADS, files, letter
from tests.templates.nasty import NASTY, PARTIALS
from tests.templates.test_render import letter_for

PARTIAL_FILES = {name: text.encode() for name, text in PARTIALS.items()}


def text_of(html: str, **fields: object) -> str:
    return render(compile_template("t", files(html)), letter(**fields)).text


def test_links_become_footnotes_and_equal_ones_share_a_number() -> None:
    text = text_of(
        '<p>See <a href="https://a.example/?x=1&amp;y=2">this</a>,'
        ' <a href="https://b.example/">that</a> and <a href="https://b.example/">that'
        " again</a>.</p>"
    )
    assert text == (
        "See this [1], that [2] and that again [2].\n\n"
        "[1] https://a.example/?x=1&y=2\n[2] https://b.example/\n"
    )


def test_a_link_that_shows_its_address_has_no_footnote() -> None:
    assert text_of('<a href="https://a.example/">https://a.example/</a>') == "https://a.example/\n"
    assert text_of('<a href="mailto:a@b.example">a@b.example</a>') == "a@b.example\n"


def test_links_in_loops_are_numbered_as_often_as_they_occur() -> None:
    html = '{% for t in lead.tags %}<a href="https://a.example/{{ t }}">{{ t }}</a> {% endfor %}'
    assert text_of(html, tags=("x", "y")) == (
        "x [1] y [2]\n\n[1] https://a.example/x\n[2] https://a.example/y\n"
    )


def test_tables_lists_headings_and_rules() -> None:
    text = text_of(
        "<h1>Offer</h1><p>For you:<br>today</p><table><tr><th>What</th><th>Price</th></tr>"
        "{% for t in lead.tags %}<tr><td>{{ t }}</td><td>{{ loop.index }}</td></tr>{% endfor %}"
        "</table><ul>{% for t in lead.tags %}<li>{{ t }}</li>{% endfor %}</ul><hr><p>Bye</p>",
        tags=("x", "y"),
    )
    assert text == (
        "Offer\n\nFor you:\ntoday\n\nWhat | Price\nx | 1\ny | 2\n\n- x\n- y\n\n"
        "--------------------\n\nBye\n"
    )


def test_layout_tables_are_not_data() -> None:
    text = text_of(
        '<table role="presentation"><tr><td><p>one</p></td><td><p>two</p></td></tr></table>'
    )
    assert text == "one\n\ntwo\n"


def test_what_is_hidden_or_for_outlook_is_not_read_out() -> None:
    text = text_of(
        '<div style="display:none">no</div><!--[if mso]>no<![endif]--><!--'
        " no --><style>no{}</style>"
        '<p hidden>no</p><p>yes&nbsp;&amp; &zwnj;so</p><img alt="A boat" src="https://x.example/b">'
    )
    assert text == "yes & so\n\nA boat\n"


def test_text_is_not_escaped_and_braces_stay_text() -> None:
    assert text_of("<p>{{ lead.name }} &lt;3 &#123;&#123; x }}</p>", name="A & <b>") == (
        "A & <b> <3 {{ x }}\n"
    )


def test_whole_parts_left_out_leave_no_gap() -> None:
    html = "<p>a</p>{% if lead.company %}<p>b</p>{% endif %}<p>c</p>"
    assert text_of(html) == "a\n\nc\n"
    assert text_of(html, company="x") == "a\n\nb\n\nc\n"


def test_lists_stand_in_one_another_and_numbers_count() -> None:
    text = text_of(
        "<p>Agenda:</p><ol><li>Intro<ul><li>who</li><li>why</li></ul></li><li><p>Demo</p></li>"
        "{% for t in lead.tags %}<li>{{ t }}</li>{% endfor %}</ol>"
        "<ul><li>One<ol><li>a</li></ol></li><li>Two</li></ul><p>After</p>",
        tags=("x", "y"),
    )
    assert text == (
        "Agenda:\n\n1. Intro\n   - who\n   - why\n2. Demo\n3. x\n4. y\n\n"
        "- One\n  1. a\n- Two\n\nAfter\n"
    )


def test_what_an_item_says_on_more_lines_stands_below_its_first_word() -> None:
    text = text_of(
        "<ul><li><p>Call us</p>{% if lead.tags %}<p>or write</p>{% endif %}</li>"
        "<li>Prosta 1<br>Warszawa</li></ul>"
        "<ol>{% for t in lead.tags %}<li><p>{{ t }}</p><p>more</p></li>{% endfor %}</ol>"
        "<blockquote><ul><li><p>a</p><p>b</p></li></ul></blockquote>",
        tags=tuple("abcdefghij"),
    )
    bullets, _, numbers = text.partition("\n1. a")
    assert bullets == "- Call us\n\n  or write\n- Prosta 1\n  Warszawa\n"
    assert numbers.startswith("\n\n   more\n2. b\n\n   more\n")
    assert "\n10. j\n\n    more\n" in numbers
    assert numbers.endswith("\n\n> - a\n>\n>   b\n")


def test_rows_and_items_written_out_stand_line_by_line() -> None:
    rows = "<tr><th>Plan</th><td>Pro</td></tr><tr><th>Seats</th><td>5</td></tr>"
    text = text_of(
        f"<table>{rows}</table><ul><li>a</li><li>b</li></ul><dl><dt>c</dt><dd>d</dd></dl>"
    )
    assert text == "Plan | Pro\nSeats | 5\n\n- a\n- b\n\nc\n  d\n"


def test_quotations_and_preformatted_lines_keep_their_form() -> None:
    text = text_of(
        "<p>Jan wrote:</p><blockquote><p>One.</p><p>Two &amp; {{ lead.name }}</p>"
        "<blockquote>deeper</blockquote></blockquote><p>So:</p>"
        "<pre>\ndef f(x):\n    return x  * 2\n\nf(1)\n</pre>",
        name="Anna",
    )
    assert text == (
        "Jan wrote:\n\n> One.\n>\n> Two & Anna\n>\n> > deeper\n\nSo:\n\n"
        "def f(x):\n    return x  * 2\n\nf(1)\n"
    )


@pytest.mark.parametrize(
    ("words", "address", "footnote"),
    [
        ("www.a.example", "https://www.a.example/", False),
        ("a.example", "https://a.example", False),
        ("data.example", "https://a.example", True),
        ("a.example", "https://a.example/b", True),
    ],
)
def test_a_site_named_by_its_address_has_no_footnote(
    words: str, address: str, footnote: bool
) -> None:
    assert ("[1]" in text_of(f'<p>See <a href="{address}">{words}</a></p>')) is footnote


def test_the_authors_own_text_is_left_as_it_is() -> None:
    own = "Hi\n\n\n-- \nme  \n"
    assert render(compile_template("t", files("<p>x</p>", own)), letter()).text == own.rstrip("\n")


@pytest.mark.parametrize("name", list(NASTY))
def test_no_markup_is_left_of_any_template(name: str) -> None:
    compiled = compile_template("t", files(NASTY[name][0]), partials=PARTIAL_FILES)
    for recipient in LEADS[:6]:
        text = render(compiled, letter_for(recipient)).text
        assert not re.search(
            r"</?(?:p|td|tr|table|div|a|h1|ul|li|style)\b|[\x00-\x08\x0e-\x1f]|zq\w+x", text
        )
        assert not re.search(r"\n{3}|[ \t]\n", text)
