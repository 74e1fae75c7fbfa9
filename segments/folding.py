"""How texts are compared: letters A to Z in either case are one, everything else is itself.

With `~` more is one: `bare` takes marks off letters and knows the capitals of other alphabets. Also
what counts as a number or a day inside an attribute's text. `dialects.py` says the same in
the words of each database.
"""

import re
import string
import unicodedata

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


#: Letters that no normalization takes apart, and the capitals of Greek and Cyrillic.
BARE_FROM = (
    "ŁłØøĐđĦħŦŧıƵƶƂƀÞÐðŒÆẞςΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩАБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯІЄҐЂЈЉЊЋЏЅ"
)
BARE_TO = "llooddhhttizzbbþððœæßσαβγδεζηθικλμνξοπρστυφχψωабвгдежзийклмнопрстуфхцчшщъыьэюяієґђјљњћџѕ"
#: One letter that is written as two where there is no such letter.
BARE_PAIRS = (("ß", "ss"), ("æ", "ae"), ("œ", "oe"), ("þ", "th"), ("ð", "d"))
#: Accents and other marks once they stand alone.
MARKS = ("\u0300", "\u036f")
#: The name under which SQLite finds `bare`.
BARE_FUNCTION = "potok_bare"

_BARE = str.maketrans(BARE_FROM, BARE_TO)
_MARKS = re.compile(f"[{MARKS[0]}-{MARKS[1]}]")


def bare(text: str) -> str:
    """The text without capitals and without marks on letters: `Łódź` is `lodz`.

    PostgreSQL says the same in `dialects.bared`, step by step; SQLite calls this.
    """
    if not text.isascii():
        # Compatibility forms too: one width, one kind of letter (Unicode Standard Annex 15).
        text = _MARKS.sub("", unicodedata.normalize("NFKD", text)).translate(_BARE)
        for letter, pair in BARE_PAIRS:
            text = text.replace(letter, pair)
    return fold(text)


def bare_or_null(value: object) -> str | None:
    """`bare` for SQLite, which also shows it what is no text."""
    return bare(value) if isinstance(value, str) else None


def sought(operand: object, text: str) -> str:
    """What to look for when a folded value is compared with `text`."""
    if isinstance(operand, Field) and operand.name == "domain" and not text.isascii():
        # Domains are kept in their IDNA form (RFC 5890): a rule may name the one people read.
        try:
            return idna.encode(text, uts46=True).decode()
        except idna.IDNAError:
            return fold(text)
    return fold(text)
