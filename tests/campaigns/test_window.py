from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.errors import DefinitionError
from campaigns.window import Window, read_window, zone_of

WARSAW = ZoneInfo("Europe/Warsaw")
OFFICE = Window(days=frozenset(range(5)), from_minute=9 * 60, to_minute=17 * 60)


def test_a_moment_inside_is_its_own_opening() -> None:
    noon = datetime(2026, 3, 10, 11, 0, tzinfo=UTC)
    assert OFFICE.next_opening(noon, WARSAW) == noon


def test_friday_evening_waits_for_monday_morning() -> None:
    friday = datetime(2026, 3, 13, 18, 0, tzinfo=UTC)
    assert OFFICE.next_opening(friday, WARSAW) == datetime(2026, 3, 16, 8, 0, tzinfo=UTC)


def test_the_spring_change_of_clocks_moves_the_opening_with_the_wall_clock() -> None:
    # Warsaw goes from +1 to +2 in the night to 29 March 2026.
    saturday = datetime(2026, 3, 28, 18, 0, tzinfo=UTC)
    assert OFFICE.next_opening(saturday, WARSAW) == datetime(2026, 3, 30, 7, 0, tzinfo=UTC)


def test_an_opening_inside_the_gap_of_the_clock_change_still_opens_that_day() -> None:
    night = Window(days=frozenset({6}), from_minute=2 * 60 + 30, to_minute=12 * 60)
    before = datetime(2026, 3, 28, 23, 30, tzinfo=UTC)
    opening = night.next_opening(before, WARSAW)
    assert opening.astimezone(WARSAW).date().isoformat() == "2026-03-29"
    assert before < opening < datetime(2026, 3, 29, 10, 0, tzinfo=UTC)


@given(
    st.frozensets(st.integers(0, 6), min_size=1),
    st.integers(0, 1439),
    st.integers(1, 1440),
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)),  # noqa: DTZ001
    st.sampled_from(["Europe/Warsaw", "America/New_York", "Asia/Kathmandu", "Pacific/Auckland"]),
)
def test_the_next_opening_is_never_past_and_nearly_always_inside(
    days: frozenset[int], start: int, length: int, naive: datetime, zone_name: str
) -> None:
    window = Window(days=days, from_minute=start, to_minute=min(1440, start + length))
    zone, moment = ZoneInfo(zone_name), naive.replace(tzinfo=UTC)
    opening = window.next_opening(moment, zone)
    assert opening >= moment
    assert opening - moment <= timedelta(days=8, hours=2)
    # Only an hour that the change of clocks swallows may be missed, and then by less than it.
    assert window.admits(opening, zone) or window.to_minute - window.from_minute < 120


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"days": "mon-fri", "form": "9:00"}, "unknown key 'form'"),
        ({"from": "9"}, "no time of day"),
        ({"from": "17:00", "to": "09:00"}, "before it opens"),
        ({"days": "workdays"}, "days = 'workdays'"),
        ({"to": "24:30"}, "past midnight"),
    ],
)
def test_a_window_that_is_not_understood_says_what_to_write(
    data: dict[str, str], words: str
) -> None:
    with pytest.raises(DefinitionError, match=words):
        read_window(data, "campaigns/x.toml")


def test_days_may_wrap_around_the_weekend() -> None:
    assert read_window({"days": "sat-mon"}, "x").days == {5, 6, 0}
    assert read_window({"days": "tue, Thursday"}, "x").days == {1, 3}


def test_an_unknown_zone_falls_back() -> None:
    assert zone_of("Mars/Olympus", WARSAW) is WARSAW
    assert zone_of("", WARSAW) is WARSAW
    assert zone_of("../../etc/passwd", WARSAW) is WARSAW
