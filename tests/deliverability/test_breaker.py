"""What stops sending by itself, and what does not."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from deliverability.breaker import (
    BOUNCES,
    LANE_ANSWERS,
    LEAST,
    PROBES,
    SUSPENSION,
    DeferralBreaker,
    Level,
    Measure,
    Scope,
    Window,
    can_trip,
    judge_windows,
    lower_bound,
    what_was_seen,
)
from tests.conftest import NOW


def seen(bad: int, answered: int) -> list[Window]:
    return [Window(name="within 24 hours", answered=answered, bad=bad)]


def bounces(bad: int, answered: int, scope: Scope = Scope.RUN) -> Level:
    return judge_windows(Measure.BOUNCES, scope, seen(bad, answered)).level


def complaints(*windows: tuple[int, int]) -> Level:
    each = [Window(name=str(n), answered=n, bad=bad) for bad, n in windows]
    return judge_windows(Measure.COMPLAINTS, Scope.RUN, each).level


def test_one_of_ten_stops_nobody() -> None:
    assert bounces(1, 10) is Level.FINE
    assert bounces(10, 10) is Level.FINE  # forty more must be answered first


def test_a_campaign_is_stopped_above_a_twentieth_and_an_identity_earlier() -> None:
    assert bounces(5, 50) is Level.WARN
    assert bounces(6, 50) is Level.TRIP
    assert bounces(4, 50) is Level.WARN
    assert bounces(4, 50, Scope.IDENTITY) is Level.TRIP
    assert bounces(18, 1000) is Level.FINE
    assert bounces(30, 1000) is Level.WARN
    assert bounces(66, 1000) is Level.TRIP


def test_two_complaints_stop_a_small_send_and_a_rate_a_large_one() -> None:
    assert complaints((1, 30)) is Level.WARN
    assert complaints((2, 30)) is Level.TRIP
    assert complaints((2, 999)) is Level.TRIP
    # Two of two thousand are what providers call well-behaved.
    assert complaints((2, 2000), (2, 200)) is Level.WARN
    assert complaints((1, 2000), (1, 200)) is Level.FINE
    assert complaints((20, 2000), (0, 200)) is Level.TRIP


def test_one_refused_login_is_enough() -> None:
    assert judge_windows(Measure.AUTHENTICATION, Scope.IDENTITY, seen(1, 1)).level is Level.TRIP
    assert judge_windows(Measure.AUTHENTICATION, Scope.IDENTITY, seen(0, 9)).level is Level.FINE


def test_the_worst_window_speaks() -> None:
    windows = [*seen(3, 5000), Window(name="the last 200", answered=200, bad=40)]
    found = judge_windows(Measure.BOUNCES, Scope.RUN, windows)
    assert (found.level, found.window) == (Level.TRIP, windows[1])
    words = what_was_seen(Measure.BOUNCES, Scope.RUN, windows[1])
    assert words == (
        "40 of 200 addresses do not exist (the last 200): 20.0%, and above 5.0% sending stops"
    )


@given(st.integers(0, 3000), st.integers(1, 3000))
def test_the_bound_lies_below_the_rate_and_grows_with_what_went_bad(bad: int, more: int) -> None:
    answered = bad + more
    bound = lower_bound(bad, answered)
    assert 0 <= bound <= bad / answered
    assert lower_bound(bad + 1, answered) >= bound
    assert lower_bound(bad, answered + 1) <= bound
    # The same rate in twice as many answers says more.
    assert lower_bound(2 * bad, 2 * answered) >= bound


@given(st.integers(0, 400), st.integers(0, 4000), st.sampled_from([Scope.RUN, Scope.IDENTITY]))
def test_what_trips_is_over_its_limit_and_what_cannot_trip_never_does(
    bad: int, fine: int, scope: Scope
) -> None:
    level = bounces(bad, bad + fine, scope)
    if level is Level.TRIP:
        assert bad + fine >= LEAST
        assert bad / (bad + fine) > BOUNCES[scope][1]
        assert can_trip(Measure.BOUNCES, scope, bad)
        assert bounces(bad + 1, bad + 1 + fine, scope) is Level.TRIP


@given(st.lists(st.booleans(), max_size=60))
def test_a_lane_rests_only_when_a_third_of_twenty_answers_were_deferrals(
    answers: list[bool],
) -> None:
    breaker = DeferralBreaker()
    last: list[bool] = []
    for deferred in answers:
        level = breaker.answered(NOW, deferred=deferred)
        last = [*last, deferred][-LANE_ANSWERS:]
        tripped = len(last) == LANE_ANSWERS and sum(last) > 0.3 * LANE_ANSWERS
        assert (level is Level.TRIP) == tripped
        if tripped:
            assert breaker.until == NOW + SUSPENSION
            break


def test_after_its_rest_a_lane_sends_five_first() -> None:
    breaker = DeferralBreaker(until=NOW)
    assert breaker.room(under_way=2) == 3
    for _ in range(PROBES - 1):
        assert breaker.answered(NOW, deferred=False) is Level.FINE
    assert breaker.room(under_way=0) == 1
    breaker.answered(NOW, deferred=True)  # one of five is no trouble
    assert breaker.until is None and breaker.room(under_way=0) is None
    again = DeferralBreaker(until=NOW)
    levels = [again.answered(NOW, deferred=n < 2) for n in range(PROBES)]
    assert levels[-1] is Level.TRIP and again.until == NOW + SUSPENSION


def test_answers_to_what_was_under_way_do_not_lengthen_a_rest() -> None:
    breaker = DeferralBreaker(until=NOW + timedelta(minutes=10))
    assert breaker.answered(NOW, deferred=True) is Level.TRIP
    assert breaker.until == NOW + timedelta(minutes=10)
