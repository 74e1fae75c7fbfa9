"""A rule that somebody typed, cut into words and measured; and values as a rule writes them.

Nothing heavy is imported: Tab waits for this, and so does whoever typed far too much.
"""

import re
from collections.abc import Iterable, Sequence

#: A word, a text in quotes (open ones too), a sign.
TOKENS = re.compile(
    r"""(?:attr|prefers)\.(?:"[^"]*"?|'[^']*'?)|"(?:\\.|[^"\\])*"?|'(?:\\.|[^'\\])*'?"""
    r"""|[(),]|!=|<=|>=|!~|[=<>~]|[^\s(),=<>~!"']+""",
    re.IGNORECASE,
)
SIGNS = {"=", "!=", "<", "<=", ">", ">=", "~", "!~"}
#: Those that ask for more or less.
ORDER = {"<", "<=", ">", ">="}
_NUMBER = re.compile(r"-?[0-9]{1,12}([.][0-9]{1,2})?")
#: What may stand without quotes.
PLAIN = re.compile(r"[^\W\d]([\w.@+/-]*\w)?")
#: Words a value must not look like.
_RESERVED = {"and", "or", "not", "in", "any", "today", "yes", "no", "true", "false"}
_PAIRS = {
    "in segment", "was in", "moved from", "moved to", "deal where", "not in", "opted out",
    "starts with", "ends with", "next task", "at least", "~ contains", "~ matches",
}  # fmt: skip

#: As the language has them (`segments.reading`), which is imported later.
MAX_LENGTH, MAX_DEPTH = 8_000, 50


def overgrown(text: str) -> str | None:
    """What is too much about a rule before anybody reads it; None when nothing is."""
    if len(text) > MAX_LENGTH:
        return f"the rule has {len(text)} characters, {MAX_LENGTH} are allowed"
    if "#" in text:
        return None  # a comment may hold any number of parentheses
    depth = 0
    for token in TOKENS.finditer(text):
        depth += {"(": 1, ")": -1}.get(token.group(), 0)
        if depth > MAX_DEPTH:
            return (
                f"more than {MAX_DEPTH} levels of parentheses and 'not', from character "
                f"{token.start() + 1} on"
            )
    return None


def cut(text: str) -> tuple[list[str], str]:
    """The words before the last one, and the last one as far as it is typed."""
    tokens = list(TOKENS.finditer(text))
    if not tokens or tokens[-1].end() < len(text):
        return [token.group() for token in tokens], ""
    last = tokens[-1].group()
    closed = last[0] in "\"'" and len(last) > 1 and last[-1] == last[0]
    if last in SIGNS or last in "()," or closed:
        return [token.group() for token in tokens], ""
    return [token.group() for token in tokens[:-1]], last


def joined(tokens: Sequence[str]) -> list[str]:
    """Words of two parts are one, as in the language."""
    words: list[str] = []
    for each in tokens:
        if each == "segment" and words and words[-1] == "not in":
            words[-1:] = ["not", "in segment"]
        elif words and f"{words[-1]} {each}" in _PAIRS:
            words[-1] += f" {each}"
        else:
            words.append(each)
    return words


def quoted(values: Iterable[str], *, always: bool = False) -> list[str]:
    """Values as a rule writes them: in quotes unless one plain word."""
    return [
        value
        if not always and PLAIN.fullmatch(value) and value.lower() not in _RESERVED
        else quoted_text(value)
        for value in values
    ]


def stated(values: Iterable[str], *, ordered: bool) -> list[str]:
    """Values that may be numbers; only those where more and less are asked for."""
    return [
        offer
        for value in values
        for offer in ([value] if _NUMBER.fullmatch(value) else [] if ordered else quoted([value]))
    ]


def quoted_text(value: str) -> str:
    """The text in quotes; those inside keep a backslash in front."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
