"""`check` finds what would embarrass, and says where it stands and what to do."""

import pytest

from templates import Finding, check, compile_template, starters
from tests.templates.letters import files

FOOT = '<p>{{ sender.postal_address }} <a href="{{ links.unsubscribe }}">out</a></p>'
TOML = 'subject = "Hello"\npreheader = "x"\n'


def found(html: str, toml: str = TOML) -> list[Finding]:
    return check(files(html + FOOT, toml=toml))


@pytest.mark.parametrize("name", list(starters()))
def test_starters_have_nothing_to_complain_about(name: str) -> None:
    found = check(starters()[name])
    assert [each for each in found if each.level != "notice"] == []
    assert check(compile_template(name, starters()[name])) == found


@pytest.mark.parametrize(
    ("html", "id", "level", "where", "do"),
    [
        ("<p>\n{{ lead.frist_name }}", "unknown-field", "error", "body.html:2", "lead.first_name"),
        ("{{ first_name }}", "unknown-field", "error", "body.html:1", "lead.first_name"),
        ("{{ laed.name }}", "unknown-field", "error", "body.html:1", "did you mean lead?"),
        (
            "\n\n{% if 0 %}{{ lead.industry }}{% endif %}",
            "unknown-field",
            "error",
            "body.html:3",
            "lead.attributes.industry",
        ),
        ("{{ lead['emial'] }}", "unknown-field", "error", "body.html:1", "lead.email"),
        ("\n<img src='https://x.example/a.png'>", "no-alt", "warning", "body.html:2", "alt="),
        ("<img alt='' src='a.png'>", "relative-link", "error", "body.html:1", "https://"),
        ("<a href=''>x</a>", "empty-link", "error", "body.html:1", "href="),
        ("<a href='#'>x</a>", "empty-link", "error", "body.html:1", "href="),
        ("<a>x</a>", "empty-link", "error", "body.html:1", "href="),
        ("<a href='www.x.example'>x</a>", "relative-link", "error", "body.html:1", "https://"),
        ("<a href='JavaScript:x()'>x</a>", "forbidden-element", "error", "body.html:1", "link"),
        ("\n<script>x</script>", "forbidden-element", "error", "body.html:2", "remove"),
        ("<form></form>", "forbidden-element", "error", "body.html:1", "remove"),
        ("<p onclick='x()'>x</p>", "forbidden-element", "error", "body.html:1", "remove"),
        ("x" * 110_000, "too-large", "error", "body.html:1", "shorten"),
        (
            "<style>p { color: red }</style>\n<p{% if lead.company %} class='x'{% endif %}>x</p>",
            "inline-after-render",
            "notice",
            "body.html:2",
            "fast",
        ),
        ("{{ lead.email|tilte }}", "source", "error", "body.html:1", 'did you mean "title"?'),
        ("<p>\n{% if %}", "source", "error", "body.html:2", "correct"),
        ("{% for x in lead.tags %}", "source", "error", "body.html:1", "correct"),
        ("{% include '_x.html' %}", "source", "error", "body.html:1", "known are"),
    ],
)
def test_each_mistake_is_found_at_its_line(
    html: str, id: str, level: str, where: str, do: str
) -> None:
    match = [each for each in found(html) if each.id == id]
    assert match, found(html)
    assert (match[0].level, match[0].where) == (level, where)
    assert do in match[0].do


@pytest.mark.parametrize(
    "html",
    [
        '<a href="{{ lead.attributes.url }}">x</a>',
        '<a href="#top">x</a><a name="top"></a>',
        '<a href="mailto:a@b.example">x</a><a href="tel:+48123">y</a>',
        '<img alt="" src="{{ lead.attributes.picture }}">',
        "{% for t in lead.tags %}{{ loop.index }}{{ t }}{% endfor %}{% set a = 1 %}{{ a }}",
        "{% macro m(x) %}{{ x }}{% endmacro %}{{ m(1) }}",
    ],
)
def test_what_is_right_is_left_alone(html: str) -> None:
    assert [each for each in found(html) if each.level == "error"] == []


def test_opt_out_and_postal_address_must_be_shown_in_every_part() -> None:
    both = check(files("<p>x</p>", "x", TOML))
    errors = {(each.id, each.where) for each in both if each.level == "error"}
    assert errors == {
        ("no-opt-out", "body.html:1"),
        ("no-postal-address", "body.html:1"),
        ("no-opt-out", "body.txt:1"),
        ("no-postal-address", "body.txt:1"),
    }


def test_a_partial_may_hold_the_footer() -> None:
    folder = {**files('<p>x</p>{% include "_foot.html" %}', toml=TOML), "_foot.html": FOOT.encode()}
    assert check(folder) == []


def test_an_applied_template_is_checked_with_the_partials_it_was_applied_with() -> None:
    partials = {"_foot.html": FOOT.encode(), "_other.html": b"{{ nonsense }}"}
    folder = files('<p>x</p>{% include "_foot.html" %}', toml=TOML)
    compiled = compile_template("t", folder, partials=partials)
    assert check(compiled) == []
    assert set(compiled.partials) == {"_foot.html"}


def test_subjects() -> None:
    empty = found("x", 'subject = " "\npreheader = "x"\n')
    assert [each.id for each in empty] == ["empty-subject"]
    long = found("x", f'language = "en"\nsubject = "{"long " * 20}"\npreheader = "x"\n')
    phones = found("x", f'subject = "{"word " * 10}"\npreheader = "x"\n')
    assert [(each.id, each.level) for each in phones] == [("subject-on-phones", "notice")]
    assert "word word word word word word word word..." in phones[0].what
    printed = found("x", f'subject = "{{{{ lead.first_name }}}} {"long " * 20}"\npreheader = "x"\n')
    assert [each.id for each in printed] == ["long-subject"]
    assert [(each.id, each.where) for each in long] == [("long-subject", "message.toml:2")]
    wrong = found("x", 'preheader = "x"\n\nsubject = "Hi {{ lead.nmae }}"\n')
    assert [(each.id, each.where) for each in wrong] == [("unknown-field", "message.toml:3")]


def test_errors_come_first() -> None:
    levels = [
        each.level
        for each in found("<img src='https://x.example/a'><a>x</a>" + "x" * 99, 'subject="x"')
    ]
    assert levels == ["error", "warning", "notice"]


def test_a_picture_in_the_folder_is_mentioned() -> None:
    folder = {**files(FOOT, toml=TOML), "logo.png": b"\x89PNG"}
    assert [(each.id, each.where) for each in check(folder)] == [("ignored-file", "logo.png")]
