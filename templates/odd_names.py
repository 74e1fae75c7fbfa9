"""Names that would look strange in a greeting, as lists that were bought or typed in hold them."""

import re

#: Fields that hold a person's name.
NAME_FIELDS = ("first_name", "last_name", "name")

#: What is shown to people, by the key that scripts get.
ODDITIES = {
    "empty_word": "a word for nothing",
    "address": "an e-mail address",
    "url": "a web address",
    "characters": "control or direction characters",
    "markup": "markup",
    "digits": "digits",
    "title": "a title",
    "one_letter": "one letter",
    "capitals": "all capitals",
    "lower_case": "lower case",
    "long": "very long",
}

#: What forms and exports say when they know nothing.
_SAY_NOTHING = """
    test testing tester asdf qwerty xxx abc foo none null nil undefined unknown nan n/a na #n/a
    noname anonymous brak nieznany nieznane unbekannt inconnu user customer klient firstname
    lastname name imię imie nazwisko
"""
_EMPTY_WORDS = frozenset(_SAY_NOTHING.split()) | {"no name", "first name", "last name"}
_IN_FRONT = """
    mr mrs ms miss mx sir madam dr prof inż mgr hab ing dipl herr frau pan pani mec adw monsieur
    madame mme
"""
_TITLES = frozenset(_IN_FRONT.split())
_ADDRESS = re.compile(r"\S@\S")
_URL = re.compile(r"https?://|www\.|\w\.(?:com|net|org|info|biz|io|pl|de|ru|cn|xyz)\b", re.I)
#: Zero-width joiners are left out: some scripts need them in names.
_CHARACTERS = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\ufffd]"
)
_MARKUP = re.compile(r"[<>{}]|&\w+;")
_LONGEST = 60


def oddity(name: str) -> str:
    """The first key of `ODDITIES` that is true of `name`; empty for one that looks like a name.

    An empty name is none: that is a missing field.
    """
    bare = name.strip()
    words = bare.split()
    letters = [char for char in bare if char.isalpha()]
    if _CHARACTERS.search(name):
        return "characters"
    if not bare:
        return ""
    said = bare.casefold().strip(".!?-_ ")
    if not said or said in _EMPTY_WORDS or words[0].casefold() in ("test", "tester", "asdf"):
        return "empty_word"
    for kind, pattern in (("address", _ADDRESS), ("url", _URL), ("markup", _MARKUP)):
        if pattern.search(bare):
            return kind
    if any(char.isdigit() for char in bare):
        return "digits"
    if words[0].rstrip(".").casefold() in _TITLES:
        return "title"
    # A single sign of Chinese or Korean is a whole name.
    if len(letters) == 1 and letters[0].upper() != letters[0].lower():
        return "one_letter"
    if len(bare) > _LONGEST:
        return "long"
    if len(letters) > 2 and bare.isupper():
        return "capitals"
    return "lower_case" if bare.islower() else ""


def printable(text: str, most: int = 60) -> str:
    """`text` for a screen or a file: invisible characters spelt out, long texts cut."""
    cut = text if len(text) <= most else text[: most - 1] + "…"
    return "".join(
        char if char.isprintable() else f"\\u{ord(char):04x}" if ord(char) < 0x10000 else "?"
        for char in cut
    )
