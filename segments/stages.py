"""Stage and pipeline names in a rule, held against the pipelines of the settings."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from segments.fitting import Unfit
from segments.terms import Field, Text, Value
from segments.tree import AllOf, AnyOf, Compare, Condition, Moved, Not, OneOf, WasIn
from segments.vocabulary import nearest


class _Stage(Protocol):
    @property
    def name(self) -> str: ...


class _Pipeline(Protocol):
    @property
    def stages(self) -> Sequence[_Stage]: ...


#: The name of each pipeline with the names of its stages.
Stages = Mapping[str, Sequence[str]]


def stage_names(pipelines: Mapping[str, _Pipeline]) -> Stages:
    """What `parse` and `close` need of the settings' pipelines."""
    return {
        name: tuple(stage.name for stage in pipeline.stages) for name, pipeline in pipelines.items()
    }


def settle_stages(
    condition: Condition,
    pipelines: Stages | None,
    stages: dict[str, tuple[str, ...]],
) -> Condition:
    """The condition with each stage and pipeline in its exact spelling.

    Writes into `stages` which pipelines have each stage named: with the pipeline given, the
    database finds a stage through its index. Raises Unfit for a name no pipeline has.
    """
    match condition:
        case Not():
            return replace(
                condition, condition=settle_stages(condition.condition, pipelines, stages)
            )
        case AllOf() | AnyOf():
            below = tuple(settle_stages(each, pipelines, stages) for each in condition.conditions)
            return replace(condition, conditions=below)
        case Compare(operand=Field(name="stage" | "pipeline" as name)):
            return replace(condition, value=_settle(name, condition.value, pipelines, stages))
        case OneOf(operand=Field(name="stage" | "pipeline" as name)):
            values = tuple(_settle(name, each, pipelines, stages) for each in condition.values)
            return replace(condition, values=values)
        case WasIn(stage=stage):
            return replace(condition, stage=_text("stage", stage, pipelines, stages))
        case Moved(origin=origin, goal=goal):
            origin = origin and _text("stage", origin, pipelines, stages)
            goal = goal and _text("stage", goal, pipelines, stages)
            return replace(condition, origin=origin, goal=goal)
        case _:
            return condition


def _settle(
    name: str,
    value: Value,
    pipelines: Stages | None,
    stages: dict[str, tuple[str, ...]],
) -> Value:
    return _text(name, value, pipelines, stages) if isinstance(value, Text) else value


def _text(
    name: str,
    value: Text,
    pipelines: Stages | None,
    stages: dict[str, tuple[str, ...]],
) -> Text:
    if pipelines is None:
        if name == "stage":
            stages.setdefault(value.text, ())
        return value
    if name == "pipeline":
        known = list(pipelines)
    else:
        known = [stage for names in pipelines.values() for stage in names]
    spelt = {each.casefold(): each for each in reversed(known)}
    # A name spelt exactly wins; else letters' case does not matter.
    found = value.text if value.text in known else spelt.get(value.text.casefold())
    if found is None:
        raise Unfit(
            value.place,
            f'there is no {name} "{value.text}"; known: {", ".join(dict.fromkeys(known))}',
            nearest(value.text, known),
        )
    if name == "stage":
        stages[found] = tuple(each for each, names in pipelines.items() if found in names)
    return replace(value, text=found)
