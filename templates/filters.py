"""The filters templates may use: a chosen part of Jinja's own, and ours for dates and money."""

import re
from collections.abc import Callable, Iterable
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime
from babel.numbers import format_currency, format_decimal
from jinja2 import pass_context, pass_eval_context
from jinja2.exceptions import FilterArgumentError
from jinja2.filters import FILTERS as JINJA_FILTERS
from jinja2.nodes import EvalContext
from jinja2.runtime import Context, Undefined

#: Jinja's filters that neither print internals nor can be made to fill the memory.
_KEPT = [
    "abs",
    "capitalize",
    "count",
    "d",
    "default",
    "dictsort",
    "e",
    "escape",
    "first",
    "float",
    "groupby",
    "int",
    "items",
    "last",
    "length",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "reject",
    "rejectattr",
    "reverse",
    "round",
    "safe",
    "select",
    "selectattr",
    "sort",
    "string",
    "striptags",
    "sum",
    "trim",
    "truncate",
    "unique",
    "upper",
    "urlencode",
    "wordcount",
]

#: CLDR sets a space between letters and digits (alphaNextToNumber), which Babel leaves out.
_CLOSE = re.compile(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")


def _locale(context: Context) -> Locale:
    try:
        return Locale.parse(str(context.get("language") or "en").replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return Locale("en")


def _instant(value: Any) -> date | datetime:
    if isinstance(value, (date, datetime)):
        return value
    try:
        text = str(value).strip()
        return datetime.fromisoformat(text) if len(text) > 10 else date.fromisoformat(text)
    except ValueError:
        raise FilterArgumentError(f'"{value}" is not a date like 2026-03-10') from None


@pass_context
def as_date(context: Context, value: Any, form: str = "long") -> Any:
    """`{{ lead.attributes.renewal|date }}`: 10 March 2026, 10 marca 2026.

    `form` is short, medium, long, full or a CLDR pattern such as "d MMMM".
    """
    if isinstance(value, Undefined):
        return value
    moment = _instant(value)
    day = moment.date() if isinstance(moment, datetime) else moment
    return format_date(day, format=form, locale=_locale(context))


@pass_context
def as_time(context: Context, value: Any, form: str = "medium") -> Any:
    """`{{ lead.attributes.demo_at|datetime }}`: the date with the hour, as it was written."""
    if isinstance(value, Undefined):
        return value
    moment = _instant(value)
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, time())
    return format_datetime(moment, format=form, locale=_locale(context))


def _number(value: Any) -> Decimal:
    try:
        number = Decimal(str(value).replace("\u00a0", "").replace(" ", "").replace(",", "."))
        if not number.is_finite():
            raise InvalidOperation
        return number
    except InvalidOperation:
        raise FilterArgumentError(f'"{value}" is not a number') from None


@pass_context
def as_money(context: Context, value: Any, currency: str = "") -> Any:
    """`{{ lead.attributes.budget|money("PLN") }}`: 1 200,00 zł or PLN 1,200.00.

    `{{ deal.amount|money }}` brings its currency along.
    """
    if isinstance(value, Undefined):
        return value
    number = _number(value)
    currency = currency or getattr(value, "currency", "")
    if not currency:
        return format_decimal(number, locale=_locale(context))
    return _CLOSE.sub("\u00a0", format_currency(number, currency, locale=_locale(context)))


@pass_context
def plural(context: Context, value: Any, *forms: str) -> Any:
    """`{{ n|plural("lead", "leads") }}`; Polish takes three: "lead", "leady", "leadów".

    A fourth is for fractions: 1.5 "leada".
    """
    if isinstance(value, Undefined):
        return value
    if not forms:
        raise FilterArgumentError("plural needs the word's forms")
    locale = _locale(context)
    tags = [tag for tag in ("zero", "one", "two", "few", "many") if tag in locale.plural_form.tags]
    # Whole numbers never take Polish "other"; where "many" is not a rule the last form is "other".
    number = _number(value)
    # CLDR tells 1 from 1.0 by how it is written; a score of 1.0 is one.
    tag = locale.plural_form(int(number) if number == int(number) else number)
    place = tags.index(tag) if tag in tags else len(forms) - 1
    return forms[min(place, len(forms) - 1)]


def title(value: Any) -> Any:
    """Each word with a capital: `o'neill-kowalska` becomes O'neill-Kowalska."""
    if isinstance(value, Undefined):
        return value
    return _WORD.sub(lambda word: word[0][:1].upper() + word[0][1:].lower(), str(value))


@pass_eval_context
def join(evaluation: EvalContext, values: Iterable[Any], between: str = ", ") -> Any:
    """`{{ lead.prefers.topic|join(", ") }}`."""
    if isinstance(values, Undefined):
        return values
    shown = [str(value) for value in values]
    if sum(map(len, shown)) + len(between) * len(shown) > 100_000:
        raise FilterArgumentError("join makes a text of more than 100,000 characters")
    return between.join(shown)


def replace(value: Any, old: str, new: str) -> Any:
    """`{{ lead.company|replace(" sp. z o.o.", "") }}`."""
    if isinstance(value, Undefined):
        return value
    text = str(value)
    if not old or len(text) + text.count(old) * len(new) > 100_000:
        raise FilterArgumentError(
            "replace needs something to look for, and a result of a sane size"
        )
    return text.replace(old, new)


FILTERS: dict[str, Callable[..., Any]] = {
    **{name: JINJA_FILTERS[name] for name in _KEPT},
    "date": as_date,
    "datetime": as_time,
    "money": as_money,
    "plural": plural,
    "title": title,
    "join": join,
    "replace": replace,
}
