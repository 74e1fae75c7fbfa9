"""Where links lead: nowhere, somewhere hidden, somewhere else than they say."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

from templates.check_body import Body
from templates.finding import Finding

_ABSOLUTE = re.compile(r"(?:https?|mailto|tel|sms|cid):", re.IGNORECASE)
_FILL = 'write the full address: href="https://..."'
#: What reads as a web address: with its scheme or www., or a name under one of the usual ends.
_ADDRESS = re.compile(
    r"(?:https?://|www\.)[^\s/:@]+\S*|(?:[\w-]+\.)+(?:com|net|org|info|biz|eu|pl|de|fr|it|es|uk|cz|"
    r"sk|ua|nl|be|at|ch|se|no|dk|fi|us|ca|io|ai|app|dev|co|shop|online|example)(?:[/:?]\S*)?",
    re.IGNORECASE,
)
_IN_TEXT = re.compile(r"https?://[^\s<>\"')\]]+", re.IGNORECASE)


@lru_cache(maxsize=1)
def shorteners() -> frozenset[str]:
    """Hosts of link shorteners, `shorteners.txt`."""
    text = files("templates").joinpath("shorteners.txt").read_text("utf-8")
    return frozenset(line for line in text.split("\n") if line and not line.startswith("#"))


def link_findings(body: Body, element: Any, domains: Sequence[str]) -> Iterator[Finding]:
    """What is wrong with one `<a>` or `<area>`. `domains` are the allowed ones; none allow all."""
    where = body.where(element)
    address = element.get("href")
    if address is None:
        if element.get("name") is None and element.get("id") is None:
            yield _finding("empty-link", "error", where, "a link without href", _FILL)
        return
    address = address.strip()
    if address.startswith("#") and len(address) > 1:
        return
    if address in ("", "#"):
        yield _finding("empty-link", "error", where, "a link leads nowhere", _FILL)
    elif re.match(r"javascript:", address, re.IGNORECASE):
        what = "a javascript: link: mail clients remove scripts and filters take them for an attack"
        do = "link to a page on your web site"
        yield _finding("forbidden-element", "error", where, what, do)
    elif body.jinja.match(address) is None and not _ABSOLUTE.match(address):
        what = f'the link "{_readable(body, address)}" has no https:// in front'
        do = "write the full address, as in https://example.com/page"
        yield _finding("relative-link", "error", where, what, do)
    else:
        host = _host(body, address)
        if host:
            yield from host_findings(host, where, domains)
            yield from _differs(body, element, host, where)


def host_findings(host: str, where: str, domains: Sequence[str]) -> Iterator[Finding]:
    """A shortener, or a domain that is not allowed."""
    if under(host, shorteners()):
        yield Finding(
            id="link-shortener",
            level="warning",
            where=where,
            what=f"{host} hides where the link leads, so spam filters distrust it and people too",
            do="link to the page itself",
        )
    if domains and not under(host, domains):
        yield Finding(
            id="foreign-link",
            level="error",
            where=where,
            what=f"the link leads to {host}, which is not among [templates] link_domains",
            do=f'correct it, or add "{host.removeprefix("www.")}" to link_domains in potok.toml',
        )


def text_links(text: str) -> Iterator[tuple[int, str]]:
    """(line, host) of every full address in a plain text source."""
    for found in _IN_TEXT.finditer(text):
        if "{" not in found[0].partition("//")[2].partition("/")[0]:
            yield text.count("\n", 0, found.start()) + 1, _host_of(found[0])


def _host(body: Body, address: str) -> str:
    """The host of a web address; empty when Jinja decides it."""
    if not re.match(r"https?:", address, re.IGNORECASE):
        return ""
    start = re.match(r"https?://[^/?#]*", address, re.IGNORECASE)
    if start is None or body.jinja.search(start[0]):
        return ""
    return _host_of(address)


def _host_of(address: str) -> str:
    try:
        return (urlsplit(address).hostname or "").rstrip(".").lower()
    except ValueError:
        return ""


def under(host: str, domains: Sequence[str] | frozenset[str]) -> bool:
    """Whether the host is one of the domains or below one."""
    labels = host.split(".")
    return any(".".join(labels[at:]) in domains for at in range(len(labels)))


def text_host(body: Body, element: Any) -> str:
    """The host a link says it leads to, when what it shows is an address; without `www.`."""
    text = body.text_of(element).strip()
    if not _ADDRESS.fullmatch(text):
        return ""
    return _host_of(text if "://" in text else f"https://{text}").removeprefix("www.")


def _differs(body: Body, element: Any, host: str, where: str) -> Iterator[Finding]:
    said, other = text_host(body, element), host.removeprefix("www.")
    if said and not under(other, [said]) and not under(said, [other]):
        yield Finding(
            id="link-text-differs",
            level="warning",
            where=where,
            what=f"the link says {said} and leads to {host}, as forged mails do",
            do="let it say where it leads, or say it in words",
        )


def _readable(body: Body, address: str) -> str:
    """The address with its Jinja back."""
    return body.jinja.sub(
        lambda found: body.protected.tokens[int(found[1] or found[2])].piece.text, address
    )


def _finding(id: str, level: Any, where: str, what: str, do: str) -> Finding:
    return Finding(id=id, level=level, where=where, what=what, do=do)
