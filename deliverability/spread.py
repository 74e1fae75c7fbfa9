"""A day's messages spread over its hours, so that none is used up in ten minutes. Pure."""

from datetime import datetime, timedelta

#: Hours a day is spread over when no campaign's window says which (KumoMTA policy-extras/
#: warmup.toml: active_sending_hours).
HOURS = 12.0
#: They are spread over this share of the hours, so that a late start or a pause can be made up.
SHARE = 0.8


def gap(allowance: int, hours: float = HOURS) -> timedelta:
    """The least time between two messages of an identity that may write so many a day."""
    return timedelta(hours=hours * SHARE / max(1, allowance))


def free_at(last: datetime | None, allowance: int, hours: float) -> datetime | None:
    """When the next one may leave; None: at once. Burst is 1: what was missed is not made up."""
    return last + gap(allowance, hours) if last is not None else None
