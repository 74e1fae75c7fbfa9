"""Tree to text: the canonical way to write a rule. `parse(say(rule))` is the same tree."""

import re
from decimal import Decimal

from segments.fitting import called
from segments.terms import (
    Ago,
    Attribute,
    Day,
    Field,
    Moment,
    Number,
    Operand,
    Preferred,
    Span,
    Text,
    Today,
    Value,
    YesNo,
)
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
    Rule,
    Sample,
)
from segments.vocabulary import FIELDS, VERBS, Kind

#: The grammar's WORD: what may stand without quotes.
_WORD = re.compile(r"[^\W\d]([\w.@+/-]*\w)?")

_SPOKEN = {kind: verb for verb, kind in VERBS.items()}


def say(rule: Rule | Condition) -> str:
    """The rule as text, on one line."""
    condition = rule.condition if isinstance(rule, Rule) else rule
    match condition:
        case AnyOf():
            return " or ".join(_inside(each, AnyOf) for each in condition.conditions)
        case AllOf():
            return " and ".join(_inside(each, AnyOf, AllOf) for each in condition.conditions)
        case Not():
            return f"not {_inside(condition.condition, AnyOf, AllOf)}"
        case Everyone():
            return "everyone"
        case Compare():
            value = _value(condition.operand, condition.value)
            return f"{_operand(condition.operand)} {condition.operator} {value}"
        case OneOf():
            values = ", ".join(_value(condition.operand, each) for each in condition.values)
            word = "not in" if condition.negated else "in"
            return f"{_operand(condition.operand)} {word} ({values})"
        case Between():
            word = "not between" if condition.negated else "between"
            low, high = (_value(condition.operand, v) for v in (condition.low, condition.high))
            return f"{_operand(condition.operand)} {word} {low} and {high}"
        case Has():
            return f"has {_operand(condition.operand)}"
        case Did():
            return _did(condition)
        case Sample():
            return f"sample {_number(condition.share / 100)}% by {_quoted(condition.label)}"
        case InSegment():
            return f"in segment {_word(condition.name)}"


def _inside(condition: Condition, *wider: type) -> str:
    text = say(condition)
    return f"({text})" if isinstance(condition, wider) else text


def _operand(operand: Operand) -> str:
    if isinstance(operand, Attribute | Preferred):
        prefix = "attr" if isinstance(operand, Attribute) else "prefers"
        if not _WORD.fullmatch(f"{prefix}.{operand.name}"):
            return f'{prefix}."{operand.name}"'
    return called(operand)


def _did(did: Did) -> str:
    verb = _SPOKEN[did.kind]
    if did.campaign is not None:
        verb += f" {_quoted(did.campaign)}"
    elif did.kind == "sent":
        verb += " any"
    if did.times != 1:
        verb += f" at least {did.times} times"
    if did.within is not None:
        verb += f" within {_span(did.within)}"
    return verb


def _value(operand: Operand, value: Value) -> str:
    match value:
        case Text():
            named = isinstance(operand, Field) and FIELDS[operand.name].kind is not Kind.TEXT
            return _word(value.text) if named else _quoted(value.text)
        case Number():
            return _number(value.number)
        case YesNo():
            return "yes" if value.yes else "no"
        case Day():
            return value.day.isoformat()
        case Moment():
            return value.local.strftime("%Y-%m-%d %H:%M")
        case Today():
            return "today"
        case Span():
            return _span(value)
        case Ago():
            return f"{_span(value.span)} {'from now' if value.ahead else 'ago'}"


def _span(span: Span) -> str:
    return f"{span.count} {span.unit}{'' if span.count == 1 else 's'}"


def _number(number: float) -> str:
    text = format(Decimal(repr(number)), "f")
    return text.removesuffix(".0")


def _word(text: str) -> str:
    return text if _WORD.fullmatch(text) else _quoted(text)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
