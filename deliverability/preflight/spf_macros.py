"""Macros in SPF records (RFC 7208 7): checked when a record is read, filled in when it is used."""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

#: RFC 7208 7.1: one piece of a macro-string; letters c, r and t belong into explanations only.
_PIECE = re.compile(
    r"%\{(?P<letter>[slodiphv])(?P<digits>\d*)(?P<reverse>r?)(?P<delimiters>[.\-+,/_=]*)\}"
    r"|%(?P<mark>[%_-])|(?P<plain>[!-$&-~]+)",
    re.IGNORECASE,
)
_EXPLAINING = re.compile(r"%\{[crt]\d*r?[.\-+,/_=]*\}", re.IGNORECASE)
_MARKS = {"%": "%", "_": " ", "-": "%20"}
#: RFC 7208 7.1: how a domain-spec ends when it does not end with a macro; RFC 3696 2: no top level
#: label is all digits.
_TOP_LABEL = re.compile(
    r"\.(?:[a-z0-9]*[a-z][a-z0-9]*|[a-z0-9]+-[a-z0-9-]*[a-z0-9])\.?$", re.IGNORECASE
)

Address = IPv4Address | IPv6Address


@dataclass(frozen=True, kw_only=True, slots=True)
class MacroFacts:
    """What macros are filled in with."""

    sender: str
    domain: str
    ip: Address
    helo: str
    #: The validated name of the address, for `p`; `unknown` when there is none.
    name: str = "unknown"

    def letter(self, letter: str) -> str:
        local, _, domain = self.sender.rpartition("@")
        if letter == "i" and isinstance(self.ip, IPv6Address):
            return ".".join(self.ip.exploded.replace(":", ""))
        return {
            "s": self.sender,
            "l": local,
            "o": domain,
            "d": self.domain,
            "i": str(self.ip),
            "p": self.name,
            "h": self.helo,
            "v": "in-addr" if self.ip.version == 4 else "ip6",
        }[letter]


def is_macro_string(text: str, *, explaining: bool = False) -> bool:
    """Whether `text` follows the grammar of a macro-string."""
    if explaining:
        text = _EXPLAINING.sub("", text.replace(" ", ""))
    place = 0
    while place < len(text):
        piece = _PIECE.match(text, place)
        # RFC 7208 7.1: a number of labels to keep is at least one.
        if piece is None or (piece["digits"] and int(piece["digits"]) == 0):
            return False
        place = piece.end()
    return True


def is_domain_spec(text: str) -> bool:
    """Whether `text` may stand for a domain: a macro-string with a top label or a macro at its
    end."""
    if not text or not is_macro_string(text):
        return False
    return bool(_TOP_LABEL.search(text)) or bool(re.search(r"%\{[^}]*\}$", text))


def has_macros(text: str) -> bool:
    return "%" in text


def uses_name(text: str) -> bool:
    """Whether the validated name is wanted, which costs lookups."""
    return bool(re.search(r"%\{p", text, re.IGNORECASE))


def expand(text: str, facts: MacroFacts) -> str:
    """The text with its macros filled in; a domain over 253 letters loses labels on its left
    (RFC 7208 7.3)."""
    found = "".join(_expanded(piece, facts) for piece in _PIECE.finditer(text))
    name = found.removesuffix(".")
    while len(name) > 253 and "." in name:
        name = name.partition(".")[2]
    return name


def _expanded(piece: re.Match[str], facts: MacroFacts) -> str:
    if piece["plain"] is not None:
        return piece["plain"]
    if piece["mark"] is not None:
        return _MARKS[piece["mark"]]
    value = facts.letter(piece["letter"].lower())
    if piece["delimiters"] or piece["digits"] or piece["reverse"]:
        parts = re.split(f"[{re.escape(piece['delimiters'] or '.')}]", value)
        if piece["reverse"]:
            parts.reverse()
        if piece["digits"]:
            parts = parts[-int(piece["digits"]) :]
        value = ".".join(parts)
    if piece["letter"].isupper():
        # RFC 7208 7.3: a capital letter asks for percent signs, as in a web address.
        value = "".join(
            c if c.isascii() and (c.isalnum() or c in "-._~") else _percent(c) for c in value
        )
    return value


def _percent(char: str) -> str:
    return "".join(f"%{byte:02X}" for byte in char.encode())
