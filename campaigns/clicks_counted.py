"""How many leads followed the tracked links of a run, machines counted apart."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session, col

from campaigns.clicks import CLICKED, SCANNED
from campaigns.opens_counted import tracks
from campaigns.tables import Message, Run
from leads import Event

#: Links that are named; those most leads followed come first.
NAMED = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Clicked:
    """The tracked links of one run in numbers of leads."""

    #: Whether the run's templates track links, or somebody followed one all the same.
    tracked: bool
    #: Leads of whom a person followed a link.
    leads: int
    #: Leads whose links a machine looked at, whatever else happened.
    scanned: int
    #: (address, leads of whom a person followed it).
    links: tuple[tuple[str, int], ...]

    def document(self) -> dict[str, Any]:
        """The JSON that scripts may rely on."""
        return {
            "leads": self.leads,
            "scanned": self.scanned,
            "links": [{"url": url, "leads": leads} for url, leads in self.links],
        }


def clicked_in(session: Session, run: Run) -> Clicked:
    """What became of the tracked links of a run."""
    of_run = (
        col(Event.campaign) == run.campaign,
        col(Message.id) == col(Event.message_id),
        col(Message.run_id) == run.id,
    )
    leads = func.count(col(Event.lead_id).distinct())
    kinds: dict[str, int] = dict(
        session.execute(
            select(col(Event.kind), leads)
            .where(col(Event.kind).in_((CLICKED, SCANNED)), *of_run)
            .group_by(col(Event.kind))
        ).all()
    )
    url: Any = col(Event.data)["url"].as_string()
    links = session.execute(
        select(url.label("url"), leads.label("leads"))
        .where(col(Event.kind) == CLICKED, *of_run, url.is_not(None))
        .group_by(url)
        .order_by(leads.desc(), url)
        .limit(NAMED)
    ).all()
    return Clicked(
        tracked=bool(kinds) or tracks(session, run, "track_links"),
        leads=kinds.get(CLICKED, 0),
        scanned=kinds.get(SCANNED, 0),
        links=tuple((address, count) for address, count in links),
    )
