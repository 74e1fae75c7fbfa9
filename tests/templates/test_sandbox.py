"""A template can neither reach Python nor run away."""

import contextlib
import time
from typing import Any

import pytest

from templates import RenderError, SourceError, compile_template, render
from templates.filters import FILTERS
from tests.templates.letters import files, letter

ESCAPES = [
    "{{ lead.__class__ }}",
    "{{ lead['__class__'] }}",
    "{{ lead._values }}",
    "{{ lead|attr('_values') }}",
    "{{ ''.__class__.__mro__ }}",
    "{{ ''['__class__'] }}",
    "{{ 'x'.format(1) }}",
    "{{ '{0.__class__}'.format(lead) }}",
    "{{ '%s' % lead }}",
    "{{ lead.tags.append('x') }}",
    "{{ lead.tags.__class__ }}",
    "{{ range.__self__ }}",
    "{{ self.__init__ }}",
    "{{ namespace.__init__.__globals__ }}",
    "{{ joiner.__init__.__globals__ }}",
    "{{ lipsum.__globals__ }}",
    "{{ cycler.__init__.__globals__.os }}",
    "{{ config }}",
    "{{ lead.field('email') }}",
    "{{ lead.email.encode() }}",
    "{{ lead }}",
    "{{ lead.attributes }}",
    "{{ _round.__globals__ }}",
    "{{ [lead]|map(attribute='__class__')|list }}",
    "{{ [lead]|map(attribute='_values')|first }}",
    "{% set x = lead.__init__ %}{{ x }}",
    "{% macro m() %}{% endmacro %}{{ m.__call__.__globals__ }}",
    "{% macro m() %}{% endmacro %}{{ m._func.__globals__ }}",
    "{% for x in [1] %}{{ loop.__init__.__globals__ }}{% endfor %}",
    "{% include '/etc/passwd' %}",
    "{% include lead.email %}",
]

BOMBS = [
    "{% for a in range(1000) %}{% for b in range(1000) %}{% endfor %}{% endfor %}",
    "{% set r = range(1000) %}{% for a in r %}{% for b in r %}{% for c in r %}{% endfor %}"
    "{% endfor %}{% endfor %}",
    "{{ range(100000000)|list }}",
    "{{ 'x' * 1000000000 }}",
    "{{ ['x'] * 1000000000 }}",
    "{{ 10 ** 10 ** 10 }}",
    "{{ 'x'.ljust(1000000000) }}",
    "{{ 'x'|center(1000000000) }}",
    "{{ '%1000000000d'|format(1) }}",
    "{{ ('x' * 90000)|replace('x', 'y' * 90000) }}",
    "{{ (['x' * 90000] * 1000)|join('') }}",
    "{% set n = namespace(x='xxxxxxxxxx') %}{% for i in range(60) %}{% set n.x = n.x ~ n.x %}"
    "{% endfor %}{{ n.x }}",
    "{% set n = namespace(x='xxxxxxxxxx') %}{% for i in range(60) %}{% set n.x = n.x + n.x %}"
    "{% endfor %}{{ n.x }}",
    "{% set n = namespace(x='x' * 2000) %}{% for i in range(60) %}"
    "{% set y %}{{ n.x }}{{ n.x }}{% endset %}{% set n.x = y %}{% endfor %}{{ n.x }}",
    "{% macro m(n) %}{{ m(n) }}{% endmacro %}{{ m(1) }}",
    "{% macro m(n) %}{{ m(n) }}{{ m(n) }}{% endmacro %}{{ m(1) }}",
    "{% for i in range(1000) %}" + "x" * 4000 + "{% endfor %}",
    "{% set n = namespace(x=99999999) %}{% for i in range(60) %}{% set n.x = n.x * n.x %}"
    "{% endfor %}{{ n.x > 1 }}",
    "{{ ['x' * 90000] * 100000 }}",
    "{{ [['x' * 90000] * 100000]|string|length }}",
    "{{ [['x'] * 900000]|sum(start=[])|length }}",
    *(
        "{% set b = 'x y ' * 400000 %}{% for i in range(1000) %}" + each + "{% endfor %}"
        for each in (
            "{{ b|wordcount }}",
            "{% set y = b|title %}",
            "{% set y = b.upper() %}",
            "{% set y = b[1:] %}",
            "{% if b|list|sort %}{% endif %}",
            "{% if 'q' in b %}{% endif %}",
            "{% if b == b ~ '' %}{% endif %}",
        )
    ),
    *(
        "{% set b = [1] * 900000 %}{% for i in range(1000) %}" + each + "{% endfor %}"
        for each in (
            "{{ b|sum }}",
            "{% set y = b[::-1] %}",
            "{% if 2 in b %}{% endif %}",
            "{% set y = b|unique|list %}",
            "{% for x in b if false %}{% endfor %}",
        )
    ),
]


@pytest.mark.parametrize("template", ESCAPES)
def test_python_is_out_of_reach(template: str) -> None:
    with pytest.raises((RenderError, SourceError)) as caught:
        render(compile_template("t", files(text=template)), letter(tags=("a",)))
    assert "object at 0x" not in str(caught.value)


@pytest.mark.parametrize("template", BOMBS)
def test_what_would_run_away_is_stopped(template: str) -> None:
    started = time.process_time()
    with pytest.raises((RenderError, SourceError)) as caught:
        render(compile_template("t", files(text=template)), letter())
    assert time.process_time() - started < 5
    # One line that says what is wrong, and not the values themselves.
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("name", sorted(FILTERS))
def test_no_filter_makes_a_long_text_endless(name: str) -> None:
    template = (
        "{% set b = '2026-01-01 ' * 150000 %}{% for i in range(1000) %}{% set y = b|"
        + {"map": "map('upper')", "money": "money('PLN')"}.get(name, name)
        + " %}{% endfor %}"
    )
    started = time.process_time()
    with contextlib.suppress(RenderError, SourceError):
        render(compile_template("t", files(text=template)), letter())
    assert time.process_time() - started < 5


def test_the_next_lead_is_unharmed_by_the_one_before() -> None:
    compiled = compile_template(
        "t", files(text="{% for i in range(lead.attributes.n) %}{{ i }}{% endfor %}")
    )
    with pytest.raises(RenderError):
        render(compiled, letter(attributes={"n": 10_000}))
    assert render(compiled, letter(attributes={"n": 3})).text == "012"


def test_lead_data_is_never_read_as_jinja() -> None:
    compiled = compile_template(
        "t", files("<style>p { color: red }</style><p>{{ lead.name }}</p>", "{{ lead.name }}")
    )
    rendered = render(compiled, letter(name="{{ 7 * 7 }}{% raw %}"))
    assert rendered.text == "{{ 7 * 7 }}{% raw %}"
    assert "{{ 7 * 7 }}{% raw %}" in (rendered.html or "")


def test_values_cannot_be_changed_for_others() -> None:
    attributes: dict[str, Any] = {"list": [1, 2]}
    compiled = compile_template("t", files(text="{{ lead.attributes.list.pop() }}"))
    with pytest.raises(RenderError):
        render(compiled, letter(attributes=attributes))
    assert attributes == {"list": [1, 2]}
