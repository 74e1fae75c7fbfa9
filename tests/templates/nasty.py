"""Forty templates that make inlining before rendering hard, each with what must become of it.

`True`: the CSS can be inlined at compile time. `False`: Jinja decides what a selector looks at,
so this one must be inlined after rendering.
"""

STYLE = """<style>
td { padding: 4px; border: 1px solid #ccc }
p, .note { margin: 0 0 8px; color: #333 }
.hot { color: red !important; background-color: #fee }
#main td.price { text-align: right; font-weight: bold }
a { color: #0b6b57 }
a:hover { color: #000 }
h1 { font-family: 'Segoe UI', Arial, sans-serif; mso-line-height-rule: exactly }
@media (max-width: 600px) { .note { color: #000 !important } }
@media (prefers-color-scheme: dark) { p { color: #eee !important } }
</style>"""


def page(body: str, head: str = STYLE) -> str:
    return f"<!DOCTYPE html><html><head>{head}</head><body>{body}</body></html>"


PARTIALS = {
    "_footer.html": '<p class="note">{{ sender.name }} <a href="{{ links.unsubscribe'
    ' }}">out</a></p>',
    "_row.html": "<tr><td>{{ tag }}</td><td class='price'>{{ lead.score }}</td></tr>",
    "_deep.html": '<div>{% include "_footer.html" %}</div>',
    "_layout.html": page(
        '<div id="main">{% block main %}<p>nothing</p>{% endblock %}</div>'
        '{% block foot %}<p class="note">foot</p>{% endblock %}'
    ),
    "_middle.html": '{% extends "_layout.html" %}{% block main %}<table><tr><td>'
    "{% block inner %}x{% endblock %}</td></tr></table>{% endblock %}",
    "_macros.html": '{% macro button(text, url) %}<a class="hot" href="{{ url }}">{{ text }}</a>'
    "{% endmacro %}",
}

ROWS = (
    "{% for tag in lead.tags %}<tr><td>{{ tag }}</td><td class='price'>{{ loop.index }}</td></tr>"
)

NASTY: dict[str, tuple[str, bool]] = {
    "rows in a loop": (page(f"<table id='main'>{ROWS}{{% endfor %}}</table>"), True),
    "rows in a loop with else": (
        page(f"<table>{ROWS}{{% else %}}<tr><td>none</td></tr>{{% endfor %}}</table>"),
        True,
    ),
    "cells in a loop": (
        page(
            "<table><tr>{% for t in lead.tags %}<td>{{ t }}</td>{% endfor %}<td>x</td></tr></table>"
        ),
        True,
    ),
    "if around a row": (
        page("<table>{% if lead.company %}<tr><td>{{ lead.company }}</td></tr>{% endif %}</table>"),
        True,
    ),
    "if inside href": (
        page(
            '<a href="https://x.example/{% if lead.country == "PL"'
            ' %}pl{% else %}en{% endif %}">x</a>'
        ),
        True,
    ),
    "expression with quotes inside an attribute": (
        page('<a href="https://x.example/?q={{ lead.company|default("none")|urlencode }}">x</a>'),
        True,
    ),
    "ampersands around an expression": (
        page('<a href="https://x.example/?a=1&amp;b={{ lead.score }}&amp;c=&quot;3&quot;">x</a>'),
        True,
    ),
    "unquoted attribute": (page("<a href={{ links.unsubscribe }}>x</a>"), True),
    "single quoted attribute": (
        page("<a href='{{ links.unsubscribe }}' title='a \"b\"'>x</a>"),
        True,
    ),
    "alt text from a field": (
        page('<img src="https://x.example/a.png" alt="{{ lead.email }}">'),
        True,
    ),
    "class decided by if": (
        page('<p class="{% if lead.company %}hot{% else %}note{% endif %}">x</p>'),
        False,
    ),
    "class from a field": (page('<p class="{{ lead.stage }}">x</p>'), False),
    "id from a loop": (
        page('{% for t in lead.tags %}<p id="p{{ loop.index }}">x</p>{% endfor %}'),
        False,
    ),
    "style from a field": (page('<p style="width: {{ lead.score }}px">x</p>'), False),
    "token inside a start tag": (
        page(
            "<table>{% for t in lead.tags %}"
            '<tr{% if loop.first %} class="hot"{% endif %}><td>{{'
            " t }}</td></tr>{% endfor %}</table>"
        ),
        False,
    ),
    "element name decided": (page("<{% if lead.company %}h1{% else %}p{% endif %}>x</p>"), False),
    "two openings, one closing": (
        page(
            '{% if lead.company %}<div class="hot">{% else %}<div class="note">{% endif %}x</div>'
        ),
        False,
    ),
    "open and close in separate ifs": (
        page("{% if lead.company %}<p>{% endif %}text{% if lead.company %}</p>{% endif %}"),
        False,
    ),
    "rows closed by the next row": (
        page("<table>{% for t in lead.tags %}<tr><td>{{ t }}{% endfor %}</table>"),
        False,
    ),
    "jinja in the style sheet": (
        page("<p class='hot'>x</p>", "<style>.hot { color: {{ '#f00' }} }</style>"),
        False,
    ),
    "first-child and a loop": (
        page(
            "<ul>{% for t in lead.tags %}<li>{{ t }}</li>{% endfor %}</ul>",
            "<style>li:first-child { color: red }</style>",
        ),
        False,
    ),
    "sibling selector and an if": (
        page(
            "{% if lead.company %}<h1>x</h1>{% endif %}<p>y</p><p>z</p>",
            "<style>h1 + p { color: red }</style>",
        ),
        False,
    ),
    "attribute selector and a field": (
        page('<p title="{{ lead.stage }}">x</p>', '<style>[title="demo"] { color: red }</style>'),
        False,
    ),
    "attribute selector on another attribute": (
        page(
            '<p align="left" title="{{ lead.stage }}">x</p>',
            '<style>p[align="left"] { color: red }</style>',
        ),
        True,
    ),
    "macro with markup": (
        page(
            "{% macro row(x) %}<td class='price'>{{ x }}</td>{% endmacro %}"
            "<table id='main'><tr>{{ row(lead.score) }}</tr></table>"
        ),
        False,
    ),
    "macro without markup": (
        page("{% macro hi(x) %}Dear {{ x }}{% endmacro %}<p>{{ hi(lead.email) }}</p>"),
        True,
    ),
    "imported macro": (
        page('{% from "_macros.html" import button %}<p>{{ button("go", links.view) }}</p>'),
        False,
    ),
    "captured markup": (
        page(
            "{% set x %}<td class='price'>1</td>{% endset %}<table"
            " id='main'><tr>{{ x }}</tr></table>"
        ),
        False,
    ),
    "include": (page('<div>{% include "_footer.html" %}</div>'), True),
    "include in a loop": (
        page(
            '<table id="main">{% for tag in lead.tags %}{% include'
            ' "_row.html" %}{% endfor %}</table>'
        ),
        True,
    ),
    "include in an include": (page('{% include "_deep.html" %}'), True),
    "layout": (
        '{% extends "_layout.html" %}{% block main %}<table><tr><td class="price">{{ lead.email }}'
        "</td></tr></table>{% endblock %}",
        True,
    ),
    "layout over a layout": (
        '{% extends "_middle.html" %}{% block inner %}{{ lead.email }}{% endblock %}'
        '{% block foot %}<p class="hot">f</p>{% endblock %}',
        True,
    ),
    "comments": (
        page("{# <p> not here #}<!-- {{ lead.email }} --><p>x{# }} #}</p><!-- plain -->"),
        True,
    ),
    "raw block": (page("<p>{% raw %}{{ not.jinja }} {% nor this %}{% endraw %}</p>"), True),
    "braces as entities": (page("<p>&#123;&#123; lead.email }} {&#37; x %}</p>"), True),
    "entities": (
        page("<p>&nbsp;&copy; &lt;b&gt; &amp;amp; &eacute; &zwnj;{{ lead.email }}</p>"),
        True,
    ),
    "conditional comments": (
        page(
            '<!--[if mso]><table width="600"><tr><td class="hot"><![endif]--><p>{{'
            " lead.email }}</p>"
            "<!--[if mso]></td></tr></table><![endif]-->"
            "<!--[if !mso]><!--><p>others</p><!--<![endif]-->"
        ),
        True,
    ),
    "jinja inside a conditional comment": (
        page('<!--[if mso]><v:rect href="{{ links.view }}"></v:rect><![endif]--><p>x</p>'),
        True,
    ),
    "whitespace control": (
        page("<p>a {%- if lead.company %} b {%- endif %} c</p><p>{{- lead.email -}}</p>"),
        True,
    ),
    "important and inline": (
        page('<p class="hot" style="color: blue">x {{ lead.email }}</p>'),
        True,
    ),
    "no closing tags": (page("<p>one<p>two {{ lead.email }}<br>three"), True),
    "only the inside of a page": (STYLE + "<p class='hot'>{{ lead.email }}</p>", True),
    "settings before the page": (
        "{% set colour = 'x' %}" + page("<p title='{{ colour }}'>{{ colour }}</p>"),
        True,
    ),
    "loop in a loop": (
        page(
            "<table>{% for t in lead.tags %}<tr>{% for u in lead.tags"
            " %}<td>{{ u }}</td>{% endfor %}"
            "</tr>{% endfor %}</table>"
        ),
        True,
    ),
    "title and textarea": (
        page(
            "<p>x</p>", STYLE + "<title>{% if lead.company %}{{ lead.company }}{% endif %}</title>"
        ),
        True,
    ),
    "expression printing markup": (page("<p>{{ '<b class=hot>x</b>'|safe }}</p>"), False),
    "with and set": (
        page("{% with x = lead.email %}<p>{{ x }}</p>{% endwith %}{% set y = 1 %}<p>{{ y }}</p>"),
        True,
    ),
    "delimiters inside strings": (page("<p>{{ '}}' ~ \"{%\" ~ '<' }}</p>"), True),
    "polish letters in an address": (page('<a href="https://x.example/zażółć?n=ą b">x</a>'), True),
}
