"""Deals and segments in a template: the lead's own, counted and priced right, noted for again."""

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from leads import OpenDeal
from templates import (
    Compiled,
    Letter,
    RenderError,
    SourceError,
    check,
    compile_template,
    render,
    render_again,
)
from tests.templates.letters import LINKS, SENDER, files, lead

ANNUAL = OpenDeal(
    name="Annual <plan>",
    amount=Decimal("12000.50"),
    currency="PLN",
    stage="demo",
    expected_close=date(2026, 12, 20),
)
SMALL = OpenDeal(name="Trial", amount=Decimal("99.00"), currency="PLN", stage="demo")
UNPRICED = OpenDeal(name="Someday")


def shown(
    text: str,
    *deals: OpenDeal,
    segments: frozenset[str] = frozenset(),
    language: str = "en",
    **fields: Any,
) -> str:
    """The text rendered, and rendered again from what was kept of it."""
    compiled = compile_template(
        "t", files(text=text, toml=f'subject = "x"\nlanguage = "{language}"')
    )
    recipient = lead(**fields)
    rendered = render(
        compiled,
        Letter(recipient=recipient, sender=SENDER, links=LINKS, deals=deals, segments=segments),
    )
    stored = Compiled.from_body("t", json.loads(json.dumps(compiled.body())))
    read = json.loads(json.dumps(rendered.read))
    assert render_again(stored, read, language=rendered.language) == rendered
    return rendered.text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ deal.name }}", "Annual <plan>"),
        ("{{ deal.amount|money }}", "PLN 12,000.50"),
        ("{{ deal.amount|money('EUR') }}", "€12,000.50"),
        ("{{ deal.amount }} {{ deal.currency }}", "12000.50 PLN"),
        ("{{ (deal.amount * 0.9)|money }}", "PLN 10,800.45"),
        ("{{ (2 * deal.amount)|money }}", "PLN 24,001.00"),
        ("{{ (deal.amount / 12)|money }}", "PLN 1,000.04"),
        ("{% if deal.amount > 10000 %}big{% endif %}", "big"),
        ("{{ deal.expected_close|date }}", "December 20, 2026"),
        ("{{ deal.stage }}", "demo"),
        ("{% if deal %}yes{% else %}no{% endif %}", "yes"),
        ("{{ open_deals|length }}", "3"),
        ("{{ open_deals[1].name }}", "Trial"),
        (
            "{% for deal in open_deals %}{{ deal.name }};{% endfor %}",
            "Annual <plan>;Trial;Someday;",
        ),
        ("{{ open_deals[:2]|sum(attribute='amount')|money }}", "PLN 12,099.50"),
        ("{{ open_deals|map(attribute='name')|join(', ') }}", "Annual <plan>, Trial, Someday"),
        ("{{ open_deals[2].amount|default('to be told') }}", "to be told"),
    ],
)
def test_the_newest_open_deal_and_all_open_deals(text: str, expected: str) -> None:
    # Babel puts spaces that do not break around currencies.
    assert shown(text, ANNUAL, SMALL, UNPRICED).replace("\u00a0", " ") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{% if deal %}yes{% else %}no{% endif %}", "no"),
        ("{% if deal.amount %}yes{% else %}no{% endif %}", "no"),
        ("{{ deal.name|default('nothing yet') }}", "nothing yet"),
        ("{{ open_deals|length }}{% for deal in open_deals %}x{% endfor %}", "0"),
    ],
)
def test_a_lead_without_a_deal_can_be_asked(text: str, expected: str) -> None:
    assert shown(text) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{{ deal.amount|money }}", "the lead has no open deal"),
        ("{{ deal.amont }}", 'did you mean "deal.amount"'),
        ("{{ deal }}", "deal is not a text"),
        ("{{ open_deals }}", "open_deals is a list"),
    ],
)
def test_printing_what_is_not_there_stops_the_message(text: str, words: str) -> None:
    with pytest.raises(RenderError, match=words):
        shown(text)


def test_amounts_of_two_currencies_are_not_added_up() -> None:
    euros = OpenDeal(name="x", amount=Decimal(5), currency="EUR")
    with pytest.raises(RenderError, match=r"PLN and EUR cannot be put together|EUR and PLN"):
        shown("{{ open_deals|sum(attribute='amount')|money }}", ANNUAL, euros)


def test_money_dates_and_plurals_speak_polish() -> None:
    text = (
        "{{ deal.amount|money }}, {{ deal.expected_close|date }}, "
        "{{ open_deals|length }} {{ open_deals|length|plural('oferta', 'oferty', 'ofert') }}"
    )
    assert shown(text, ANNUAL, SMALL, language="pl").replace("\u00a0", " ") == (
        "12 000,50 zł, 20 grudnia 2026, 2 oferty"
    )


@pytest.mark.parametrize(
    ("number", "polish", "english"),
    [
        (0, "leadów", "leads"),
        (1, "lead", "lead"),
        (1.0, "lead", "lead"),
        ("1", "lead", "lead"),
        (2, "leady", "leads"),
        (3.0, "leady", "leads"),
        (5, "leadów", "leads"),
        (12, "leadów", "leads"),
        (22, "leady", "leads"),
        (112, "leadów", "leads"),
        (1.5, "leada", "leads"),
        ("1,5", "leada", "leads"),
    ],
)
def test_each_number_takes_its_form(number: Any, polish: str, english: str) -> None:
    fields = {"attributes": {"n": number}}
    text = "{{ lead.attributes.n|plural('lead', 'leady', 'leadów', 'leada') }}"
    assert shown(text, language="pl", **fields) == polish
    assert shown("{{ lead.attributes.n|plural('lead', 'leads') }}", **fields) == english


def test_a_block_is_for_those_in_the_segment() -> None:
    text = '{% if lead in segment("hot") %}hot{% else %}cold{% endif %}'
    text += '{% if lead not in segment("big") %} small{% endif %}'
    assert shown(text, segments=frozenset({"hot"})) == "hot small"
    assert shown(text, segments=frozenset({"big"})) == "cold"


def test_only_the_segments_named_are_kept_with_the_template() -> None:
    known = {"hot": {"rule": "score > 5"}, "big": {"rule": "everyone"}}
    text = '{% if lead in segment("hot") %}x{% endif %}'
    compiled = compile_template("t", files(text=text), segments=known)
    assert compiled.segments == {"hot": {"rule": "score > 5"}}
    assert Compiled.from_body("t", json.loads(json.dumps(compiled.body()))) == compiled


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            '\n{% if lead in segment("hoot") %}x{% endif %}',
            'body.txt:2: there is no segment "hoot"; did you mean "hot"',
        ),
        ("{% if lead in segment(lead.stage) %}x{% endif %}", "write its name in quotes"),
        ("{% set s = segment %}{{ s('hot') }}", "write its name in quotes"),
    ],
)
def test_a_segment_nobody_knows_is_an_error(text: str, words: str) -> None:
    with pytest.raises(SourceError, match=words):
        compile_template("t", files(text=text), segments={"hot": {}})


@pytest.mark.parametrize(
    "text",
    [
        '{% if lead.email in segment("hot") %}x{% endif %}',
        '{{ segment("hot") }}',
        '{% if segment("hot") %}x{% endif %}',
        '{% for x in segment("hot") %}x{% endfor %}',
    ],
)
def test_a_segment_is_asked_about_the_lead_and_nothing_else(text: str) -> None:
    with pytest.raises(RenderError, match=r"lead in segment|the lead can be looked for"):
        shown(text, segments=frozenset({"hot"}))


def test_check_knows_the_names() -> None:
    text = (
        "{{ links.unsubscribe }} {{ sender.postal_address }} "
        "{% if deal %}{{ deal.name }}{% endif %}"
        "{% for d in open_deals %}{{ d.name }}{% endfor %}"
        '{% if lead in segment("hot") %}x{% endif %}'
    )
    assert check(files(text=text)) == []
    (found,) = check(files(text=text + "{{ deal.amout }}"))
    assert (found.id, found.do) == ("unknown-field", "did you mean deal.amount?")
