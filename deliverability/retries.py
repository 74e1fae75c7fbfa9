"""When a message that a server asked us to bring later is tried again. Pure: chance from a seed."""

from datetime import timedelta
from hashlib import sha256

#: RFC 5321 4.5.4.1 asks for patience; the first tries are early because greylisting ends early.
RETRY_MINUTES = (5, 15, 30, 60, 120, 240)
#: With the last interval this is five days, the time RFC 5321 4.5.4.1 suggests giving up after.
MOST_RETRIES = 35


def retry_after(deferrals: int, seed: str) -> timedelta | None:
    """How long to wait after the `deferrals`-th deferral (1 = the first); None: give up.

    5, 15, 30, 60, 120, 240 minutes, then every four hours, each moved by up to a fifth so that
    messages deferred together do not come back together.
    """
    if deferrals > MOST_RETRIES:
        return None
    minutes = RETRY_MINUTES[min(max(deferrals, 1), len(RETRY_MINUTES)) - 1]
    return timedelta(minutes=minutes * (0.8 + 0.4 * unit(f"{seed}:{deferrals}")))


def unit(seed: str) -> float:
    """A number in [0, 1) that the seed alone decides: a replay makes the same schedule."""
    return int.from_bytes(sha256(seed.encode()).digest()[:7]) / 2**56
