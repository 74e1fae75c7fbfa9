"""Names of people: first and last from a whole one, a whole one from both."""

import re

# fmt: off
#: Words before a last name that belong to it.
_PARTICLES = frozenset({
    "van", "von", "der", "den", "de", "del", "della", "di", "da", "do", "dos", "das", "du", "la",
    "le", "ten", "ter", "zu", "zur", "af", "av", "al", "el", "bin", "ibn", "mac", "st.", "san",
})
_TITLES = frozenset({
    "mr", "mrs", "ms", "miss", "mx", "sir", "dr", "prof", "doc", "hab", "inż", "mgr", "lic", "lek",
    "med", "ing", "dipl", "herr", "frau", "pan", "pani", "mec", "adw",
})
#: What stands before a last name alone: "Mr. Smith".
_FORMAL = frozenset({"mr", "mrs", "ms", "miss", "mx", "dr", "prof", "herr", "frau"})
#: After the name, mostly behind a comma.
_SUFFIXES = frozenset({
    "jr", "sr", "ii", "iii", "iv", "phd", "md", "mba", "msc", "bsc", "ma", "cpa", "esq",
})
# fmt: on


def split_name(name: str) -> tuple[str, str]:
    """(first, last) of a whole name; each may be empty.

    "Kowalska, Anna" and "Anna Kowalska" are the same; titles are dropped, middle names stay in the
    whole name only, "van der Berg" stays together. A mail address is no name.
    """
    if "@" in name:
        return "", ""
    before, comma, after = (part.strip() for part in name.partition(","))
    if comma and after and _bare(after.split()[0]) not in _SUFFIXES and "," not in after:
        given = _without_titles(after.split())
        return (given[0] if given else ""), " ".join(_without_titles(before.split()))
    words = _without_titles((before if comma else name).split())
    while len(words) > 1 and _bare(words[-1]) in _SUFFIXES:
        words.pop()
    if len(words) == 1 and _bare(name.split()[0]) in _FORMAL:
        return "", words[0]
    if len(words) < 2:
        return (words[0] if words else ""), ""
    start = len(words) - 1
    while start > 1 and words[start - 1].casefold() in _PARTICLES:
        start -= 1
    return words[0], " ".join(words[start:])


def whole_name(first: str, last: str) -> str:
    """ "Anna" and "Nowak" -> "Anna Nowak"."""
    return f"{first} {last}".strip()


def complete(facts: dict[str, str]) -> None:
    """Fills what can be told of the three name fields from the others, in place."""
    if facts.get("name"):
        if not facts.get("first_name") and not facts.get("last_name"):
            first, last = split_name(facts["name"])
            facts |= {k: v for k, v in (("first_name", first), ("last_name", last)) if v}
    elif whole := whole_name(facts.get("first_name", ""), facts.get("last_name", "")):
        facts["name"] = whole


def renamed(before: dict[str, str], changes: dict[str, str]) -> None:
    """Keeps the whole name in step when first or last name change and nobody set it, in place."""
    if "name" in changes or not {"first_name", "last_name"} & changes.keys():
        return
    was = whole_name(before["first_name"], before["last_name"])
    if before["name"] in ("", was):
        after = before | changes
        changes["name"] = whole_name(after["first_name"], after["last_name"])


def _without_titles(words: list[str]) -> list[str]:
    rest = [word for word in words if _bare(word) not in _TITLES]
    return rest or words


def _bare(word: str) -> str:
    return re.sub(r"[.,]", "", word).casefold()
