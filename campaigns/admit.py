"""Whether a message that is due may leave now: one pure decision, asked inside the claim."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from campaigns.window import Window, zone_of
from leads import WEEK, FrequencyCap


@dataclass(frozen=True, kw_only=True, slots=True)
class Chosen:
    """What the lead itself chose, and what counts against it."""

    paused_until: datetime | None = None
    #: At most so many within a week, however many the workspace allows; None: no limit of its own.
    per_week: int | None = None
    #: Messages of the last week, and the oldest one's time.
    recent: int = 0
    oldest_recent: datetime | None = None

    def free_at(self, now: datetime) -> datetime | None:
        """Until when it keeps a message back; None when it does not."""
        if self.paused_until is not None and self.paused_until > now:
            return self.paused_until
        if self.per_week is not None and self.recent >= self.per_week:
            return (self.oldest_recent or now) + timedelta(days=WEEK)
        return None


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """What the claim knows of a due message and its lead, read in the claiming transaction."""

    expires_at: datetime
    #: What speaks against it: the reason `leads.why_left_out` gives; or, when there is none, what
    #: the lead chose; or None.
    left_out: str | Chosen | None
    #: The lead's IANA zone name, may be empty.
    zone: str
    #: A human of this lead answered this campaign.
    replied: bool
    #: Messages that count against the cap within its days, and the oldest one's time.
    recent: int = 0
    oldest_recent: datetime | None = None
    #: Where the lead is, ISO 3166-1 alpha-2; may be empty.
    country: str = ""
    #: When its company takes one more of our messages; None: now.
    domain_free_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """Send it."""


@dataclass(frozen=True, slots=True)
class Later:
    """Not now; look again at `at` (aware UTC)."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Skip:
    """Never: the row is settled as skipped with this reason."""

    reason: str


@dataclass(frozen=True, slots=True)
class Expire:
    """Too late: nobody wants Friday's mail on Monday."""


#: A company that is free in a moment is asked again then.
_SHORT = timedelta(seconds=1)

Admission = Claim | Later | Skip | Expire


def admit(
    candidate: Candidate,
    *,
    now: datetime,
    window: Window | None,
    fallback_zone: ZoneInfo,
    cap: FrequencyCap | None,
) -> Admission:
    """The decision, in order of weight: too late, forbidden, answered, paused, written too often,
    hour.

    What a pause or a limit keeps back comes later if it is still good then, else not at all: nobody
    finds a month of old mail at the end of a pause.
    """
    if now >= candidate.expires_at:
        return Expire()
    chosen = candidate.left_out
    if isinstance(chosen, str):
        return Skip(chosen)
    if candidate.replied:
        return Skip("replied")
    own = chosen.free_at(now) if chosen is not None else None
    paused = own is not None and chosen is not None and own == chosen.paused_until
    kept: list[tuple[datetime, str]] = []
    if own is not None:
        kept.append((own, "paused_by_lead" if paused else "frequency_cap"))
    if cap is not None and candidate.recent >= cap.messages:
        again = (candidate.oldest_recent or now) + timedelta(days=cap.days)
        kept.append((again, "paused_by_lead" if paused else "frequency_cap"))
    zone = zone_of(candidate.zone, fallback_zone)
    if candidate.domain_free_at is not None:
        free = candidate.domain_free_at
        if window is not None:
            free = window.next_opening(free, zone, candidate.country)
        kept.append((free, "domain_cap"))
    if kept:
        at, why = max(kept)
        if at >= candidate.expires_at:
            return Skip(why)
        wait = _SHORT if why == "domain_cap" else timedelta(minutes=1)
        return Later(max(at, now + wait))
    if window is not None:
        opening = window.next_opening(now, zone, candidate.country)
        if opening > now:
            return Expire() if opening >= candidate.expires_at else Later(opening)
    return Claim()
