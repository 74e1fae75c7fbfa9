"""Greetings with a hole in them: "Hi ,", "Dear !", ", welcome aboard".

Looked for in what was rendered, so it does not matter how the name got lost: by an empty default,
an `if`, a typing mistake. Told by the gap before the comma in any language, and by words that
cannot stand without a name in some.
"""

import html
import re
from collections.abc import Iterable, Iterator
from itertools import islice

#: Up to four words, a gap, and the mark that should follow a name.
_GAP = re.compile(r"\W{0,3}(?:[\w'’.-]+\s+){0,3}[\w'’.-]*[^\W\d_]\.?\s+[,!.:;](?:\s|$)")
#: French puts a blank before these, but not before a comma.
_FRENCH = re.compile(r"\W{0,3}(?:[\w'’.-]+\s+){0,3}[\w'’.-]*[^\W\d_]\.?\s+,(?:\s|$)")
#: The name stood first.
_HEADLESS = re.compile(r"[,;:]\s*\w")
#: Nobody is greeted by these alone; "Hi," is a greeting, "Dear," is not.
_NEEDS_A_NAME = re.compile(
    r"(?:(?:my )?dear(?: (?:mr|mrs|ms|dr|miss)\.?)?|(?:hi|hello|good morning) (?:mr|mrs|ms|dr)\.?"
    r"|drog[ia]|szanown[ya]|miły|miła"
    r"|liebe[r]?|hallo (?:herr|frau)|sehr geehrte[r]?(?: (?:herr|frau))?"
    r"|estimad[oa]|querid[oa]|ch(?:er|ère)|car[oa]|gentile|egregi[oa]|beste|geachte"
    r"|kära|kære|mil[ýá]|drah[ýá]|vážen[ýá])\s*[,!:.]*",
    re.IGNORECASE,
)
#: Lines from the top that are looked at, and characters of each.
_LINES, _LONGEST = 8, 160
_TAG = re.compile(
    r"<!--.*?-->|<![^>]*>|<(?P<raw>style|script|title|head)\b.*?</(?P=raw)\s*>|</?(?P<name>\w+)[^>]*>|[^<]+|<",
    re.DOTALL | re.IGNORECASE,
)
#: Elements that end no line.
_INLINES = "a abbr b bdi bdo big em font i mark s small span strong sub sup u"
_INLINE = frozenset(_INLINES.split())
#: What fills up the preview line of inboxes.
_FILLING = str.maketrans("", "", "\u034f\u200b\u200c\u200d\ufeff")
_FILLED = "&#847;"


def hole(lines: Iterable[str], language: str, *, subject: bool = False) -> str:
    """The first line that greets nobody, or an empty string.

    Only the first lines of a mail are looked at. A subject must not end in a comma either.
    """
    gap = _FRENCH if language.startswith("fr") else _GAP
    for line in islice((each for each in lines if each.strip()), _LINES):
        bare = line.strip()
        if gap.match(bare) or _HEADLESS.match(bare) or _NEEDS_A_NAME.fullmatch(bare):
            return bare
        if subject and bare.endswith(","):
            return bare
    return ""


def lines_of(markup: str) -> Iterator[str]:
    """The lines a reader of the HTML sees, from the top and as far as they are asked for."""
    start = markup.find("<body")
    line = ""
    for found in _TAG.finditer(markup, max(start, 0)):
        name = found["name"]
        if found["raw"] or found[0].startswith("<!"):
            continue
        if name is None:
            line += found[0]
        elif name.lower() not in _INLINE:
            if line.strip():
                yield _plain(line)
            line = ""
    if line.strip():
        yield _plain(line)


def _plain(line: str) -> str:
    # A greeting is short, and what fills up the preview line of inboxes is long.
    line = line[:_LONGEST].partition(_FILLED)[0]
    if "&" in line:
        line = html.unescape(line)
    return " ".join(line.translate(_FILLING).split())
