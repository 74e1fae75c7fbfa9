from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from campaigns.forecast import Companies, LaneLoad, forecast
from campaigns.window import Window
from deliverability import Limits, Schedule, shipped_schedules
from tests.conftest import NOW

WARSAW = ZoneInfo("Europe/Warsaw")


def load(messages: int, per_minute: float, provider: str = "other") -> LaneLoad:
    return LaneLoad(provider=provider, messages=messages, rate=per_minute / 60)


def test_one_lane_ends_when_its_rate_says() -> None:
    result = forecast([load(600, 60)], now=NOW, zone=WARSAW)
    assert result.finish_at == NOW + timedelta(minutes=10)
    assert result.per_day == ((date(2026, 3, 10), 600),)


def test_the_slowest_lane_decides() -> None:
    result = forecast([load(60, 60, "a"), load(60, 6, "b")], now=NOW, zone=WARSAW)
    assert result.finish_at == NOW + timedelta(minutes=10)


def test_a_day_cap_spreads_over_days_and_counts_what_was_used_today() -> None:
    result = forecast(
        [load(250, 600)], now=NOW, zone=WARSAW, limits=Limits(per_day=100), used_today=40
    )
    assert [count for _, count in result.per_day] == [60, 100, 90]


def test_closed_days_send_nothing() -> None:
    office = Window(days=frozenset({0}), from_minute=540, to_minute=600)
    result = forecast([load(90, 1)], now=NOW, zone=WARSAW, window=office)
    assert [(day.weekday(), count) for day, count in result.per_day] == [(0, 60), (0, 30)]


def test_nothing_to_send_ends_never() -> None:
    assert forecast([], now=NOW, zone=WARSAW).finish_at is None


@given(
    st.lists(st.tuples(st.integers(0, 5000), st.floats(1, 600)), max_size=5),
    st.one_of(st.none(), st.integers(50, 5000)),
)
def test_every_message_gets_a_day_and_no_day_is_over_its_cap(
    lanes: list[tuple[int, float]], cap: int | None
) -> None:
    loads = [load(n, rate, f"p{i}") for i, (n, rate) in enumerate(lanes)]
    result = forecast(loads, now=NOW, zone=WARSAW, limits=Limits(per_day=cap))
    assert sum(count for _, count in result.per_day) == sum(n for n, _ in lanes)
    assert cap is None or all(count <= cap for _, count in result.per_day)


MAILBOX = shipped_schedules()["mailbox"]


def test_a_warm_up_is_walked_forward_as_if_every_day_went_well() -> None:
    limits = Limits(per_day=18, warm_up=MAILBOX)
    result = forecast([load(60, 600)], now=NOW, zone=WARSAW, limits=limits)
    assert [count for _, count in result.per_day] == [5, 10, 15, 18, 12]
    later = forecast([load(60, 600)], now=NOW, zone=WARSAW, limits=limits, step=8, used_today=10)
    assert [count for _, count in later.per_day] == [8, 18, 18, 16]


def test_a_day_spread_out_ends_when_its_last_message_may_leave() -> None:
    limits = Limits(per_day=12, spread=True)  # one every 48 minutes
    result = forecast([load(3, 600)], now=NOW, zone=WARSAW, limits=limits)
    assert result.finish_at == NOW + timedelta(minutes=96)


def test_one_large_company_decides_the_end() -> None:
    companies = Companies(per_hour=5, sizes={1: 40, 23: 1})
    result = forecast([load(63, 600)], now=NOW, zone=WARSAW, companies=companies)
    # Five at once and five after each hour: the 21st to 23rd leave after four.
    assert result.finish_at == NOW + timedelta(hours=4)
    office = Window(days=frozenset(range(7)), from_minute=12 * 60, to_minute=14 * 60)
    days = forecast([load(63, 600)], now=NOW, zone=WARSAW, companies=companies, window=office)
    assert [count for _, count in days.per_day] == [50, 10, 3]


def test_holidays_send_nothing() -> None:
    office = Window(
        days=frozenset(range(7)), from_minute=0, to_minute=1440, skip_holidays=True, country="PL"
    )
    eve = datetime(2026, 12, 23, 22, tzinfo=UTC)
    result = forecast([load(120, 1)], now=eve, zone=WARSAW, window=office)
    assert [day.day for day, _ in result.per_day] == [23, 27]


@given(
    st.integers(0, 400),
    st.sampled_from([None, *shipped_schedules().values()]),
    st.booleans(),
    st.integers(0, 9),
)
def test_no_day_of_a_warm_up_is_over_its_step_and_everything_gets_a_day(
    count: int, warm_up: Schedule | None, spread: bool, step: int
) -> None:
    limits = Limits(per_day=None if warm_up else 60, warm_up=warm_up, spread=spread)
    result = forecast([load(count, 600)], now=NOW, zone=WARSAW, limits=limits, step=step)
    assert sum(each for _, each in result.per_day) == count
    for ahead, (_, each) in enumerate(result.per_day):
        most = warm_up.allowance(step + ahead) if warm_up is not None else 60
        assert most is None or each <= most
