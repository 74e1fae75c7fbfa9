"""What is found in single messages, and that tallies of any parts make the same whole."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from templates import (
    Compiled,
    Letter,
    RenderError,
    Tally,
    Trait,
    TraitKind,
    Tried,
    compile_template,
    noting_environment,
    render,
    starters,
    tally,
    traits,
    ways,
)
from templates.greeting import hole, lines_of
from templates.odd_names import ODDITIES, oddity, printable
from tests.laws import tried_on
from tests.templates.letters import LEADS, LINKS, SENDER, files, lead
from tests.templates.nasty import NASTY, PARTIALS

PARTIAL_FILES = {name: text.encode() for name, text in PARTIALS.items()}


def look(compiled: Compiled, *recipients: Any) -> Iterator[tuple[Tried, list[tuple[Trait, str]]]]:
    environment = noting_environment(compiled)
    for recipient in recipients:
        environment.begin()
        letter = Letter(recipient=recipient, sender=SENDER, links=LINKS)
        rendered = error = None
        try:
            rendered = render(compiled, letter, environment=environment)
        except RenderError as wrong:
            error = wrong
        notes = environment.notes()
        tried = Tried(recipient=recipient, notes=notes, rendered=rendered, error=error, size=9)
        yield tried, list(traits(compiled, tried))


def found(compiled: Compiled, kind: TraitKind, *recipients: Any) -> dict[tuple[str, ...], int]:
    whole = tally(look(compiled, *recipients))
    return {(each.what, each.where, each.said): group.count for each, group in whole.of(kind)}


def went(compiled: Compiled, *recipients: Any) -> list[tuple[str, str, int, int, str]]:
    """(place, text, taken, asked, verdict) of every branch somebody wrote."""
    whole = tally(look(compiled, *recipients))
    return [
        (way.branch.place, way.branch.text, way.taken.count, way.asked, way.verdict)
        for way in ways(noting_environment(compiled).branches, whole)
        if way.branch.written
    ]


@pytest.mark.parametrize("name", NASTY)
def test_taking_notes_changes_no_message(name: str) -> None:
    compiled = compile_template(name, files(html=NASTY[name][0]), partials=PARTIAL_FILES)
    environment = noting_environment(compiled)
    for recipient in LEADS[:4]:
        letter = Letter(recipient=recipient, sender=SENDER, links=LINKS)
        environment.begin()
        try:
            expected: Any = render(compiled, letter)
        except RenderError as error:
            with pytest.raises(RenderError) as noted:
                render(compiled, letter, environment=environment)
            assert str(noted.value) == str(error)
        else:
            assert render(compiled, letter, environment=environment) == expected


@pytest.mark.parametrize("name", starters())
def test_the_starters_greet_everybody(name: str) -> None:
    compiled = compile_template(name, starters()[name])
    whole = tally(look(compiled, *LEADS, lead(), lead(first_name="\x07")))
    assert not whole.of(TraitKind.FAILED)
    assert not whole.of(TraitKind.GREETING)


IFS = """<p>x</p>
{% if lead.company %}
<p>{{ lead.company }}</p>
{% elif lead.country == "PL" %}
<p>{% if lead.score > 5 %}high{% endif %}</p>
{% elif lead.country == "FR" %}
<p>fr</p>
{% else %}
<p>else</p>
{% endif %}
{% for tag in lead.tags %}
<p>{{ tag }}</p>
{% else %}
<p>none</p>
{% endfor %}
"""


def test_each_way_is_counted_at_its_own_line_once_a_message() -> None:
    compiled = compile_template("t", files(html=IFS))
    told = went(
        compiled,
        lead(lead_id=1, company="ACME", tags=("a", "b")),
        lead(lead_id=2, country="PL", score=9.0, tags=("a",)),
        lead(lead_id=3, country="PL", score=9.0, tags=("a",)),
        lead(lead_id=4, tags=("a",)),
    )
    assert told == [
        ("body.html:2", "if lead.company", 1, 4, "sometimes"),
        ("body.html:4", 'elif lead.country == "PL"', 2, 4, "sometimes"),
        ("body.html:6", 'elif lead.country == "FR"', 0, 4, "never"),
        ("body.html:8", "else", 1, 4, "sometimes"),
        ("body.html:5", "if lead.score > 5", 2, 2, "always"),
        ("body.html:11", "for tag in lead.tags", 4, 4, "always"),
        ("body.html:13", "else", 0, 4, "never"),
    ]


def test_a_branch_nobody_comes_to_is_unreached_and_not_dead() -> None:
    compiled = compile_template("t", files(html=IFS))
    verdicts = {text: verdict for _, text, _, _, verdict in went(compiled, lead(company="ACME"))}
    assert verdicts["if lead.score > 5"] == "unreached"
    assert verdicts["if lead.company"] == "always"
    assert verdicts["else"] in ("never", "always")


def test_a_choice_inside_an_expression_and_one_in_a_macro_are_seen() -> None:
    html = (
        '{% macro greet(x) %}{% if x == "PL" %}Cześć{% else %}Hi{% endif %}{% endmacro %}\n'
        "<p>{{ greet(lead.country) }}</p>\n"
        "<p>{{ 'a' if lead.company else 'b' }} {{ lead.email if lead.email }}</p>"
    )
    compiled = compile_template("t", files(html=html))
    told = went(compiled, lead(country="PL"), lead(lead_id=2, country="DE"))
    assert told == [
        ("body.html:1", 'if x == "PL"', 1, 2, "sometimes"),
        ("body.html:1", "else", 1, 2, "sometimes"),
        ("body.html:3", "'a' if lead.company else 'b' [yes]", 0, 2, "never"),
        ("body.html:3", "'a' if lead.company else 'b' [no]", 2, 2, "always"),
        ("body.html:3", "lead.email if lead.email [yes]", 2, 2, "always"),
    ]


def test_the_way_a_message_fails_on_is_no_dead_one() -> None:
    text = "{% if lead.company %}fine{% else %}{{ lead.phone }}{% endif %}"
    compiled = compile_template("t", files(text=text))
    assert [each[-1] for each in went(compiled, lead())] == ["never", "always"]


def test_branches_of_languages_and_imported_partials_are_known_with_their_files() -> None:
    given_files = files(
        html="{% from '_m.html' import b %}<p>{{ b(lead.company) }}</p>",
        toml='subject = "{% if lead.company %}a{% else %}b{% endif %}"\n',
    )
    given_files["body.pl.html"] = b"<p>{% if lead.company %}pl{% endif %}</p>"
    macro = b"{% macro b(x) %}\n{% if x %}x{% endif %}{% endmacro %}"
    compiled = compile_template("t", given_files, partials={"_m.html": macro})
    told = {(place, text): verdict for place, text, _, _, verdict in went(compiled, lead())}
    assert told == {
        ("message.toml:1", "if lead.company"): "never",
        ("message.toml:1", "else"): "always",
        ("body.pl.html:1", "if lead.company"): "unreached",
        ("_m.html:2", "if x"): "never",
    }


def test_missing_fields_are_told_by_what_was_taken_instead() -> None:
    html = (
        "<p>{{ lead.first_name }}</p>\n"
        '<p>{{ lead.company|default("your firm") }} {{ lead.attributes.size|d("x") }}</p>\n'
        "{% if lead.phone %}{{ lead.phone }}{% endif %}{{ lead.attributes.trade }}"
    )
    toml = 'subject = "Hello"\n[defaults]\nfirst_name = "there"\nattributes.trade = "trade"\n'
    compiled = compile_template("t", files(html=html, toml=toml))
    empty, full = (
        lead(),
        lead(
            lead_id=2,
            first_name="Anna",
            company="ACME",
            phone="1",
            attributes={"size": 3, "trade": "IT"},
        ),
    )
    assert found(compiled, TraitKind.DEFAULT, empty, full) == {
        ("lead.first_name", "message.toml", "there"): 1,
        ("lead.attributes.trade", "message.toml", "trade"): 1,
        ("lead.company", "body.html:2", "your firm"): 1,
        ("lead.attributes.size", "body.html:2", "x"): 1,
    }
    assert found(compiled, TraitKind.EMPTY, empty, full) == {("lead.phone", "", ""): 1}


def test_what_cannot_be_made_is_grouped_by_field_and_place() -> None:
    compiled = compile_template(
        "t", files(text="x\n{{ lead.company }}\n{{ lead.score|money('x') }}")
    )
    whole = tally(look(compiled, *(lead(lead_id=n) for n in range(1, 15))))
    ((trait, group),) = whole.of(TraitKind.FAILED)
    assert (trait.what, trait.where) == ("lead.company", "body.txt:2")
    assert (group.count, [behind.lead_id for behind in group.first]) == (14, list(range(1, 11)))
    assert "has no default" in group.first[0].note
    assert whole.failed == whole.messages == 14


@pytest.mark.parametrize(
    "template",
    [
        '<p>Hi {{ lead.first_name|default("") }},</p>',
        "<p>Hi {% if lead.first_name %}{{ lead.first_name }}{% endif %},</p>",
        "<p>Dear&nbsp;<b>{{ lead.first_name|default('') }}</b>!<br>News</p>",
        "<table><tr><td>Dzień dobry {{ lead.first_name or '' }},</td></tr></table>",
    ],
)
def test_a_swallowed_name_leaves_a_hole_in_the_greeting(template: str) -> None:
    compiled = compile_template("t", files(html=template))
    both = found(compiled, TraitKind.GREETING, lead(), lead(lead_id=2, first_name="Anna"))
    assert both == {("text, html", "", ""): 1}


@pytest.mark.parametrize(
    ("line", "language"),
    [
        *(("Hi ,", "en"), ("Dear !", "en"), ("Dear,", "en"), ("Dear", "en"), ("Hi Mr. ,", "en")),
        *(("Dzień dobry ,", "pl"), ("Szanowny ,", "pl"), (", welcome", "en"), ("Cześć !", "pl")),
        *(("Bonjour ,", "fr"), ("Sehr geehrte Frau,", "de"), ("Good  morning \u00a0,", "en")),
    ],
)
def test_greetings_with_a_hole(line: str, language: str) -> None:
    assert hole(["", line, "Text."], language) == line


@pytest.mark.parametrize(
    ("line", "language"),
    [
        *(("Hi,", "en"), ("Dear Anna,", "en"), ("Dzień dobry,", "pl"), ("Bonjour !", "fr")),
        *(("Szanowna Pani,", "pl"), ("Hi .NET fans", "en"), ("See you :)", "en"), ("", "en")),
        *(("Save 20 % , now", "en"), ("Liebe Anna,", "de"), ("Well ... yes", "en")),
    ],
)
def test_greetings_that_are_whole(line: str, language: str) -> None:
    assert hole([line], language) == ""


def test_a_subject_without_its_last_word_is_a_hole_and_only_first_lines_count() -> None:
    assert hole(["Welcome aboard,"], "en", subject=True)
    assert not hole(["Welcome aboard,"], "en")
    assert not hole([*"abcdefgh", "Hi ,"], "en")


def test_lines_of_html_are_what_a_reader_sees() -> None:
    html = (
        "<html><head><title>Hi ,</title><style>p {}</style></head><body><!-- Hi , -->"
        "<div style='display:none'>See&#847;&zwnj;&nbsp;&#847;</div><p>Hi <b>A<i>n</i></b>na,<br>"
        "1 < 2</p>"
    )
    assert list(lines_of(html)) == ["See", "Hi Anna,", "1 < 2"]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *(("JOHN", "capitals"), ("O'NEILL", "capitals"), ("zofia", "lower_case")),
        *(("mr.", "title"), ("Mr Brown", "title"), ("J", "one_letter"), ("J.", "one_letter")),
        *(("a@b.example", "address"), ("R2D2", "digits"), ("12345", "digits")),
        *(("test", "empty_word"), ("N/A", "empty_word"), ("-", "empty_word")),
        *(("www.example.com", "url"), ("https://x.example", "url"), ("<b>Max</b>", "markup")),
        *(("\u202eanna", "characters"), ("An\x00na", "characters"), ("x" * 70, "long")),
        *(("Anna", ""), ("Łukasz", ""), ("van der Berg", ""), ("محمد", ""), ("李", ""), ("", "")),
        *(("AJ", ""), ("O'Neill-Kowalska", ""), ("Jean-Luc", "")),
    ],
)
def test_odd_names(name: str, kind: str) -> None:
    assert oddity(name) == kind
    assert not kind or kind in ODDITIES


@given(name=st.text())
def test_any_name_can_be_judged_and_shown_on_one_line(name: str) -> None:
    assert oddity(name) in {"", *ODDITIES}
    assert printable(name).isprintable()


def test_odd_names_are_told_of_the_fields_that_are_used() -> None:
    compiled = compile_template("t", files(text="{{ lead.first_name }}"))
    assert found(compiled, TraitKind.ODD, lead(first_name="JOHN", last_name="SMITH")) == {
        ("lead.first_name", "", "capitals"): 1
    }


def test_languages_and_those_who_get_another_than_theirs() -> None:
    given_files = files(text="en")
    given_files["body.pl.txt"] = b"pl"
    compiled = compile_template("t", given_files)
    people = [
        lead(lead_id=n, language=language)
        for n, language in enumerate(["pl", "pl-PL", "en-GB", "de", "", "x-klingon"])
    ]
    assert found(compiled, TraitKind.LANGUAGE, *people) == {("pl", "", ""): 2, ("en", "", ""): 4}
    assert found(compiled, TraitKind.FALLBACK, *people) == {
        ("de", "", "en"): 1,
        ("", "", "en"): 1,
        ("x", "", "en"): 1,
    }


def test_the_longest_shortest_and_largest_are_kept_with_their_leads() -> None:
    compiled = compile_template(
        "t", files(html="<p>{{ lead.first_name }}</p>", toml='subject = "{{ lead.first_name }}"\n')
    )
    names = ["x" * (n * 7 % 31 + 1) for n in range(31)]
    whole = tally(look(compiled, *(lead(lead_id=n, first_name=f) for n, f in enumerate(names))))
    longest, shortest = whole.extremes["longest_subject"], whole.extremes["shortest_subject"]
    assert [row.size for row in longest] == list(range(31, 21, -1))
    assert [row.size for row in shortest] == list(range(1, 11))
    assert len(names[longest[0].lead_id]) == 31
    assert whole.extremes["largest_html"][0].lead_id == longest[0].lead_id
    assert len(whole.extremes["largest_message"]) == 10


NAMES = st.sampled_from(["", "Anna", "JOHN", "mr.", "x" * 30, "\u202ex"])
MANY = st.lists(
    st.builds(
        lead,
        lead_id=st.integers(1, 40),
        first_name=NAMES,
        company=NAMES,
        language=st.sampled_from(["", "pl", "de"]),
        country=st.sampled_from(["", "PL"]),
    ),
    max_size=30,
    unique_by=lambda each: each.lead_id,
)
COMPILED = compile_template(
    "t",
    files(
        html="<p>Hi {{ lead.first_name|default('') }},</p>{{ lead.company }}"
        "{% if lead.country %}x{% endif %}",
        toml="subject = \"For {{ lead.first_name|d('you') }}\"\n",
    )
    | {"body.pl.html": b"<p>{{ lead.email }}</p>"},
)


@tried_on(40, long=200)
@given(people=MANY, cuts=st.tuples(st.integers(0, 30), st.integers(0, 30)))
def test_tallies_of_parts_make_the_tally_of_all_however_they_are_put_together(
    people: list[Any], cuts: tuple[int, int]
) -> None:
    low, high = sorted(cuts)
    one, two, three = (
        tally(look(COMPILED, *part)) for part in (people[:low], people[low:high], people[high:])
    )
    whole = tally(look(COMPILED, *people))
    assert one.merged(two).merged(three) == one.merged(two.merged(three)) == whole
    assert three.merged(one).merged(two) == whole
    assert Tally().merged(whole) == whole.merged(Tally()) == whole
