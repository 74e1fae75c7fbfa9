"""Standards are cited where they are obeyed, and listed once with how far we obey them."""

import re

from tests.law.tree import ROOMS, ROOT, name_of, sources

LIST = ROOT / "deliverability" / "rfc.txt"

#: Files besides Python's that hold rules and say where they come from.
DATA = (".toml", ".lark", ".html")


def listed() -> set[int]:
    """The numbers that begin a line of the list, with or without `RFC` before them."""
    text = LIST.read_text(encoding="utf-8")
    return {int(number) for number in re.findall(r"(?m)^(?:RFC )?(\d{3,4})\b", text)}


def cited() -> dict[int, str]:
    """Number -> a file that cites it. `RFC 5321 4.2 and RFC 3463`, `RFC 2045, 2047` both count."""
    found: dict[int, str] = {}
    data = [p for room in ROOMS for p in (ROOT / room).rglob("*.*") if p.suffix in DATA]
    for path in [*sources(), *sorted(data)]:
        text = path.read_text(encoding="utf-8")
        for run in re.findall(r"RFCs? ?(\d{3,4}(?:(?:, | and |/)\d{4}\b(?![.:-]))*)", text):
            for number in re.findall(r"\d{3,4}", run):
                found.setdefault(int(number), name_of(path))
    return found


def test_every_cited_rfc_is_in_the_list() -> None:
    missing = {number: place for number, place in cited().items() if number not in listed()}
    assert not missing, f"cited but not in {name_of(LIST)}: {missing}"


def test_every_listed_rfc_is_cited_somewhere() -> None:
    assert not sorted(listed() - set(cited()))
