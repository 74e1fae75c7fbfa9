"""A segment as a file says it, and as it is kept once applied.

A file in `segments/` holds `description` and `rule`. What is applied is closed: its body also holds
the rules of every segment it names and where the stages it names stood, so that it means the same
whatever becomes of the files.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from leads import JsonObject
from segments.errors import DefinitionError
from segments.reading import parse
from segments.stages import Stages
from segments.terms import Field, Text
from segments.tree import Compare, Condition, OneOf, Rule, walk
from segments.vocabulary import nearest

_KEYS = ("description", "rule")


@dataclass(frozen=True, kw_only=True, slots=True)
class SegmentDefinition:
    """One segment: its name is the file's."""

    name: str
    rule_text: str
    description: str = ""
    #: Once closed: the rule texts of every segment named, directly or through another.
    segments: Mapping[str, str] = field(default_factory=dict)
    #: Once closed: the pipelines and stages named; None when never held against the settings.
    stages: Mapping[str, tuple[str, ...]] | None = None

    def rule(self) -> Rule:
        """Raises RuleError or SegmentCycleError."""
        return parse(self.rule_text, stages=self.stages, segments=self.segments)

    def body(self) -> JsonObject:
        """What is frozen when the segment is applied. Raises RuleError when it is not closed."""
        self.rule()
        stages = None if self.stages is None else {k: list(v) for k, v in self.stages.items()}
        return {
            "description": self.description,
            "rule": self.rule_text,
            "segments": dict(self.segments),
            "stages": stages,
        }


def read_definition(name: str, data: Mapping[str, Any]) -> SegmentDefinition:
    """A definition from a parsed file. Raises DefinitionError; the rule itself is not read yet."""
    for key in data:
        if key not in _KEYS:
            near = nearest(key, _KEYS)
            hint = f"; did you mean {near}?" if near else "; known are description and rule"
            raise DefinitionError(f'segment "{name}": there is no setting "{key}"{hint}')
    for key in _KEYS:
        if not isinstance(data.get(key, ""), str):
            raise DefinitionError(f'segment "{name}": {key} must be a text in quotes')
    if not str(data.get("rule", "")).strip():
        raise DefinitionError(
            f'segment "{name}" has no rule; for all leads write: rule = "everyone"'
        )
    description = str(data.get("description", "")).strip()
    return SegmentDefinition(name=name, description=description, rule_text=data["rule"].strip())


def close(
    definition: SegmentDefinition,
    others: Mapping[str, SegmentDefinition],
    *,
    stages: Stages | None = None,
) -> SegmentDefinition:
    """The definition with all it needs from elsewhere.

    `others` are all segments of the workspace by name, `stages` the stage names of each pipeline in
    the settings. Raises RuleError (also for a segment or stage nobody knows) or SegmentCycleError.
    """
    known = {name: other.rule_text for name, other in others.items()}
    known[definition.name] = definition.rule_text
    rule = parse(definition.rule_text, stages=stages, segments=known, name=definition.name)
    needed = {name: known[name] for name in sorted(rule.segments)}
    if stages is None:
        return replace(definition, segments=needed, stages=None)
    return replace(definition, segments=needed, stages=_named(rule, stages))


def rule_of(body: Mapping[str, Any]) -> Rule:
    """The rule of an applied body, closed."""
    rule: Rule = parse(body["rule"], stages=body.get("stages"), segments=body.get("segments", {}))
    return rule


def _named(rule: Rule, stages: Stages) -> dict[str, tuple[str, ...]]:
    """Only the stages and pipelines the rules name: a stage added elsewhere changes no segment."""
    pipelines = {
        value.text
        for condition in (rule.condition, *rule.segments.values())
        for each, _ in walk(condition)
        for value in _pipelines(each)
    }
    pipelines.update(home for homes in rule.stages.values() for home in homes)
    return {
        pipeline: tuple(sorted(stage for stage in names if stage in rule.stages))
        for pipeline, names in sorted(stages.items())
        if pipeline in pipelines
    }


def _pipelines(condition: Condition) -> list[Text]:
    match condition:
        case Compare(operand=Field(name="pipeline"), value=Text() as value):
            return [value]
        case OneOf(operand=Field(name="pipeline"), values=values):
            return [value for value in values if isinstance(value, Text)]
        case _:
            return []
