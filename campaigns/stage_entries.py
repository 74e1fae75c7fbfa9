"""Who has moved into the stage that starts a sequence."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Subquery, and_, exists, func, or_, select
from sqlmodel import Session, col

from campaigns.sequence_definition import Place, SequenceDefinition
from campaigns.sequences import EnrolmentState, Newcomer
from campaigns.tables import Enrolment, Run
from leads import Event, Lead
from segments import rule_of, where

#: Leads that enter in one write.
BATCH = 500


def went_to(places: Sequence[Place]) -> ColumnElement[bool]:
    """The event (joined with its lead) moved the lead to one of these places."""
    to, pipeline = (col(Event.data)[key].as_string() for key in ("to", "to_pipeline"))
    return and_(
        col(Event.kind) == "stage",
        or_(
            *(
                and_(to == stage, func.coalesce(pipeline, col(Lead.pipeline)) == name)
                for name, stage in places
            )
        ),
    )


def who_moved_in(
    session: Session, run: Run, definition: SequenceDefinition, *, now: datetime, zone: ZoneInfo
) -> list[Newcomer]:
    """A batch of those who moved into the stage that starts it."""
    assert definition.trigger is not None  # noqa: S101 - the caller asked
    entered = (
        select(col(Event.lead_id).label("lead_id"), func.max(col(Event.id)).label("event_id"))
        .join(Lead, col(Lead.id) == col(Event.lead_id))
        .where(col(Event.id) > run.planned_to, went_to([definition.trigger]))
        .group_by(col(Event.lead_id))
        .subquery("entered")
    )
    begun = (
        col(Enrolment.sequence) == run.campaign,
        col(Enrolment.lead_id) == col(Lead.id),
    )
    may_enter = [_is_new(entered, run)]
    if definition.entry is not None:
        may_enter.append(where(rule_of(definition.entry), now=now, zone=zone))
    rows = session.execute(
        select(
            col(Lead.id),
            col(Event.id),
            col(Event.at),
            select(func.coalesce(func.max(col(Enrolment.pass_)), 0))
            .where(*begun)
            .scalar_subquery(),
        )
        .select_from(entered)
        .join(Event, col(Event.id) == entered.c.event_id)
        .join(Lead, col(Lead.id) == col(Event.lead_id))
        .where(*may_enter)
        .order_by(col(Event.id))
        .limit(BATCH)
    ).all()
    return [
        Newcomer(lead_id=lead_id, event_id=event_id, at=at, passes=passes)
        for lead_id, event_id, at, passes in rows
    ]


def _is_new(entered: Subquery, run: Run) -> ColumnElement[bool]:
    """The lead is not on the way, and was not when it entered the stage."""
    return ~exists().where(
        col(Enrolment.sequence) == run.campaign,
        col(Enrolment.lead_id) == entered.c.lead_id,
        or_(
            col(Enrolment.state) == EnrolmentState.ACTIVE,
            col(Enrolment.event_id) >= entered.c.event_id,
            col(Enrolment.end_event_id) >= entered.c.event_id,
            and_(col(Enrolment.end_event_id).is_(None), col(Enrolment.ended_at) >= col(Event.at)),
        ),
    )
