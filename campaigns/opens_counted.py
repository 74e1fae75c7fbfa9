"""How many leads opened the mails of a run, and of how many machines fetched the picture."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session, col

from campaigns.opens import FETCHED, OPENED
from campaigns.tables import Message, Run
from leads import Event
from templates import TemplateVersion


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened:
    """The opens of one run in numbers of leads."""

    #: Whether the run's templates count opens, or somebody opened one all the same.
    tracked: bool
    #: Leads whose own mail program fetched the picture.
    leads: int
    #: Leads of whom only machines did: a proxy of their mail provider, a scanner.
    machines: int

    def document(self) -> dict[str, Any]:
        """The JSON that scripts may rely on."""
        return {"leads": self.leads, "machines_only": self.machines}


def opened_in(session: Session, run: Run) -> Opened:
    """What became of the pictures that count opens of a run."""
    of_run = (
        col(Event.campaign) == run.campaign,
        col(Message.id) == col(Event.message_id),
        col(Message.run_id) == run.id,
    )
    people = func.count(col(Event.lead_id).distinct()).filter(col(Event.kind) == OPENED)
    both = func.count(col(Event.lead_id).distinct())
    opened, anybody = session.execute(
        select(people, both).where(col(Event.kind).in_((OPENED, FETCHED)), *of_run)
    ).one()
    return Opened(
        tracked=bool(anybody) or tracks(session, run, "track_opens"),
        leads=opened,
        machines=anybody - opened,
    )


def tracks(session: Session, run: Run, what: str) -> bool:
    """Whether a template of the run says `track_links`, or `track_opens`."""
    # A variant as a run keeps it begins with the version of its template.
    variants = [each[0] for each in run.terms.get("variants", ())]
    versions = [run.template_version_id, *variants]
    said: Any = col(TemplateVersion.body)[what].as_boolean()
    found = select(col(TemplateVersion.id)).where(col(TemplateVersion.id).in_(versions), said)
    return session.scalar(found.limit(1)) is not None
