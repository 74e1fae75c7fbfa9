"""Whether a message that is due may leave now: one pure decision, asked inside the claim."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from campaigns.window import Window, zone_of
from leads import FrequencyCap


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """What the claim knows of a due message and its lead, read in the claiming transaction."""

    expires_at: datetime
    #: The reason `leads.why_left_out` gives, or None when the lead may be written to.
    left_out: str | None
    #: The lead's IANA zone name, may be empty.
    zone: str
    #: A human of this lead answered this campaign.
    replied: bool
    #: Messages that count against the cap within its days, and the oldest one's time.
    recent: int = 0
    oldest_recent: datetime | None = None


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


Admission = Claim | Later | Skip | Expire


def admit(
    candidate: Candidate,
    *,
    now: datetime,
    window: Window | None,
    fallback_zone: ZoneInfo,
    cap: FrequencyCap | None,
) -> Admission:
    """The decision, in order of weight: too late, forbidden, answered, written too often, hour."""
    if now >= candidate.expires_at:
        return Expire()
    if candidate.left_out is not None:
        return Skip(candidate.left_out)
    if candidate.replied:
        return Skip("replied")
    if cap is not None and candidate.recent >= cap.messages:
        free_at = (candidate.oldest_recent or now) + timedelta(days=cap.days)
        # A lead who is written to this often until the message expires does not get it at all.
        if free_at >= candidate.expires_at:
            return Skip("frequency_cap")
        return Later(max(free_at, now + timedelta(minutes=1)))
    if window is not None:
        opening = window.next_opening(now, zone_of(candidate.zone, fallback_zone))
        if opening > now:
            return Expire() if opening >= candidate.expires_at else Later(opening)
    return Claim()
