"""The time-lapse changes how fast the pace's clock runs, and nothing else."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from console.demo.lapse import TIMES, HurriedPacer, hurried_retry
from deliverability import Cause, Outcome, Pacer, PaceSettings, Phase, Verdict, retry_after

START = datetime(2026, 3, 10, 11, 0, tzinfo=UTC)
SETTINGS = PaceSettings(per_minute=12)

ANSWERS = {
    "accepted": Outcome(verdict=Verdict.ACCEPTED, phase=Phase.DONE, code=250),
    "too fast": Outcome(verdict=Verdict.DEFERRED, phase=Phase.RCPT, cause=Cause.RATE, code=451),
    "greylisted": Outcome(
        verdict=Verdict.DEFERRED, phase=Phase.RCPT, cause=Cause.GREYLIST, code=450
    ),
}


@given(st.lists(st.sampled_from(sorted(ANSWERS)), max_size=40))
def test_it_does_what_the_real_pacer_does_sixty_times_faster(answers: list[str]) -> None:
    real = Pacer(SETTINGS, seed="x")
    hurried = HurriedPacer(SETTINGS, seed="x", since=START)
    now = START
    for answer in answers:
        # A little later than the slot: both clocks count whole microseconds, of their own time.
        now = real.next_slot(now) + timedelta(milliseconds=1)
        soon = START + (now - START) / TIMES
        assert abs(hurried.next_slot(soon) - soon) < timedelta(milliseconds=1)
        real.took(now, key="x")
        hurried.took(soon, key="x")
        real.on_outcome(now, ANSWERS[answer])
        hurried.on_outcome(soon, ANSWERS[answer])
        assert abs(hurried.rate - real.rate * TIMES) < 1e-9
        assert hurried.state.reason == real.state.reason


def test_a_pause_of_half_a_minute_lasts_half_a_second() -> None:
    pacer = HurriedPacer(SETTINGS, seed="x", since=START)
    pacer.took(START, key="x")
    pacer.on_outcome(START, ANSWERS["too fast"])
    assert pacer.paused(START + timedelta(seconds=0.4))
    assert not pacer.paused(START + timedelta(seconds=0.6))


def test_retries_follow_the_real_plan_and_give_up_with_it() -> None:
    for number in range(1, 40):
        wait = retry_after(number, "message")
        assert hurried_retry(number, "message") == (None if wait is None else wait / TIMES)
