"""An SPF record as values, read by the grammar of RFC 7208 12; a wrong one says where."""

import re
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Literal

from deliverability.preflight.spf_macros import is_domain_spec, is_macro_string

Qualifier = Literal["+", "-", "~", "?"]
Name = Literal["all", "include", "a", "mx", "ptr", "ip4", "ip6", "exists"]

#: Mechanisms that make a receiver ask DNS: ten in all, with `redirect` (RFC 7208 4.6.4).
ASKING = frozenset({"include", "a", "mx", "ptr", "exists"})

_DIRECTIVE = re.compile(r"([+\-~?]?)(all|include|a|mx|ptr|ip4|ip6|exists)(?=[:/]|$)(.*)", re.I)
_MODIFIER = re.compile(r"([a-z][a-z0-9\-_.]*)=(.*)", re.IGNORECASE)
_LENGTHS = re.compile(r"(?:/(0|[1-9]\d?))?(?://(0|[1-9]\d{0,2}))?$")


class SpfSyntaxError(ValueError):
    """A record that receivers take for no record but a mistake (permerror)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Mechanism:
    """One term that may match the address mail comes from."""

    #: As it stands in the record.
    text: str
    qualifier: Qualifier
    name: Name
    #: A domain-spec with its macros; empty means the domain of the record.
    domain: str = ""
    network: IPv4Network | IPv6Network | None = None
    #: Prefix lengths for the addresses `a` and `mx` find.
    length4: int = 32
    length6: int = 128


@dataclass(frozen=True, kw_only=True, slots=True)
class SpfRecord:
    """What a record says."""

    mechanisms: tuple[Mechanism, ...]
    redirect: str = ""
    explanation: str = ""


def is_spf(text: str) -> bool:
    """RFC 7208 4.5: the version ends with a blank or with the record."""
    head = text[:7].lower()
    return head.startswith("v=spf1") and (len(text) == 6 or text[6:7] == " ")


def read_spf(text: str) -> SpfRecord:
    """The record's terms. Raises SpfSyntaxError with the term that is wrong."""
    if not is_spf(text):
        raise SpfSyntaxError("it does not begin with v=spf1")
    mechanisms: list[Mechanism] = []
    single: dict[str, str] = {}
    for term in text[6:].split(" "):
        if not term:
            continue
        if directive := _DIRECTIVE.fullmatch(term):
            mechanisms.append(_mechanism(term, directive))
        elif modifier := _MODIFIER.fullmatch(term):
            name, value = modifier[1].lower(), modifier[2]
            if name in single:
                raise SpfSyntaxError(f"{name}= stands there twice")
            if name in ("redirect", "exp"):
                if not is_domain_spec(value):
                    raise SpfSyntaxError(f"{term}: this is no domain")
                single[name] = value
            # RFC 7208 6: other modifiers are ignored, and still follow the grammar.
            elif not is_macro_string(value, explaining=True):
                raise SpfSyntaxError(f"{term}: a percent sign out of place")
        else:
            raise SpfSyntaxError(f"{term}: there is no such term")
    return SpfRecord(
        mechanisms=tuple(mechanisms),
        redirect=single.get("redirect", ""),
        explanation=single.get("exp", ""),
    )


def _mechanism(term: str, found: re.Match[str]) -> Mechanism:
    qualifier: Qualifier = found[1] or "+"  # type: ignore[assignment]
    name: Name = found[2].lower()  # type: ignore[assignment]
    rest = found[3]
    if name == "all":
        if rest:
            raise SpfSyntaxError(f"{term}: all takes nothing behind it")
        return Mechanism(text=term, qualifier=qualifier, name=name)
    if name in ("ip4", "ip6"):
        return Mechanism(text=term, qualifier=qualifier, name=name, network=_network(term, rest))
    four, six = 32, 128
    if name in ("a", "mx"):
        lengths = _LENGTHS.search(rest)
        assert lengths is not None  # noqa: S101 - it matches nothing too
        rest = rest[: lengths.start()]
        four = int(lengths[1]) if lengths[1] is not None else 32
        six = int(lengths[2]) if lengths[2] is not None else 128
        if four > 32 or six > 128:
            raise SpfSyntaxError(f"{term}: no network is that long")
    domain = rest.removeprefix(":")
    if rest and (not rest.startswith(":") or not is_domain_spec(domain)):
        raise SpfSyntaxError(f"{term}: this is no domain")
    if not rest and name in ("include", "exists"):
        raise SpfSyntaxError(f"{term}: a domain is missing")
    return Mechanism(
        text=term, qualifier=qualifier, name=name, domain=domain, length4=four, length6=six
    )


def _network(term: str, rest: str) -> IPv4Network | IPv6Network:
    version = 4 if term.lower().lstrip("+-~?").startswith("ip4") else 6
    address, slash, length = rest.removeprefix(":").partition("/")
    wrong = SpfSyntaxError(f"{term}: this is no IPv{version} address or network")
    if not rest.startswith(":") or (slash and not re.fullmatch(r"0|[1-9]\d{0,2}", length)):
        raise wrong
    try:
        network = ip_network(rest[1:], strict=False)
    except ValueError:
        raise wrong from None
    if network.version != version or "%" in address:
        raise wrong
    return network
