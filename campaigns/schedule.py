"""The calendar of starts, and the alarm that rings at the next one.

Only this file knows APScheduler.

Cron is walked on a clock that never changes (UTC) and each time it names is then looked up in the
zone (`when.instant_of`). So an hour that does not exist, or exists twice, starts once. APScheduler
differs from cron in two ways, both translated here: its weekday numbers begin with Monday, and it
wants day *and* weekday to fit where cron wants either.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.date import DateTrigger

from campaigns.cron import WEEKDAYS, read_cron
from campaigns.when import When, instant_of


@lru_cache(maxsize=256)
def _triggers(cron: str) -> tuple[CronTrigger, ...]:
    """One trigger, or one for days and one for weekdays when either may fit."""
    fields = read_cron(cron, "cron")
    days = ",".join(map(str, sorted(fields.days)))
    weekdays = ",".join(WEEKDAYS[day] for day in sorted(fields.weekdays))
    pairs = [(days, "*"), ("*", weekdays)] if fields.either_day else [(days, weekdays)]
    return tuple(
        CronTrigger(
            minute=",".join(map(str, sorted(fields.minutes))),
            hour=",".join(map(str, sorted(fields.hours))),
            month=",".join(map(str, sorted(fields.months))),
            day=day,
            day_of_week=weekday,
            timezone=UTC,
        )
        for day, weekday in pairs
    )


def starts(when: When, zone: ZoneInfo, *, after: datetime) -> Iterator[datetime]:
    """Every start later than `after`, in order, in UTC; endless for cron. `zone` is the default."""
    zone = when.clock(zone)
    if when.at:
        moment = instant_of(when.at, zone)
        if moment > after:
            yield moment
        return
    triggers = _triggers(when.cron)
    wall = after.astimezone(zone).replace(tzinfo=UTC, fold=0)
    while True:
        found = [trigger.get_next_fire_time(None, wall) for trigger in triggers]
        wall = min(moment for moment in found if moment is not None)
        moment = instant_of(wall, zone)
        if moment > after:
            yield moment
            # Times inside an hour that does not exist are one moment: it counts once.
            after = moment
        wall += timedelta(minutes=1)


def next_start(when: When, zone: ZoneInfo, *, after: datetime) -> datetime | None:
    """The first start later than `after`; None when there is none any more."""
    return next(starts(when, zone, after=after), None)


def last_start(when: When, zone: ZoneInfo, *, after: datetime, until: datetime) -> datetime | None:
    """The newest start later than `after` and not later than `until`; None when there is none."""
    back = timedelta(hours=1)
    while True:
        low = max(after, until - back)
        newest = None
        for moment in starts(when, zone, after=low):
            if moment > until:
                break
            newest = moment
        if newest is not None or low == after or low >= until:
            return newest
        back *= 2


class Alarm:
    """Rings at the next start of each campaign. It remembers nothing: `set` says all, each time."""

    def __init__(self, ring: Callable[[], Awaitable[None]]) -> None:
        self._ring = ring
        self._scheduler = AsyncIOScheduler(timezone=UTC)

    def open(self) -> None:
        """Begins to ring, in the running event loop."""
        self._scheduler.start()

    def set(self, moments: Mapping[str, datetime]) -> None:
        """The next start by campaign; what was set before is forgotten."""
        self._scheduler.remove_all_jobs()
        for name, moment in moments.items():
            self._scheduler.add_job(
                self._ring, DateTrigger(moment), id=name, misfire_grace_time=None
            )

    def close(self) -> None:
        """Rings no more."""
        self._scheduler.shutdown(wait=False)
