"""What happens to a lead on its way, and what must hold."""

from sqlalchemy import select
from sqlmodel import col

from campaigns import verify as verify_run
from leads import Event, record
from tests.campaigns.stroll import Stroll


def reply(walk: Stroll, lead_id: int) -> None:
    walk.database.write(
        lambda s: record(s, lead_id, "replied", at=walk.now, campaign="something-else")
    )


def sound(walk: Stroll) -> None:
    with walk.database.reading() as session:
        for run in walk.runs():
            assert verify_run(session, run.id or 0) == []


def kinds(walk: Stroll) -> list[str]:
    with walk.database.reading() as session:
        return list(session.scalars(select(col(Event.kind)).order_by(col(Event.id))))
