"""Tree to text: the canonical way to write a rule. `parse(say(rule))` is the same tree."""

import re
from decimal import Decimal

from segments.fitting import called
from segments.terms import (
    Ago,
    Attribute,
    Day,
    DealField,
    Field,
    Moment,
    Number,
    Operand,
    Preferred,
    Property,
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
    Consented,
    DealThat,
    Did,
    EventThat,
    Everyone,
    Has,
    InSegment,
    Moved,
    NextTask,
    Not,
    OneOf,
    Rule,
    Sample,
    Suppressed,
    Test,
    WasIn,
)
from segments.vocabulary import DEAL_FIELDS, FIELDS, VERBS, Kind

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
        case EventThat(name=name):
            return f"event {_quoted(name)}{_where(condition.tests)}{_often(condition)}"
        case DealThat():
            return f"deal{_where(condition.tests)}" if condition.tests else "has deal"
        case NextTask(overdue=False):
            return "has next task"
        case NextTask(by=by):
            return f"next task overdue by {_span(by)}" if by else "next task overdue"
        case WasIn(stage=stage, within=within):
            return f"was in {_word(stage.text)}" + (f" within {_span(within)}" if within else "")
        case Moved(origin=origin, goal=goal):
            ends = f" from {_word(origin.text)}" if origin else ""
            ends += f" to {_word(goal.text)}" if goal else ""
            return f"moved{ends}{_often(condition)}"
        case Consented(topic=topic, withdrawn=withdrawn, pending=pending):
            topic = f" for {_quoted(topic)}" if topic else ""
            if pending:
                return f"consent pending{topic}"
            return f"{'withdrew' if withdrawn else 'has'} consent{topic}"
        case Suppressed(reason=reason):
            return f"suppressed as {reason}" if reason else "suppressed"
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
    if isinstance(operand, Property) and operand.name.lower() == "has":
        return _quoted(operand.name)
    return _word(operand.name) if isinstance(operand, Property) else called(operand)


def _where(tests: tuple[Test, ...]) -> str:
    if not tests:
        return ""
    text = " and ".join(map(say, tests))
    return f" where {text}" if len(tests) == 1 else f" where ({text})"


def _often(condition: Did | EventThat | Moved) -> str:
    text = f" at least {condition.times} times" if condition.times != 1 else ""
    return f"{text} within {_span(condition.within)}" if condition.within is not None else text


def _did(did: Did) -> str:
    verb = _SPOKEN[did.kind]
    if did.campaign is not None:
        verb += f" {_quoted(did.campaign)}"
    elif did.kind == "sent":
        verb += " any"
    return verb + _often(did)


def _value(operand: Operand, value: Value) -> str:
    match value:
        case Text():
            return _word(value.text) if _is_name(operand) else _quoted(value.text)
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


def _is_name(operand: Operand) -> bool:
    """Whether values are names that need no quotes: countries, stages, currencies."""
    match operand:
        case Field(name=name):
            return FIELDS[name].kind is not Kind.TEXT
        case DealField(name=name):
            return DEAL_FIELDS[name].kind is not Kind.TEXT
        case _:
            return False


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
