"""Pipelines: the stages a lead passes, as `potok.toml` names them, and moving a lead along."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import CursorResult, select, update
from sqlmodel import Session, col

from leads.errors import StageError
from leads.tables import Lead
from leads.timeline import record


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """One step on the way from a first contact to an answer."""

    name: str
    #: The way ends here with a sale.
    won: bool = False
    #: The way ends here without one.
    lost: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Pipeline:
    """Stages in the order a lead passes them."""

    name: str
    stages: tuple[Stage, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The stages' names, in order."""
        return tuple(stage.name for stage in self.stages)

    def named(self, text: str) -> str:
        """The stage people mean by `text`, in its own spelling; letter case does not matter.

        Raises StageError with the nearest name.
        """
        return _nearest(text, self.names, f"stage in the pipeline {self.name}")


def find_pipeline(pipelines: Mapping[str, Pipeline], name: str) -> Pipeline:
    """The pipeline of this name. Raises StageError with the nearest."""
    return pipelines[_nearest(name, tuple(pipelines), "pipeline")]


def stage_named(text: str, pipelines: Mapping[str, Pipeline]) -> tuple[str, str]:
    """(pipeline, stage) for what somebody typed: `demo`, or `sales/demo` when two share a name.

    Raises StageError with the nearest name.
    """
    before, slash, after = text.partition("/")
    if slash:
        pipeline = find_pipeline(pipelines, before)
        return pipeline.name, pipeline.named(after)
    found = [each for each in pipelines.values() if _folded(text) in map(_folded, each.names)]
    if len(found) == 1:
        return found[0].name, found[0].named(text)
    if found:
        ways = " or ".join(f"{pipeline.name}/{pipeline.named(text)}" for pipeline in found)
        raise StageError(f"The stage {text!r} is in more than one pipeline: write {ways}")
    names = dict.fromkeys(name for pipeline in pipelines.values() for name in pipeline.names)
    _nearest(text, tuple(names), "stage")
    raise AssertionError("a name in no pipeline is refused above")


def _nearest(text: str, names: Sequence[str], what: str) -> str:
    spelt = {_folded(name): name for name in names}
    wanted = _folded(text)
    if wanted in spelt:
        return spelt[wanted]
    near = difflib.get_close_matches(wanted, spelt, n=1)
    hint = f'did you mean "{spelt[near[0]]}"? ' if near else ""
    raise StageError(f'there is no {what} called "{text}"; {hint}There is: {", ".join(names)}')


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


def move_stage(
    session: Session, lead_id: int, pipeline: str, stage: str, *, at: datetime, by: str
) -> bool:
    """Moves the lead; True when it was somewhere else before. False for no such lead.

    The update names the place the lead was seen at, so of two movers at once one moves it.
    """
    before = session.execute(
        select(col(Lead.pipeline), col(Lead.stage)).where(col(Lead.id) == lead_id)
    ).first()
    if before is None or tuple(before) == (pipeline, stage):
        return False
    moved = session.execute(
        update(Lead)
        .where(
            col(Lead.id) == lead_id,
            col(Lead.pipeline) == before.pipeline,
            col(Lead.stage) == before.stage,
        )
        .values(pipeline=pipeline, stage=stage, stage_at=at, updated_at=at)
    )
    assert isinstance(moved, CursorResult)  # noqa: S101 - an UPDATE has a row count
    if not moved.rowcount:
        return False
    data = {"from": before.stage, "to": stage}
    if before.pipeline != pipeline:
        data |= {"from_pipeline": before.pipeline, "to_pipeline": pipeline}
    record(session, lead_id, "stage", at=at, by=by, data=data)
    return True
