"""The lead's own value behind a condition, in words a marketer reads."""

from collections.abc import Sequence
from datetime import datetime
from datetime import tzinfo as Zone  # noqa: N812
from typing import Any

from segments.facts import DealFacts, Facts, Happened
from segments.leaves import tests_of, window_of
from segments.moments import before
from segments.sampling import PLACES, place_of
from segments.terms import Ago, Attribute, Field, Notes, Operand, Preferred, Span, Tag, Text, Today
from segments.tree import (
    Condition,
    Consented,
    DealThat,
    Did,
    EventThat,
    Moved,
    NextTask,
    Sample,
    Suppressed,
    WasIn,
)
from segments.vocabulary import FIELDS, Kind

#: What the last of its kind is called.
_LAST = {
    "sent": "last mail",
    "opened": "last opening",
    "clicked": "last click",
    "replied": "last reply",
    "bounced": "last bounce",
    "complained": "last complaint",
    "opted_out": "last opt-out",
    "autoreplied": "last automatic answer",
}

#: Values of one kind that are told; of more there is a number.
_SHOWN = 5


def found(leaf: Condition, facts: Facts, *, now: datetime, zone: Zone) -> str:
    """What the lead has where the single condition looks; times on the clock of `zone`."""
    told = _Told(facts=facts, now=now, zone=zone)
    match leaf:
        case Did() | EventThat():
            return told.events(leaf)
        case DealThat():
            return _listed([told.deal(each) for each in facts.deals], "no deal")
        case NextTask():
            return told.tasks()
        case WasIn() | Moved():
            return told.way()
        case Consented(topic="", pending=True):
            words = [
                f"{state} for {about or 'everything'}" for about, state in facts.consents.items()
            ]
            return _listed(sorted(words), "nothing written down")
        case Consented(topic=topic):
            said = [(each, facts.consents[each]) for each in {"", topic} & facts.consents.keys()]
            words = [f"{state} for {about or 'everything'}" for about, state in sorted(said)]
            return _listed(words, "nothing written down")
        case Suppressed():
            return (facts.suppressed or "not suppressed").replace("_", " ")
        case Sample(label=label):
            return f"place {place_of(facts.columns['draw'], label)} of {PLACES}"
        case _:
            operand = getattr(leaf, "operand", None)
            return told.value(operand) if operand is not None else ""


def length(span: Span) -> str:
    """`30 days`."""
    return f"{span.count} {span.unit}{'' if span.count == 1 else 's'}"


def passed(leaf: Condition) -> str:
    """Why time alone turned a single condition: `30 days passed`."""
    spans = [value for _, _, value in tests_of(leaf) if isinstance(value, Span | Ago)]
    window = window_of(leaf)
    if window is not None:
        return f"{length(window)} passed"
    for value in spans:
        if isinstance(value, Ago) and value.ahead:
            return f"{length(value.span)} are left"
        return f"{length(value.span if isinstance(value, Ago) else value)} passed"
    if isinstance(leaf, NextTask):
        return "the task was due"
    if any(isinstance(value, Today) for _, _, value in tests_of(leaf)):
        return "the day came"
    return "time passed"


class _Told:
    def __init__(self, *, facts: Facts, now: datetime, zone: Zone) -> None:
        self.facts, self.now, self.zone = facts, now, zone

    def day(self, moment: datetime) -> str:
        return moment.astimezone(self.zone).strftime("%Y-%m-%d")

    def value(self, operand: Operand) -> str:
        facts = self.facts
        match operand:
            case Field(name="stage" | "pipeline"):
                return f"{facts.columns['stage']} ({facts.columns['pipeline']})"
            case Field(name=name):
                kept = facts.columns[FIELDS[name].column]
                if FIELDS[name].kind is Kind.AGE:
                    return age(self.now, kept)
                if FIELDS[name].kind is Kind.INSTANT:
                    return f"{self.day(kept)} ({age(self.now, kept)} ago)"
                return plain(kept)
            case Attribute(name=name):
                return plain(facts.attributes.get(name))
            case Preferred(name=name):
                said = [each.value for each in facts.preferences if each.name == name]
                return _listed(said, "nothing stated")
            case Tag():
                return _listed(list(facts.tags), "no tag")
            case Notes():
                notes = [e.data.get("text", "") for e in facts.events if e.kind == "note"]
                return _listed([_short(str(text)) for text in notes], "no note")
            case _:
                return ""

    def events(self, leaf: Did | EventThat) -> str:
        kind = leaf.kind if isinstance(leaf, Did) else leaf.name
        campaign = leaf.campaign if isinstance(leaf, Did) else None
        meant = [
            each
            for each in self.facts.events
            if each.kind == kind and (campaign is None or each.campaign == campaign)
        ]
        if not meant:
            return "never"
        words = [f"{_LAST.get(kind, 'last one')} {self.day(meant[-1].at)}"]
        if leaf.within is not None:
            edge = before(self.now, leaf.within, self.zone)
            recent = sum(each.at >= edge for each in meant)
            words.append(f"{recent} within {length(leaf.within)}")
        if leaf.times > 1 or leaf.within is None:
            words.append(f"{len(meant)} in all")
        if isinstance(leaf, EventThat) and leaf.tests:
            words.append(self._properties(leaf, meant[-1]))
        return ", ".join(word for word in words if word)

    def _properties(self, leaf: EventThat, last: Happened) -> str:
        known = last.data.get("properties")
        names = dict.fromkeys(getattr(test.operand, "name", "") for test in leaf.tests)
        if not isinstance(known, dict):
            return ""
        return ", ".join(f"{name} {plain(known.get(name))}" for name in names)

    def deal(self, deal: DealFacts) -> str:
        worth = f" {deal.amount:.2f} {deal.currency}" if deal.amount is not None else ""
        closes = f", closes {deal.expected_close}" if deal.expected_close else ""
        return f'"{_short(deal.name)}" {deal.state}{worth}{closes}'

    def tasks(self) -> str:
        waiting = [each for each in self.facts.tasks if each.done_at is None]
        dated = sorted((each.due_at, each.title) for each in waiting if each.due_at is not None)
        words = [f'"{_short(title)}" due {self.day(due)}' for due, title in dated]
        words += [f'"{_short(each.title)}", no date' for each in waiting if each.due_at is None]
        return _listed(words, "no open task")

    def way(self) -> str:
        columns = self.facts.columns
        words = [f"{columns['stage']} since {self.day(columns['stage_at'])}"]
        moves = [each for each in self.facts.events if each.kind == "stage"]
        words += [
            f"{each.data.get('from')} -> {each.data.get('to')} on {self.day(each.at)}"
            for each in reversed(moves)
        ]
        return _listed(words, "")


def age(now: datetime, then: datetime) -> str:
    """`12 days`; below a day in hours."""
    passed = max(now - then, now - now)
    if passed.days:
        return f"{passed.days} day{'s' if passed.days != 1 else ''}"
    hours = passed.seconds // 3600
    if not hours:
        return "less than an hour"
    return f"{hours} hour{'s' if hours != 1 else ''}"


def plain(value: Any) -> str:
    """A value of a column or attribute as people read it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return _listed([plain(each) for each in value], "nothing")
    if isinstance(value, float):
        return f"{value:g}"
    return "nothing" if value in (None, "") else _short(str(value))


def quoted(value: Text) -> str:
    """A text as it stands in a sentence."""
    word = value.text
    return word if word.isidentifier() else f'"{word}"'


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 60 else f"{text[:57]}..."


def _listed(words: Sequence[str], none: str) -> str:
    if not words:
        return none
    more = [f"{len(words) - _SHOWN} more"] if len(words) > _SHOWN else []
    return ", ".join([*words[:_SHOWN], *more])
