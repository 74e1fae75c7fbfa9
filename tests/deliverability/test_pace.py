"""Pace on a virtual clock: never above the rate, pauses respected, a replay is the same."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deliverability import (
    UNTIL_SOMEBODY_LOOKS,
    Cause,
    Outcome,
    Pacer,
    PaceSettings,
    PaceState,
    Phase,
    ProviderError,
    Verdict,
    retry_after,
    shipped_providers,
)

START = datetime(2026, 3, 10, 11, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def outcome(verdict: Verdict, cause: Cause = Cause.NONE, code: int | None = None) -> Outcome:
    return Outcome(verdict=verdict, phase=Phase.RCPT, cause=cause, code=code, reply="words")


ACCEPTED = outcome(Verdict.ACCEPTED, code=250)
SLOWER = outcome(Verdict.DEFERRED, Cause.RATE, 421)
BLOCKED = outcome(Verdict.REJECTED, Cause.BLOCKED, 550)
LOGIN = outcome(Verdict.REJECTED, Cause.AUTHENTICATION, 550)
GREY = outcome(Verdict.DEFERRED, Cause.GREYLIST, 451)
UNKNOWN = outcome(Verdict.REJECTED, Cause.ADDRESS, 550)
LOST = outcome(Verdict.UNSENT, Cause.NETWORK)

answers = st.lists(
    st.tuples(
        st.sampled_from([ACCEPTED] * 8 + [SLOWER, GREY, UNKNOWN, LOST]),
        st.floats(0, 30),  # seconds the lane had nothing to do before it asked for a slot
        st.floats(0, 3),  # seconds until the answer came
    ),
    max_size=120,
)


def drive(
    pacer: Pacer, script: list[tuple[Outcome, float, float]]
) -> list[tuple[datetime, datetime | None]]:
    """When each message left, and until when the lane was paused at that moment."""
    now, left = START, []
    for answer, idle, delay in script:
        now += timedelta(seconds=idle)
        now = pacer.next_slot(now)
        left.append((now, pacer.state.paused_until))
        pacer.took(now)
        pacer.on_outcome(now + timedelta(seconds=delay), answer)
    return left


@settings(max_examples=200, deadline=None)
@given(script=answers, per_minute=st.floats(0.5, 6000), jitter=st.floats(0, 1))
def test_no_window_of_time_holds_more_than_its_share(
    script: list[tuple[Outcome, float, float]], per_minute: float, jitter: float
) -> None:
    settings_ = PaceSettings(per_minute=per_minute, jitter=jitter)
    left = [at for at, _ in drive(Pacer(settings_, seed="lane 1"), script)]
    slot = 60 / per_minute
    for i, first in enumerate(left):
        for n, later in enumerate(left[i + 1 :], 1):
            assert (later - first).total_seconds() >= n * slot - n * 1e-6


@settings(max_examples=200, deadline=None)
@given(script=answers)
def test_nothing_leaves_during_a_pause(script: list[tuple[Outcome, float, float]]) -> None:
    for at, paused_until in drive(Pacer(PaceSettings(), seed="lane 1"), script):
        assert paused_until is None or at >= paused_until


@settings(max_examples=100, deadline=None)
@given(script=answers, seed=st.text(max_size=5))
def test_a_replay_is_the_same_and_another_seed_is_not(
    script: list[tuple[Outcome, float, float]], seed: str
) -> None:
    one = drive(Pacer(PaceSettings(), seed=seed), script)
    assert one == drive(Pacer(PaceSettings(), seed=seed), script)


@settings(max_examples=100, deadline=None)
@given(script=answers)
def test_the_rate_stays_between_one_a_minute_and_the_setting(
    script: list[tuple[Outcome, float, float]],
) -> None:
    pacer = Pacer(PaceSettings(per_minute=60), seed="x")
    drive(pacer, script)
    assert 1 / 60 <= pacer.rate <= 1


def test_missed_slots_are_lost() -> None:
    pacer = Pacer(PaceSettings(per_minute=60, jitter=0), seed="x")
    pacer.took(START)
    late = START + timedelta(hours=1)
    assert pacer.next_slot(late) == late
    pacer.took(late)
    assert pacer.next_slot(late) == late + SECOND


def test_being_a_little_late_eats_into_the_jitter_and_not_into_the_rate() -> None:
    pacer = Pacer(PaceSettings(per_minute=600, jitter=0.2), seed="x")
    now, late = START, timedelta(milliseconds=5)
    for _ in range(1000):
        now = pacer.next_slot(now) + late
        pacer.took(now)
    took = (now - START).total_seconds()
    assert 100 <= took <= 1000 / PaceSettings(per_minute=600).expected_rate * 1.03


def test_rate_pauses_double_and_the_rate_is_cut_once_an_episode() -> None:
    pacer, now, pauses = Pacer(PaceSettings(per_minute=60), seed="x"), START, []
    for _ in range(3):
        pacer.on_outcome(now, SLOWER)
        slot = pacer.next_slot(now)
        pauses.append((slot - now).total_seconds())
        now = slot
    assert pauses == [30, 60, 120]
    assert pacer.rate == 0.5
    assert pacer.state.rate == 0.5
    assert "421" in pacer.state.reason
    pacer.on_outcome(now, ACCEPTED)
    assert pacer.state.paused_until is None and pacer.state.reason == ""
    pacer.on_outcome(now, SLOWER)
    assert pacer.next_slot(now) - now == timedelta(seconds=30)
    assert pacer.rate == 0.25


def test_answers_to_what_was_under_way_do_not_count_twice() -> None:
    pacer = Pacer(PaceSettings(per_minute=60), seed="x")
    for _ in range(10):
        pacer.on_outcome(START, SLOWER)
    assert pacer.next_slot(START) == START + timedelta(seconds=30)
    assert pacer.rate == 0.5


def test_clean_sending_gives_the_rate_back() -> None:
    pacer = Pacer(PaceSettings(per_minute=60), seed="x", state=PaceState(rate=0.25))
    assert pacer.rate == 0.25
    for _ in range(2000):
        pacer.on_outcome(START, ACCEPTED)
    assert pacer.rate == 1
    assert pacer.state.rate is None


def test_a_block_pauses_for_hours_and_a_refused_login_for_a_person() -> None:
    pacer = Pacer(PaceSettings(), seed="x")
    pacer.on_outcome(START, BLOCKED)
    assert pacer.next_slot(START) == START + timedelta(hours=2)
    pacer.on_outcome(START, LOGIN)
    assert pacer.state.paused_until == UNTIL_SOMEBODY_LOOKS
    pacer.on_outcome(START, ACCEPTED)
    assert pacer.paused(START + timedelta(days=400))
    pacer.resume()
    assert pacer.next_slot(START) == START


@pytest.mark.parametrize("noise", [GREY, UNKNOWN, outcome(Verdict.DEFERRED, Cause.OTHER, 451)])
def test_noise_does_not_steer(noise: Outcome) -> None:
    pacer = Pacer(PaceSettings(), seed="x")
    for _ in range(50):
        pacer.on_outcome(START, noise)
    assert pacer.state == PaceState()


def test_one_lost_line_is_nothing_and_more_of_them_wait() -> None:
    pacer = Pacer(PaceSettings(), seed="x")
    pacer.on_outcome(START, LOST)
    assert pacer.next_slot(START) == START
    pacer.on_outcome(START, LOST)
    assert pacer.next_slot(START) > START
    assert pacer.rate == 1


def test_the_state_survives_a_restart() -> None:
    pacer = Pacer(PaceSettings(), seed="x")
    pacer.on_outcome(START, SLOWER)
    again = Pacer(PaceSettings(), seed="x", state=pacer.state)
    assert again.rate == pacer.rate
    assert again.next_slot(START) == pacer.next_slot(START)


@pytest.mark.parametrize(
    "wrong",
    [
        {"per_minute": 0},
        {"per_minute": -1},
        {"connections": 0},
        {"per_connection": 0},
        {"jitter": 2},
        {"per_minute": float("nan")},
    ],
)
def test_a_pace_that_makes_no_sense_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ProviderError):
        PaceSettings(**wrong)  # type: ignore[arg-type]


def test_settings_within_a_provider_are_never_hotter() -> None:
    wp = shipped_providers()["wp"]
    within = PaceSettings(per_minute=600, connections=10).within(wp)
    assert (within.per_minute, within.connections) == (10, 1)
    assert PaceSettings(per_minute=5).within(wp).per_minute == 5
    assert PaceSettings().within(None) == PaceSettings()


@given(st.integers(1, 60), st.text(max_size=10))
def test_retries_wait_longer_and_longer_then_end(deferrals: int, seed: str) -> None:
    wait = retry_after(deferrals, seed)
    if deferrals > 35:
        assert wait is None
        return
    plan = [5, 15, 30, 60, 120, 240]
    minutes = plan[min(deferrals, 6) - 1]
    assert wait is not None
    assert 0.8 * minutes <= wait.total_seconds() / 60 <= 1.2 * minutes
    assert wait == retry_after(deferrals, seed)
