"""What to say when a rule cannot be read: the place, what belongs there, the nearest word."""

from collections.abc import Collection
from typing import cast

from lark import Token
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from segments.errors import RuleError
from segments.fitting import Unfit, called
from segments.terms import Operand, Place
from segments.vocabulary import FIELDS, OPENERS, VERBS, nearest

#: What people bring along from other languages, and what it is called here.
OTHERWISE = {
    "<>": "'is not' is written !=",
    "is": "'is' is written =",
    "like": "'like' is written contains, starts with or ends with",
    "equals": "'equals' is written =",
    "&": "write 'and'",
    "&&": "write 'and'",
    "|": "write 'or'",
    "||": "write 'or'",
    "!": "write 'not'",
    "[": "lists stand in round parentheses: (PL, DE)",
    ";": "nothing ends with a semicolon here",
}

#: Quotes that word processors make of straight ones.
CURLY = "„“”‚‘’«»"


def place_error(text: str, place: Place, message: str, suggestion: str | None = None) -> RuleError:
    """A RuleError for offsets in the text."""
    before = text[: place.start]
    line = before.count("\n") + 1
    column = place.start - (before.rfind("\n") + 1) + 1
    return RuleError(
        text, line, column, message, suggestion, length=max(1, place.end - place.start)
    )


def unknown_field(word: str, place: Place) -> Unfit:
    """For a word that stands where a field or a verb belongs."""
    head, dot, rest = word.partition(".")
    if dot:
        guess = nearest(head, ("attr", "attribute", "attributes", "prefers", "preference"))
        if guess:
            prefix = "attr" if guess.startswith("attr") else "prefers"
            return Unfit(place, f'there is no field "{word}"', f"{prefix}.{rest}")
        if rest.lower() in FIELDS:
            return Unfit(place, f'there is no field "{word}"', rest.lower())
    suggestion = nearest(word, (*FIELDS, *VERBS, *(word.rstrip(".") for word in OPENERS)))
    message = f'there is no field "{word}"'
    if suggestion is None:
        message += f"; a column you brought along is written attr.{word}"
    return Unfit(place, message, suggestion)


def unexpected(text: str, error: UnexpectedInput) -> RuleError:
    """The parser's own error in plain words."""
    if isinstance(error, UnexpectedCharacters):
        return _characters(text, error)
    if not isinstance(error, UnexpectedToken):
        return place_error(text, Place(0, len(text)), "the rule cannot be read")
    token, expected = error.token, error.accepts or error.expected
    last = _last(error)
    word = last if isinstance(last, Token) and last.type == "WORD" else None
    named = word is not None and "COMPARISON" in error.expected and not _behind_where(error)
    if word is not None and named and not _known(word):
        unfit = unknown_field(word, Place(word.start_pos or 0, word.end_pos or 0))
        return place_error(text, unfit.place, unfit.message, unfit.suggestion)
    belongs = _belongs(expected, last)
    if token.type == "$END":
        end = len(text.rstrip())
        if not text.strip():
            message = 'the rule is empty; for all leads write "everyone"'
        else:
            message = f"the rule ends too early: {belongs}"
        return place_error(text, Place(end, end + 1), message)
    place = Place(token.start_pos or 0, token.end_pos or 0)
    if hint := OTHERWISE.get(token.lower()):
        return place_error(text, place, hint)
    if token.type == "RPAR" and text[: place.start].count("(") <= text[: place.start].count(")"):
        return place_error(text, place, "this parenthesis closes nothing")
    if "DATE" in expected and token in ("=", ">"):
        return place_error(text, place, "'is' is written =, 'is not' is written !=")
    if token.type == "WORD" and "_AND" in expected and _known(token):
        return place_error(text, place, f"'and' or 'or' is missing before {token}")
    if token.type in ("WORD", "NUMBER") and "_AND" in expected and word is not None:
        return place_error(
            text,
            Place(word.start_pos or 0, place.end),
            f'a text of several words needs quotes: "{word} {token}"',
        )
    shown = token if token.startswith(('"', "'")) else f'"{token}"'
    return place_error(text, place, f"{shown} does not belong here: {belongs}")


def _known(word: str) -> bool:
    return word.lower() in (*FIELDS, "tag") or word.lower().startswith(("attr.", "prefers."))


def _stack(error: UnexpectedToken) -> list[object]:
    parser = getattr(error, "interactive_parser", None)
    return parser.parser_state.value_stack if parser is not None else []


def _last(error: UnexpectedToken) -> object:
    """What was understood last: a token, or what the parser made of some."""
    stack = _stack(error)
    return stack[-1] if stack else None


def _behind_where(error: UnexpectedToken) -> bool:
    """Whether names are those of properties or of a deal's columns here."""
    return any(isinstance(each, Token) and each.type == "_WHERE" for each in _stack(error))


def _belongs(expected: Collection[str], last: object) -> str:
    """What may stand at a place, from the names of the terminals that may."""
    if "HAS" in expected and "EVERYONE" not in expected:
        return "a comparison belongs here, such as plan = pro or amount >= 5000"
    if "HAS" in expected:
        return "a condition belongs here, such as country = PL, has company, replied"
    if "COMPARISON" in expected:
        name = last if isinstance(last, Token) else called(cast(Operand, last))
        return (
            f'after "{name}" comes a comparison: = != < > in (...), between ... and ..., contains'
        )
    if "UNIT" in expected and "AGO" not in expected and len(expected) == 1:
        return "a unit belongs here: minutes, hours, days, weeks, months, years"
    if "DATE" in expected:
        return 'a value belongs here: a word, a "text in quotes", a number or a date'
    if "LPAR" in expected:
        return "a list in parentheses belongs here: (PL, DE)"
    if "COMMA" in expected:
        return "a comma or a closing parenthesis belongs here"
    if "FROM" in expected and "TO" in expected:
        return "a stage belongs here: moved from demo to lost, moved to won"
    if "OVERDUE" in expected:
        return "the word overdue belongs here: next task overdue"
    if "_WHERE" in expected and "$END" not in expected:
        return "where and a comparison belong here: deal where amount >= 5000"
    if "_AND" in expected and "RPAR" in expected and "_OR" not in expected:
        return "'and' or a closing parenthesis belongs here"
    if "_AND" in expected and "_OR" not in expected:
        return "'and' belongs here: between 10 and 20"
    if "RPAR" in expected and "$END" not in expected:
        return "a parenthesis is still open; 'and', 'or' or ) belongs here"
    if "_AND" in expected:
        return "'and', 'or' or the end of the rule belongs here"
    if "PERCENT" in expected:
        return 'a percent sign belongs here: sample 10% by "label"'
    if "_BY" in expected:
        return 'by and a label belong here: sample 10% by "label"'
    if "QUOTED_FIELD" in expected:
        return "a field belongs here: has company, has attr.industry, has prefers.topic"
    if "STRING" in expected:
        return "a name belongs here"
    if "TIMES" in expected:
        return "the word times belongs here: at least 2 times"
    return "a whole number belongs here"


def _characters(text: str, error: UnexpectedCharacters) -> RuleError:
    start = error.pos_in_stream or 0
    letter = text[start]
    rest = text[start:].split("\n")[0]
    if letter in CURLY:
        return place_error(text, Place(start, start + 1), 'use straight quotes: "text"')
    if letter in "\"'":
        return place_error(
            text, Place(start, start + len(rest)), "this quote is not closed on its line"
        )
    if letter.isdigit() or letter == "-":
        end = start
        while end < len(text) and not text[end].isspace() and text[end] not in "(),":
            end += 1
        word = text[start:end]
        message = f'"{word}" is neither a number nor a day such as 2026-05-01; texts need quotes'
        return place_error(text, Place(start, end), message)
    two = text[start : start + 2]
    for sign in (two, letter):
        if hint := OTHERWISE.get(sign):
            return place_error(text, Place(start, start + len(sign)), hint)
    return place_error(
        text, Place(start, start + 1), f"the sign {letter} means nothing here; texts need quotes"
    )
