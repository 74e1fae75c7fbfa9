"""`matches "Soft*"`: a star stands for anything, a question mark for one character.

No regular expressions: trying a pattern on a text takes steps in the order of the product of their
lengths, whatever the pattern. A backslash makes the next sign mean itself.
"""

import re

_SIGNS = re.compile(r"\\([*?\\])|([*?])|(.)", re.S)

#: What stands for anything and for one character, among the characters that mean themselves.
ANYTHING = None
ONE = ""

#: The sign before which LIKE takes % and _ for themselves.
ESCAPE = "/"


def read(pattern: str) -> list[str | None]:
    """The pattern as characters, ONE and ANYTHING; stars side by side are one."""
    found: list[str | None] = []
    for escaped, sign, other in _SIGNS.findall(pattern):
        if sign != "*":
            found.append(ONE if sign else escaped or other)
        elif not found or found[-1] is not ANYTHING:
            found.append(ANYTHING)
    return found


def stars(pattern: str) -> int:
    """How many stars there are."""
    return read(pattern).count(ANYTHING)


def matches(text: str, pattern: str) -> bool:
    """Whether the whole text is as the pattern says.

    After a mismatch only the last star takes one character more: earlier ones need not be tried
    again, since whatever follows them was found at the first place possible.
    """
    signs = read(pattern)
    at = here = 0
    star, taken = -1, 0
    while at < len(text):
        if here < len(signs) and signs[here] is ANYTHING:
            star, taken, here = here, at, here + 1
        elif here < len(signs) and signs[here] in (ONE, text[at]):
            at, here = at + 1, here + 1
        elif star >= 0:
            taken += 1
            at, here = taken, star + 1
        else:
            return False
    return all(sign is ANYTHING for sign in signs[here:])


def like(pattern: str) -> str:
    """The pattern in the words of SQL's LIKE, with ESCAPE."""
    spelled = []
    for sign in read(pattern):
        if sign is ANYTHING:
            spelled.append("%")
        elif sign == ONE:
            spelled.append("_")
        else:
            spelled.append(f"{ESCAPE}{sign}" if sign in ("%", "_", ESCAPE) else sign)
    return "".join(spelled)
