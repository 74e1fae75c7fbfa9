"""CSS inlined once at compile time says the same as CSS inlined into every rendered message."""

import logging
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import pytest
from lxml import etree
from premailer import Premailer

from templates import Letter, SourceError, compile_template, render, starters
from templates.environment import budget, make_environment
from templates.fields import scopes
from templates.markup import parse, whole
from templates.render import _inline_choices
from tests.templates.letters import LEADS, LINKS, SENDER, files, letter
from tests.templates.nasty import NASTY, PARTIALS

PARTIAL_FILES = {name: text.encode() for name, text in PARTIALS.items()}


def by_premailer(html: str, letter: Letter, defaults: Mapping[str, Any]) -> str:
    """The author's own source rendered by Jinja, then inlined by premailer as it comes."""
    environment = make_environment(PARTIALS)
    names = scopes(letter.recipient, letter.sender, letter.links, {}, defaults)
    with budget():
        code = environment.compile(html, name="body.html", filename="body.html")
        template = environment.template_class.from_code(environment, code, environment.globals)
        rendered = template.render(**names, language="en")
    rendered = re.sub(r"<!doctype[^>]*>", "", whole(rendered), flags=re.I)
    if not re.search(r"<style", rendered):
        return rendered
    premailer = Premailer(
        rendered.strip(),
        allow_network=False,
        strip_important=False,
        disable_basic_attributes=["width", "height"],
        disable_validation=True,
        cssutils_logging_level=logging.CRITICAL + 1,
    )
    return str(premailer.transform(pretty_print=False))


def shape(html: str) -> list[Any]:
    """A document as what matters: elements with attributes and declarations, texts, comments."""
    found: list[Any] = []

    def words(text: str | None) -> None:
        if text and text.strip():
            found.append(" ".join(text.split()))

    def walk(node: Any) -> None:
        if node.tag is etree.Comment:
            if "zq" in node.text:
                raise AssertionError(f"a sentinel was left: {node.text}")
            found.append(("comment", " ".join(node.text.split())))
        elif node.get("http-equiv") is None:
            attributes = dict(node.attrib)
            for name in ("href", "src"):
                if name in attributes:
                    attributes[name] = unquote(attributes[name])
            if "style" in attributes:
                parts = attributes["style"].split(";")
                attributes["style"] = [" ".join(each.split()) for each in parts if each.strip()]
            found.append((node.tag, attributes))
            words(node.text)
            for child in node:
                walk(child)
            found.append(("end", node.tag))
        words(node.tail)

    walk(parse(html))
    joined: list[Any] = []
    for each in found:
        if isinstance(each, str) and joined and isinstance(joined[-1], str):
            joined[-1] += " " + each
        else:
            joined.append(each)
    return joined


@pytest.mark.parametrize("name", list(NASTY))
def test_inlining_first_says_the_same_as_inlining_last(name: str) -> None:
    html, early = NASTY[name]
    compiled = compile_template("nasty", files(html), partials=PARTIAL_FILES)
    why = compiled.texts[""].inline_after_render
    assert (why == "") is early, why
    for recipient in LEADS if early else LEADS[:6]:
        letter = Letter(recipient=recipient, sender=SENDER, links=LINKS)
        ours = render(compiled, letter).html
        assert ours is not None
        assert shape(ours) == shape(by_premailer(html, letter, {}))


@pytest.mark.parametrize("name", ["welcome", "powitanie"])
def test_starters_are_inlined_at_compile_time_and_exactly(name: str) -> None:
    folder = starters()[name]
    compiled = compile_template(name, folder)
    assert compiled.texts[""].inline_after_render == ""
    toml = re.sub(rb"(?m)^preheader.*$", b"", folder["message.toml"])
    compiled = compile_template(name, {**folder, "message.toml": toml})
    for recipient in LEADS:
        letter = Letter(recipient=recipient, sender=SENDER, links=LINKS)
        ours = render(compiled, letter).html
        assert ours is not None
        raw = by_premailer(folder["body.html"].decode(), letter, compiled.texts[""].defaults)
        assert shape(ours) == shape(raw)


def test_messages_that_differ_only_in_values_share_one_inlining() -> None:
    html = NASTY["token inside a start tag"][0].replace("<table>", "<p>{{ lead.name }}</p><table>")
    compiled = compile_template("x", files(html))
    _inline_choices.cache_clear()
    for number in range(30):
        name = f"Lead {number} <b> zqheld7x"
        rendered = render(compiled, letter(name=name, tags=("a", "b")[: number % 3]))
        assert f"Lead {number} &lt;b&gt; zqheld7x</p>" in (rendered.html or "")
    assert _inline_choices.cache_info().misses == 3


def test_rules_premailer_would_drop_are_kept() -> None:
    kept = (
        '@font-face { font-family: "Inter"; src: url(https://x.example/i.woff2) }',
        "@supports (display: grid) { .a { display: grid } .b { color: red } }",
        "@keyframes spin { from { color: red } to { color: blue } }",
    )
    css = f"p {{ color: red }} {' '.join(kept)} .a {{ margin: 0 }}"
    page = f"<html><head><style>{css}</style></head><body><p class='a'>x</p></body></html>"
    html = render(compile_template("x", files(page)), letter()).html
    assert html is not None
    assert all(rule in html for rule in kept)
    assert 'style="color:red; margin:0"' in html


def test_selectors_in_media_queries_do_not_make_a_template_slow() -> None:
    css = "p { color: red } @media (max-width: 9px) { p:first-child { color: blue } }"
    aside = '<style data-premailer="ignore">li + li { color: red }</style>'
    head = f"<head><style>{css}</style>{aside}</head>"
    page = f"<html>{head}<body>{{% if lead.company %}}<p>x</p>{{% endif %}}</body></html>"
    texts = compile_template("x", files(page)).texts[""]
    assert texts.inline_after_render == ""
    assert texts.html is not None
    assert "<style>li + li { color: red }</style>" in texts.html.source


def test_media_queries_and_conditional_comments_survive() -> None:
    html, _ = NASTY["conditional comments"]
    source = compile_template("x", files(html)).texts[""].html
    assert source is not None
    assert "@media (prefers-color-scheme: dark)" in source.source
    assert "color: #eee !important" in source.source
    assert '<!--[if mso]><table width="600"><tr><td class="hot"><![endif]-->' in source.source
    assert "<!--[if !mso]><!--><p" in source.source


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ('<link rel="stylesheet" href="https://x.example/a.css">', "CSS in another file"),
        ("<style>@import url(https://x.example/a.css);</style>", "@import"),
    ],
)
def test_css_that_would_have_to_be_fetched_is_refused(head: str, said: str) -> None:
    with pytest.raises(SourceError, match=said):
        compile_template("x", files(f"<html><head>{head}</head><body>x</body></html>"))
