"""A rule on one lead in plain Python: what `sql.py` says to the database, said a second time.

The two are held together by the tests. `why.py` is built on this one, since it can show its steps.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from datetime import tzinfo as Zone  # noqa: N812

from segments.errors import SegmentError
from segments.facts import Facts, Happened
from segments.folding import sought
from segments.moments import age_limit, before
from segments.sampling import place_of
from segments.terms import (
    Attribute,
    Field,
    Notes,
    Number,
    Operand,
    Preferred,
    Span,
    Tag,
    Text,
    Value,
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
    WasIn,
)
from segments.values_judged import (
    TESTS,
    Judged,
    Tests,
    answer,
    instant,
    known,
    stated,
    texts,
)
from segments.vocabulary import FIELDS, Kind


def fits(rule: Rule, facts: Facts, *, now: datetime, zone: Zone) -> bool:
    """Whether the rule fits the lead at `now`."""
    return Judge(rule=rule, facts=facts, now=now, zone=zone).holds(rule.condition)


@dataclass(frozen=True, kw_only=True)
class Judge:
    """Answers the conditions of one rule about one lead at one moment."""

    rule: Rule
    facts: Facts
    now: datetime
    zone: Zone

    def holds(self, condition: Condition) -> bool:
        """Whether the condition is true. Raises SegmentError for a segment not at hand."""
        match condition:
            case Everyone():
                return True
            case AllOf():
                return all(self.holds(each) for each in condition.conditions)
            case AnyOf():
                return any(self.holds(each) for each in condition.conditions)
            case Not():
                return not self.holds(condition.condition)
            case Compare() | OneOf() | Between():
                return answer(condition, lambda tests: self._passes(condition.operand, tests))
            case Has():
                return self._has(condition.operand)
            case Sample():
                return place_of(self.facts.columns["draw"], condition.label) < condition.share
            case InSegment():
                if condition.name not in self.rule.segments:
                    raise SegmentError(f'the rule of segment "{condition.name}" is not at hand')
                return self.holds(self.rule.segments[condition.name])
            case _:
                return self._beside(condition)

    def _beside(self, condition: Condition) -> bool:
        """What stands in other tables than `lead`."""
        facts, judged = self.facts, Judged(now=self.now, zone=self.zone)
        match condition:
            case Did(kind=kind, campaign=campaign):
                return self._happened(
                    condition,
                    lambda e: e.kind == kind and (campaign is None or e.campaign == campaign),
                )
            case EventThat(name=name, tests=tests):
                return self._happened(
                    condition,
                    lambda e: (
                        e.kind == name
                        and all(judged.event(test, e.data.get("properties")) for test in tests)
                    ),
                )
            case Moved(origin=origin, goal=goal):
                return self._happened(condition, lambda e: _step(e, origin, goal))
            case WasIn(stage=stage):
                if self._place("=", stage):
                    return True
                return self._happened(condition, lambda e: _step(e, stage, None))
            case DealThat(tests=tests):
                return any(all(judged.deal(test, deal) for test in tests) for deal in facts.deals)
            case NextTask(overdue=overdue, by=by):
                edge = self.now if by is None else before(self.now, by, self.zone)
                return any(
                    task.done_at is None
                    and (not overdue or (task.due_at is not None and task.due_at < edge))
                    for task in facts.tasks
                )
            case Consented(topic="", pending=True):
                return "pending" in facts.consents.values()
            case Consented(topic=topic, withdrawn=withdrawn, pending=pending):
                said = {facts.consents.get(each) for each in ("", topic)}
                if pending:
                    return "pending" in said
                return (
                    "withdrawn" in said if withdrawn else said & {"given", "withdrawn"} == {"given"}
                )
            case Suppressed(reason=reason):
                found = facts.suppressed
                return found is not None and reason in (None, found)
            case _:
                raise TypeError(f"{condition!r} is no condition")

    def _passes(self, operand: Operand, tests: Tests) -> bool:
        """Whether one value of the operand passes all tests."""
        match operand:
            case Field():
                return all(self._field(operand, *test) for test in tests)
            case Attribute(name=name):
                judged = Judged(now=self.now, zone=self.zone)
                return judged.entry(self.facts.attributes.get(name), tests)
            case Preferred(name=name):
                said = (each for each in self.facts.preferences if each.name == name)
                return any(all(stated(each, *test) for test in tests) for each in said)
            case Tag():
                return any(all(texts(tag, *test) for test in tests) for tag in self.facts.tags)
            case Notes():
                return any(all(texts(note, *test) for test in tests) for note in self._notes())
            case _:
                raise TypeError(f"{operand!r} stands only behind 'where'")

    def _field(self, operand: Field, sign: str, value: Value) -> bool:
        word = FIELDS[operand.name]
        found = self.facts.columns[word.column]
        if word.kind is Kind.INSTANT:
            return instant(found, sign, value, self.now, self.zone)
        if isinstance(value, Span):
            sign, edge = age_limit(sign, value, now=self.now, zone=self.zone)
            return TESTS[sign](found, edge)
        if isinstance(value, Number):
            return TESTS[sign](found, value.number)
        if operand.name == "stage":
            return self._place(sign, value)
        if word.kind in (Kind.CODE, Kind.CHOICE) and isinstance(value, Text):
            return bool(found == value.text)
        if operand.name == "domain" and not sign.startswith("~") and isinstance(value, Text):
            # Kept in one spelling, so an index serves it.
            return TESTS[sign](found, sought(operand, value.text))
        return texts(found, sign, value, operand)

    def _place(self, sign: str, value: Value) -> bool:
        """A stage, in one of the pipelines that have it."""
        if sign != "=" or not isinstance(value, Text):
            raise TypeError(f"a stage is never {sign} {value!r}")
        columns = self.facts.columns
        pipelines = self.rule.stages.get(value.text)
        return bool(columns["stage"] == value.text) and (
            not pipelines or columns["pipeline"] in pipelines
        )

    def _has(self, operand: Operand) -> bool:
        match operand:
            case Attribute(name=name):
                return known(self.facts.attributes.get(name))
            case Preferred(name=name):
                return any(each.name == name for each in self.facts.preferences)
            case Tag():
                return any(self.facts.tags)
            case Notes():
                return any(self._notes())
            case Field(name=name):
                return bool(self.facts.columns[FIELDS[name].column] != "")
            case _:
                raise TypeError(f"{operand!r} stands only behind 'where'")

    def _notes(self) -> list[str]:
        return [
            text
            for event in self.facts.events
            if event.kind == "note" and isinstance(text := event.data.get("text"), str)
        ]

    def _happened(
        self, asked: Did | EventThat | Moved | WasIn, meant: Callable[[Happened], bool]
    ) -> bool:
        since = None
        if asked.within is not None:
            since = before(self.now, asked.within, self.zone)
        times = 1 if isinstance(asked, WasIn) else asked.times
        count = sum(
            meant(event) and (since is None or event.at >= since) for event in self.facts.events
        )
        return count >= times


def _step(event: Happened, origin: Text | None, goal: Text | None) -> bool:
    """Whether the event is a step from the one stage to the other."""
    return event.kind == "stage" and all(
        end is None or event.data.get(key) == end.text
        for key, end in (("from", origin), ("to", goal))
    )
