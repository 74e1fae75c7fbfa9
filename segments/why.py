"""Why a rule fits a lead, or does not: every condition with the lead's own value, true or false,
since when and by which event, and the smallest change that would turn it all. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime
from datetime import tzinfo as Zone  # noqa: N812

from segments.facts import Facts
from segments.judge import fits
from segments.leaves import below
from segments.remedy import Step, remedy
from segments.saying import say
from segments.telling import found, passed
from segments.tree import AllOf, AnyOf, Condition, InSegment, Not, Rule
from segments.turning import Turn, turned
from segments.ways import turns_at


@dataclass(frozen=True, kw_only=True, slots=True)
class Reason:
    """One condition, single or made of others."""

    #: As the language writes it.
    text: str
    holds: bool
    #: `and`, `or`, `not`, `segment`; empty for a single condition.
    joined: str = ""
    #: What the lead has there, in words; only for single conditions.
    found: str = ""
    #: Since when it has been so.
    turn: Turn
    #: Why, where time alone turned it: `30 days passed`.
    because: str = ""
    #: What it is made of. A segment that was explained further up is not explained again.
    below: "tuple[Reason, ...]" = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Explanation:
    """A rule and a lead."""

    #: Whether the rule fits; the same as `fits`, and as the rule's SQL.
    holds: bool
    reason: Reason
    #: The fewest single conditions to turn so that it becomes the other; None when nobody can.
    steps: tuple[Step, ...] | None
    #: When it becomes the other if nothing but time passes; None when it never does.
    turns_at: datetime | None


def why(rule: Rule, facts: Facts, *, now: datetime, zone: Zone) -> Explanation:
    """Explains the lead as `recall` read it.

    Raises SegmentError when the rule names a segment it was not closed over.
    """
    explained = _Explained(rule=rule, facts=facts, now=now, zone=zone)
    reason = explained.of(rule.condition)
    return Explanation(
        holds=reason.holds,
        reason=reason,
        steps=remedy(rule, facts, now=now, zone=zone),
        turns_at=turns_at(rule, facts, now=now, zone=zone),
    )


class _Explained:
    def __init__(self, *, rule: Rule, facts: Facts, now: datetime, zone: Zone) -> None:
        self.rule, self.facts, self.now, self.zone = rule, facts, now, zone
        self._segments: set[str] = set()

    def of(self, condition: Condition) -> Reason:
        part = replace(self.rule, condition=condition)
        turn = turned(part, self.facts, now=self.now, zone=self.zone)
        parts = below(condition, self.rule.segments)
        if isinstance(condition, InSegment):
            if condition.name in self._segments:
                parts = ()
            self._segments.add(condition.name)
        joined = _JOINED.get(type(condition), "")
        return Reason(
            text=say(condition),
            holds=fits(part, self.facts, now=self.now, zone=self.zone),
            joined=joined,
            found="" if joined else found(condition, self.facts, now=self.now, zone=self.zone),
            turn=turn,
            because=self._because(part, turn),
            below=tuple(self.of(each) for each in parts),
        )

    def _because(self, part: Rule, turn: Turn) -> str:
        if turn.always or turn.event is not None:
            return ""
        flipped = turn.flipped(part, self.zone)
        return " and ".join(dict.fromkeys(passed(leaf) for leaf in flipped)) or "time passed"


_JOINED: dict[type, str] = {AllOf: "and", AnyOf: "or", Not: "not", InSegment: "segment"}
