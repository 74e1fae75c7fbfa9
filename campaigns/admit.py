"""Whether a message that is due may leave now: one pure decision, asked inside the claim."""

from collections.abc import Iterator
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
    if chosen is not None and chosen.paused_until is not None and chosen.paused_until > now:
        return _when_free(chosen.paused_until, candidate, "paused_by_lead", now)
    free_at = [
        (oldest or now) + timedelta(days=each.days)
        for each, recent, oldest in _caps(candidate, cap, chosen)
        if recent >= each.messages
    ]
    if free_at:
        return _when_free(max(free_at), candidate, "frequency_cap", now)
    if window is not None:
        opening = window.next_opening(now, zone_of(candidate.zone, fallback_zone))
        if opening > now:
            return Expire() if opening >= candidate.expires_at else Later(opening)
    return Claim()


def _when_free(at: datetime, candidate: Candidate, reason: str, now: datetime) -> Later | Skip:
    """Later, unless the message is not wanted any more by then."""
    if at >= candidate.expires_at:
        return Skip(reason)
    return Later(max(at, now + timedelta(minutes=1)))


def _caps(
    candidate: Candidate, cap: FrequencyCap | None, chosen: Chosen | None
) -> Iterator[tuple[FrequencyCap, int, datetime | None]]:
    """The workspace's limit and the lead's own, with what counts against each."""
    if cap is not None:
        yield cap, candidate.recent, candidate.oldest_recent
    if chosen is not None and chosen.per_week is not None:
        own = FrequencyCap(messages=chosen.per_week, days=WEEK)
        yield own, chosen.recent, chosen.oldest_recent
