"""Who fetched the picture that counts opens: a person's mail program, or a machine. Pure.

Most mail is shown by programs whose servers fetch pictures for their people, some before anybody
reads. So an open that is not counted means nothing, and one that is counted means that a mail
program fetched a picture. `open_judge.toml` has the names and where each is known from.
"""

import re
import tomllib
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from importlib.resources import files
from typing import Any

from deliverability.click_judge import LONGEST_AGENT, Visit, by_haste, by_looks


def judge_open(visit: Visit, scanned: Sequence[datetime], *, accepted_at: datetime | None) -> str:
    """Why that was a machine: `proxy`, `head`, `ahead`, `agent`, `soon` or `scan`; empty for a
    person.

    `scanned` are moments at which a machine looked at links of the same message, `accepted_at` when
    the receiving server took the mail; None when it has not yet.
    """
    if _proxies().search(visit.agent.strip()[:LONGEST_AGENT]):
        return "proxy"
    if alone := by_looks(visit) or by_haste(visit, accepted_at):
        return alone
    reach = timedelta(seconds=_table()["scan"]["seconds"])
    return "scan" if any(abs(visit.at - each) <= reach for each in scanned) else ""


@lru_cache(maxsize=1)
def open_again() -> timedelta:
    """Within what time the same mail opened once more is opened once."""
    return timedelta(seconds=_table()["again"]["seconds"])


@lru_cache(maxsize=1)
def open_scan() -> timedelta:
    """How near to a machine's visit a fetch is taken for the same machine's."""
    return timedelta(seconds=_table()["scan"]["seconds"])


@lru_cache(maxsize=1)
def _table() -> dict[str, Any]:
    return tomllib.loads(files("deliverability").joinpath("open_judge.toml").read_text("utf-8"))


@lru_cache(maxsize=1)
def _proxies() -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{row['matches']})" for row in _table()["proxy"]), re.IGNORECASE)
