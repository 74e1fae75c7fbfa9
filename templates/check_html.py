"""What is wrong with the HTML of a template: pictures, links, and what mail clients throw away."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from templates.check_body import Body
from templates.check_contrast import look_findings
from templates.check_css import css_findings
from templates.check_links import link_findings
from templates.finding import Finding

_FORBIDDEN = {
    "script": "mail clients remove scripts and filters take them for an attack",
    "form": "most mail clients do not send forms",
    "iframe": "mail clients remove frames",
    "object": "mail clients remove embedded objects",
    "embed": "mail clients remove embedded objects",
}


def html_findings(body: Body, domains: Sequence[str]) -> Iterator[Finding]:
    """Findings about one HTML body, each at its own line. `domains` are those links may lead to;
    none allow all."""
    for element in body.elements():
        yield from _element(body, element)
        if element.tag == "img":
            yield from _image(body, element)
        if element.tag in ("a", "area"):
            yield from link_findings(body, element, domains)
    yield from css_findings(body)
    yield from look_findings(body)


def _element(body: Body, element: Any) -> Iterator[Finding]:
    if element.tag in _FORBIDDEN:
        yield Finding(
            id="forbidden-element",
            level="error",
            where=body.where(element),
            what=f"<{element.tag}>: {_FORBIDDEN[element.tag]}",
            do="remove it, or link to a page on your web site",
        )
    for name in element.attrib:
        if re.fullmatch(r"on[a-z]+", name):
            yield Finding(
                id="forbidden-element",
                level="error",
                where=body.where(element),
                what=f"{name}: {_FORBIDDEN['script']}",
                do="remove it",
            )


def _image(body: Body, element: Any) -> Iterator[Finding]:
    where = body.where(element)
    if element.get("alt") is None:
        yield Finding(
            id="no-alt",
            level="warning",
            where=where,
            what="an image has no alt text; many people see mail without images",
            do='write alt="what it shows", or alt="" when it is only decoration',
        )
    address = (element.get("src") or "").strip()
    if not body.jinja.search(address) and not re.match(r"https?:|cid:", address, re.I):
        yield Finding(
            id="relative-link",
            level="error",
            where=where,
            what=f'the image "{address}" is not on the web, so nobody will see it',
            do="put it on your web site and write its full https:// address",
        )
