"""At most so many messages an hour to one company, so that its gateway never sees a burst of ours.

Kept by the one process that sends, for all its lanes; at its start the last hour is read back from
the rows. What finds its domain full gets a slot of its own behind those who came before it, so each
waiting message is moved once and not again every hour.
"""

from bisect import insort
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlmodel import Session, col

from campaigns.samples import ANSWERED
from campaigns.states import State
from campaigns.tables import Message
from deliverability import OTHER, Lane
from leads import Lead

HOUR = timedelta(hours=1)
#: Rows read back at the start; more within an hour are sent at full speed only.
_MOST = 50_000

#: (message, attempt): a claim.
Claim = tuple[int, int]


class DomainCap:
    """What each domain got within the last hour. Big consumer providers are not asked about."""

    def __init__(self, per_hour: int) -> None:
        self.per_hour = per_hour
        self._domains: dict[Claim, tuple[str, datetime]] = {}
        self._times: dict[str, list[datetime]] = {}
        #: Domain -> the last slot promised to a message that had to wait.
        self._promised: dict[str, datetime] = {}

    def free_at(self, domain: str, now: datetime) -> datetime | None:
        """When the domain takes one more; None: now."""
        times = self._times.get(domain)
        if times is None or len(times) < self.per_hour:
            return None
        opens = times[-self.per_hour] + HOUR
        return opens if opens > now else None

    def promise(self, domain: str, now: datetime) -> datetime:
        """A slot for a message that must wait: behind all promised before."""
        opens = self.free_at(domain, now) or now
        last = self._promised.get(domain)
        slot = opens if last is None else max(opens, last + HOUR / self.per_hour)
        self._promised[domain] = slot
        return slot

    def took(self, claim: Claim, domain: str, at: datetime) -> None:
        """A message leaves for the domain. Saying it twice, as a lost commit does, counts once."""
        self.gave_back(claim)
        self._domains[claim] = (domain, at)
        insort(self._times.setdefault(domain, []), at)
        self._forget(at)

    def gave_back(self, claim: Claim) -> None:
        """It did not leave after all."""
        known = self._domains.pop(claim, None)
        if known is None:
            return
        domain, at = known
        times = self._times[domain]
        times.remove(at)
        if not times:
            del self._times[domain]

    def _forget(self, now: datetime) -> None:
        """Drops what is older than an hour; claims come in order of time."""
        while self._domains:
            claim = next(iter(self._domains))
            domain, at = self._domains[claim]
            if at + HOUR > now:
                return
            self.gave_back(claim)
            if self._promised.get(domain, now) < now:
                self._promised.pop(domain, None)


def read_back(cap: DomainCap, rows: Iterable[tuple[int, int, str, datetime]]) -> None:
    """Fills it with (message, attempts, domain, time) of the last hour, oldest first."""
    for message_id, attempt, domain, at in rows:
        cap.took((message_id, attempt), domain, at)


def last_hour(session: Session, *, now: datetime) -> list[tuple[int, int, str, datetime]]:
    """What left for company domains within the last hour, or is under way, oldest first."""
    companies = select(col(Lane.id)).where(col(Lane.provider) == OTHER)
    chosen = (
        select(col(Message.id), col(Message.attempts), col(Lead.domain), col(Message.claimed_at))
        .join(Lead, col(Lead.id) == col(Message.lead_id))
        .limit(_MOST)
    )
    found = [
        *session.execute(
            chosen.where(
                col(Message.lane_id).in_(companies), ANSWERED, col(Message.settled_at) > now - HOUR
            )
        ),
        *session.execute(
            chosen.where(
                col(Message.lane_id).in_(companies),
                col(Message.state).in_([State.SENDING, State.IN_DOUBT]),
            )
        ),
    ]
    times = [(number, tries, domain, at) for number, tries, domain, at in found if at is not None]
    return sorted((each for each in times if each[3] > now - HOUR), key=lambda each: each[3])
