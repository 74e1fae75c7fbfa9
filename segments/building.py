"""What the parser makes of each line of `rules.lark`: nodes of the tree, with their places."""

from typing import Any

from lark import Token

from segments.building_records import RecordBuilder, across, of, operator_of
from segments.fitting import Unfit, Written, called, fit, fit_pair, fit_span, unquote
from segments.misreading import unknown_field
from segments.terms import Ago, Attribute, Field, Notes, Operand, Preferred, Span, Tag
from segments.tree import (
    AllOf,
    AnyOf,
    Between,
    Compare,
    Condition,
    Did,
    Everyone,
    Has,
    InSegment,
    Not,
    OneOf,
    Sample,
)
from segments.vocabulary import FIELDS, VERBS, Kind


class Builder(RecordBuilder):
    """Builds the tree bottom up while the parser runs: no recursion, whatever the depth."""

    def quoted(self, items: list[Token]) -> Written:
        place = of(items[0])
        return Written("quoted", unquote(items[0], place), place)

    def bare(self, items: list[Token]) -> Written:
        return Written("bare", str(items[0]), of(items[0]))

    def number(self, items: list[Token]) -> Written:
        return Written("number", str(items[0]), of(items[0]))

    def day(self, items: list[Token]) -> Written:
        return Written("day", str(items[0]), of(items[0]))

    def moment(self, items: list[Token]) -> Written:
        return Written("moment", str(items[0]), of(items[0]))

    def span(self, items: list[Token]) -> Written:
        place = across(of(items[0]), of(items[1]))
        return Written("span", "", place, fit_span(items[0], items[1], place))

    def ago(self, items: list[Any]) -> Written:
        return Written("ago", "", across(items[0].place, of(items[1])), items[0].span)

    def ahead(self, items: list[Any]) -> Written:
        return Written("ahead", "", across(items[0].place, of(items[1])), items[0].span)

    def values(self, items: list[Written]) -> list[Written]:
        return items

    def label(self, items: list[Token]) -> Written:
        return self.quoted(items) if items[0].type == "STRING" else self.bare(items)

    def operand(self, items: list[Token]) -> Operand:
        token, place = items[0], of(items[0])
        head, dot, rest = str(token).partition(".")
        if dot and head.lower() in ("attr", "prefers"):
            name = unquote(rest, place) if token.type == "QUOTED_FIELD" else rest
            if not name.strip() or '"' in name or "\\" in name:
                raise Unfit(place, "a name may not be empty or hold quotes or backslashes")
            if head.lower() == "attr":
                return Attribute(name=name, place=place)
            # Preferences are kept under lower-case words.
            return Preferred(name=name.lower(), place=place)
        if str(token).lower() == "tag":
            return Tag(place=place)
        if str(token).lower() == "notes":
            return Notes(place=place)
        if str(token).lower() in FIELDS:
            return Field(name=str(token).lower(), place=place)
        raise unknown_field(str(token), place)

    def comparison(self, items: list[Any]) -> Compare:
        operand, sign, value = items
        operator = operator_of(sign)
        return Compare(
            operand=operand,
            operator=operator,
            value=fit(operand, operator, value),
            place=across(operand.place, value.place),
        )

    def one_of(self, items: list[Any], *, negated: bool = False) -> OneOf:
        operand, _, values = items
        return OneOf(
            operand=operand,
            values=tuple(fit(operand, "in", value) for value in values),
            negated=negated,
            place=across(operand.place, values[-1].place),
        )

    def none_of(self, items: list[Any]) -> OneOf:
        return self.one_of(items, negated=True)

    def between(self, items: list[Any], *, negated: bool = False) -> Between:
        operand, _, low, high = items
        first, last = fit_pair(operand, low, high)
        place = across(operand.place, high.place)
        return Between(operand=operand, low=first, high=last, negated=negated, place=place)

    def outside(self, items: list[Any]) -> Between:
        return self.between(items, negated=True)

    def lately(self, items: list[Any]) -> Compare:
        operand, word, span = items
        if not isinstance(operand, Field) or FIELDS[operand.name].kind is not Kind.INSTANT:
            raise Unfit(of(word), f"'within' does not go with {called(operand)}")
        value = Ago(span=span.span, place=span.place)
        place = across(operand.place, span.place)
        return Compare(operand=operand, operator=">=", value=value, place=place)

    def has(self, items: list[Any]) -> Has:
        return Has(operand=items[1], place=across(of(items[0]), items[1].place))

    def everyone(self, items: list[Token]) -> Everyone:
        return Everyone(place=of(items[0]))

    def times(self, items: list[Token]) -> int:
        if not items[1].isascii() or not items[1].isdigit() or not 1 <= int(items[1]) <= 10_000:
            raise Unfit(of(items[1]), "a whole number from 1 to 10000 belongs here")
        return int(items[1])

    def window(self, items: list[Any]) -> Span:
        span: Span = items[1].span
        return span

    def did(self, items: list[Any]) -> Did:
        verb = " ".join(items[0].lower().replace("_", " ").split())
        campaign, times, within = None, 1, None
        place = of(items[0])
        for item in items[1:]:
            if isinstance(item, Token):
                place = across(place, of(item))
                campaign = unquote(item, of(item)) if item.type == "STRING" else None
            elif isinstance(item, Span):
                within, place = item, across(place, item.place)
            elif item is not None:
                times = item
        return Did(kind=VERBS[verb], campaign=campaign, times=times, within=within, place=place)

    def sample(self, items: list[Any]) -> Sample:
        start, number, _, label = items
        share = round(float(number) * 10_000) / 100
        if not 0 < share <= 10_000 or share != int(share):
            raise Unfit(of(number), "a share lies between 0.01% and 100%, in steps of 0.01")
        return Sample(share=int(share), label=label.text, place=across(of(start), label.place))

    def in_segment(self, items: list[Token]) -> InSegment:
        start, name = items
        written = self.label([name])
        return InSegment(name=written.text, place=across(of(start), written.place))

    def negated(self, items: list[Any]) -> Not:
        return Not(condition=items[1], place=across(of(items[0]), items[1].place))

    def group(self, items: list[Condition]) -> Condition:
        return items[0]

    def all_of(self, items: list[Condition]) -> Condition:
        if len(items) == 1:
            return items[0]
        place = across(items[0].place, items[-1].place)
        return AllOf(conditions=tuple(items), place=place)

    def any_of(self, items: list[Condition]) -> Condition:
        if len(items) == 1:
            return items[0]
        place = across(items[0].place, items[-1].place)
        return AnyOf(conditions=tuple(items), place=place)
