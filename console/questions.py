"""Answers people give, checked one by one: each reader returns the value or raises ValueError with
a sentence, so that the question can be asked again."""

import re
from email.headerregistry import Address
from email.utils import parseaddr


def mail_address(text: str) -> str:
    """`anna@example.com`."""
    text = text.strip()
    try:
        address = Address(addr_spec=text)
    except (ValueError, IndexError) as error:
        raise ValueError(_NO_ADDRESS.format(text)) from error
    if not address.username or not address.domain or any(ord(letter) <= 32 for letter in text):
        raise ValueError(_NO_ADDRESS.format(text))
    return text


_NO_ADDRESS = "{!r} is no mail address; write it like anna@example.com"


def sender(text: str) -> str:
    """`Anna Nowak <anna@example.com>`."""
    shown, bracket, address = text.strip().removesuffix(">").rpartition("<")
    if not bracket:
        return mail_address(text)
    # Quotes around a name are the writing's; `from_line` puts them back where they are needed.
    return from_line(parseaddr(f"{shown}<x@x>")[0] or shown.strip(), mail_address(address))


def from_line(shown: str, address: str) -> str:
    """Name and address as `potok.toml` has them."""
    shown = one_line(shown)
    plain = re.fullmatch(r"[\w .'-]*", shown)
    if not shown:
        return address
    if not plain:  # RFC 5322 3.2.4: anything but words stands in quotes
        shown = '"' + shown.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"{shown} <{address}>"


def one_line(text: str) -> str:
    """A text without control characters."""
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in text):
        raise ValueError("write it on one line, without control characters")
    return text.strip()


def stages(text: str) -> tuple[str, ...]:
    """`new, contacted, won, lost`."""
    names = tuple(part.strip() for part in text.split(",") if part.strip())
    for name in names:
        if not re.fullmatch(r"[^\W_][\w -]{0,39}", name):
            raise ValueError(f"{name!r} cannot be a stage: use letters, digits, spaces, - and _")
    if not names:
        raise ValueError("name at least one stage")
    if len(set(names)) < len(names):
        raise ValueError("each stage once")
    return names


def host(text: str) -> str:
    """`smtp.example.com`."""
    text = text.strip()
    if not re.fullmatch(r"[\w.:-]+", text):
        raise ValueError(f"{text!r} is no server name; write it like smtp.example.com")
    return text
