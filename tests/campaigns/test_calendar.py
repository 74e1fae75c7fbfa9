"""When a campaign is due, against an evaluator that looks at every minute and knows no library."""

import random
import re
import tomllib
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import takewhile
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from campaigns.errors import DefinitionError
from campaigns.schedule import last_start, next_start, starts
from campaigns.when import When, instant_of, read_when

WARSAW = ZoneInfo("Europe/Warsaw")
NAMES = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


@cache
def numbers(field: str, low: int, high: int, names: tuple[str, ...], first: int) -> set[int]:
    found = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        span = f"{low}-{high}" if span == "*" else span
        ends = [names.index(e) + first if e in names else int(e) for e in span.split("-")]
        found |= set(range(ends[0], ends[-1] + 1, int(step or 1)))
    return found


@cache
def days_of(weekday: str) -> set[int]:
    return {n % 7 for n in numbers(weekday, 0, 6, NAMES, 0)}


def fits(cron: str, wall: datetime) -> bool:
    minute, hour, day, month, weekday = cron.split()
    by_day = wall.day in numbers(day, 1, 31, (), 0)
    by_weekday = wall.isoweekday() % 7 in days_of(weekday)
    both = day[0] == "*" or weekday[0] == "*"
    return (
        wall.minute in numbers(minute, 0, 59, (), 0)
        and wall.hour in numbers(hour, 0, 23, (), 0)
        and wall.month in numbers(month, 1, 12, MONTHS, 1)
        and (by_day and by_weekday if both else by_day or by_weekday)
    )


def minute_by_minute(cron: str, zone: ZoneInfo, begin: datetime, days: int) -> list[datetime]:
    """A clock on the wall: what it shows, or jumps over, for the first time counts."""
    found = []
    furthest = begin.astimezone(zone).replace(tzinfo=None)
    for step in range(1, days * 1440 + 1):
        moment = begin + timedelta(minutes=step)
        shown = moment.astimezone(zone).replace(tzinfo=None)
        due = False
        while furthest < shown:
            furthest += timedelta(minutes=1)
            due = due or fits(cron, furthest)
        if due:
            found.append(moment)
    return found


def ours(cron: str, zone: ZoneInfo, begin: datetime, days: int) -> list[datetime]:
    end = begin + timedelta(days=days)
    return list(takewhile(lambda m: m <= end, starts(When(cron=cron), zone, after=begin)))


TABLE = [
    "0 9 * * 1",
    "0 9 * * mon-fri",
    "30 8 * * 0",
    "30 8 * * 7",
    "0 9 * * 5-7",
    "15 10 1 * *",
    "0 9 13 * 5",
    "0 9 1,15 * mon",
    "0 9 */2 * mon",
    "0 9 13 * */2",
    "0 12 31 * *",
    "0 7 * mar,oct sun",
    "30 2 * * *",
    "0,30 2 * * *",
    "0 3 * * *",
    "59 1 * * *",
    "*/20 * * * sat,sun",
    "0 2-3 * * *",
    "5-55/25 */6 * * *",
]
#: Weeks with nothing special, and with the hours that are missing and doubled.
WEEKS = [(2026, 3, 1), (2026, 3, 27), (2026, 10, 22), (2027, 2, 26)]


@pytest.mark.parametrize("cron", TABLE)
def test_cron_means_what_every_minute_of_the_wall_clock_says(cron: str) -> None:
    for week in WEEKS:
        begin = datetime(*week, tzinfo=UTC)
        assert ours(cron, WARSAW, begin, 10) == minute_by_minute(cron, WARSAW, begin, 10)


@pytest.mark.parametrize("seed", range(12))
def test_any_cron_in_any_zone_agrees(seed: int) -> None:
    dice = random.Random(seed)

    def field(low: int, high: int) -> str:
        first = dice.randint(low, high)
        last = dice.randint(first, high)
        return dice.choice(
            ["*", str(first), f"{first}-{last}", f"{first},{last}", f"*/{dice.randint(1, 9)}"]
        )

    zone = ZoneInfo(
        dice.choice(["Europe/Warsaw", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"])
    )
    cron = " ".join([field(0, 59), field(0, 23), field(1, 28), "*", field(0, 6)])
    for month, day in ((3, 5), (3, 26), (4, 1), (10, 1), (10, 23), (10, 30)):
        begin = datetime(2026, month, day, 3, 17, tzinfo=UTC)
        assert ours(cron, zone, begin, 6) == minute_by_minute(cron, zone, begin, 6), (cron, zone)


@pytest.mark.parametrize(
    ("wall", "moment"),
    [
        ("2026-12-01 09:00", "2026-12-01T08:00+00:00"),
        # Clocks go from 2:00 to 3:00 on 29 March, from 3:00 back to 2:00 on 25 October.
        ("2026-03-29 01:59", "2026-03-29T00:59+00:00"),
        ("2026-03-29 02:00", "2026-03-29T01:00+00:00"),
        ("2026-03-29 02:30", "2026-03-29T01:00+00:00"),
        ("2026-03-29 03:00", "2026-03-29T01:00+00:00"),
        ("2026-10-25 02:30", "2026-10-25T00:30+00:00"),
        ("2026-10-25 03:00", "2026-10-25T02:00+00:00"),
    ],
)
def test_a_time_on_the_wall_is_one_moment(wall: str, moment: str) -> None:
    assert instant_of(wall, WARSAW) == datetime.fromisoformat(moment)
    assert instant_of(datetime.fromisoformat(wall), WARSAW) == datetime.fromisoformat(moment)


def test_a_whole_day_that_does_not_exist_is_the_moment_after_it() -> None:
    moment = instant_of("2011-12-30 09:00", ZoneInfo("Pacific/Apia"))
    assert moment == datetime(2011, 12, 30, 10, 0, tzinfo=UTC)


def test_an_hour_that_is_missing_or_doubled_starts_once() -> None:
    for begin in (datetime(2026, 3, 28, 20, tzinfo=UTC), datetime(2026, 10, 24, 20, tzinfo=UTC)):
        for cron in ("30 2 * * *", "0,15,30,45 2 * * *"):
            wanted = 4 if cron.startswith("0,") and begin.month == 10 else 1
            assert len(ours(cron, WARSAW, begin, 1)) == wanted


def test_the_zone_is_the_campaigns_own_or_the_workspaces() -> None:
    begin = datetime(2026, 3, 10, tzinfo=UTC)
    tokyo = When(cron="0 9 * * *", zone="Asia/Tokyo")
    assert next_start(tokyo, WARSAW, after=begin) == datetime(2026, 3, 11, tzinfo=UTC)
    here = When(cron="0 9 * * *")
    assert next_start(here, WARSAW, after=begin) == datetime(2026, 3, 10, 8, tzinfo=UTC)


def test_once_is_once() -> None:
    when = When(at="2026-12-01 09:00:00")
    moment = datetime(2026, 12, 1, 8, tzinfo=UTC)
    assert list(starts(when, WARSAW, after=moment - timedelta(days=200))) == [moment]
    assert next_start(when, WARSAW, after=moment) is None


def test_the_newest_start_is_found_wherever_it_lies() -> None:
    now = datetime(2026, 11, 24, 3, 12, tzinfo=UTC)
    for cron in ("* * * * *", "0 9 * * 1", "0 9 1 * *", "0 9 24 * *"):
        after = now - timedelta(days=31)
        every = ours(cron, WARSAW, after, 31) if cron[0] == "0" else [now]
        found = last_start(When(cron=cron), WARSAW, after=after, until=now)
        assert found == every[-1]
    assert last_start(When(cron="0 9 1 1 *"), WARSAW, after=after, until=now) is None


def test_a_leap_day_is_waited_for() -> None:
    begin = datetime(2028, 3, 1, tzinfo=UTC)
    found = next_start(When(cron="0 0 29 2 *"), WARSAW, after=begin)
    assert found == datetime(2032, 2, 28, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({}, 'either at = "2026-12-01 09:00" or cron'),
        ({"at": "2026-12-01 09:00", "cron": "0 9 * * 1"}, "either at"),
        ({"at": "tomorrow"}, 'write at = "2026-12-01 09:00"'),
        ({"at": "2026-12-01"}, "no date and time"),
        ({"at": "2026-02-30 09:00"}, "no date and time"),
        ({"at": datetime(2026, 12, 1, 9, tzinfo=UTC)}, 'zone = "Europe/Warsaw"'),
        ({"at": "2026-12-01 09:00", "to": "everyone"}, "to belongs to cron"),
        ({"cron": "0 9 * *"}, "must have five fields"),
        ({"cron": 9}, "must have five fields"),
        ({"cron": "0 25 * * *"}, "the hour is 0-23, not '25'"),
        ({"cron": "0 9 * * mno"}, "did you mean 'mon'"),
        ({"cron": "0 9 * * 8"}, "the weekday is 0-7 or sun, mon"),
        ({"cron": "0 9 0 * *"}, "the day of the month is 1-31"),
        ({"cron": "0 9 * jum *"}, "did you mean 'jun'"),
        ({"cron": "0/15 9 * * *"}, r"write 0-59/15 or \*/15"),
        ({"cron": "*/0 9 * * *"}, "has no step"),
        ({"cron": "*/x 9 * * *"}, "has no step"),
        ({"cron": "0 17-9 * * *"}, "runs backwards"),
        ({"cron": "0 9 30 feb *"}, "never comes"),
        ({"cron": "0 9 31 4,6 *"}, "never comes"),
        ({"cron": "0 9 1,,2 * *"}, "is no day of the month"),
        ({"cron": "0 9 * * 1", "zone": "Europe/Warschau"}, 'did you mean "Europe/Warsaw"'),
        ({"cron": "0 9 * * 1", "zone": 7}, "no time zone"),
        ({"cron": "0 9 * * 1", "late": "never"}, '"send" or "skip" or "ask"'),
        ({"cron": "0 9 * * 1", "late_after": "soon"}, "no length of time"),
        ({"cron": "0 9 * * 1", "to": "all"}, '"new" or "everyone"'),
        ({"crn": "0 9 * * 1"}, "did you mean 'cron'"),
    ],
)
def test_a_mistake_in_when_says_what_to_write(data: dict[str, object], words: str) -> None:
    with pytest.raises(DefinitionError, match=words) as caught:
        read_when(data, "campaigns/x.toml")
    assert str(caught.value).startswith("campaigns/x.toml: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "data",
    [
        {"at": "2026-12-01 09:00"},
        {"at": datetime.fromisoformat("2026-12-01T09:00:00")},
        {"cron": "0 9 * * sat-sun", "zone": "Asia/Tokyo", "late": "skip", "to": "everyone"},
        {"cron": " 0  9 * * MON ", "late_after": "2 hours", "late": "send"},
    ],
)
def test_when_survives_its_frozen_form(data: dict[str, object]) -> None:
    read = read_when(data, "campaigns/x.toml")
    assert When.of_body(read.body()) == read
    assert next_start(read, WARSAW, after=datetime(2026, 3, 1, tzinfo=UTC)) is not None


def test_every_schedule_on_the_docs_page_is_read() -> None:
    page = (Path(__file__).parents[2] / "docs" / "campaigns.md").read_text("utf-8")
    tables = [
        tomllib.loads(block)["when"]
        for block in re.findall(r"(?ms)^```toml\n(.*?)^```", page)
        if "[when]" in block
    ]
    listed = re.findall(
        r"`((?:[\w*/,-]+ ){4}[\w*/,-]+)`", page.partition("### How cron is read")[2]
    )
    assert len(tables) >= 2 and len(listed) >= 8
    for data in [*tables, *({"cron": cron} for cron in listed)]:
        assert read_when(data, "docs") is not None
