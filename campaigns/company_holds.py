"""A company that has had its few messages of this hour keeps a lead's mail waiting."""

from datetime import datetime

from sqlmodel import Session

from campaigns.domain_cap import DomainCap, last_hour, read_back
from campaigns.holds import Hold
from leads import Lead


def company_hold(
    session: Session, lead: Lead, per_hour: int | None, *, now: datetime
) -> Hold | None:
    """Whether the lead's company has had all it gets within an hour; its mail stands in the lane
    `other`, since big providers are not meant."""
    if per_hour is None:
        return None
    cap = DomainCap(per_hour)
    read_back(cap, last_hour(session, now=now))
    opens = cap.free_at(lead.domain, now)
    if opens is None:
        return None
    return Hold(
        kind="company",
        what=f"{lead.domain} has had its {per_hour} messages of this hour ([delivery] "
        "domain_per_hour)",
        until=opens,
    )
