"""Rendering: defaults, missing fields, languages, one-line subjects, and the same mail again."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from templates import Compiled, RenderError, compile_template, render, render_again
from templates.markup import parse
from tests.templates.letters import LEADS, LINKS, files, letter
from tests.templates.nasty import NASTY, PARTIALS

PARTIAL_FILES = {name: text.encode() for name, text in PARTIALS.items()}


def text_of(template: str, toml: str = "", **fields: Any) -> str:
    return render(compile_template("t", files(text=template, toml=toml)), letter(**fields)).text


def refusal(template: str, toml: str = "", **fields: Any) -> RenderError:
    with pytest.raises(RenderError) as caught:
        text_of(template, toml, **fields)
    return caught.value


def test_a_field_is_printed_as_it_is() -> None:
    assert text_of("Hi {{ lead.first_name }}!", first_name="Łukasz & <b>") == "Hi Łukasz & <b>!"


@pytest.mark.parametrize("first_name", ["", None])
def test_an_empty_field_takes_its_default(first_name: Any) -> None:
    toml = 'subject = "Hello"\n[defaults]\nfirst_name = "there"\n'
    assert text_of("Hi {{ lead.first_name }}", toml, first_name=first_name) == "Hi there"


def test_an_attribute_takes_its_default_when_absent_or_empty() -> None:
    toml = 'subject = "x"\n[defaults.attributes]\nindustry = "your trade"\n'
    for attributes in ({}, {"industry": ""}, {"industry": None}):
        assert (
            text_of("{{ lead.attributes.industry }}", toml, attributes=attributes) == "your trade"
        )


def test_an_empty_field_without_default_names_lead_field_and_place() -> None:
    error = refusal("Line one\nHi {{ lead.first_name }}")
    assert error.lead == "zofia@firma.example"
    assert error.field == "lead.first_name"
    assert error.where == "body.txt:2"
    assert str(error) == (
        "zofia@firma.example: body.txt:2: lead.first_name is"
        " empty for this lead and has no default;"
        ' add first_name = "..." under [defaults] in message.toml'
    )


def test_a_missing_attribute_without_default_names_it() -> None:
    error = refusal("{{ lead.attributes.industry }}", attributes={"size": 3})
    assert error.field == "lead.attributes.industry"
    assert 'attributes.industry = "..."' in error.what


def test_a_misspelt_field_is_an_error_even_in_a_question() -> None:
    error = refusal("{% if lead.frist_name %}x{% endif %}")
    assert error.what == 'lead.frist_name is not known; did you mean "lead.first_name"?'


def test_a_column_of_ones_own_is_named() -> None:
    assert "lead.attributes.industry" in refusal("{{ lead.industry }}").what


@pytest.mark.parametrize(
    ("template", "shown"),
    [
        ("{% if lead.company %}x{% else %}none{% endif %}", "none"),
        ("{% if lead.attributes.size %}x{% else %}none{% endif %}", "none"),
        ('{{ lead.company|default("you") }}', "you"),
        ('{% if lead.company == "" %}empty{% endif %}', "empty"),
        ('{% if lead.country == "PL" %}pl{% else %}other{% endif %}', "other"),
        ('{% if "api" in lead.prefers.topic %}x{% else %}no{% endif %}', "no"),
        ("{% for t in lead.prefers.topic %}x{% endfor %}none", "none"),
        ("{{ lead.tags|length }}", "0"),
        ("{% if lead.phone is defined %}x{% else %}undefined{% endif %}", "undefined"),
    ],
)
def test_an_empty_field_may_be_asked_about(template: str, shown: str) -> None:
    assert text_of(template) == shown


def test_lists_and_numbers_read_well() -> None:
    shown = text_of("{{ lead.tags }}; {{ lead.score }}", tags=("a", "b"), score=3.0)
    assert shown == "a, b; 3"


def test_line_numbers_are_the_authors_after_inlining() -> None:
    html = (
        "<html><head><style>\np { color: red }\n</style></head>\n<body>\n<p\n class='x'>a</p>\n"
        "<p>{{ lead.first_name }}</p></body></html>"
    )
    with pytest.raises(RenderError) as caught:
        render(compile_template("t", files(html)), letter())
    assert caught.value.where == "body.html:7"


def test_an_error_in_a_partial_names_the_partial() -> None:
    html = '<p>a</p>\n{% include "_p.html" %}'
    compiled = compile_template(
        "t", files(html), partials={"_p.html": b"<p>\n{{ lead.phone }}</p>"}
    )
    with pytest.raises(RenderError) as caught:
        render(compiled, letter())
    assert caught.value.where == "_p.html:2"


def test_texts_follow_the_leads_language_and_fall_back() -> None:
    toml = (
        'language = "en"\n[subject]\nen = "Hello {{ lead.first_name }}"\npl = "Cześć"\n'
        '[defaults]\nfirst_name = "there"\n[defaults.pl]\nfirst_name = "Tobie"\n'
    )
    folder = {**files(text="English", toml=toml), "body.pl.txt": b"Hej {{ lead.first_name }}"}
    compiled = compile_template("t", folder)
    assert compiled.languages == ("en", "pl")
    polish = render(compiled, letter(language="pl"))
    assert (polish.subject, polish.text, polish.language) == ("Cześć", "Hej Tobie", "pl")
    assert render(compiled, letter(language="pl-PL")).language == "pl"
    for language in ("de", "en", ""):
        other = render(compiled, letter(language=language))
        assert (other.subject, other.text, other.language) == ("Hello there", "English", "")


def test_what_was_read_is_exactly_what_the_template_read() -> None:
    compiled = compile_template(
        "t",
        files(
            text="{{ lead.first_name }} {{ lead.prefers.topic }} {{ lead.attributes.size }}"
            "{% if lead.phone %}x{% endif %}{{ lead.stage_at|date }}"
        ),
    )
    rendered = render(
        compiled,
        letter(first_name="A", attributes={"size": 2, "x": 1}, preferences={"topic": ("b",)}),
    )
    assert rendered.read == {
        "lead": {
            "first_name": "A",
            "prefers": {"topic": ["b"]},
            "attributes": {"size": 2},
            "phone": "",
            "stage_at": "2026-03-01T09:30:00+00:00",
        }
    }


@pytest.mark.parametrize("name", list(NASTY))
def test_rendering_again_from_what_was_read_gives_the_same_bytes(name: str) -> None:
    compiled = compile_template("t", files(NASTY[name][0]), partials=PARTIAL_FILES)
    stored = Compiled.from_body("t", json.loads(json.dumps(compiled.body())))
    assert stored == compiled
    for recipient in LEADS[:5]:
        first = render(compiled, letter_for(recipient))
        read = json.loads(json.dumps(first.read))
        again = render_again(stored, read, language=first.language)
        assert (again.subject, again.text, again.html) == (first.subject, first.text, first.html)
        assert again.read == read


def letter_for(recipient: Any) -> Any:
    from dataclasses import replace

    return replace(letter(), recipient=recipient)


@given(st.text(max_size=60))
@settings(max_examples=150, deadline=None)
def test_a_subject_is_one_printable_line_whatever_the_fields_hold(name: str) -> None:
    toml = 'subject = "Hello {{ lead.first_name }}"\n[defaults]\nfirst_name = "x"\n'
    rendered = render(compile_template("t", files(text="x", toml=toml)), letter(first_name=name))
    assert len(rendered.subject.splitlines()) == 1
    assert "\r" not in rendered.subject and "\n" not in rendered.subject
    assert all(ord(char) >= 32 and ord(char) != 127 for char in rendered.subject)
    rendered.subject.encode()


def test_a_header_cannot_be_smuggled_in() -> None:
    toml = 'subject = "Hello {{ lead.first_name }}"\n'
    compiled = compile_template("t", files(text="x", toml=toml))
    rendered = render(compiled, letter(first_name="A\r\nBcc: all@x.example"))
    assert rendered.subject == "Hello A Bcc: all@x.example"


FRAME = (
    "<html><head><style>td { color: red }</style></head><body><table><tr><td>{{ lead.name }}</td>"
    '<td title="{{ lead.name }}"><a href="https://x.example/{{ lead.name|urlencode }}">x</a></td>'
    "</tr></table></body></html>"
)


@given(st.text(alphabet=st.characters(), min_size=1, max_size=40))
@settings(max_examples=200, deadline=None)
def test_no_text_in_a_field_breaks_the_html(name: str) -> None:
    toml = 'subject = "x"\n[defaults]\nname = "y"\n'
    html = render(compile_template("t", files(FRAME, toml=toml)), letter(name=name)).html
    assert html is not None
    root = parse(html)
    body = root.find("body")
    assert [each.tag for each in body.iter()] == ["body", "table", "tr", "td", "td", "a"]
    assert set(body.find(".//td[2]").attrib) == {"title", "style"}
    html.encode()


@pytest.mark.parametrize("name", ["a\x00b", "\ud800x", "x\x1b[31m"])
def test_control_characters_and_lone_surrogates_never_get_out(name: str) -> None:
    text = text_of("{{ lead.name }}", name=name)
    assert text.isprintable()
    text.encode()


def test_a_very_long_subject_is_refused() -> None:
    toml = 'subject = "{{ lead.name }}"\n'
    assert "characters" in refusal("x", toml, name="n" * 10_000).what


def test_an_empty_subject_is_refused() -> None:
    assert refusal("x", 'subject = "{{ lead.tags }}"\n').what == "the subject is empty"


@pytest.mark.parametrize(
    ("template", "language", "shown"),
    [
        ("{{ '2026-03-10'|date }}", "en", "March 10, 2026"),
        ("{{ '2026-03-10'|date }}", "pl", "10 marca 2026"),
        ("{{ '2026-03-10'|date('d.MM') }}", "pl", "10.03"),
        ("{{ 1200|money('PLN') }}", "pl", "1 200,00 zł"),
        ("{{ '1234.5'|money('EUR') }}", "en", "€1,234.50"),
        ("{{ 1|plural('lead', 'leads') }} {{ 5|plural('lead', 'leads') }}", "en", "lead leads"),
        (
            "{% for n in [1, 2, 5, 22] %}{{ n|plural('lead', 'leady', 'leadów') }} {% endfor %}",
            "pl",
            "lead leady leadów leady ",
        ),
        ('{{ "o\'neill-KOWALSKA żak"|title }}', "en", "O'neill-Kowalska Żak"),
    ],
)
def test_filters_speak_the_templates_language(template: str, language: str, shown: str) -> None:
    toml = f'subject = "x"\nlanguage = "{language}"\n'
    assert text_of(template, toml).replace("\xa0", " ") == shown


def test_the_preheader_stands_first_and_hidden_with_filling_behind() -> None:
    toml = 'subject = "x"\npreheader = "For {{ lead.email }} & co"\n'
    html = render(compile_template("t", files("<p>{{ lead.email }}</p>", toml=toml)), letter()).html
    assert html is not None
    before, _, after = html.partition("<body>")
    assert after.startswith('<div style="display:none')
    assert "For zofia@firma.example &amp; co&#847;&zwnj;&nbsp;" in after
    # Mail filters count tiny letters, and hiding needs none.
    assert "font-size" not in after and "mso-hide:all" in after
    assert LINKS.view not in before
