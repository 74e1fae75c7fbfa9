"""Which value fits which field: turns what was written into what is meant, or says what is wrong.

`country = PL` is a text because `country` is one, `attr.size = 5` a number because it was written
as one. Nothing here knows the whole rule's text; `reading.py` adds the line and the caret.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime

from segments.patterns import stars
from segments.terms import (
    Ago,
    Attribute,
    Day,
    DealField,
    Field,
    Moment,
    Notes,
    Number,
    Operand,
    Place,
    Preferred,
    Property,
    Span,
    Tag,
    Text,
    Today,
    Value,
    YesNo,
)
from segments.vocabulary import (
    DEAL_FIELDS,
    DEAL_STATES,
    FIELDS,
    LOOSE,
    WORDING,
    Kind,
    nearest,
)

EQUALITY = ("=", "!=", "in")
ORDER = ("<", "<=", ">", ">=", "between")
#: Only texts are compared by these.
WORDED = (*WORDING, *LOOSE)

#: A pattern is tried on every lead: these bounds keep the worst one quick.
MAX_PATTERN = 200
MAX_STARS = 8

#: Words that mean yes or no when an attribute is compared with them unquoted.
YES = ("yes", "true")
NO = ("no", "false")

#: The longest stretch of time that may be written, per unit: a century.
LONGEST = {
    "minute": 52_596_000,
    "hour": 876_600,
    "day": 36_525,
    "week": 5_217,
    "month": 1_200,
    "year": 100,
}


class Unfit(Exception):
    """Something in a rule is wrong; becomes a RuleError once the text is at hand."""

    def __init__(self, place: Place, message: str, suggestion: str | None = None) -> None:
        super().__init__(message)
        self.place, self.message, self.suggestion = place, message, suggestion


@dataclass(frozen=True, slots=True)
class Written:
    """A value as it stands in the text, not yet known to fit."""

    #: quoted, bare, number, day, moment, span, ago, ahead
    form: str
    text: str
    place: Place
    span: Span | None = None


def fit(operand: Operand, operator: str, value: Written) -> Value:
    """`value` as what `operand` holds. Raises Unfit when the two or the operator do not go."""
    match operand:
        case Attribute() | Property():
            return _fit_attribute(operand, operator, value)
        case Preferred() if value.form == "number" and operator not in WORDED:
            return _number(value)
        case Preferred() | Tag() | Notes():
            _allow(operand, operator, value, (*EQUALITY, *WORDED))
            return _worded(operand, operator, value)
        case Field(name=name):
            return _fit_kind(FIELDS[name].kind, operand, operator, value)
        case DealField(name=name):
            return _fit_kind(DEAL_FIELDS[name].kind, operand, operator, value)


def _fit_kind(kind: Kind, operand: Field | DealField, operator: str, value: Written) -> Value:
    match kind:
        case Kind.NUMBER:
            _allow(operand, operator, value, (*EQUALITY, *ORDER))
            return _number(value)
        case Kind.INSTANT:
            _allow(operand, operator, value, ("=", "!=", *ORDER))
            return _time(value, whole_day=operator in EQUALITY)
        case Kind.DAY:
            _allow(operand, operator, value, ("=", "!=", *ORDER))
            return _day(operand, operator, value)
        case Kind.AGE:
            _allow(operand, operator, value, ORDER)
            if value.span is None or value.form != "span":
                message = f"{called(operand)} is compared with a length of time: 30 days"
                raise Unfit(value.place, message)
            return value.span
        case Kind.TEXT:
            _allow(operand, operator, value, (*EQUALITY, *WORDED))
            return _worded(operand, operator, value)
        case Kind.CODE | Kind.CHOICE:
            _allow(operand, operator, value, EQUALITY)
            text = _text(operand, value)
            return code(operand, text)


def fit_pair(operand: Operand, low: Written, high: Written) -> tuple[Value, Value]:
    """The two ends of `between`, which must be of one kind and in order."""
    first, last = fit(operand, "between", low), fit(operand, "between", high)
    if isinstance(first, Number) != isinstance(last, Number):
        raise Unfit(high.place, "both ends of 'between' must be numbers, or both days")
    if (isinstance(first, Number) and isinstance(last, Number) and first.number > last.number) or (
        isinstance(first, Day) and isinstance(last, Day) and first.day > last.day
    ):
        raise Unfit(high.place, "nothing lies between these two: the smaller one comes first")
    return first, last


def called(operand: Operand) -> str:
    """The operand's name as the language spells it."""
    match operand:
        case Field():
            return operand.name
        case Attribute():
            return f"attr.{operand.name}"
        case Preferred():
            return f"prefers.{operand.name}"
        case Tag():
            return "tag"
        case Notes():
            return "notes"
        case Property(name=name) | DealField(name=name):
            return name


def _allow(operand: Operand, operator: str, value: Written, allowed: tuple[str, ...]) -> None:
    if operator in allowed:
        return
    if isinstance(operand, Field) and FIELDS[operand.name].kind is Kind.AGE:
        raise Unfit(value.place, f"{called(operand)} can be compared with < <= > >= and 'between'")
    if operator in ORDER:
        raise Unfit(
            value.place,
            f"{called(operand)} is compared as text here, and text is neither more nor less",
        )
    raise Unfit(value.place, f"'{operator}' does not go with {called(operand)}")


def _fit_attribute(operand: Attribute | Property, operator: str, value: Written) -> Value:
    if operator not in WORDED:
        if value.form == "number":
            return _number(value)
        if value.form in ("day", "ago", "ahead") or _is_today(value):
            if operator == "in":
                raise Unfit(value.place, "a list holds texts and numbers; use 'between' for days")
            return _day(operand, operator, value)
    _allow(operand, operator, value, (*EQUALITY, *WORDED))
    if value.form == "bare" and value.text.lower() in YES + NO and operator in ("=", "!="):
        return YesNo(yes=value.text.lower() in YES, place=value.place)
    if value.form == "moment":
        raise Unfit(value.place, f"{called(operand)} is compared with whole days: 2026-05-01")
    return _worded(operand, operator, value)


def _day(operand: Operand, operator: str, value: Written) -> Value:
    if value.form == "moment":
        raise Unfit(value.place, f"{called(operand)} is compared with whole days: 2026-05-01")
    return _time(value, whole_day=operator in EQUALITY)


def _worded(operand: Operand, operator: str, value: Written) -> Text:
    text = _text(operand, value)
    if operator.endswith("matches"):
        if len(text.text) > MAX_PATTERN:
            raise Unfit(value.place, f"a pattern may have {MAX_PATTERN} characters at most")
        if stars(text.text) > MAX_STARS:
            raise Unfit(value.place, f"a pattern may have {MAX_STARS} stars at most")
    return text


def _text(operand: Operand, value: Written) -> Text:
    if value.form in ("span", "ago", "ahead"):
        raise Unfit(value.place, f"{called(operand)} is a text, not a time")
    if not value.text.strip():
        hint = ""
        if not isinstance(operand, Property | DealField):
            hint = f"; for leads without one write: not has {called(operand)}"
        raise Unfit(value.place, f"an empty text is no value{hint}")
    return Text(text=value.text, place=value.place)


def code(operand: Field | DealField, text: Text) -> Text:
    """A code in its fixed spelling; names of stages are looked up later (`stages.py`)."""
    word = text.text.strip()
    match called(operand):
        case "country":
            if not re.fullmatch("[A-Za-z]{2}", word):
                raise Unfit(text.place, "a country is written with its two letters: PL, DE, US")
            return Text(text=word.upper(), place=text.place)
        case "language":
            if not re.fullmatch("[A-Za-z]{2,3}", word):
                message = "a language is written with two or three letters: pl, en"
                raise Unfit(text.place, message)
            return Text(text=word.lower(), place=text.place)
        case "currency":
            if not re.fullmatch("[A-Za-z]{3}", word):
                message = "a currency is written with its three letters: EUR, PLN"
                raise Unfit(text.place, message)
            return Text(text=word.upper(), place=text.place)
        case "state":
            if word.lower() not in DEAL_STATES:
                message = f'a deal is open, won or lost, never "{word}"'
                raise Unfit(text.place, message, nearest(word, DEAL_STATES))
            return Text(text=word.lower(), place=text.place)
        case _:
            return text


def _number(value: Written) -> Number:
    if value.form != "number":
        raise Unfit(value.place, "a number belongs here")
    if len(re.sub(r"\D", "", value.text)) > 15:
        raise Unfit(value.place, "a number may have 15 digits at most")
    return Number(number=float(value.text) + 0.0, place=value.place)


def _is_today(value: Written) -> bool:
    return value.form == "bare" and value.text.lower() == "today"


def _time(value: Written, *, whole_day: bool) -> Value:
    if _is_today(value):
        return Today(place=value.place)
    if value.form in ("day", "moment"):
        try:
            moment = datetime.fromisoformat(value.text.replace(" ", "T"))
        except ValueError:
            raise Unfit(value.place, f"{value.text} is not in the calendar") from None
        if not 1900 <= moment.year <= 2200:
            raise Unfit(value.place, "years from 1900 to 2200 are understood")
        if value.form == "day":
            return Day(day=date.fromisoformat(value.text), place=value.place)
        if not whole_day:
            return Moment(local=moment, place=value.place)
    elif value.form in ("ago", "ahead") and value.span is not None:
        if not whole_day:
            return Ago(span=value.span, ahead=value.form == "ahead", place=value.place)
    else:
        raise Unfit(value.place, "a time belongs here: 2026-05-01, today or 30 days ago")
    raise Unfit(value.place, "only a whole day can be equal: 2026-05-01; else use < or >")


def fit_span(count: str, unit: str, place: Place) -> Span:
    """A length of time; whole numbers only, a century at most."""
    unit = unit.lower().removesuffix("s")
    if not re.fullmatch("[0-9]+", count):
        raise Unfit(place, "a length of time is a whole number of days, weeks, months ...")
    if not 1 <= int(count) <= LONGEST[unit]:
        raise Unfit(place, "a length of time lies between 1 minute and 100 years")
    return Span(count=int(count), unit=unit, place=place)


def unquote(token: str, place: Place) -> str:
    """The text between quotes; a backslash keeps the next letter as it is."""
    text = re.sub(r"\\(.)", r"\1", token[1:-1])
    for letter in text:
        if unicodedata.category(letter) in ("Cc", "Cs"):
            raise Unfit(place, "this text holds a control character, which no lead can have")
    return text
