from datetime import date, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from campaigns.forecast import LaneLoad, forecast
from campaigns.window import Window
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
    result = forecast([load(250, 600)], now=NOW, zone=WARSAW, per_day=100, used_today=40)
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
    result = forecast(loads, now=NOW, zone=WARSAW, per_day=cap)
    assert sum(count for _, count in result.per_day) == sum(n for n, _ in lanes)
    assert cap is None or all(count <= cap for _, count in result.per_day)
