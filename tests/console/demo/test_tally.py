"""The view's numbers follow what the worker says."""

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from campaigns import Claimed, LaneView, State
from console.demo.tally import CELL, CELLS, Tally
from console.demo.view import picture
from deliverability import Cause, Outcome, Phase, Verdict
from leads import Recipient

START = datetime(2026, 3, 10, 11, 0, tzinfo=UTC)


def claimed(message_id: int, lane_id: int = 1, email: str = "łucja@poczta.example") -> Claimed:
    return Claimed(
        message_id=message_id,
        run_id=1,
        campaign="answers",
        identity="anna",
        lane_id=lane_id,
        attempt=1,
        deferrals=0,
        template_version_id=1,
        rfc_message_id=f"{message_id}@potok.example",
        when_in_doubt="hold",
        expires_at=START + timedelta(days=5),
        claimed_at=START,
        recipient=Recipient(
            lead_id=message_id,
            email=email,
            domain="poczta.example",
            token="0" * 16,
            name="Łucja Jabłońska",
            stage_at=START,
        ),
    )


ACCEPTED = Outcome(verdict=Verdict.ACCEPTED, phase=Phase.DONE, code=250, reply="Ok")
REJECTED = Outcome(verdict=Verdict.REJECTED, phase=Phase.RCPT, cause=Cause.ADDRESS, code=550)
DEFERRED = Outcome(verdict=Verdict.DEFERRED, phase=Phase.RCPT, cause=Cause.GREYLIST, code=450)
UNSENT = Outcome(verdict=Verdict.UNSENT, phase=Phase.CONNECT, reply="stopped")


@pytest.fixture
def tally() -> Tally:
    return Tally({1: ("poczta", 4), 2: ("wolna", 2)}, now=lambda: START)


def test_every_message_is_counted_once_whatever_became_of_it(tally: Tally) -> None:
    tally.finished(claimed(1), ACCEPTED, State.ACCEPTED)
    tally.finished(claimed(2), REJECTED, State.REJECTED)
    tally.finished(claimed(3), DEFERRED, State.PLANNED)
    tally.skipped(claimed(4), "no first name")
    lane = tally.lanes[1]
    assert (lane.accepted, lane.refused, lane.skipped, lane.waiting) == (1, 1, 1, 1)
    assert lane.deferred == {3}
    assert (tally.settled, tally.planned) == (3, 6)


def test_one_that_is_taken_at_the_second_try_is_no_longer_deferred(tally: Tally) -> None:
    tally.finished(claimed(3), DEFERRED, State.PLANNED)
    tally.finished(claimed(3), ACCEPTED, State.ACCEPTED)
    assert tally.lanes[1].deferred == set()
    assert tally.lanes[1].put_off == 1
    assert tally.twice == "łucja@poczta.example"


def test_one_that_was_given_back_unsent_was_not_put_off_by_anybody(tally: Tally) -> None:
    tally.finished(claimed(3), UNSENT, State.PLANNED)
    assert tally.lanes[1].put_off == 0
    assert tally.lanes[1].waiting == 4


def test_answers_tick_by_and_are_counted(tally: Tally) -> None:
    tally.answered("replied", name="Łucja Jabłońska", email="łucja@poczta.example")
    assert tally.answers == {"replied": 1}
    assert tally.lines[-1].words == "wrote back"
    assert tally.settled == 0


def test_mails_of_the_sequence_are_counted_apart_from_the_campaign() -> None:
    tally = Tally({1: ("poczta", 4)}, now=lambda: START, sequence="after-demo")
    for number in (1, 2):
        mail = replace(claimed(number), campaign="after-demo", recipient=claimed(1).recipient)
        tally.finished(mail, ACCEPTED, State.ACCEPTED)
    assert tally.settled == 0
    assert tally.followed == {1: 2}
    assert tally.lines[-1].words == "taken, the reminder"


def test_the_curve_shows_the_last_seconds(tally: Tally) -> None:
    tally.finished(claimed(1), ACCEPTED, State.ACCEPTED)
    tally.finished(claimed(2), ACCEPTED, State.ACCEPTED)
    lane = tally.lanes[1]
    assert lane.curve(0) == [0] * (CELLS - 1) + [2]
    assert lane.curve(CELLS) == [0] * CELLS


@pytest.mark.parametrize("width", [60, 80, 100, 140])
def test_the_picture_fits_the_screen(tally: Tally, width: int) -> None:
    tally.answered("autoreplied", name="Łucja Jabłońska", email="łucja@poczta.example")
    long = "a" * 60 + "@" + "b" * 60 + ".example"
    tally.finished(claimed(1, email=long), DEFERRED, State.PLANNED)
    view = LaneView(
        lane_id=1,
        identity="anna",
        provider="poczta",
        rate=12.0,
        under_way=1,
        connections=1,
        next_at=START + timedelta(minutes=1),
        waits_for="rate",
    )
    screen = Console(width=width, record=True, file=io.StringIO())
    screen.print(picture(tally, [view], now=START + CELL, width=width))
    lines = screen.export_text().splitlines()
    assert max(map(len, lines)) <= width
    assert any("they said: slower" in line for line in lines) or width == 60
