"""How texts are compared: letters A to Z in either case are one, everything else is itself.

Also what counts as a number or a day inside an attribute's text. `dialects.py` says the same in
the words of each database.
"""

import re
import string

import idna

from segments.terms import Field

_ASCII = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)

#: A text that counts as a number: at most 15 characters, so that every database reads it exactly.
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
NUMBER_LENGTH = 15

#: A text that counts as a day begins like this; the rest (a time) does not matter.
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def fold(text: str) -> str:
    """The text with A to Z in lower case."""
    return text.translate(_ASCII)


def sought(operand: object, text: str) -> str:
    """What to look for when a folded value is compared with `text`."""
    if isinstance(operand, Field) and operand.name == "domain" and not text.isascii():
        # Domains are kept in their IDNA form (RFC 5890): a rule may name the one people read.
        try:
            return idna.encode(text, uts46=True).decode()
        except idna.IDNAError:
            return fold(text)
    return fold(text)
