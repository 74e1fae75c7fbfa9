"""When the window next opens where each lead is, as SQL."""

from collections import Counter
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from sqlalchemy import ColumnElement, case, literal, select
from sqlmodel import Session, col

from campaigns.window import Window, zone_of
from leads import Instant, Lead

#: Leads asked which moments are frequent, and moments named first for it.
_ASKED, _FIRST = 500, 4


def openings(
    session: Session,
    among: ColumnElement[bool],
    window: Window,
    *,
    now: datetime,
    zone: ZoneInfo,
) -> ColumnElement[datetime]:
    """The moment, for each lead `among` which they are.

    A list of moments, each with its zones, which the databases walk from the one most leads have:
    SQLite would walk a joined table from end to end. It has all zones there are, so that nobody
    has to look which of them the leads use. A zone unknown to us counts as the workspace's.
    """
    some = select(col(Lead.timezone)).where(among).order_by(col(Lead.id)).limit(_ASKED)
    opens = _opens(window, now, zone, "")
    default = window.next_opening(now, zone)
    found = Counter(opens.get(name, default) for name in session.scalars(some))
    first = tuple(each for each, _ in found.most_common(_FIRST))
    usual = _listed(window, now, zone, first, "")
    if not window.skip_holidays:
        return usual
    countries = session.scalars(select(col(Lead.country)).where(among).distinct())
    # Most countries work on most days: only those where it opens at other moments are listed.
    closed = [
        (col(Lead.country) == country, _listed(window, now, zone, first, country))
        for country in sorted(countries)
        if country and _opens(window, now, zone, country) != opens
    ]
    return case(*closed, else_=usual) if closed else usual


@lru_cache(maxsize=32)
def _opens(window: Window, now: datetime, zone: ZoneInfo, country: str) -> dict[str, datetime]:
    """The moment for each zone."""
    names = sorted(available_timezones())
    return {name: window.next_opening(now, zone_of(name, zone), country) for name in names}


@lru_cache(maxsize=32)
def _listed(
    window: Window, now: datetime, zone: ZoneInfo, first: tuple[datetime, ...], country: str
) -> ColumnElement[datetime]:
    default = window.next_opening(now, zone, country)
    zones: dict[datetime, list[str]] = {moment: [] for moment in first}
    for name, moment in _opens(window, now, zone, country).items():
        # The end of the list says it of the workspace's own moment, unless that is frequent.
        if moment != default or moment in first:
            zones.setdefault(moment, []).append(name)
    moments = [
        (col(Lead.timezone).in_(names), literal(moment, Instant))
        for moment, names in zones.items()
        if names
    ]
    usual = literal(default, Instant)
    return case(*moments, else_=usual) if moments else usual
