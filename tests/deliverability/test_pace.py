"""Pace on a virtual clock: never above the maximum, pauses respected, a replay is the same."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import select

from console.database import Database
from deliverability import (
    UNTIL_SOMEBODY_LOOKS,
    Cause,
    Lane,
    LaneMove,
    Outcome,
    Pacer,
    PaceSettings,
    PaceState,
    Phase,
    ProviderError,
    RateMove,
    Verdict,
    lanes,
    lift_pauses,
    pace_state,
    retry_after,
    save_pace,
    shipped_providers,
)
from deliverability.lane_memory import as_body

START = datetime(2026, 3, 10, 11, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def outcome(
    verdict: Verdict,
    cause: Cause = Cause.NONE,
    code: int | None = None,
    suspend: timedelta | None = None,
) -> Outcome:
    return Outcome(
        verdict=verdict, phase=Phase.RCPT, cause=cause, code=code, reply="words", suspend=suspend
    )


ACCEPTED = outcome(Verdict.ACCEPTED, code=250)
SLOWER = outcome(Verdict.DEFERRED, Cause.RATE, 421)
BLOCKED = outcome(Verdict.REJECTED, Cause.BLOCKED, 550)
LOGIN = outcome(Verdict.REJECTED, Cause.AUTHENTICATION, 550)
GREY = outcome(Verdict.DEFERRED, Cause.GREYLIST, 451)
UNKNOWN = outcome(Verdict.REJECTED, Cause.ADDRESS, 550)
UNCLEAR = outcome(Verdict.DEFERRED, Cause.OTHER, 451)
LOST = outcome(Verdict.UNSENT, Cause.NETWORK)

#: Settings under which the rate never grows, for what is about something else.
STEADY = PaceSettings(per_minute=60, at_most_per_minute=60)

Script = list[tuple[Outcome, float, float]]

answers = st.lists(
    st.tuples(
        st.sampled_from([ACCEPTED] * 12 + [SLOWER, GREY, UNKNOWN, UNCLEAR, LOST]),
        # Seconds the lane had nothing to do before it asked for a slot.
        st.sampled_from([0.0] * 6 + [0.4, 7.0, 30.0]),
        # Seconds until the answer came.
        st.sampled_from([0.0, 0.1, 3.0]),
    ),
    max_size=150,
)


def drive(
    pacer: Pacer, script: Script, *, now: datetime = START, first: int = 0
) -> list[tuple[datetime, datetime | None]]:
    """When each message left, and until when the lane was paused at that moment."""
    left = []
    for number, (answer, idle, delay) in enumerate(script, first):
        now += timedelta(seconds=idle)
        now = pacer.next_slot(now)
        left.append((now, pacer.state.paused_until))
        pacer.took(now, key=f"spring:{number}")
        pacer.on_outcome(now + timedelta(seconds=delay), answer)
    return left


@settings(max_examples=100, deadline=None)
@given(
    script=answers,
    per_minute=st.floats(0.5, 6000),
    growth=st.floats(1, 10),
    jitter=st.floats(0, 1),
)
def test_no_window_of_time_holds_more_than_the_maximum(
    script: Script, per_minute: float, growth: float, jitter: float
) -> None:
    most = per_minute * growth
    settings_ = PaceSettings(per_minute=per_minute, at_most_per_minute=most, jitter=jitter)
    left = [at for at, _ in drive(Pacer(settings_, seed="lane 1"), script)]
    slot = 60 / most
    for i, first in enumerate(left):
        for n, later in enumerate(left[i + 1 :], 1):
            assert (later - first).total_seconds() >= n * slot - n * 1e-6


@settings(max_examples=100, deadline=None)
@given(script=answers)
def test_nothing_leaves_during_a_pause(script: Script) -> None:
    for at, paused_until in drive(Pacer(PaceSettings(), seed="lane 1"), script):
        assert paused_until is None or at >= paused_until


@settings(max_examples=50, deadline=None)
@given(script=answers, seed=st.text(max_size=5))
def test_a_replay_is_the_same(script: Script, seed: str) -> None:
    one = drive(Pacer(PaceSettings(), seed=seed), script)
    assert one == drive(Pacer(PaceSettings(), seed=seed), script)


@settings(max_examples=100, deadline=None)
@given(script=answers, per_minute=st.sampled_from([0.5, 60.0, 6000.0]))
def test_the_rate_stays_between_the_least_and_the_maximum(
    script: Script, per_minute: float
) -> None:
    pacer = Pacer(PaceSettings(per_minute=per_minute), seed="x")
    for number, step in enumerate(script):
        drive(pacer, [step], first=number)
        assert min(per_minute, 1) / 60 <= pacer.rate <= per_minute / 60 * 5


@settings(max_examples=100, deadline=None)
@given(before=answers, after=answers)
def test_a_state_written_and_read_back_goes_on_the_same(before: Script, after: Script) -> None:
    pacer = Pacer(PaceSettings(), seed="x")
    left = drive(pacer, before)
    state = pacer.state
    row = Lane(
        identity="anna",
        provider="wp",
        rate=state.rate,
        paused_until=state.paused_until,
        reason=state.reason,
        learnt=json.loads(json.dumps(as_body(state))),
    )
    assert pace_state(row) == state
    now = left[-1][0] if left else START
    again = Pacer(PaceSettings(), seed="x", state=pace_state(row))
    one = drive(pacer, after, now=now, first=len(before))
    assert one == drive(again, after, now=now, first=len(before))
    assert again.state == pacer.state


def test_the_same_campaign_and_lead_leave_the_same_gap() -> None:
    def gap(key: str) -> timedelta:
        pacer = Pacer(STEADY, seed="anna/wp")
        pacer.took(START, key=key)
        return pacer.next_slot(START) - START

    assert gap("spring:1") == gap("spring:1")
    assert len({gap(f"spring:{lead}") for lead in range(20)}) == 20


def test_missed_slots_are_lost() -> None:
    pacer = Pacer(PaceSettings(per_minute=60, jitter=0), seed="x")
    pacer.took(START, key="a")
    late = START + timedelta(hours=1)
    assert pacer.next_slot(late) == late
    pacer.took(late, key="b")
    assert pacer.next_slot(late) == late + SECOND


def test_being_a_little_late_eats_into_the_jitter_and_not_into_the_rate() -> None:
    pacer = Pacer(PaceSettings(per_minute=600, jitter=0.2), seed="x")
    now, late = START, timedelta(milliseconds=5)
    for number in range(1000):
        now = pacer.next_slot(now) + late
        pacer.took(now, key=str(number))
    took = (now - START).total_seconds()
    assert 100 <= took <= 1000 / PaceSettings(per_minute=600).expected() * 1.03


def moved(pacer: Pacer) -> tuple[RateMove, ...]:
    lessons = pacer.take_lessons()
    return lessons.moves if lessons else ()


def steadily(pacer: Pacer, now: datetime, messages: int) -> datetime:
    for number in range(messages):
        now = pacer.next_slot(now)
        pacer.took(now, key=str(number))
        pacer.on_outcome(now, ACCEPTED)
    return now


def test_the_rate_doubles_until_the_first_refusal_and_never_passes_the_maximum() -> None:
    pacer = Pacer(PaceSettings(per_minute=60, at_most_per_minute=250, jitter=0), seed="x")
    now = steadily(pacer, START, 1000)
    assert [(move.before, move.after) for move in moved(pacer)] == [
        (1, 2),
        (2, 4),
        (4, 250 / 60),
    ]
    pacer.on_outcome(now, SLOWER)
    assert pacer.rate < 250 / 60
    now = steadily(pacer, now, 200)
    assert all(move.cause != "slow start" for move in moved(pacer))


def test_a_lane_with_little_to_send_is_not_made_faster() -> None:
    pacer, now = Pacer(PaceSettings(per_minute=60), seed="x"), START
    for number in range(500):
        now += timedelta(seconds=10)
        pacer.took(now, key=str(number))
        pacer.on_outcome(now, ACCEPTED)
    assert pacer.rate == 1
    assert pacer.state.rate is None


def test_a_refusal_cuts_the_rate_to_what_was_borne() -> None:
    pacer = Pacer(STEADY, seed="x")
    now = steadily(pacer, START, 600)
    pacer.on_outcome(now, SLOWER)
    # Ten minutes at full pace went well: the limit cannot be much lower.
    assert 0.9 < pacer.rate < 1
    again = Pacer(STEADY, seed="x")
    again.on_outcome(START, SLOWER)
    assert again.rate == 0.5


def test_rate_pauses_double_and_the_rate_is_cut_once_an_episode() -> None:
    pacer, now, pauses, rates = Pacer(STEADY, seed="x"), START, [], []
    for _ in range(4):
        pacer.on_outcome(now, SLOWER)
        slot = pacer.next_slot(now)
        pauses.append((slot - now).total_seconds())
        rates.append(pacer.rate)
        now = slot
    assert pauses == [30, 60, 120, 240]
    # The fourth time in a row says that what was known is not true any more.
    assert rates == [0.5, 0.5, 0.5, 0.25]
    assert "421" in pacer.state.reason
    pacer.on_outcome(now, ACCEPTED)
    assert pacer.state.paused_until is None and pacer.state.reason == ""


def test_a_receiver_s_penalty_is_remembered_and_tried_a_little_shorter() -> None:
    pacer, now = Pacer(STEADY, seed="x"), START
    for _ in range(3):
        pacer.on_outcome(now, SLOWER)
        now = pacer.next_slot(now)
    pacer.on_outcome(now, ACCEPTED)  # after 30 + 60 + 120 s
    pacer.on_outcome(now, SLOWER)
    assert pacer.next_slot(now) - now == timedelta(seconds=210 * 0.85)


def test_after_a_pause_one_message_tries_and_the_others_wait_for_its_answer() -> None:
    pacer = Pacer(PaceSettings(per_minute=600, jitter=0), seed="x")
    pacer.on_outcome(START, SLOWER)
    now = pacer.next_slot(START)
    pacer.took(now, key="a")
    assert pacer.next_slot(now) - now == timedelta(seconds=10)
    pacer.on_outcome(now + timedelta(seconds=0.3), ACCEPTED)
    assert pacer.next_slot(now) - now <= timedelta(seconds=0.31)


def test_answers_to_what_was_under_way_do_not_count_twice() -> None:
    pacer = Pacer(STEADY, seed="x")
    for _ in range(10):
        pacer.on_outcome(START, SLOWER)
    assert pacer.next_slot(START) == START + timedelta(seconds=30)
    assert pacer.rate == 0.5
    pacer.on_outcome(START, ACCEPTED)
    assert pacer.paused(START)


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


@pytest.mark.parametrize("cause", [Cause.RATE, Cause.BLOCKED, Cause.POLICY])
def test_a_pause_that_the_table_of_answers_prescribes_is_kept(cause: Cause) -> None:
    pacer = Pacer(PaceSettings(), seed="x")
    half = timedelta(minutes=30)
    pacer.on_outcome(START, outcome(Verdict.DEFERRED, cause, 451, half))
    assert pacer.next_slot(START) == START + half
    if cause is Cause.RATE:
        pacer.on_outcome(START + half, ACCEPTED)
        pacer.on_outcome(START + half, SLOWER)
        assert pacer.next_slot(START + half) == START + half + timedelta(seconds=30)


@pytest.mark.parametrize("noise", [GREY, UNKNOWN, outcome(Verdict.REJECTED, Cause.OTHER, 550)])
def test_noise_does_not_steer(noise: Outcome) -> None:
    pacer = Pacer(PaceSettings(), seed="x")
    for _ in range(50):
        pacer.on_outcome(START, noise)
    assert pacer.state == Pacer(PaceSettings(), seed="x").state


def test_one_refusal_that_says_nothing_is_nothing_and_two_of_twenty_slow_down() -> None:
    pacer = Pacer(STEADY, seed="x")
    pacer.on_outcome(START, UNCLEAR)
    for _ in range(20):
        pacer.on_outcome(START, ACCEPTED)
    pacer.on_outcome(START, UNCLEAR)
    assert not pacer.paused(START)
    for _ in range(10):
        pacer.on_outcome(START, ACCEPTED)
    pacer.on_outcome(START, UNCLEAR)
    assert pacer.paused(START)
    assert pacer.rate < 1


def test_one_lost_line_is_nothing_and_more_of_them_wait() -> None:
    pacer = Pacer(PaceSettings(), seed="x")
    pacer.on_outcome(START, LOST)
    assert pacer.next_slot(START) == START
    pacer.on_outcome(START, LOST)
    assert pacer.next_slot(START) > START
    assert pacer.rate == 1


def test_most_messages_teach_nothing() -> None:
    pacer = Pacer(STEADY, seed="x")
    steadily(pacer, START, 500)
    assert pacer.take_lessons() is None


def test_lessons_are_kept_in_the_lane_s_row_and_moves_for_thirty_days(database: Database) -> None:
    lane_id = database.write(lambda session: lanes(session, "anna"))["other"]
    pacer = Pacer(PaceSettings(per_minute=60), seed="x")
    later = steadily(pacer, START, 100)
    pacer.on_outcome(later, SLOWER)
    lessons = pacer.take_lessons()
    assert lessons is not None and pacer.take_lessons() is None
    state = lessons.state
    database.write(lambda s: save_pace(s, lane_id, lessons, now=later))

    def kept() -> PaceState:
        return database.read(lambda s: pace_state(s.get_one(Lane, lane_id)))

    assert kept() == state
    found = database.read(lambda s: s.exec(select(LaneMove).order_by("at")).all())
    assert [(each.cause.split(":")[0], each.words) for each in found] == [
        ("slow start", ""),
        ("refused", "rate: 421 words"),
    ]
    assert found[-1].rate_after == pacer.rate
    database.write(lambda s: lift_pauses(s, "anna", now=later))
    assert kept().paused_until is None and kept().strikes == 0
    month = later + timedelta(days=31)
    database.write(lambda s: save_pace(s, lane_id, lessons, now=month))
    assert len(database.read(lambda s: s.exec(select(LaneMove)).all())) == 0


def test_a_row_of_an_earlier_version_keeps_its_rate() -> None:
    row = Lane(identity="anna", provider="wp", rate=0.25)
    assert Pacer(PaceSettings(), seed="x", state=pace_state(row)).rate == 0.25
    assert pace_state(Lane(identity="anna", provider="wp")) == PaceState()


@pytest.mark.parametrize(
    "wrong",
    [
        {"per_minute": 0},
        {"per_minute": -1},
        {"at_most_per_minute": 0},
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
    within = PaceSettings(per_minute=600, at_most_per_minute=6000, connections=10).within(wp)
    assert (within.per_minute, within.at_most_per_minute, within.connections) == (10, 30, 1)
    assert PaceSettings().within(wp).highest == 0.5
    assert PaceSettings(per_minute=5, at_most_per_minute=8).within(wp).highest * 60 == 8
    assert PaceSettings().within(None) == PaceSettings()


def test_a_lane_grows_to_five_times_its_start_unless_said() -> None:
    assert PaceSettings(per_minute=60).highest == 5
    assert PaceSettings(per_minute=60, at_most_per_minute=60).highest == 1
    assert PaceSettings(per_minute=60, jitter=0).expected(3.0) == 3
    assert PaceSettings(per_minute=60, jitter=0).expected() == 1


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
