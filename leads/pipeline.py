"""Pipelines: the stages a lead passes, as `potok.toml` names them, and moving a lead along."""

import difflib
from collections.abc import Mapping
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


def stage_named(text: str, pipelines: Mapping[str, Pipeline]) -> tuple[str, str]:
    """(pipeline, stage) for what somebody typed: `demo`, or `sales/demo` when two share a name.

    Letter case does not matter. Raises StageError with the nearest name.
    """
    wanted = " ".join(text.split()).casefold()
    found = [
        (pipeline.name, name)
        for pipeline in pipelines.values()
        for name in pipeline.names
        if wanted in (name.casefold(), f"{pipeline.name}/{name}".casefold())
    ]
    if len(found) == 1:
        return found[0]
    if found:
        ways = " or ".join(f"{pipeline}/{name}" for pipeline, name in found)
        raise StageError(f"The stage {text!r} is in more than one pipeline: write {ways}")
    known = [name for pipeline in pipelines.values() for name in pipeline.names]
    folded = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(wanted, folded, n=1)
    hint = f" Did you mean {folded[near[0]]!r}?" if near else ""
    raise StageError(f"There is no stage {text!r}.{hint} The stages are {', '.join(known)}")


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
